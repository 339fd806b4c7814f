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
    if module.is_spared_test:
        return
    for call in module.calls(otel.RESOURCE):
        # Resource(attributes={"service.name": "shop"})
        if module.silenced(call, _reason(module, call)):
            continue
        yield module.finding(
            call,
            "`Resource(…)` has none of `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and `telemetry.sdk.*`; "
            "make it with `Resource.create(…)`",
            fix=_fix(module, call),
        )


def _reason(module: Module, call: cst.Call) -> str | None:
    """Why the resource is all right without the environment."""
    import libcst as cst

    function = module.function_of(call)
    owner = module.walk.class_of(function) if function is not None else None
    if owner is not None and otel.RESOURCE_DETECTOR in module.values.lineage(owner):
        return "a detector gives one part of a resource"
    if any(module.api(each.func) == otel.RESOURCE_CREATE for each in module.walk.all(cst.Call, within=call)):
        return "it takes over the attributes of `Resource.create`"
    merged = _merged_with(module, call)
    if merged is not None and any(
        isinstance(each, cst.Call) and module.api(each.func) == otel.RESOURCE_CREATE for each in module.origins(merged)
    ):
        return "it is merged with one that knows the environment"
    return None


def _merged_with(module: Module, call: cst.Call) -> cst.BaseExpression | None:
    """`other` of `other.merge(call)` and of `call.merge(other)`."""
    import libcst as cst

    up = module.walk.parent[call]
    merge = module.walk.parent[up]
    if not isinstance(merge, cst.Call) or module.api(merge.func) != otel.RESOURCE_MERGE:
        return None
    if up is merge.func:
        return merge.args[0].value if merge.args else None
    return merge.func.value if isinstance(merge.func, cst.Attribute) else None


def _fix(module: Module, call: cst.Call) -> Fix | None:
    """Within `merge` the environment would win over, or lose against, the other resource."""
    if _merged_with(module, call) is not None:
        return None
    written = module.code(call.func)
    return Fix("make it with `Resource.create`", Safety.SAFE, edits.replace(module, call.func, f"{written}.create"))
