"""OTL115: a span that continues the caller's trace by hand, beside the one that an instrumentor makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.siblings import Sibling


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.siblings import siblings

    if module.is_spared_test:
        return
    for found in siblings(module):
        attached = module.api(found.call.func) == otel.ATTACH
        what = "the spans that follow become siblings" if attached else "the span becomes a sibling"
        yield module.finding(
            found.call,
            f"{found.why.text}, so {what} of the request's span; "
            + ("attach nothing" if attached else "leave `context=` out"),
            fix=None if attached else _fix(module, found),
        )


def _fix(module: Module, found: Sibling) -> Fix | None:
    """Leaves the context out where it is extracted on the spot: a variable would be left unused."""
    import libcst as cst

    if not isinstance(found.given, cst.Call):
        return None
    return Fix("leave `context=` out", Safety.UNSAFE, tuple(_left_out(module, found)))


def _left_out(module: Module, found: Sibling) -> Iterator[Edit]:
    for arg in found.call.args:
        if arg.keyword is not None and arg.value is found.given:
            yield from edits.remove_argument(module, found.call, arg)
