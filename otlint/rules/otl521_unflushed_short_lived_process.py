"""OTL521: the handler of a function that is frozen before its spans have been sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.frozen import Frozen
    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.frozen import frozen

    if module.is_spared_test:
        return
    for found in frozen(module):
        yield module.finding(
            found.handler,
            f"when `{found.handler.name.value}` has returned, the process is frozen with spans in its batch processor, "
            "which may be lost; flush the provider in a `finally`",
            related=[(each.call, "this provider keeps spans in memory") for each in found.held],
            fix=_fix(module, found),
        )


def _fix(module: Module, found: Frozen) -> Fix | None:
    if found.handler.decorators:  # the span of a decorator is still open inside of the function
        return None
    made = edits.flush_in_finally(module, found.handler, found.held)
    return Fix("flush it in a `finally`", Safety.UNSAFE, made) if made is not None else None
