"""OTL522: a resource made by its constructor, which does not read the environment."""

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


@rule(Level.WARNING, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.resources import reads_environment

    if module.is_spared_test:
        return
    for call in module.calls(otel.RESOURCE):
        # Resource(attributes={"service.name": "shop"})
        if module.silenced(call, _reason(module, call)):
            continue
        missing = "none of `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and `telemetry.sdk.*`"
        if reads_environment(module):
            missing = "no `telemetry.sdk.*`, and nothing from detectors"
        yield module.finding(
            call,
            f"`Resource(…)` has {missing}; make it with `Resource.create(…)`",
            fix=_fix(module, call),
        )


def _reason(module: Module, call: cst.Call) -> str | None:
    """Why the resource is all right without the environment."""
    import libcst as cst

    from otlint.model.functions.unused import is_unused
    from otlint.model.setup.resources import is_copy, is_for_maker

    if _is_of_detector(module, call):
        return "a detector gives one part of a resource"
    if is_unused(module, call):
        return "nothing in this program calls the function that makes it"
    if is_copy(module, call):
        return "it takes over the attributes of another resource"
    if is_for_maker(module, call):
        return "it is sent to the maker of the product, whom the environment of its users is no concern of"
    if any(module.api(each.func) == otel.RESOURCE_CREATE for each in module.walk.all(cst.Call, within=call)):
        return "it takes over the attributes of `Resource.create`"
    others = [way for other in _merged_with(module, call) for way in module.origins(other)]
    if any(not isinstance(way, cst.Call) or module.api(way.func) != otel.RESOURCE for way in others):
        return "it is merged with one that may know the environment"
    return None


def _is_of_detector(module: Module, node: cst.CSTNode, depth: int = 0) -> bool:
    """Whether a place is in a detector, or in a function that only detectors of the file call."""
    import libcst as cst

    function = module.function_of(node)
    owner = module.walk.class_of(function) if function is not None else None
    if owner is not None:
        return otel.RESOURCE_DETECTOR in module.values.lineage(owner)
    sites = module.values.call_sites(function) if isinstance(function, cst.FunctionDef) and depth < 3 else []
    return bool(sites) and all(_is_of_detector(module, site, depth + 1) for site in sites)


def _merged_with(module: Module, call: cst.Call) -> Iterator[cst.BaseExpression]:
    """Each `other` of `other.merge(call)` and of `call.merge(other)`, directly and by the name of the resource."""
    import libcst as cst

    above, function = module.walk.parent[call], module.function_of(call)
    targets = [each.target for each in above.targets] if isinstance(above, cst.Assign) else []
    names = {each.value for each in targets if isinstance(each, cst.Name)}
    for merge in module.walk.own(function.body if function is not None else module.tree, cst.Call):
        if not isinstance(merge.func, cst.Attribute) or merge.func.attr.value != "merge" or len(merge.args) != 1:
            continue
        sides = [merge.func.value, merge.args[0].value]
        mine = [each is call or (isinstance(each, cst.Name) and each.value in names) for each in sides]
        yield from (other for other, is_mine in zip(sides, reversed(mine), strict=True) if is_mine)


def _fix(module: Module, call: cst.Call) -> Fix | None:
    """Within `merge` the environment would win over, or lose against, the other resource."""
    if any(_merged_with(module, call)):
        return None
    written = module.code(call.func)
    return Fix("make it with `Resource.create`", Safety.SAFE, edits.replace(module, call.func, f"{written}.create"))
