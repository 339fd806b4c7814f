"""OTL608: a key that describes the resource, written on spans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.attributes.described import described

    if module.is_test:
        return
    for write in described(module):
        yield module.finding(
            write.key,
            f"`{write.name}` describes the resource, and on a span it hides or contradicts what the resource says; "
            "set it on the resource of the provider",
        )
