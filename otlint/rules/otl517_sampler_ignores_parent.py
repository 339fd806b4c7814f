"""OTL517: a sampler that does not ask the parent, at the root of a provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

_ALL = "ALWAYS_ON"
_EFFECTS = {
    _ALL: "dropped get spans here",
    "TraceIdRatioBased": "sampled lose their spans here, and those that they dropped get some",
}


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.samplers import keeps_all, made, made_by, root, samplers

    if module.is_spared_test:
        return
    for user, given in samplers(module):
        if module.silenced(given, made_by(module, given) == otel.PARENT_BASED and "it asks the parent first"):
            continue
        bad = [each for each in made(module, given) if root(module, each) is not None]
        sampler = bad[0] if len(bad) == 1 else given
        names = sorted(filter(None, (root(module, each) for each in bad or [given])))
        if not names:
            continue
        name = names[-1]  # the ratio where both are given
        whole = name == _ALL or all(keeps_all(module, each) for each in bad or [given])
        effect = _EFFECTS[_ALL if whole else name]
        yield module.finding(
            sampler,
            f"`{name}` decides without the parent, so traces that others {effect}; put it into `ParentBased`",
            related=() if module.walk.inside(sampler, user) else [(user, "the sampler of this provider")],
            fix=_fix(module, sampler),
            # who wants every span says so: at the edge of a system, and where a later stage chooses
            hint=whole,
        )


def _fix(module: Module, sampler: cst.BaseExpression) -> Fix | None:
    made, imports = edits.reference(module, otel.PARENT_BASED, sampler)
    changes = (*edits.surround(module, sampler, f"{made}(", ")"), *imports)
    return Fix("ask the parent first", Safety.UNSAFE, changes)
