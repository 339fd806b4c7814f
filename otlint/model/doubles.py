"""Exceptions that reach a span twice: recorded by hand, and by the span when they leave its block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.flow import Exit
from otlint.model.handlers import Handler, Mark, real
from otlint.model.raised import RAISING, Classes, Match, catches, swallows
from otlint.model.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans import Span


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
        owner = self.block.managed_by if self.block.managed_by is not None else self.block.function
        if not isinstance(owner, cst.With | cst.FunctionDef) or handler.caught != ("Exception",):
            return False
        tried = handler.tried
        if len(tried.handlers) > 1 or tried.orelse is not None or tried not in owner.body.body:
            return False
        others: list[Node] = [each for each in owner.body.body if each is not tried]
        if tried.finalbody is not None:
            others.append(tried.finalbody)
        return not any(_may_raise(module, node) for other in others for node in module.walk.below(other))


def doubles(handler: Handler) -> Iterator[Double]:
    """The records in a handler that the span repeats."""
    module = handler.module
    again = [way for way in handler.ways_out if handler.same_exception(way)]
    if not again:
        return
    flow = module.flow(handler.function if handler.function is not None else module.tree)
    for mark in handler.marks:
        if "record" not in mark.does or mark.span is None or mark.call not in handler.main:
            continue
        way = next((way for way in again if flow.reaches(mark.call, way.node)), None)
        block = recording_block(handler, mark.span)
        if way is not None and block is not None:
            yield Double(mark, way, block, handler, len(again) == len(handler.ways_out))


def recording_block(handler: Handler, span: Span) -> Span | None:
    """What certainly records on a span the exception that a handler raises again; None when nothing does."""
    for block in handler.module.spans.enclosing(handler.tried):
        if real(block) is not span or block.records is not True or block.manner not in {"with", "decorator"}:
            continue
        every = block.api == otel.START_SPAN  # `with start_span()` records any BaseException
        if (every or not handler.catches_base) and _reaches(handler, block):
            return block
    return None


def _reaches(handler: Handler, block: Span) -> bool:
    """Whether nothing between the handler and the span's block may keep the exception."""
    module = handler.module
    end: Node | None = block.managed_by if block.managed_by is not None else block.function
    below: Node = handler.tried
    for up in module.walk.ancestors(handler.tried):
        if up is end:
            return True
        if isinstance(up, cst.Try | cst.TryStar) and below is up.body and _may_keep(module, handler, up):
            return False
        if isinstance(up, cst.Finally) or (isinstance(up, cst.With) and _swallows(up)):
            return False
        below = up
    return False


def _may_keep(module: Module, handler: Handler, tried: cst.Try | cst.TryStar) -> bool:
    classes = Classes(module.walk)
    for other in module.handlers:
        if other.tried is not tried or all(other.same_exception(way) for way in other.ways_out):
            continue
        caught = classes.caught(other.node.type)
        if any(catches(wide, name) is not Match.NO for wide in caught for name in classes.caught(handler.node.type)):
            return True
    return False


def _may_raise(module: Module, node: Node) -> bool:
    return isinstance(node, RAISING) and module.may_raise(node)


def _swallows(statement: cst.With) -> bool:
    return any(swallows(item) for item in statement.items)


def entered_twice(module: Module) -> Iterator[tuple[Span, Span]]:
    """`use_span` of a span whose own `with` is around it, both of which record what leaves them."""
    for block in module.spans:
        span = block.used
        if block.api != otel.USE_SPAN or block.manner != "with" or span is None or span.manner != "with":
            continue
        if block.records is True and span.records is True and not block.ends:
            yield block, span
