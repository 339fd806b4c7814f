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
    if module.is_spared_test:
        return
    for user, given in _given(module):
        if module.silenced(given, _made_by(module, given) == otel.PARENT_BASED and "it asks the parent first"):
            continue
        bad = [each for each in _made(module, given) if _root(module, each) is not None]
        sampler = bad[0] if len(bad) == 1 else given
        names = sorted(filter(None, (_root(module, each) for each in bad or [given])))
        if not names:
            continue
        name = names[-1]  # the ratio where both are given
        whole = name == _ALL or all(_keeps_all(module, each) for each in bad or [given])
        effect = _EFFECTS[_ALL if whole else name]
        yield module.finding(
            sampler,
            f"`{name}` decides without the parent, so traces that others {effect}; put it into `ParentBased`",
            related=() if module.walk.inside(sampler, user) else [(user, "the sampler of this provider")],
            fix=_fix(module, sampler),
            # who wants every span says so: at the edge of a system, and where a later stage chooses
            hint=whole,
        )


def _given(module: Module) -> Iterator[tuple[cst.CSTNode, cst.BaseExpression]]:
    """What is given to providers as their sampler, and where."""
    import libcst as cst

    for call in module.calls(otel.SDK_PROVIDER):
        given = module.argument(call, "sampler")
        if given is not None:
            yield call, given
    for assign in module.walk.all(cst.Assign):
        # provider.sampler = TraceIdRatioBased(0.1)
        target = assign.targets[0].target
        if not isinstance(target, cst.Attribute) or target.attr.value != "sampler":
            continue
        if module.type(target.value) in {otel.SDK_PROVIDER, otel.PROVIDER}:
            yield assign, assign.value


def _made(module: Module, given: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The samplers that it may be: also those that a function of the file returns which is called for it."""
    import libcst as cst

    for each in module.origins(given):
        function = module.values.function(module.api(each.func)) if isinstance(each, cst.Call) else None
        if function is None:
            yield each
            continue
        for returned in module.walk.own(function.body, cst.Return):
            yield from module.origins(returned.value) if returned.value is not None else ()


def _root(module: Module, sampler: cst.BaseExpression) -> str | None:
    """The name of a sampler that asks no parent."""
    made = _made_by(module, sampler)
    if made not in otel.ROOT_SAMPLERS:
        made = module.type(sampler)
    return made.rpartition(".")[2] if made in otel.ROOT_SAMPLERS else None


def _keeps_all(module: Module, sampler: cst.BaseExpression) -> bool:
    """`TraceIdRatioBased(1.0)`, which is `ALWAYS_ON` by another name."""
    import libcst as cst

    given = [arg.value for arg in sampler.args[:1]] if isinstance(sampler, cst.Call) else []
    found = [each for rate in given for each in module.origins(rate)]
    return bool(found) and all(
        isinstance(each, cst.Integer | cst.Float) and each.evaluated_value >= 1 for each in found
    )


def _made_by(module: Module, sampler: cst.BaseExpression) -> str | None:
    """The class that makes the sampler, or the constant that it is."""
    import libcst as cst

    return module.api(sampler.func if isinstance(sampler, cst.Call) else sampler)


def _fix(module: Module, sampler: cst.BaseExpression) -> Fix | None:
    made, imports = edits.reference(module, otel.PARENT_BASED, sampler)
    changes = (*edits.surround(module, sampler, f"{made}(", ")"), *imports)
    return Fix("ask the parent first", Safety.UNSAFE, changes)
