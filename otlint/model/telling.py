"""What the model knows about one line, in words: the span around it, the spans it starts, its calls and values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.reason import Reason
from otlint.model.spans.keeping import fate

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

_MANNERS = {
    "with": "ended by its `with`",
    "decorator": "ended when the function it decorates returns",
    "entered": "ended with its exit stack",
}


def told(module: Module, statement: Node, nodes: Iterable[Node]) -> Iterator[Reason]:
    """What is known where a statement or header stands; `nodes` are those that it is made of, in source order."""
    yield _around(module, statement)
    function = module.function_of(statement)
    if function is not None:
        entry = module.entries.of(function)
        if entry is not None:
            where = function.name if isinstance(function, cst.FunctionDef) else function
            yield Reason(f"its function handles what enters through {entry.key.partition('.')[2]}", where)
            why = module.instrumentation.of(entry.instrumentors, entry.native)
            yield why if why is not None else Reason("no instrumentor is known to make a span for that")
    for node in nodes:
        if isinstance(node, cst.Call):
            yield from _call(module, node)
        elif isinstance(node, cst.Assign | cst.AnnAssign) and node.value is not None:
            target = node.targets[0].target if isinstance(node, cst.Assign) else node.target
            yield from _typed(module, target, node.value)


def expression(module: Module, node: cst.BaseExpression) -> Iterator[Reason]:
    """What is known of the one expression that was pointed at."""
    api = module.api(node)
    if api is not None:
        yield Reason(f"`{_code(module, node)}` is `{api}`", node)
    yield from _typed(module, node, node)
    span = module.spans.of(node)
    if span is not None and span.start is not node:
        yield Reason(f"`{_code(module, node)}` is the span {_named(module, span)}", span.start)


def _around(module: Module, node: Node) -> Reason:
    span = module.span_around(node)
    if span is not None:
        return Reason(f"the current span is {_named(module, span)}, {_kind(span)}", span.start)
    active = module.active(node)
    if active is not None and isinstance(active.node, cst.Call):
        what = active.why if active.here else "a span or context that a caller makes current can be the current one"
        return Reason(what, active.node)
    if active is not None:
        return Reason(f"a span can be current: {active.why}", active.node)
    return Reason("no span is known to be current")


def _call(module: Module, call: cst.Call) -> Iterator[Reason]:
    api, span = module.api(call.func), module.spans.started_by(call)
    if span is not None:
        verb = "makes current" if span.api == otel.USE_SPAN else "starts"
        by = f" through `{span.helper.name}`" if span.helper is not None else ""
        current = "" if span.current else ", not made current"
        yield Reason(f"the line {verb} the span {_named(module, span)}{by}, {_kind(span)}{current}", call)
        yield from _owner(module, span)
    operation = module.operation(call)
    if operation is not None:
        kinds = " or ".join(operation.kinds)
        yield Reason(f"`{api}` is known: an operation of role `{operation.role}`, whose span is of kind {kinds}", call)
        why = module.instrumentation.possible(operation.instrumentors | operation.beneath)
        yield why if why is not None else Reason("nothing in the project instruments it", call)
    elif api is not None and span is None and (otel.is_otel(api) or api in module.project.telemetry):
        what = "" if otel.is_otel(api) else ", which makes spans"
        yield Reason(f"`{_code(module, call.func)}` is `{api}`{what}", call)


def _owner(module: Module, span: Span) -> Iterator[Reason]:
    if span.manner in _MANNERS and span.ends:
        yield Reason(f"it is {_MANNERS[span.manner]}", span.managed_by or span.start)
    elif span.api != otel.USE_SPAN and span.start in module.walk.parent:
        custody = module.custody(span.start)
        exits = module.exits(custody)
        yield Reason("some way out of the function leaves it open", exits[0].node) if exits else fate(module, custody)


def _typed(module: Module, target: Node, value: cst.BaseExpression) -> Iterator[Reason]:
    kind = module.type(value)
    if kind is not None and not isinstance(value, cst.SimpleString | cst.Integer):
        yield Reason(f"`{_code(module, target)}` is of type `{kind.replace('~', '')}`", value)


def _kind(span: Span) -> str:
    return f"of kind {span.kind.rpartition('.')[2]}" if span.kind is not None else "of a kind that is not known"


def _named(module: Module, span: Span) -> str:
    return f"`{_code(module, span.name)}`" if span.name is not None else "whose name is not known"


def _code(module: Module, node: Node) -> str:
    code = " ".join(module.code(node).split())
    return code if len(code) <= 60 else f"{code[:57]}…"
