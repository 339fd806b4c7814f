"""Work that runs outside of the span that was opened for it, because the span was never made current.

span = tracer.start_span("a")                    open, but the current span is still the caller's
with tracer.start_as_current_span("b"): …        b is no child of a
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.context.needs import Needs, facts_of
from otlint.model.reason import Reason
from otlint.model.spans.span import Span

if TYPE_CHECKING:
    from otlint.model.module import Module

_WRITES = frozenset(f"{otel.SPAN}.{method}" for method in otel.LOST_WHEN_ENDED)
_CALLABLES = frozenset({None, "typing.Callable", "collections.abc.Callable", "typing.Any"})


def outside(module: Module, span: Span) -> tuple[Node, str] | None:
    """The first work that should be inside the open span and is not: where it stands and what it does.

    None too where anything makes the span current or hands it on by hand.
    """
    if span.current or span.function is None or not isinstance(span.function, cst.FunctionDef):
        return None
    uses = {*module.custody(span.start).uses, *_named(module, span)}
    order = module.walk.order
    current = next((use for use in sorted(uses, key=order.__getitem__) if _makes_current(module, use)), None)
    if module.silenced(span.start, Reason("it is made current, or handed on, by hand", current) if current else None):
        return None
    body = list(_opened(module, span))
    generator = any(isinstance(node, cst.Yield) for node in body) and not module.values.is_manager(span.function)
    if module.silenced(span.start, generator and "a generator must not keep a span current while it waits"):
        return None
    for node in body:
        words = _needs_parent(module, span, node)
        handed = isinstance(node, cst.Call) and any(module.walk.inside(use, node) for use in uses)
        if words is not None and not handed:
            return node, words
    module.silenced(span.start, "nothing that runs while it is open is known to ask for the current span")
    return None


def _named(module: Module, span: Span) -> Iterator[Node]:
    """The uses of the variable that `with … as span` binds."""
    if span.managed_by is not None and span.variable is not None:
        for use in module.walk.named(span.variable, span.managed_by):
            if any(each.node is span.binding for each in module.names.reaching(use.value, use)):
                yield use


def _opened(module: Module, span: Span) -> Iterator[Node]:
    """The nodes that are evaluated while the span is open and nothing else is current."""
    if span.managed_by is not None:
        items = [each for each in span.managed_by.items if module.walk.order[each] > module.walk.order[span.start]]
        blocks = (*items, span.managed_by.body)
        nodes = [node for block in blocks for node in module.walk.own(block, cst.Call, cst.Yield)]
    else:
        custody = module.custody(span.start)
        if custody.handed or not custody.discharged:
            return
        flow = module.flow(custody.function)
        nodes = [node for node in flow.after(span.start, custody.discharged) if isinstance(node, cst.Call | cst.Yield)]
    enclosing = module.span_around(span.start)
    for node in nodes:
        if module.span_around(node) is enclosing:
            yield node


def _makes_current(module: Module, use: Node) -> bool:
    """`use_span(span)`, `set_span_in_context(span)`, or a call that might do so."""
    up = module.walk.parent.get(use)
    call = module.walk.parent.get(up) if isinstance(up, cst.Arg) else None
    if not isinstance(call, cst.Call):
        return False
    return bool(module.helpers.use(use) & {"use", "keep", "attach"})


def _needs_parent(module: Module, span: Span, node: Node) -> str | None:
    """What of the evaluation asks for the current span."""
    if isinstance(node, cst.Yield):
        manager = isinstance(span.function, cst.FunctionDef) and module.values.is_manager(span.function)
        return "the caller's block runs" if manager else None
    assert isinstance(node, cst.Call)
    api = module.api(node.func)
    started = module.spans.started_by(node)
    if started is not None and started is not span and started.api != otel.USE_SPAN:
        given = module.argument(node, "context")
        return "a span starts" if given is None else None
    if module.helpers.starting.calls_parameter(node):
        return "the wrapped function runs"
    if _is_given(module, node.func) and not isinstance(module.walk.parent[node], cst.Expr):
        return f"`{module.code(node.func)}` runs"
    if api is None:
        return None
    if api in otel.INJECTS:
        return "the context is injected" if module.argument(node, "context") is None else None
    if api == otel.GET_CURRENT_SPAN:
        return "`get_current_span()` is written to" if _is_written(module, node) else None
    if facts_of(module, api) is not None:
        return _needed_below(module, api)
    if api in module.project.telemetry:
        return f"`{api.rpartition('.')[2]}` starts spans"
    operation = module.operation(node)
    if operation is not None and module.instrumentation.of(operation.instrumentors | operation.beneath) is not None:
        return f"`{api.rpartition('.')[2]}`, which is instrumented, is called"
    return None


def _is_written(module: Module, call: cst.Call) -> bool:
    """`trace.get_current_span().set_attribute("order", 7)`: that of the caller gets it."""
    up = module.walk.parent[call]
    return not call.args and isinstance(up, cst.Attribute) and up.attr.value in otel.LOST_WHEN_ENDED


def _needed_below(module: Module, function: str) -> str | None:
    """The same of everything that a function of the project does."""
    work, name = Needs(module, {function}), function.rpartition(".")[2]
    if work.starts_spans:
        return f"`{name}` starts spans"
    if work.called & otel.INJECTS:
        return f"`{name}` injects the context"
    facts = facts_of(module, function)
    if facts is not None and otel.GET_CURRENT_SPAN in facts.calls and not facts.calls.isdisjoint(_WRITES):
        return f"`{name}` writes to the current span"
    instrumented = work.instrumented()
    return f"`{name}` calls `{instrumented}`, which is instrumented" if instrumented is not None else None


def _is_given(module: Module, called: cst.BaseExpression) -> bool:
    """Whether a function is called that came from outside: a parameter, or an attribute that the constructor sets.

    def dispatch(self, request, call_next): call_next(request)
    def __init__(self, app): self.app = app        self.app(scope, receive, send)
    """
    if module.type(called) not in _CALLABLES:
        return False
    if isinstance(called, cst.Name):
        bindings = module.names.reaching(called.value, called)
        return bool(bindings) and all(each.kind == "param" for each in bindings)
    owner = called.value if isinstance(called, cst.Attribute) else None
    cls = module.names.owner_class(owner) if isinstance(owner, cst.Name) else None
    if cls is None or not isinstance(called, cst.Attribute):
        return False
    set_by = module.names.attributes.get((cls, called.attr.value), [])
    return bool(set_by) and all(isinstance(each.value, cst.Name) and _is_given(module, each.value) for each in set_by)
