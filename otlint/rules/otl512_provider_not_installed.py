"""OTL512: a provider that nothing uses, or that has nothing to send to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.setup.idle import Idle

_NAMES = {
    otel.SDK_PROVIDER: ("tracer provider", "span processor", "spans"),
    otel.METER_PROVIDER: ("meter provider", "metric reader", "measurements"),
    otel.LOGGER_PROVIDER: ("logger provider", "log record processor", "log records"),
}


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.idle import idle

    if module.is_spared_test:
        return
    for found in idle(module):
        yield module.finding(found.node, _message(found))


def _message(found: Idle) -> str:
    what, feed, things = _NAMES[found.kind]
    short = otel.SET_PROVIDER[found.kind].rpartition(".")[2]
    if found.how == "unused":
        return f"nothing uses this {what}, and it is not the global one; give it to `{short}`"
    if found.how == "empty":
        return f"this {what} has no {feed}, so its {things} go nowhere; give it one"
    if found.how == "itself":
        return f"`{short}` gets what stands for the provider that is not set yet, which then calls itself without end"
    return f"no {what} is set here, and what stands for it has no `{_ADD[found.kind]}`; set the provider first"


_ADD = {kind: adds[0].rpartition(".")[2] for kind, adds in otel.ADD_PROCESSOR.items() if adds}
