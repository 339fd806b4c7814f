"""OTL111: a span or context that stays current while a generator waits for its consumer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module

_SPAN = (
    "this span stays current at a `yield`, for whatever the consumer of the generator does; "
    "start it with `start_span`, wrap only own work in `use_span`, and end it in a `finally`"
)
_MESSAGES = {
    "with": _SPAN,
    "entered": _SPAN,
    "attach": (
        "this context stays attached at a `yield`, for whatever the consumer of the generator does; "
        "`detach` it before each `yield`"
    ),
    "decorator": (
        "as a decorator of a generator function this span ends before the first line of it runs; "
        "start the span inside, with `start_span`, and end it in a `finally`"
    ),
}


@rule(Level.ERROR)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.spans.generators import held

    for each in held(module):
        place = "the work starts when the consumer asks" if each.way == "decorator" else "the consumer goes on here"
        yield module.finding(each.node, _MESSAGES[each.way], related=[(each.at, place)])
