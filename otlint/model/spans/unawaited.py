"""Blocks of spans from which a function hands out a coroutine: nothing of it has run yet when the span ends.

with tracer.start_as_current_span("send"):
    return client.send(order)          # an `async def`, which its caller awaits later
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

# Decorators that leave a coroutine function one.
_PLAIN = frozenset(
    {"builtins.staticmethod", "builtins.classmethod", "abc.abstractmethod", "functools.wraps", "typing.override"}
)
_ASKS = frozenset(
    f"{module}.{name}"
    for module in ("asyncio", "inspect")
    for name in ("iscoroutinefunction", "iscoroutine", "isawaitable")
)


@dataclass(frozen=True, eq=False, slots=True)
class Unawaited:
    """A span that ends before the coroutine that `call` makes is awaited; `made` is its function where it is here."""

    span: Span
    call: cst.Call
    made: cst.FunctionDef | None


def unawaited(module: Module) -> Iterator[Unawaited]:
    """In source order of the spans; of each only the first coroutine."""
    for span in module.spans:
        function = span.function
        if not isinstance(function, cst.FunctionDef) or function.asynchronous or module.flow(function).is_generator:
            continue
        found = next(_handed_out(module, span, function), None) if span.ends else None
        if found is not None:
            yield found


def coroutines(module: Module) -> Iterator[str]:
    """The dotted names of what decorates an `async def` of the file; those of generators are none."""
    for function in module.walk.all(cst.FunctionDef):
        if function.asynchronous is None or not function.decorators or module.walk.own(function.body, cst.Yield):
            continue
        for each in function.decorators:
            expression = each.decorator
            named = module.api(expression.func if isinstance(expression, cst.Call) else expression)
            if named is not None and not otel.is_otel(named):
                yield named


def _handed_out(module: Module, span: Span, function: cst.FunctionDef) -> Iterator[Unawaited]:
    block = span.managed_by if span.manner == "with" else None
    if block is None and (span.manner != "decorator" or not _is_of_api(span)):
        return
    for each in module.walk.own(block.body if block is not None else function.body, cst.Return):
        for origin in module.origins(each.value) if each.value is not None else ():
            if isinstance(origin, cst.Call) and (block is None or module.walk.inside(origin, block.body)):
                made = _coroutine(module, origin)
                if isinstance(made, cst.FunctionDef) and module.silenced(origin, _has_own(module, made)):
                    continue
                if made is not None:
                    yield Unawaited(span, origin, made if isinstance(made, cst.FunctionDef) else None)
                elif module.rule == "OTL509":
                    module.silenced(origin, "what is returned out of the span is not known to be a coroutine")


def _has_own(module: Module, made: cst.FunctionDef) -> Reason | None:
    """Whether the coroutine makes a span for what it does, of which it says what it belongs to."""
    own = (
        each for each in module.spans if each.function is made and module.argument(each.start, "context") is not None
    )
    found = next(own, None)
    return Reason("the coroutine has a span of its own, whose parent it is told", found.start) if found else None


def _is_of_api(span: Span) -> bool:
    """A wrapper of the project's own is judged where it starts the span."""
    return span.helper is None and span.api == otel.START_AS_CURRENT_SPAN


def _coroutine(module: Module, call: cst.Call) -> Node | bool | None:
    """What a call makes a coroutine of: a function of this file, True for another one; None if it does not."""
    function = module.values.function(module.api(call.func)) or module.names.definition(call.func)
    if isinstance(function, cst.FunctionDef):
        plain = all(module.api(each.decorator) in _PLAIN for each in function.decorators)
        return function if function.asynchronous is not None and plain else None
    facts = module.helper(call)
    if facts is not None:
        return True if facts.is_async and facts.decorated is None else None
    operation = module.operation(call)
    if operation is not None:
        return True if operation.awaited else None
    return True if module.helpers.starting.calls_parameter(call) and _wraps_coroutines(module, call) else None


def _wraps_coroutines(module: Module, call: cst.Call) -> bool:
    """Whether the decorator whose wrapper makes the call is used on an `async def`, and asks nothing about that."""
    around = [up for up in module.walk.ancestors(call) if isinstance(up, cst.FunctionDef)]
    outer = around[-1]
    if not _ASKS.isdisjoint(module.helpers.callees.of(outer)):
        return False
    name = module.names.qualified(outer)
    return any(name in facts.coroutines for facts in module.project.files.values())
