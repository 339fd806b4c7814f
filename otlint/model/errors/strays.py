"""Exceptions that are put on a span which was opened for that alone, while the span that failed knows nothing of them.

    except ValueError as error:
        with tracer.start_as_current_span("error") as span:
            span.record_exception(error)

A span for work that is done in the handler is not meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import parameters
from otlint.model.errors.handlers import Handler, Mark, real
from otlint.model.errors.outcome import does_work
from otlint.model.reason import Reason
from otlint.model.spans.span import Span

if TYPE_CHECKING:
    from otlint.model.module import Module


@dataclass(frozen=True, eq=False, slots=True)
class Stray:
    """`span` is opened in `handler` for `mark` alone; `failed` is the span in which it failed, None when unknown."""

    span: Span
    mark: Mark
    handler: Handler
    failed: Span | None


def strays(module: Module) -> Iterator[Stray]:
    """In source order."""
    for span in module.spans:
        handler = next((each for each in module.handlers if module.walk.inside(span.start, each.node.body)), None)
        if handler is None or handler.function is not module.function_of(span.start):
            continue
        mark = next((each for each in module.marks if _is_on(module, each, span, handler)), None)
        if module.silenced(span.start, mark is None and "no exception is recorded on it"):
            continue
        assert mark is not None
        if not module.silenced(span.start, _has_a_purpose(module, span, handler)):
            yield Stray(span, mark, handler, handler.spans[0] if handler.spans else None)


@dataclass(frozen=True, eq=False, slots=True)
class Apart:
    """A call in a handler of a function that puts the exception on a span of its own; `failed` is the span around."""

    call: cst.Call
    name: str
    failed: Span


def apart(module: Module) -> Iterator[tuple[str, str]]:
    """The functions that start a span to put an exception on it that they are given, and the parameter for that."""
    for call in module.calls(otel.RECORD_EXCEPTION):
        function, given = module.function_of(call), module.argument(call, "exception")
        if not isinstance(function, cst.FunctionDef) or module.walk.function_of(function) is not None:
            continue
        span = module.spans.of(call.func.value) if isinstance(call.func, cst.Attribute) else None
        if span is None or span.function is not function or span.managed_by is None or span.api not in otel.STARTS:
            continue
        if not isinstance(given, cst.Name) or given.value not in parameters(function):
            continue
        others = (each for each in module.walk.own(span.managed_by.body, cst.Call) if module.mark(each) is None)
        if not any(does_work(module, each) and not _is_given(each, given.value) for each in others):
            yield module.names.qualified(function), given.value


def sent_apart(module: Module) -> Iterator[Apart]:
    """The handlers in a span that hand their exception to such a function, and tell the span nothing."""
    own: dict[str, str] | None = None
    for handler in module.handlers:
        if handler.name is None or not handler.goes_out or not handler.spans:
            continue
        for call in module.walk.own(handler.node.body, cst.Call):
            if not any(handler.is_exception(arg.value) for arg in call.args):
                continue
            own = dict(apart(module)) if own is None else own
            api, facts = module.api(call.func), module.helper(call)
            symbol = module.values.symbol(api) if api is not None and api not in own else None
            others = dict(module.project.around(symbol).apart) if symbol is not None else {}
            parameter = own.get(api or "") or others.get(api or "")
            given = module.helpers.given(call, facts, parameter) if facts is not None and parameter else None
            if given is None or facts is None or not handler.is_exception(given):
                continue
            told = next((mark for mark in handler.marks if mark.call is not call), None)
            if not module.silenced(call, Reason("the span that failed is told as well", told.call) if told else None):
                yield Apart(call, facts.name.rpartition(".")[2], handler.spans[0])


def _is_given(call: cst.Call, name: str) -> bool:
    return any(isinstance(arg.value, cst.Name) and arg.value.value == name for arg in call.args)


def _is_on(module: Module, mark: Mark, span: Span, handler: Handler) -> bool:
    """Whether a mark puts the handler's failure on a span."""
    inside = module.walk.inside(mark.call, handler.node.body)
    return inside and mark.span is not None and real(mark.span) is span and bool(mark.does & {"record", "status"})


def _has_a_purpose(module: Module, span: Span, handler: Handler) -> Reason | None:
    """Why the span is more than a place for the exception, or the failed span has the exception too."""
    told = next((mark for mark in handler.marks if mark.does & {"record", "status", "unknown"}), None)
    if told is not None:
        return Reason("the span that failed is told as well", told.call)
    if not handler.goes_out:
        return Reason("the exception goes on to the spans around, which record it")
    inner = next((each for each in module.spans if module.walk.inside(each.start, handler.tried.body)), None)
    if inner is not None and inner.records is not False:
        return Reason("the exception may be that of this span, which records it", inner.start)
    block = span.managed_by.body if span.managed_by is not None else handler.node.body
    for call in module.walk.own(block, cst.Call):
        marked = module.mark(call)
        if marked is None and call is not span.start and does_work(module, call) and not _describes(handler, call):
            return Reason("it stands for work that is done here", call)
    return None


def _describes(handler: Handler, call: cst.Call) -> bool:
    """Whether a call makes something of the exception: `str(error)`, `traceback.format_exc()`."""
    return handler.mentions(call) or any(handler.mentions(arg.value) for arg in call.args)
