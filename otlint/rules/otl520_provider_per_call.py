"""OTL520: a provider that is built for each request, message or invocation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.ERROR)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.repeated import repeated_providers, repeated_tracers

    if module.is_spared_test:
        return
    for found in repeated_providers(module):
        yield module.finding(
            found.call,
            f"a provider is built each time that `{found.handler}` handles something, and stays until the end, "
            "with the threads of its processors; build it once, when the program starts",
            related=[(found.at, "this handles it")] if found.at is not None else (),
        )
    for found in repeated_tracers(module):
        yield module.finding(
            found.call,
            f"`{found.handler}` asks for this each time that it handles something; ask once, at the top of the module",
            hint=True,
        )
