"""OTL105: a span that is told to have no parent, although one is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module
    from otlint.model.walk import Node

# What a parameter is called that holds the context of the caller.
_NAMES = frozenset(
    {"ctx", "context", "parent", "parent_ctx", "parent_context", "otel_context", "trace_context", "carrier"}
)


@rule(Level.INFO)
def check(module: Module) -> Iterator[Finding]:
    if module.is_spared_test:
        return
    for call in module.calls(*otel.STARTS):
        given = module.argument(call, "context")
        if given is None or not _is_empty(module, given):
            continue
        if module.silenced(call, module.argument(call, "links") is not None and "the span is linked to its cause"):
            continue
        parent = _at_hand(module, call, given)
        if parent is None:
            module.silenced(call, "no context is at hand that the span could continue")
            continue
        name, place = parent
        yield module.finding(
            given,
            f"an empty context makes the span a root, although `{name}` is at hand; give that, or a link",
            related=[(place, "the context comes from here")],
        )


def _is_empty(module: Module, given: cst.BaseExpression) -> bool:
    """`Context()`, `{}`."""
    import libcst as cst

    if isinstance(given, cst.Dict):
        return not given.elements
    return isinstance(given, cst.Call) and not given.args and module.api(given.func) == otel.CONTEXT


def _at_hand(module: Module, call: cst.Call, given: cst.BaseExpression) -> tuple[str, Node] | None:
    """The parameter or variable that holds a context where the span starts."""
    import libcst as cst

    function = module.function_of(call)
    if not isinstance(function, cst.FunctionDef) or module.entries.of(function) is not None:
        return None
    for each in (*function.params.params, *function.params.kwonly_params):
        name = each.name
        kind = module.values.annotated(each.annotation.annotation) if each.annotation is not None else None
        if kind == otel.CONTEXT or (kind is None and each.annotation is None and name.value in _NAMES):
            return name.value, each
    before = module.walk.order[call]
    for assign in module.walk.own(function.body, cst.Assign):
        target = assign.targets[0].target if module.walk.order[assign] < before else None
        held = assign.value is not given and module.type(assign.value) == otel.CONTEXT
        if held and isinstance(target, cst.Name) and not _is_empty(module, assign.value):
            return target.value, assign
    return None
