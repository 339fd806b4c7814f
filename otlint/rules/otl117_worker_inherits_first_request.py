"""OTL117: a worker that lives on after the request that started it, and keeps that request's context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.INFO)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.context.workers import workers

    if module.is_spared_test:
        return
    for found in workers(module):
        yield module.finding(
            found.call,
            f"`{found.name}` never ends, so all that it does later belongs to the trace of what starts it here; "
            "start it outside of any span, and hand it a context with each item",
            related=[(found.active.node, found.active.why)] if found.active.node is not None else (),
        )
