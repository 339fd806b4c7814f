"""OTL521: the handler of a function that is frozen before its spans have been sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module
    from otlint.model.setup.frozen import Frozen


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.frozen import frozen

    if module.is_spared_test:
        return
    for found in frozen(module):
        yield module.finding(
            found.handler,
            f"when `{found.handler.name.value}` has returned, the process is frozen with {_what(found)}, "
            f"which may be lost; flush the provider in a `finally`{' around the span' if found.early else ''}",
            related=[*_related(found)],
            fix=_fix(module, found),
        )


def _what(found: Frozen) -> str:
    """What is held back, by the providers that are known."""
    measures = found.kinds == {otel.METER_PROVIDER}
    return "what its metric readers have not exported" if measures else "spans in its batch processor"


def _related(found: Frozen) -> Iterator[tuple[cst.CSTNode, str]]:
    if found.early is not None:
        yield found.early, "the span is still open here, so that this does not send it"
    if found.left is not None:
        yield found.left, "this leaves before the flush"
    yield from ((each.call, "this provider keeps telemetry in memory") for each in found.held)


def _fix(module: Module, found: Frozen) -> Fix | None:
    if found.handler.decorators:  # the span of a decorator is still open inside of the function
        return None
    if not found.held and otel.METER_PROVIDER in found.kinds:
        return None
    made = edits.flush_in_finally(module, found.handler, found.held)
    return Fix("flush it in a `finally`", Safety.UNSAFE, made) if made is not None else None
