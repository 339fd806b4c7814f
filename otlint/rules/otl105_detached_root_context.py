"""OTL105: a span that is told to have no parent, although one is at hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.code.walk import Node
    from otlint.model.module import Module

# What a parameter is called that holds the context of the caller.
_NAMES = frozenset(
    {
        "ctx", "context", "parent", "parent_ctx", "parent_context", "parent_span", "otel_context", "trace_context",
        "carrier",
    }
)  # fmt: skip
_KINDS = frozenset({otel.CONTEXT, otel.SPAN, otel.SPAN_CONTEXT})
# What somebody writes, or calls a parameter, who wants a new trace.
_MEANT = re.compile(
    r"(?i)(?:new|own|separate|independent|fresh|another|different|isolated)(?:[ _-]\w+)?[ _-]?(?:root|trace)"
    r"|root[ _-]?span|as[ _-]root|trace of its own|(?:no|without)(?: an?)?[ _-]parent"
    r"|\b(?:detach|isolat|unrelated|on purpose|intentional|deliberate|clean|clear|stale|inherit|blank)"
)


@rule(Level.INFO)
def check(module: Module) -> Iterator[Finding]:
    if module.is_spared_test:
        return
    for call in module.calls(*otel.STARTS, otel.ATTACH):
        given = module.argument(call, "context")
        empty = _empty(module, given) if given is not None else None
        if given is None or empty is None:
            continue
        if module.silenced(call, module.argument(call, "links") is not None and "the span is linked to its cause"):
            continue
        if module.silenced(call, _is_meant(module, call) and "the code says that a new trace is meant"):
            continue
        parent = _at_hand(module, call, empty)
        if parent is None:
            module.silenced(call, "no context is at hand that the span could continue")
            continue
        name, place = parent
        yield module.finding(
            given,
            f"an empty context makes the span a root, although {name} is at hand; give that, or a link",
            related=[(place, "the context comes from here")],
        )


def _empty(module: Module, given: cst.BaseExpression) -> cst.BaseExpression | None:
    """`Context()`, `{}`, `set_span_in_context(INVALID_SPAN)`, also where a variable holds it."""
    import libcst as cst

    origins = module.origins(given) if isinstance(given, cst.Name) else [given]
    if len(origins) != 1:
        return None
    made = origins[0]
    if isinstance(made, cst.Dict):
        return made if made is given and not made.elements else None
    if not isinstance(made, cst.Call):
        return None
    api = module.api(made.func)
    bare = len(made.args) == 1 and module.api(made.args[0].value) == otel.INVALID_SPAN
    return made if (api == otel.CONTEXT and not made.args) or (api == otel.SET_SPAN_IN_CONTEXT and bare) else None


def _is_meant(module: Module, call: cst.Call) -> bool:
    """Whether the comments around the call, or what the function says of itself, ask for a new trace."""
    from otlint.model.code.remarks import remarks

    return any(map(_MEANT.search, remarks(module, call)))


def _at_hand(module: Module, call: cst.Call, empty: cst.BaseExpression) -> tuple[str, Node] | None:
    """What holds a context where the span starts, in words, and its place: a parameter, a variable, a span around it.

    Who attaches an empty context does away with that of the function's own doing.
    """
    import libcst as cst

    function = module.function_of(call)
    if not isinstance(function, cst.FunctionDef):
        return None
    starts = module.api(call.func) in otel.STARTS
    around = module.span_around(call) if starts else None
    if around is not None and around.current and around.start is not call:
        return "the span around it", around.start
    if module.entries.of(function) is not None:
        return None
    for each in (*function.params.params, *function.params.kwonly_params):
        name = each.name
        kind = module.values.annotated(each.annotation.annotation) if each.annotation is not None else None
        if kind in _KINDS or (kind is None and each.annotation is None and name.value in _NAMES):
            return f"`{name.value}`", each
    before = module.walk.order[call]
    for assign in module.walk.own(function.body, cst.Assign) if starts else ():
        target = assign.targets[0].target if module.walk.order[assign] < before else None
        held = assign.value is not empty and module.type(assign.value) == otel.CONTEXT
        if held and isinstance(target, cst.Name) and _empty(module, assign.value) is None:
            return f"`{target.value}`", assign
    return None
