"""OTL607: an attribute of the semantic conventions with a wrong type, a wrong value or a misspelt key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.attributes.mistyped import mistyped

    if module.is_test:
        return
    for found in mistyped(module):
        yield module.finding(found.place, found.message)
