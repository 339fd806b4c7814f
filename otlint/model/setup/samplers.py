"""The samplers that providers are given, and what they decide by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel

if TYPE_CHECKING:
    from otlint.model.module import Module


def samplers(module: Module) -> Iterator[tuple[cst.CSTNode, cst.BaseExpression]]:
    """What is given to providers as their sampler, and where."""
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


def made(module: Module, given: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The samplers that it may be: also those that a function of the file returns which is called for it."""
    for each in module.origins(given):
        function = module.values.function(module.api(each.func)) if isinstance(each, cst.Call) else None
        if function is None:
            yield each
            continue
        for returned in module.walk.own(function.body, cst.Return):
            yield from module.origins(returned.value) if returned.value is not None else ()


def root(module: Module, sampler: cst.BaseExpression) -> str | None:
    """The name of a sampler that asks no parent."""
    made = made_by(module, sampler)
    if made not in otel.ROOT_SAMPLERS:
        made = module.type(sampler)
    return made.rpartition(".")[2] if made in otel.ROOT_SAMPLERS else None


def keeps_all(module: Module, sampler: cst.BaseExpression) -> bool:
    """`TraceIdRatioBased(1.0)`, which is `ALWAYS_ON` by another name."""
    given = [arg.value for arg in sampler.args[:1]] if isinstance(sampler, cst.Call) else []
    found = [each for rate in given for each in module.origins(rate)]
    return bool(found) and all(
        isinstance(each, cst.Integer | cst.Float) and each.evaluated_value >= 1 for each in found
    )


def made_by(module: Module, sampler: cst.BaseExpression) -> str | None:
    """The class that makes the sampler, or the constant that it is."""
    return module.api(sampler.func if isinstance(sampler, cst.Call) else sampler)
