"""Carriers that a context is injected into: what is done with them, and when.

inject(headers)                                             the context of the caller
with tracer.start_as_current_span("GET", kind=CLIENT):      is not in the headers
    requests.get(url, headers=headers)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.flow.during import extent
from otlint.model.kinds.work import holding

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

_LEAVES = frozenset({otel.KIND_CLIENT, otel.KIND_PRODUCER})
_SENDS = frozenset({"http", "rpc", "send"})
_COPIES = frozenset({"builtins.dict", "copy.copy", "copy.deepcopy"})
# Methods of a dict that give what it holds at that time, and those that go on to show what it holds.
_READS = frozenset({"copy", "get"})
_VIEWS = frozenset({"items", "keys", "values"})


def injections(module: Module) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    """The calls that inject and their carriers: those of `inject`, and statements that call a helper around it."""
    for call in module.calls(*otel.INJECTS):
        given = module.argument(call, "carrier")
        if given is not None and module.argument(call, "setter") is None:
            yield call, given
    for statement in module.walk.all(cst.Expr):
        helped = statement.value
        facts = module.helper(helped) if isinstance(helped, cst.Call) and helped.args else None
        if not isinstance(helped, cst.Call) or facts is None or facts.calls.isdisjoint(otel.INJECTS):
            continue
        for parameter, effects in facts.effects:
            given = module.helpers.given(helped, facts, parameter) if effects == {"inject"} else None
            if given is not None:
                yield helped, given


def early(module: Module, call: cst.Call, carrier: cst.Name) -> Span | None:
    """The span that sends what a call of `inject` has put into a carrier before that span, None when none does."""
    function, around = module.function_of(call), module.span_around(call)
    if module.argument(call, "context") is not None or (around is not None and around.kind in _LEAVES):
        return None
    if not isinstance(function, cst.FunctionDef):
        return None
    after = set(module.flow(function).after(call))
    for span in module.spans:
        later = (
            span.start in after and span.api in otel.STARTS and (span.kind in _LEAVES or _stands_for_one(module, span))
        )
        current = span.current or any(each.used in {span, span.first or span} for each in module.spans)
        names = frozenset({carrier.value})
        if later and current and _sends(module, span, names | holding(module, function.body, span.start, given=names)):
            return span
    return None


def _stands_for_one(module: Module, span: Span) -> bool:
    """Whether the span is one request or message and only lacks the kind that says so."""
    return any(span is each for subject in ("client", "producer") for each, _ in module.misjudged(subject))


def early_helpers(module: Module) -> Iterator[tuple[cst.Call, cst.Name, Span]]:
    """`headers = self._headers()`, where that injects: the call, the name, and the span that sends it later."""
    for assign in module.walk.all(cst.Assign):
        target, call = assign.targets[0].target, assign.value
        facts = module.helper(call) if isinstance(call, cst.Call) and isinstance(target, cst.Name) else None
        if facts is None or facts.telemetry or facts.span is not None or facts.calls.isdisjoint(otel.INJECTS):
            continue
        assert isinstance(call, cst.Call) and isinstance(target, cst.Name)
        span = early(module, call, target)
        if span is not None:
            yield call, target, span


def _sends(module: Module, span: Span, names: frozenset[str]) -> bool:
    """Whether the span sends the carrier as it was before, by a library that puts nothing into it."""
    found = False
    for each in _calls(module, span):
        if not any(name.value in names for arg in each.args for name in module.walk.own(arg, cst.Name)):
            continue
        operation = module.operation(each)
        if operation is None or operation.role not in _SENDS:
            return False  # it may be injected into once more
        if module.instrumentation.possible(operation.instrumentors | operation.beneath) is not None:
            return False
        found = True
    return found


def _calls(module: Module, span: Span) -> Iterator[cst.Call]:
    blocks: list[Node] = list(extent(module, span))
    yield from (call for block in blocks for call in module.walk.own(block, cst.Call) if not _keeps(module, call))


def _keeps(module: Module, call: cst.Call) -> bool:
    """`span.set_attribute("headers", len(headers))` and the like send nothing."""
    api = module.api(call.func) or ""
    return api.startswith((f"{otel.SPAN}.", "builtins.", "logging."))


def is_made_here(module: Module, given: cst.Name, function: cst.FunctionDef) -> bool:
    """Whether the name always holds a dict that this function makes for itself."""
    bindings = module.names.bindings(given.value, given)
    if not bindings or any(module.function_of(each.node) is not function for each in bindings):
        return False
    for each in bindings:
        value = each.value
        alone = isinstance(each.node, cst.AnnAssign) or (
            isinstance(each.node, cst.Assign) and len(each.node.targets) == 1
        )
        if each.kind != "assign" or not is_new(module, value) or not alone:
            return False
    return True


def is_new(module: Module, value: Node | None) -> bool:
    """Whether the value is a dict that nobody else has: `{}`, `dict(headers)`, `headers.copy()`."""
    if not isinstance(value, cst.Call):
        return isinstance(value, cst.Dict)
    if module.api(value.func) in _COPIES:
        return True
    return isinstance(value.func, cst.Attribute) and value.func.attr.value == "copy" and not value.args


def is_written(module: Module, name: cst.Name) -> bool:
    """`headers = {}`, `headers["accept"] = …`, and names that are no variables."""
    up = module.walk.parent[name]
    if isinstance(up, cst.Attribute):
        return up.value is not name
    if isinstance(up, cst.Arg | cst.Param):
        return isinstance(up, cst.Param) or up.keyword is name
    if isinstance(up, cst.AssignTarget) or (isinstance(up, cst.AnnAssign) and up.target is name):
        return True
    return isinstance(up, cst.Subscript) and isinstance(module.walk.parent[up], cst.AssignTarget)


def is_injected(module: Module, name: cst.Name, call: cst.Call) -> bool:
    """Whether the name is the carrier of an injection: of the call, or of another `inject`."""
    up = module.walk.parent[name]
    above = module.walk.parent[up]
    if not isinstance(up, cst.Arg) or not isinstance(above, cst.Call):
        return False
    return above is call or module.api(above.func) in otel.INJECTS


def left_by(module: Module, name: cst.Name) -> Node | None:
    """What takes the carrier along as it is at that time: a request or message, a copy of what it holds."""
    up = module.walk.parent[name]
    above = module.walk.parent[up]
    if isinstance(up, cst.StarredDictElement) or (isinstance(up, cst.Arg) and up.star == "**"):
        return above
    if isinstance(up, cst.Attribute):
        return above if isinstance(above, cst.Call) and _is_read(module, above, up.attr.value) else None
    if not isinstance(up, cst.Arg) or not isinstance(above, cst.Call):
        return None
    operation = module.operation(above)
    copied = module.api(above.func) in _COPIES
    return above if copied or (operation is not None and operation.role in _SENDS) else None


def _is_read(module: Module, call: cst.Call, method: str) -> bool:
    """`headers.copy()`, `for key, value in headers.items()`: a view that is kept shows what comes later, too."""
    return method in _READS or (method in _VIEWS and isinstance(module.walk.parent[call], cst.CompFor | cst.For))
