"""What is done with a span after it has certainly ended.

span.end()
span.set_attribute("a", 1)      # after the end

with tracer.start_as_current_span("a") as span:
    span.end()                  # ended again by the with
span.add_event("b")             # after the end
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.unawaited import Unawaited, unawaited

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans import Span
    from otlint.model.walk import Node


@dataclass(frozen=True, eq=False, slots=True)
class Late:
    """A call on a span that has ended, and what has ended it; for an `end` inside a `with`, what ends it again."""

    span: Span
    call: cst.Call
    method: str
    ended: Node


def late(module: Module) -> Iterator[Late]:
    """The calls of methods on spans that have ended on every way to the call."""
    touched: dict[Span, list[tuple[cst.Call, str]]] = {}
    for call in module.walk.all(cst.Call):
        owner, _, method = (module.api(call.func) or "").rpartition(".")
        if owner != otel.SPAN or method not in otel.LOST_WHEN_ENDED or not isinstance(call.func, cst.Attribute):
            continue
        span = module.spans.of(call.func.value)
        if span is not None and span.variable is not None and isinstance(call.func.value, cst.Name):
            touched.setdefault(span, []).append((call, method))
    for found in unawaited(module):
        yield from _awaited_later(module, found, touched.get(found.span, ()))
    for span, calls in touched.items():
        yield from _managed(module, span, calls) if span.managed_by is not None else _manual(module, span, calls)


def _awaited_later(module: Module, found: Unawaited, calls: Iterable[tuple[cst.Call, str]]) -> Iterator[Late]:
    """The first call in a coroutine that leaves the block of the span before it runs."""
    block = found.span.managed_by
    inside = (each for each in calls if found.made is not None and module.function_of(each[0]) is found.made)
    first = next(inside, None)
    if first is not None and block is not None and not _asks(module, first[0]):
        yield Late(found.span, *first, block)


def _managed(module: Module, span: Span, calls: list[tuple[cst.Call, str]]) -> Iterator[Late]:
    """A span that a `with` ends."""
    block = span.managed_by
    if block is None or not span.ends or span.api == otel.USE_SPAN:
        return
    here = module.function_of(block)
    for call, method in calls:
        if module.function_of(call) is not here:
            continue
        behind = module.walk.order[call] > module.walk.order[block] and not _asks(module, call)
        if method == "end" if module.walk.inside(call, block) else behind:
            yield Late(span, call, method, block)


def _manual(module: Module, span: Span, calls: list[tuple[cst.Call, str]]) -> Iterator[Late]:
    """A span that is ended by hand."""
    function = span.function if isinstance(span.function, cst.FunctionDef) else module.tree
    if span.manner != "assigned" or (span.function is not None and span.function is not function):
        return
    calls = [(call, method) for call, method in calls if module.function_of(call) is span.function]
    ends = [call for call, method in calls if method == "end"]
    if not ends:
        return
    flow = module.flow(function)
    for call, method in calls:
        others = [each for each in ends if each is not call]
        before = [each for each in others if flow.reaches(each, call, avoiding=span.start)]
        if before and not flow.reaches(span.start, call, avoiding=others) and not _asks(module, call):
            yield Late(span, call, method, before[0])


def _asks(module: Module, call: cst.Call) -> bool:
    """Whether the call is made only while the span is recording."""
    tests = (up.test for up in module.walk.ancestors(call) if isinstance(up, cst.If))
    asks = any(module.walk.named("is_recording", test) for test in tests)
    return module.silenced(call, asks and "the call is made only while the span is recording")
