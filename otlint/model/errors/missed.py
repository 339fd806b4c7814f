"""Spans that are ended on every way out, while the exceptions that leave meanwhile reach neither events nor status.

    span = tracer.start_span("ship")
    try:
        ship(order)             # what it raises is nowhere on the span
    finally:
        span.end()

The same in context managers: a generator, or a class that starts the span in `__enter__` and ends it in `__exit__`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.conditions import Conditions
from otlint.model.code.managers import LEAVES_OF
from otlint.model.code.walk import Node
from otlint.model.errors.handlers import Mark
from otlint.model.errors.substitutes import says_error
from otlint.model.flow.ways import Exit
from otlint.model.reason import Reason
from otlint.model.spans.ownership import Custody
from otlint.model.spans.span import Span
from otlint.model.spans.unended import is_live, open_exits

if TYPE_CHECKING:
    from otlint.model.module import Module

_DEPTH = 4


@dataclass(frozen=True, eq=False, slots=True)
class Missed:
    """`way` is where an exception comes from that passes unseen, `end` what ends the span then."""

    span: Span
    way: Node
    end: Node


def missed_errors(module: Module) -> Iterator[Missed]:
    """The spans of a file that miss exceptions, in source order."""
    if module.is_spared_test:
        return
    for span in module.spans:
        found = _in_function(module, span) if is_live(span) and span.first is None else None
        found = found or _in_class(module, span)
        if found is not None:
            yield found


def would_miss(module: Module, span: Span) -> bool:
    """Whether exceptions would pass unseen if the span were always ended."""
    function = span.function
    if not isinstance(function, cst.FunctionDef):
        return False
    if any(_may_be_on(mark, span) and module.walk.inside(mark.call, function) for mark in module.marks):
        return False
    custody = module.custody(span.start)
    ways = module.flow(function).escapes(span.start, (), every=True)
    ways = [way for way in ways if way.kind in {"exception", "raise"} and not way.only_base_exceptions]
    return any(_is_unseen(module, span, custody, way.node) for way in ways)


def _in_function(module: Module, span: Span) -> Missed | None:
    custody, function = module.custody(span.start), span.function
    if span.manner != "assigned" or not isinstance(function, cst.FunctionDef) or open_exits(module, custody):
        return None
    if module.silenced(span.start, _is_told(module, span, custody)):
        return None
    flow = module.flow(function)
    known = Conditions(module.walk, module.names, custody.start, custody.names).known
    marks = {mark.call for mark in module.marks if _may_be_on(mark, span) and "decided" not in mark.does}
    ends = set(custody.discharged)
    open_yet = set(flow.after(span.start, marks | ends))
    early = {way.node for way in flow.escapes(span.start, marks | ends, known=known, every=True)}
    for way in flow.escapes(span.start, marks, known=known, every=True):
        if way.kind not in {"exception", "raise"} or way.only_base_exceptions:
            continue
        if not (way.node in open_yet or _is_of(module, way, open_yet)):
            continue
        if way.node not in early and _is_unseen(module, span, custody, way.node):
            return Missed(span, way.node, custody.discharged[0])
    module.silenced(span.start, "no exception is known to leave while it is open")
    return None


def _is_of(module: Module, way: Exit, open_yet: set[Node]) -> bool:
    """Whether a `raise` behind the end raises once more what was raised while the span was open."""
    return any(
        module.walk.inside(way.node, handler.node)
        and handler.same_exception(way)
        and any(node in open_yet for node in module.walk.below(handler.tried.body))
        for handler in module.handlers
    )


def _is_told(module: Module, span: Span, custody: Custody) -> Reason | None:
    """Why somebody else may put exceptions on the span, or does so already for some of them."""
    if custody.handed:
        return Reason("somebody else gets the span, who may record the exception", custody.handed[0])
    if not custody.discharged:
        return Reason("nothing here ends it")
    for mark in module.marks:
        if not _may_be_on(mark, span) or not module.walk.inside(mark.call, custody.function):
            continue
        own = module.function_of(mark.call) is span.function
        if not own or "unknown" in mark.does or _is_behind_failure(module, mark.call):
            return Reason("this call deals with exceptions", mark.call)
    for attribute in module.attributes:
        func = attribute.call.func
        if isinstance(func, cst.Attribute) and module.spans.of(func.value) is span and says_error(module, attribute):
            return Reason("OTL308 speaks of this attribute", attribute.call)
    return None


def _may_be_on(mark: Mark, span: Span) -> bool:
    return mark.span in {span, None}


def _is_behind_failure(module: Module, node: Node) -> bool:
    """Whether a node stands in a handler or a `finally`."""
    below = node
    for up in module.walk.ancestors(node):
        if isinstance(up, cst.FunctionDef | cst.Lambda):
            return False
        if isinstance(up, cst.ExceptHandler | cst.ExceptStarHandler | cst.Finally) and below is up.body:
            return True
        below = up
    return False


def _is_unseen(module: Module, span: Span, custody: Custody, node: Node) -> bool:
    """Whether an exception there is an ordinary one, and no `with` of the span records it."""
    if isinstance(node, cst.Yield) and not module.values.is_manager(span.function):  # type: ignore[arg-type]
        return False
    if module.helpers.ownership.describes(node, custody):
        return False
    blocks = [block for block in module.spans.enclosing(node) if block.used is span]
    return not any(block.records is not False or block.sets_status is not False for block in blocks)


def _in_class(module: Module, span: Span) -> Missed | None:
    """`__enter__` starts the span, and `__exit__`, which gets the exception, only ends it."""
    enter, helper = span.function, span.helper.span if span.helper is not None else None
    live = helper.form == "live" if helper is not None else span.api == otel.START_SPAN and span.managed_by is None
    owner = module.walk.class_of(enter) if isinstance(enter, cst.FunctionDef) else None
    if not live or owner is None or not isinstance(enter, cst.FunctionDef) or enter.name.value not in LEAVES_OF:
        return None
    leave = module.values.function(f"{module.names.qualified(owner)}.{LEAVES_OF[enter.name.value]}")
    if leave is None:
        return None
    calls = list(_calls(module, owner, leave, 0))
    end = next((call for call in calls if module.api(call.func) == otel.END), None)
    if end is None or module.silenced(span.start, _is_dealt_with(module, leave, calls)):
        return None
    return Missed(span, leave, end)


def _calls(module: Module, owner: cst.ClassDef, method: cst.FunctionDef, depth: int) -> Iterator[cst.Call]:
    """What a method calls, and what the methods of its class call for it."""
    for call in module.walk.all(cst.Call, within=method):
        yield call
        target = module.values.function(module.api(call.func))
        if target is not None and target is not method and module.walk.class_of(target) is owner and depth < _DEPTH:
            yield from _calls(module, owner, target, depth + 1)


def _is_dealt_with(module: Module, leave: cst.FunctionDef, calls: list[cst.Call]) -> Reason | None:
    """Why the exception may reach the span: something is told of it, or `__exit__` hands it on."""
    told = next((call for call in calls if module.mark(call) is not None), None)
    if told is not None:
        return Reason("this call deals with exceptions", told)
    params = [*leave.params.params[1:], leave.params.star_arg]
    given = {each.name.value for each in params if isinstance(each, cst.Param)}
    for call in module.walk.all(cst.Call, within=leave):
        names = [name for arg in call.args for name in module.walk.all(cst.Name, within=arg.value)]
        if any(name.value in given for name in names) and module.logs.of(call) is None:
            return Reason("the exception is handed on", call)
    return None
