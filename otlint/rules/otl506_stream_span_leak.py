"""OTL506: a span that a generator or iterator ends only if somebody takes all its values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.streams import Leak


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.spans.streams import leaks

    if module.is_spared_test:
        return
    for found in leaks(module):
        where = "in `close` and `__exit__` too" if found.at is None else "in a `finally`"
        yield module.finding(
            found.node,
            "this span is ended only if somebody takes all values of the stream, and is not exported if its consumer "
            f"stops before; end it {where}",
            related=[(found.at, "the consumer may stop here")] if found.at is not None else (),
            fix=_fix(module, found),
        )


def _fix(module: Module, found: Leak) -> Fix | None:
    made = edits.end_in_finally(module, found.unended) if found.unended is not None else None
    return Fix(made[0], Safety.UNSAFE, made[1]) if made is not None else None
