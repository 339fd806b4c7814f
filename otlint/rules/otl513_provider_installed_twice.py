"""OTL513: a provider that is made the global one although there is one already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module

_WHAT = {
    otel.SDK_PROVIDER: "tracer provider",
    otel.METER_PROVIDER: "meter provider",
    otel.LOGGER_PROVIDER: "logger provider",
}


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.functions.unused import is_unused
    from otlint.model.setup.installing import events, refused

    if module.is_spared_test:
        return
    found = {again.install.node: again for again in refused(module)}
    for again in found.values():
        node = again.install.node
        if module.silenced(node, is_unused(module, node) and "nothing in this program calls the function"):
            continue
        yield module.finding(
            node,
            f"{again.why}, and a second {_WHAT[again.install.kind]} is refused with a warning; set up one only",
            related=[(again.first, "the first one")] if again.first is not None else (),
        )
    for each in events(module):
        module.silenced(each.node, each.node not in found and "no other provider is known to be set before")
