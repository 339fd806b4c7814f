"""OTL310: a span opened in a handler to hold the exception, in place of the span that failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.errors.strays import sent_apart, strays

    if module.is_spared_test:
        return
    for stray in strays(module):
        places = [(stray.mark.call, "the exception is put on the new span")]
        if stray.failed is not None:
            places.append((stray.failed.start, "this span has failed and does not show it"))
        yield module.finding(
            stray.span.start,
            "this span is opened only to hold the exception, and the one that failed does not show it; "
            "record it on the span that is around the `try`",
            related=places,
        )
    for found in sent_apart(module):
        yield module.finding(
            found.call,
            f"`{found.name}` opens a span only to hold the exception, and the one that failed does not show it; "
            "record it on the span that is around the `try`",
            related=[(found.failed.start, "this span has failed and does not show it")],
        )
