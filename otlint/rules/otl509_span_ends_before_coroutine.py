"""OTL509: a span that ends before the coroutine that its block hands out is awaited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.ERROR)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.spans.unawaited import unawaited

    if module.is_spared_test:
        return
    for found in unawaited(module):
        yield module.finding(
            found.span.start,
            "the span ends before the coroutine is awaited that is returned from it, so it covers nothing of its work; "
            "await it inside of the span, in an `async def`",
            related=[(found.call, "nothing of this coroutine has run yet")],
        )
