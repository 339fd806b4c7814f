"""OTL307: the span of a server says ERROR where the client was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.errors.refusals import refusals

    if module.is_spared_test:
        return
    for found in refusals(module):
        places = [(found.shows, "the client is wrong here")]
        if found.start is not None:
            places.append((found.start, "the span of the server starts here"))
        yield module.finding(
            found.call,
            "the status becomes ERROR when the client is wrong (4xx), which is no failure of the server; "
            "leave it UNSET below 500",
            related=places,
        )
