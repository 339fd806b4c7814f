"""Statuses that are set to OK although the operation may still fail: OK is final, so ERROR comes too late.

span.set_status(StatusCode.OK)
ship(order)                     # whatever it raises, the span stays OK
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import argument
from otlint.model.code.walk import Node
from otlint.model.errors.handlers import real
from otlint.model.errors.outcome import does_work

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span


_LATE = "nothing that may fail is known to come after it"


@dataclass(frozen=True, eq=False, slots=True)
class Ok:
    """A call that sets OK before the work, or for nothing.

    `work` is what may fail afterwards, None where nothing does and where the operation always ends with this call.
    """

    call: cst.Call
    span: Span
    work: Node | None


def oks(module: Module) -> Iterator[Ok]:
    """The calls that set OK on a span that is known, in source order."""
    for mark in module.marks:
        if mark.does != {"decided"} or mark.span is None or not _is_ok(module, mark.call):
            continue
        span = real(mark.span)
        if module.function_of(mark.call) is not _owner(module, span):
            continue
        work = _early(module, mark.call, span)
        if not module.silenced(mark.call, work is None and not _is_last(module, mark.call) and _LATE):
            yield Ok(mark.call, span, work)


def _owner(module: Module, span: Span) -> Node | None:
    """The function in which the span is open."""
    return module.function_of(span.regions[0]) if span.manner == "decorator" else span.function


def _is_ok(module: Module, call: cst.Call) -> bool:
    status: Node | None = argument(call, "status", otel.PARAMETERS[otel.SET_STATUS])
    if isinstance(status, cst.Call):
        status = argument(status, "status_code", otel.PARAMETERS[otel.STATUS])
    return status is not None and module.api(status) == otel.STATUS_CODES["OK"]


def _early(module: Module, call: cst.Call, span: Span) -> Node | None:
    """The work that may fail after OK, where that matters.

    It comes before any other work, a handler says ERROR of it, or OK is set in a `finally`, which exceptions pass.
    """
    flow = module.flow(module.function_of(call) or module.tree)
    if call not in flow:
        return None
    pending = _passing(module, call)
    if pending is not None:
        return pending
    stops = {span.start, *(module.custody(span.start).discharged if span.managed_by is None else ())}
    after = [node for node in flow.after(call, stops) if _is_work(module, node, span)]
    told = next((node for node in after if _goes_on(module, node, call) and _is_told(module, node, span)), None)
    if told is not None:
        return told
    before = (node for node in module.walk.below(_region(module, span)) if _is_work(module, node, span))
    done = any(node not in after and node in flow and flow.reaches(node, call) for node in before)
    return after[0] if after and not done else None


def _is_last(module: Module, call: cst.Call) -> bool:
    """Whether the operation ends with the call whenever it has not failed: no branch or loop decides on it."""
    decides = (cst.If, cst.For, cst.While, cst.ExceptHandler, cst.ExceptStarHandler, cst.Match, cst.IfExp)
    for up in module.walk.ancestors(call):
        if isinstance(up, cst.FunctionDef | cst.Lambda | cst.With):
            return True
        if isinstance(up, decides):
            return False
    return True


def _passing(module: Module, call: cst.Call) -> Node | None:
    """The work whose exceptions pass a `finally` that sets OK in any case."""
    statement = module.walk.parent[call]
    line = module.walk.parent.get(statement)
    block = module.walk.parent.get(line) if line is not None else None
    final = module.walk.parent.get(block) if block is not None else None
    tried = module.walk.parent.get(final) if isinstance(final, cst.Finally) else None
    if not isinstance(tried, cst.Try):
        return None
    calls = (node for node in module.walk.below(tried.body) if isinstance(node, cst.Call))
    return next((call for call in calls if does_work(module, call)), None)


def _region(module: Module, span: Span) -> Node:
    """The code in which the span is open, as far as its text shows."""
    if span.managed_by is not None:
        return span.managed_by.body
    owner = _owner(module, span)
    return owner.body if isinstance(owner, cst.FunctionDef) else module.tree


def _is_work(module: Module, node: Node, span: Span) -> bool:
    """A call that may fail while the span is open; what makes the answer or describes a span is none."""
    if not isinstance(node, cst.Call) or not does_work(module, node):
        return False
    if span.managed_by is not None and not module.walk.inside(node, span.managed_by.body):
        return False
    statement = module.walk.statement_of(node)
    outer = statement.value if isinstance(statement, cst.Expr) else None
    if isinstance(outer, cst.Call):
        described = [outer.func.value] if isinstance(outer.func, cst.Attribute) else []
        about = [*described, *(arg.value for arg in outer.args)]
        if any(module.spans.of(each) or module.type(each) == otel.SPAN_CONTEXT for each in about):
            return False
    return not isinstance(statement, cst.Return) or isinstance(module.walk.parent[node], cst.Await)


def _goes_on(module: Module, node: Node, call: cst.Call) -> bool:
    """Whether a call behind OK is more of the operation: awaited, for its own sake, or the next round of a loop."""
    assert isinstance(node, cst.Call)
    if module.walk.order[node] < module.walk.order[call] or module.helpers.starting.calls_parameter(node):
        return True
    return isinstance(module.walk.parent[node], cst.Await | cst.Expr) or module.operation(node) is not None


def _is_told(module: Module, node: Node, span: Span) -> bool:
    """Whether the handler of what fails there says ERROR of the span."""
    around = [handler for handler in module.handlers if module.walk.inside(node, handler.tried.body)]
    inner = max(around, key=lambda handler: module.walk.order[handler.tried], default=None)
    marks = [mark for handler in around if inner is not None and handler.tried is inner.tried for mark in handler.marks]
    return any("status" in mark.does and mark.span is span for mark in marks)
