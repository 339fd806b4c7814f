"""Exceptions that reach a span twice: recorded by hand, and by the span when they leave its block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.errors.handlers import Handler, Mark, real
from otlint.model.errors.outcome import does_work
from otlint.model.flow.raised import RAISING, Classes, Match, catches, swallows
from otlint.model.flow.ways import Exit
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span


@dataclass(frozen=True, eq=False, slots=True)
class Double:
    """`mark` records the exception, `way` raises it again, and `block` records it when it leaves its block.

    `block` is the span itself or the `use_span` that makes it current. `always`: every way out of the handler raises
    the exception again.
    """

    mark: Mark
    way: Exit
    block: Span
    handler: Handler
    always: bool

    @property
    def covers_block(self) -> bool:
        """Whether every exception that can leave the block passes the handler, which takes all of them."""
        handler, module = self.handler, self.handler.module
        owner = _owner(module, self.block)
        if not isinstance(owner, cst.With | cst.FunctionDef) or handler.caught != ("Exception",):
            return False
        tried = handler.tried
        if len(tried.handlers) > 1 or tried.orelse is not None or tried not in owner.body.body:
            return False
        others: list[Node] = [each for each in owner.body.body if each is not tried]
        if tried.finalbody is not None:
            others.append(tried.finalbody)
        return not any(_may_raise(module, node) for other in others for node in module.walk.below(other))


@dataclass(frozen=True, eq=False, slots=True)
class Repeat:
    """An exception that is recorded and then raised by its name, outside of its handler, in a block that records."""

    mark: Mark
    raised: cst.Raise
    block: Span


def doubles(handler: Handler) -> Iterator[Double]:
    """The records in a handler that the span repeats."""
    module = handler.module
    if not any("record" in mark.does for mark in handler.marks):
        return
    again = [way for way in handler.ways_out if handler.same_exception(way)]
    if not again:
        return
    flow = module.flow(handler.function if handler.function is not None else module.tree)
    for mark in handler.marks:
        if "record" not in mark.does or mark.call not in handler.main:
            continue
        way = next((way for way in again if flow.reaches(mark.call, way.node)), None)
        block = recording_block(handler, mark)
        if way is not None and block is not None:
            yield Double(mark, way, block, handler, len(again) == len(handler.ways_out))


def single(handler: Handler) -> Reason | None:
    """Why what the handler records reaches the span once, None when it records nothing."""
    record = next((mark for mark in handler.marks if "record" in mark.does), None)
    if record is None:
        return None
    if not any(handler.same_exception(way) for way in handler.ways_out):
        return Reason("the handler does not raise the same exception again", record.call)
    blocks = handler.module.spans.enclosing(handler.tried)
    mine = next((block for block in blocks if record.span is not None and real(block) is record.span), None)
    if mine is None:
        return Reason(
            "nothing around is known to record the exception of that span when it leaves a block", record.call
        )
    if mine.records is False:
        return Reason("the span is told to record nothing", mine.start)
    return Reason(
        "the exception is not certain to leave the block of the span unhandled, or recorded by it", mine.start
    )


def recording_block(handler: Handler, mark: Mark) -> Span | None:
    """What certainly records once more the exception that a handler raises again; None when nothing does."""
    if mark.span is not None:
        blocks = [block for block in handler.module.spans.enclosing(handler.tried) if real(block) is mark.span]
        return next((block for block in blocks if _records(handler, handler.tried, block)), None)
    if mark.receiver is None or handler.module.spans.is_ambient(mark.receiver):
        return _callers_block(handler)
    return None


def _callers_block(handler: Handler) -> Span | None:
    """The block around a call of the handler's function that records on the current span, which is the caller's."""
    module, function = handler.module, handler.function
    if not isinstance(function, cst.FunctionDef) or not _leaves(handler, handler.tried, function):
        return None
    calls = module.values.call_sites(function)
    blocks = [(call, block) for call in calls if (block := module.span_around(call)) is not None]
    if len(blocks) < len(calls) or not all(_records(handler, call, block) for call, block in blocks):
        return None
    return blocks[0][1] if blocks else None


def repeats(module: Module) -> Iterator[Repeat]:
    """The records of exceptions that are raised by the same name behind them, those of `except … as name` aside."""
    for call in module.calls(otel.RECORD_EXCEPTION):
        error, mark = module.argument(call, "exception"), module.mark(call)
        if mark is None or mark.span is None or not isinstance(error, cst.Name):
            continue
        flow = module.flow(module.function_of(call) or module.tree)
        for raised in module.walk.own(_body(flow.function), cst.Raise):
            if isinstance(raised.exc, cst.Name) and _is_same(module, error, raised.exc) and flow.reaches(call, raised):
                block = _leaving(module, raised, mark)
                if block is not None:
                    yield Repeat(mark, raised, block)
                    break


def _is_same(module: Module, one: cst.Name, other: cst.Name) -> bool:
    """Whether two names hold the same value, which is not the exception of an `except` clause."""
    bindings = module.names.reaching(one.value, one)
    nodes = {each.node for each in bindings if each.kind == "assign"}
    return (
        one.value == other.value
        and len(nodes) == len(bindings) > 0
        and nodes == {each.node for each in module.names.reaching(other.value, other)}
    )


def _leaving(module: Module, raised: cst.Raise, mark: Mark) -> Span | None:
    """The block of the mark's span, if what is raised here certainly leaves it and is recorded by it."""
    for block in module.spans.enclosing(raised):
        end = _owner(module, block)
        if real(block) is mark.span and block.records is True and end is not None:
            return None if any(_may_end_in(module, *step) for step in _path(module, raised, end)) else block
    return None


