"""OTL108: a request or message that leaves a span, and takes no context along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module

_SAYS = {
    "send": "the message goes out without the trace context",
    "http": "the request goes out without the trace context",
    "rpc": "the call goes out without the trace context",
}


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.kinds.outgoing import outgoing

    for found in outgoing(module):
        yield module.finding(
            found.call,
            f"{_SAYS[found.role]}, so what receives it starts a trace of its own; {found.advice}",
            related=[(found.active.node, found.active.why)] if found.active.node is not None else (),
        )
