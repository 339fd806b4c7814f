"""Spans for several messages that have the context of one of them as parent, where each should be linked to.

for message in batch:
    caller = extract(message.headers)        of all of these only the last one is the parent
with tracer.start_as_current_span("batch", context=caller):
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.context.extracts import extracts
from otlint.model.flow.during import extent

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span


def one_of_many(module: Module, span: Span) -> cst.BaseExpression | None:
    """The context that the span is given, where that is the context of one of the messages that it works on."""
    given = module.argument(span.start, "context") if span.helper is None else None
    if given is None or module.argument(span.start, "links") is not None:
        return None
    for origin in [given, *module.origins(given)]:
        if isinstance(origin, cst.Call) and extracts(module, origin) and _is_of_one(module, origin, span):
            return given
    if isinstance(given, cst.Name):
        for binding in module.names.reaching(given.value, given):
            value = binding.value
            if isinstance(value, cst.Call) and extracts(module, value) and _is_of_last(module, value, span):
                return given
    return None


def _is_of_last(module: Module, extract: cst.Call, span: Span) -> bool:
    """Whether a loop over messages extracts from each of them, and the span starts behind it."""
    function = module.function_of(extract)
    if function is None or function is not span.function:
        return False
    for up in itertools.takewhile(lambda up: up is not function, module.walk.ancestors(extract)):
        if isinstance(up, cst.For) and not module.walk.inside(span.start, up):
            items = {each.value for each in module.walk.own(up.target, cst.Name)}
            used = {each.value for arg in extract.args for each in module.walk.own(arg, cst.Name)}
            return bool(items & used) and not any(module.walk.own(up.body, cst.Break, cst.Return))
    return False


def _is_of_one(module: Module, extract: cst.Call, span: Span) -> bool:
    """Whether it is extracted from `batch[0]`, and the span goes through the whole `batch`."""
    firsts = {
        each.value.value
        for arg in extract.args
        for each in module.walk.own(arg, cst.Subscript)
        if isinstance(each.value, cst.Name) and _is_number(each.slice[0].slice)
    }
    loops = [loop for block in extent(module, span) for loop in module.walk.own(block, cst.For)]
    return any(isinstance(loop.iter, cst.Name) and loop.iter.value in firsts for loop in loops)


def _is_number(index: Node) -> bool:
    value = index.value if isinstance(index, cst.Index) else None
    return isinstance(value, cst.Integer) or (
        isinstance(value, cst.UnaryOperation) and isinstance(value.expression, cst.Integer)
    )


def spans_of_many(module: Module) -> list[tuple[Span, cst.BaseExpression]]:
    """The spans of a file that are given one context of many, and that context."""
    found = ((span, one_of_many(module, span)) for span in module.spans if span.api in otel.STARTS)
    return [(span, given) for span, given in found if given is not None]
