"""OTL604: the text of a query with its values in an attribute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.attributes.queries import interpolated

    if module.is_test:
        return
    for write, value in interpolated(module):
        what = module.quoted(value, "its values")
        yield module.finding(
            write.value or write.key,
            f"`{write.name}` holds the text of a query with {what} in it; use a parameter, and record the text with "
            "its placeholder",
        )
