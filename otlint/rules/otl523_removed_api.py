"""OTL523: a name of OpenTelemetry's that is no longer there, or never was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.setup.gone import Gone


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.gone import gone

    if module.is_spared_test:
        return
    seen = set()
    for found in gone(module):
        if (found.node, found.name) in seen:
            continue
        seen.add((found.node, found.name))
        advice = f"; use {found.use}" if found.use is not None else ""
        yield module.finding(
            found.node, f"OpenTelemetry has no `{found.name}`, so this raises{advice}", fix=_fix(module, found)
        )


def _fix(module: Module, found: Gone) -> Fix | None:
    from otlint.model.setup.gone import uses

    places = uses(module, found)
    name = (found.renamed or "").rpartition(".")[2]
    return Fix(f"use `{name}`", Safety.SAFE, edits.rename(module, places, name)) if places else None
