"""OTL706: an instrument that has the name of another one and differs from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module

_HARM = {
    "kind": "so that there are two metrics with one name",
    "unit": "so that there are two metrics with one name",
    "boundaries": "which the SDK ignores",
}


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.metrics.conflicts import conflicts

    if module.is_spared_test:
        return
    for found in conflicts(module):
        # meter.create_counter("orders"); meter.create_histogram("orders")
        where = f"`{found.other}` makes" if found.other is not None else "there is"
        another = f"another {found.what}" if found.what != "boundaries" else "other boundaries"
        yield module.finding(
            found.each.call,
            f"{where} an instrument `{found.name}` with {another}, {_HARM[found.what]}; "
            "make it once, or give this one another name",
            related=[(found.before, "the other one is made here")] if found.before is not None else [],
        )
