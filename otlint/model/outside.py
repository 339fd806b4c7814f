"""Work that runs outside of the span that was opened for it, because the span was never made current.

span = tracer.start_span("a")                    open, but the current span is still the caller's
with tracer.start_as_current_span("b"): …        b is no child of a
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.reason import Reason
from otlint.model.spans import Span
from otlint.model.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module


def outside(module: Module, span: Span) -> tuple[Node, str] | None:
    """The first work that should be inside the open span and is not: where it stands and what it does.

    None too where anything makes the span current or hands it on by hand.
    """
    if span.current or span.function is None or not isinstance(span.function, cst.FunctionDef):
        return None
    custody = module.custody(span.start)
    current = next((use for use in custody.uses if _makes_current(module, use)), None)
    if module.silenced(span.start, Reason("it is made current, or handed on, by hand", current) if current else None):
        return None
    body = list(_opened(module, span))
    generator = any(isinstance(node, cst.Yield) for node in body) and not module.values.is_manager(span.function)
    if module.silenced(span.start, generator and "a generator must not keep a span current while it waits"):
        return None
    uses = set(custody.uses)
    for node in body:
        words = _needs_parent(module, span, node)
        handed = isinstance(node, cst.Call) and any(module.walk.inside(use, node) for use in uses)
        if words is not None and not handed:
            return node, words
    module.silenced(span.start, "nothing that runs while it is open is known to ask for the current span")
    return None


def _opened(module: Module, span: Span) -> Iterator[Node]:
    """The nodes that are evaluated while the span is open and nothing else is current."""
    if span.managed_by is not None:
        nodes = module.walk.own(span.managed_by.body, cst.Call, cst.Yield)
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
    effects = module.helpers.on(call, use)
    return effects is None or bool(effects & {"use", "keep", "attach"})


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
    if api is None:
        return "the wrapped function runs" if module.helpers.starting.calls_parameter(node) else None
    if api in otel.INJECTS:
        return "the context is injected" if module.argument(node, "context") is None else None
    if api in module.project.telemetry:
        return f"`{api.rpartition('.')[2]}` starts spans"
    operation = module.operation(node)
    if operation is not None and module.instrumentation.of(operation.instrumentors | operation.beneath) is not None:
        return f"`{api.rpartition('.')[2]}`, which is instrumented, is called"
    return None
