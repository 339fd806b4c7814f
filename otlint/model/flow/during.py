"""What runs while a span is open: the blocks and statements between its start and its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span


def extent(module: Module, span: Span) -> Sequence[Node]:
    """The statements during which the span is open, () where they are not known to be one block of this file."""
    if span.manner == "with" and span.managed_by is not None:
        return [*_later_items(module, span.managed_by, span.start), span.managed_by.body]
    if span.regions:
        return span.regions
    if span.manner == "entered":
        return _of_stack(module, span)
    users = [other for other in module.spans if other.used is span and other.managed_by is not None]
    if span.manner == "assigned" and span.variable is not None:
        return _until_ended(module, span, [other.managed_by for other in users if other.ends])
    if span.manner == "passed" and len(users) == 1:  # with trace.use_span(tracer.start_span("load")):
        return extent(module, users[0])
    return ()


def _later_items(module: Module, statement: cst.With, start: Node) -> list[Node]:
    """`session.get(url)` of `with tracer.start_as_current_span("load"), session.get(url) as answer:`."""
    found = [i for i, item in enumerate(statement.items) if module.walk.inside(start, item)]
    return list(statement.items[found[0] + 1 :]) if found else []


def _until_ended(module: Module, span: Span, users: Sequence[Node | None]) -> Sequence[Node]:
    from otlint.model.code.blocks import following

    statement = module.walk.statement_of(span.start)
    found: list[Node] = []
    for each in following(module, statement) if statement is not None else ():
        found.append(each)
        ends = [call for call in module.walk.own(each, cst.Call) if module.api(call.func) == otel.END]
        if any(module.spans.of(call.func.value) is span for call in ends if isinstance(call.func, cst.Attribute)):
            return found
        if each in users:
            return found
    return ()


def _of_stack(module: Module, span: Span) -> Sequence[Node]:
    """The rest of the `with ExitStack() as stack` block in which `stack.enter_context(…)` is a statement."""
    from otlint.model.code.blocks import following

    statement = module.walk.statement_of(span.start)
    call = module.walk.parent[module.walk.parent[span.start]]
    stack = call.func.value if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) else None
    around = next((up for up in module.walk.ancestors(span.start) if isinstance(up, cst.With)), None)
    if statement is None or around is None or not isinstance(stack, cst.Name):
        return ()
    line = module.walk.parent[statement]
    if module.walk.parent[line] is not around.body:
        return ()
    names = {item.asname.name.value for item in around.items if item.asname and isinstance(item.asname.name, cst.Name)}
    return following(module, statement) if stack.value in names else ()