def _may_end_in(module: Module, below: Node, up: Node) -> bool:
    """Whether a statement around a place may keep an exception of whatever class that is raised there."""
    if isinstance(up, cst.Try | cst.TryStar) and below is up.body:
        handlers = [other for other in module.handlers if other.tried is up]
        return not all(other.same_exception(way) for other in handlers for way in other.ways_out)
    return isinstance(up, cst.Finally) or (isinstance(up, cst.With) and any(swallows(item) for item in up.items))


def _path(module: Module, node: Node, end: Node) -> Iterator[tuple[Node, Node]]:
    """The nodes around a node up to `end`, each with the one below it."""
    below = node
    for up in module.walk.ancestors(node):
        if up is end:
            return
        yield below, up
        below = up


def _body(function: cst.FunctionDef | cst.Lambda | cst.Module) -> Node:
    return function if isinstance(function, cst.Module) else function.body


def _owner(module: Module, block: Span) -> Node | None:
    """The statement at whose end a span's block ends: its `with`, its function, or the `with` of its exit stack."""
    if block.manner != "entered":
        return block.managed_by if block.managed_by is not None else block.function
    opened = module.walk.parent.get(module.spans.stack(block))
    if not isinstance(opened, cst.With) or module.walk.named("pop_all", opened):
        return None
    return opened


def _records(handler: Handler, node: Node, block: Span) -> bool:
    """Whether a block certainly records the handler's exception when it is raised at a node."""
    if block.records is not True or block.manner not in {"with", "decorator", "entered"}:
        return False
    if _is_ended_first(handler, block):
        return False
    every = block.api == otel.START_SPAN  # `with start_span()` records any BaseException
    end = _owner(handler.module, block)
    return (every or not handler.catches_base) and end is not None and _leaves(handler, node, end)


def _is_ended_first(handler: Handler, block: Span) -> bool:
    """Whether the span may end between the handler and the end of its block: an ended span takes no more events."""
    module = handler.module
    region = _owner(module, block)
    if not isinstance(region, cst.With | cst.FunctionDef):
        return False
    flow = module.flow(handler.function if handler.function is not None else module.tree)
    for call in module.walk.own(region.body, cst.Call):
        if _ends(module, call, block) and (call not in flow or flow.reaches(handler.node, call)):
            return True
    return False


def _ends(module: Module, call: cst.Call, block: Span) -> bool:
    if (
        isinstance(call.func, cst.Attribute)
        and call.func.attr.value == "end"
        and _is_of(module, call.func.value, block)
    ):
        return True
    given = [arg.value for arg in call.args if _is_of(module, arg.value, block)]
    return any("end" in (module.helpers.on(call, each) or ()) for each in given)


def _is_of(module: Module, expression: Node, block: Span) -> bool:
    span = module.spans.of(expression)
    return span is not None and real(span) is real(block)


def _leaves(handler: Handler, node: Node, end: Node) -> bool:
    """Whether nothing between a node and a block around it may keep the handler's exception."""
    module = handler.module
    for below, up in _path(module, node, end):
        if isinstance(up, cst.Try | cst.TryStar):
            if below is up.body and _may_keep(handler, up):
                return False
        elif _may_end_in(module, below, up):
            return False
    return module.walk.inside(node, end)


def _may_keep(handler: Handler, tried: cst.Try | cst.TryStar) -> bool:
    classes = Classes(handler.module.walk)
    for other in handler.module.handlers:
        if other.tried is not tried or all(other.same_exception(way) for way in other.ways_out):
            continue
        caught = classes.caught(other.node.type)
        if any(catches(wide, name) is not Match.NO for wide in caught for name in classes.caught(handler.node.type)):
            return True
    return False


def _may_raise(module: Module, node: Node) -> bool:
    return isinstance(node, RAISING) and module.may_raise(node)


def entered_twice(module: Module) -> Iterator[tuple[Span, Span]]:
    """`use_span` of a span whose own `with` is around it, both of which record what leaves them."""
    for block in module.spans:
        span = block.used
        if block.api != otel.USE_SPAN or block.manner != "with" or span is None or span.manner != "with":
            continue
        if block.records is True and span.records is True and not block.ends:
            yield block, span


def recorded_below(handler: Handler) -> Span | None:
    """The inner span that has recorded the exception."""
    return around_work(handler, lambda span: span.records is True)


def around_work(handler: Handler, wanted: Callable[[Span], bool]) -> Span | None:
    """The first of the spans inside of the `try` in whose blocks all its work is done."""
    module = handler.module
    working = [node for node in module.walk.below(handler.tried.body) if _is_working(module, node)]
    inner: Span | None = None
    for node in working:
        spans = [span for span in module.spans.enclosing(node) if module.walk.inside(span.start, handler.tried.body)]
        found = next(filter(wanted, spans), None)
        if found is None:
            return None
        inner = inner or found
    return inner


def _is_working(module: Module, node: Node) -> bool:
    if isinstance(node, cst.Call):
        return does_work(module, node) and module.spans.started_by(node) is None
    return isinstance(node, cst.Raise | cst.Assert)


def recorded_before(handler: Handler) -> Iterator[tuple[Mark, Span]]:
    """The records in a handler of what `with use_span(span):` inside of the `try` has put on the same span."""
    marks = [mark for mark in handler.marks if mark.does == {"record"} and mark.call in handler.main]
    below = recorded_below(handler) if marks else None
    if below is None or below.ends:
        return
    for mark in marks:
        error = handler.module.argument(mark.call, "exception")
        is_caught = isinstance(error, cst.Name) and error.value == handler.name
        if is_caught and mark.span is real(below) and mark.span is not below:
            yield mark, below
