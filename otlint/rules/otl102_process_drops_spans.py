"""OTL102: work handed to a process that loses its spans, or that does not see the caller's trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.context.processes import children, parent_lost, spans_lost

    if module.is_spared_test:
        return
    for child in children(module):
        name = min(child.names).rpartition(".")[2]
        active = parent_lost(module, child)
        if active is not None:
            yield module.finding(
                child.call,
                f"`{name}` starts spans, but in a process that is not forked it is outside of the caller's trace; "
                "hand it a carrier, and `extract` that",
                related=[(active.node, active.why)] if active.node is not None else (),
            )
        elif spans_lost(module, child):
            yield module.finding(
                child.call,
                f"`{name}` makes spans in a forked process, which ends by `os._exit`, so those that wait in the batch "
                f"processor are lost; flush the provider at the end of `{name}`",
            )
