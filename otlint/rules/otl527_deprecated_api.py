"""OTL527: a name of OpenTelemetry's that is to be taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.gone import deprecated, may_lack, uses

    if module.is_spared_test:
        return
    for found in deprecated(module):
        old, new = ((each or "").rpartition(".")[2] for each in (found.name, found.renamed))
        places = uses(module, found)
        safety = Safety.UNSAFE if places and may_lack(module, found) else Safety.SAFE
        fix = Fix(f"use `{new}`", safety, edits.rename(module, places, new)) if places else None
        yield module.finding(found.node, f"`{old}` is deprecated and will be taken away; use {found.use}", fix=fix)
