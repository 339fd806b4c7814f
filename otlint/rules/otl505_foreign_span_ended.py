"""OTL505: the current span is ended by code that has not started it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.spans.foreign import by_hand, foreign

    if module.is_spared_test:
        return
    ends = list(foreign(module))
    own = by_hand(module) if ends else None
    for found in ends:
        if module.silenced(found.node, own):
            continue
        yield module.finding(
            found.node,
            f"{found.how} the current span, which somebody else has started and still puts things on, which are lost; "
            f"{found.instead}",
        )
