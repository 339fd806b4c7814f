"""Exceptions that the `__exit__` of a class records and then hands to what records them again.

def __exit__(self, kind, error, trace):
    self.span.record_exception(error)
    self.manager.__exit__(kind, error, trace)       the manager of `start_as_current_span` records what it is given
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.managers import LEAVES, hands_on, leaves
from otlint.model.code.values import parameters

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

_RECORDS = frozenset({otel.SPAN, otel.SPAN_MANAGER})


def handed_on(module: Module) -> Iterator[tuple[cst.Call, Span, cst.Call]]:
    """The calls that record the exception, the span of the class, and the call that it is handed on to."""
    for call in module.calls(otel.RECORD_EXCEPTION):
        function, error = module.function_of(call), module.argument(call, "exception")
        if not isinstance(function, cst.FunctionDef) or function.name.value not in LEAVES:
            continue
        given = parameters(function)[1:]
        span = _only_span(module, function)
        if len(given) != 3 or span is None or not isinstance(error, cst.Name) or error.value != given[1]:
            continue
        for leave in module.walk.own(function.body, cst.Call):
            if _is_recording(module, leave) and hands_on(leave, given) and module.flow(function).reaches(call, leave):
                yield call, span, leave
                break


def _only_span(module: Module, function: cst.FunctionDef) -> Span | None:
    """The one span that the class starts, if it records what leaves it."""
    owner = module.walk.class_of(function)
    spans = [
        each for each in module.spans if each.function is not None and module.walk.class_of(each.function) is owner
    ]
    return spans[0] if owner is not None and len(spans) == 1 and spans[0].records is True else None


def _is_recording(module: Module, call: cst.Call) -> bool:
    """Whether a call leaves what records the exception that it is given."""
    return leaves(call) and isinstance(call.func, cst.Attribute) and module.type(call.func.value) in _RECORDS
