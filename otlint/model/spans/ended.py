"""What is done with a span after it has certainly ended.

span.end()
span.set_attribute("a", 1)      # after the end

with tracer.start_as_current_span("a") as span:
    span.end()                  # ended again by the with
span.add_event("b")             # after the end
tell(span)                      # what a function of the file does with it comes as late
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import parameters
from otlint.model.spans.shelved import Shelved, shelved
from otlint.model.spans.unawaited import Unawaited, unawaited

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.module import Module
    from otlint.model.spans.span import Span


@dataclass(frozen=True, eq=False, slots=True)
class Late:
    """A call on a span that has ended, and what has ended it; for an `end` inside a `with`, what ends it again."""

    span: Span | None
    call: cst.Call
    method: str
    ended: Node


def late(module: Module) -> Iterator[Late]:
    """The calls of methods on spans that have ended on every way to the call."""
    touched: dict[Span, list[tuple[cst.Call, str]]] = {}
    for call in module.walk.all(cst.Call):
        for handed, what in _handed(module, call):
            touched.setdefault(handed, []).append((call, what))
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
    for each in shelved(module):
        yield from _shelved(module, each)


def _shelved(module: Module, found: Shelved) -> Iterator[Late]:
    """A span that was started elsewhere, and that this function ends."""
    ends = found.ends
    flow = found.flow(module)
    for call, method in found.calls if ends else ():
        others = [each for each in ends if each is not call]
        before = [each for each in others if flow.reaches(each, call, avoiding=found.taken)]
        if before and not flow.reaches(found.taken, call, avoiding=others) and not _asks(module, call):
            yield Late(None, call, method, before[0])


def _handed(module: Module, call: cst.Call) -> Iterator[tuple[Span, str]]:
    """The spans that a call hands to a function of the file, and what that certainly does with them at first."""
    function = module.values.function(module.api(call.func))
    if function is None or function.asynchronous is not None or function.decorators:
        return
    for arg in call.args:
        span = module.spans.of(arg.value) if isinstance(arg.value, cst.Name) and not arg.star else None
        if span is None or span.variable is None:
            continue
        for name in parameters(function):
            if module.helpers.given(call, module.helpers.of(function), name) is arg.value:
                method = _first_touch(module, function, name)
                if method is not None:
                    yield span, method


def _first_touch(module: Module, function: cst.FunctionDef, parameter: str) -> str | None:
    """The method that a function calls on its parameter, whatever else; `end` rather than another one."""
    found = []
    for line in function.body.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            call = small.value if isinstance(small, cst.Expr) else None
            func = call.func if isinstance(call, cst.Call) else None
            if isinstance(func, cst.Attribute) and func.attr.value in otel.LOST_WHEN_ENDED:
                owner = func.value
                if isinstance(owner, cst.Name) and owner.value == parameter:
                    found.append(func.attr.value)
    if not found or module.walk.named("is_recording", function.body):
        return None
    return "end" if "end" in found else found[0]


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
    """A span that is ended by hand, or by a `with use_span(span, end_on_exit=True)`."""
    function = span.function if isinstance(span.function, cst.FunctionDef) else module.tree
    if span.manner != "assigned" or (span.function is not None and span.function is not function):
        return
    calls = [(call, method) for call, method in calls if module.function_of(call) is span.function]
    ends: list[Node] = [call for call, method in calls if method == "end"]
    blocks = {item: block for item, block in _blocks(module, span) if module.function_of(item) is span.function}
    if not ends and not blocks:
        return
    flow = module.flow(function)
    for call, method in calls:
        others = [each for each in (*ends, *blocks) if each is not call]
        around = [item for item, block in blocks.items() if module.walk.inside(call, block)]
        before = [each for each in others if each not in around and flow.reaches(each, call, avoiding=span.start)]
        if before and not flow.reaches(span.start, call, avoiding=others) and not _asks(module, call):
            yield Late(span, call, method, before[0])
        elif method == "end" and (final := _finally(module, span, call, calls)) is not None:
            yield Late(span, call, method, final)


def _blocks(module: Module, span: Span) -> Iterator[tuple[cst.WithItem, Node]]:
    """The blocks that end a span which is open already."""
    for call in module.calls(otel.USE_SPAN):
        item, given = module.walk.parent[call], module.argument(call, "end_on_exit")
        owner = module.argument(call, "span")
        says = isinstance(given, cst.Name) and given.value == "True"
        if says and isinstance(item, cst.WithItem) and owner is not None and module.spans.of(owner) is span:
            yield item, module.walk.parent[item]


def _finally(module: Module, span: Span, call: cst.Call, calls: list[tuple[cst.Call, str]]) -> cst.Try | None:
    """The `try` around an `end` whose `finally` certainly ends the span as well."""
    for up in module.walk.ancestors(call):
        if up is span.function or (isinstance(up, cst.Finally) and module.walk.inside(call, up)):
            return None
        if isinstance(up, cst.Try) and up.finalbody is not None and not module.walk.inside(span.start, up):
            lines = up.finalbody.body.body
            last = [small.value for line in lines if isinstance(line, cst.SimpleStatementLine)
                    for small in line.body if isinstance(small, cst.Expr)]  # fmt: skip
            if any(method == "end" and each in last for each, method in calls):
                return up
    return None


def _asks(module: Module, call: cst.Call) -> bool:
    """Whether the call is made only while the span is recording."""
    tests = (up.test for up in module.walk.ancestors(call) if isinstance(up, cst.If))
    asks = any(module.walk.named("is_recording", test) for test in tests)
    return module.silenced(call, asks and "the call is made only while the span is recording")
