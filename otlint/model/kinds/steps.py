"""What makes a span with one outgoing call more than that call: a step of the program, or a decision.

with tracer.start_as_current_span("deploy"):
    model = session.get(Model, key)
    if model is None:
        raise LookupError(key)          the span fails although the call has not
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.model.flow.during import extent
from otlint.model.reason import Reason
from otlint.model.text.wording import tokens

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.kinds.work import Done
    from otlint.model.module import Module
    from otlint.model.spans.span import Span


def step(module: Module, span: Span, done: Done, keys: set[str]) -> Reason | None:
    """Why the span is more than the call, None where nothing says so or its name or `keys` say that it is the call."""
    calls = known.table("work")["spans"]
    named = span.name.evaluated_value if isinstance(span.name, cst.SimpleString) else ""
    words = {word for part in str(named).replace(".", " ").replace(":", " ").split() for word in tokens(part)}
    if not words.isdisjoint(calls["words"]) or any(key.startswith(tuple(calls["keys"])) for key in keys):
        return None
    refused = _refusal(module, span, done) if done.operation.role == "db" else None
    if refused is not None:
        return Reason("the span fails by what the program makes of the answer as well", refused)
    state = _state(module, span)
    return Reason("the function is a step that changes the state that it is given", state) if state else None


def _refusal(module: Module, span: Span, done: Done) -> cst.Raise | None:
    """`if order is None: raise LookupError(key)`, after the call."""
    for block in extent(module, span):
        for found in module.walk.own(block, cst.Raise):
            above = set(module.walk.ancestors(found))
            late = module.walk.order[found] > module.walk.order[done.node]
            if late and any(isinstance(up, cst.If) for up in above) and not any(map(_is_handler, above)):
                return found
    return None


def _is_handler(node: Node) -> bool:
    return isinstance(node, cst.ExceptHandler | cst.ExceptStarHandler)


def _state(module: Module, span: Span) -> cst.Return | None:
    """`state["plan"] = answer`, `return state`: of the first parameter."""
    function = span.function
    if not isinstance(function, cst.FunctionDef) or not function.params.params:
        return None
    name = function.params.params[0].name.value
    changed = any(
        isinstance(each.target, cst.Subscript)
        and isinstance(each.target.value, cst.Name)
        and each.target.value.value == name
        for block in extent(module, span)
        for each in module.walk.own(block, cst.AssignTarget)
    )
    for each in module.walk.own(function.body, cst.Return) if changed else ():
        if isinstance(each.value, cst.Name) and each.value.value == name:
            return each
    return None
