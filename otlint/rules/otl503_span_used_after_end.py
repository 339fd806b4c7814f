"""OTL503: something is put on a span that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.spans.ended import late

    if module.is_spared_test:
        return
    for found in late(module):
        if found.method == "end":
            continue
        yield module.finding(
            found.call,
            f"the span has ended, so `{found.method}` is dropped with a warning; call it before the end",
            related=[(found.ended, "the span ends here")],
        )
