"""OTL402: a span that is an incoming request and has another kind than SERVER."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    for span, purpose in module.misjudged("server"):
        kind = purpose.right
        changes = edits.set_kind(module, span, purpose.kinds[0])
        yield module.finding(
            purpose.at,
            f"the span is {purpose.why}, with kind {purpose.given(span)}; {purpose.advice(span)}",
            related=[(span.start, "the span starts here")] if purpose.at is not span.start else (),
            fix=Fix(f"give `kind={kind}`", Safety.UNSAFE, changes) if changes else None,
        )
