"""Ends of the current span: one that somebody else has started, or the function's own that ends by itself."""

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

_PLAIN = ("builtins.", "threading.", "asyncio.", "contextlib.", "tempfile.")


@dataclass(frozen=True, eq=False, slots=True)
class Foreign:
    """`how` says what ends the span, `span` is the expression for it, `instead` what to do."""

    node: Node
    how: str
    span: Node
    instead: str = "leave its end to what has started it"


def foreign(module: Module) -> Iterator[Foreign]:
    """In source order of what ends it; not where the function itself has made a span current around that."""
    for found, around in _all(module):
        if around == {None}:
            yield found


def doubled(module: Module) -> Iterator[tuple[Foreign, Span]]:
    """Where the current span is the function's own, by a `with` or decorator that ends it as well."""
    for found, around in _all(module):
        span = next(iter(around)) if len(around) == 1 else None
        if span is None or not span.ends or span.manner not in {"with", "decorator"}:
            continue
        if not module.silenced(found.node, _other_manager(module, found.node, span)):
            yield found, span


def _all(module: Module) -> Iterator[tuple[Foreign, set[Span | None]]]:
    """The ends of current spans, each with the spans of the function that are current where it is asked for."""
    for call in module.walk.all(cst.Call):
        found = _ends(module, call)
        if found is not None:
            yield found, {module.span_around(each) for each in _asked(module, found.span)}
    for item in module.walk.all(cst.WithItem):
        if module.helpers.is_current(item.item):
            instead = "call its methods without `with`"
            found = Foreign(item.item, "`with` ends", item.item, instead)
            yield found, {module.span_around(each) for each in _asked(module, item.item)}


def _asked(module: Module, expression: Node) -> list[Node]:
    """Where the current span is asked for that an expression stands for."""
    if not isinstance(expression, cst.Name):
        return [expression]
    return [each.value for each in module.names.reaching(expression.value, expression) if each.value is not None]


def _other_manager(module: Module, node: Node, span: Span) -> Reason | None:
    """A manager between the span and the node that may make another span current."""
    for up in module.walk.ancestors(node):
        if up is span.managed_by or isinstance(up, cst.FunctionDef | cst.Lambda):
            return None
        for item in up.items if isinstance(up, cst.With) and module.walk.inside(node, up.body) else ():
            api = module.api(item.item.func) if isinstance(item.item, cst.Call) else None
            if api is None or not api.startswith(_PLAIN):
                return Reason("this manager may make another span current", item.item)
    return None


def _ends(module: Module, call: cst.Call) -> Foreign | None:
    func = call.func
    if isinstance(func, cst.Attribute) and func.attr.value == "end" and module.helpers.is_current(func.value):
        return Foreign(call, "this ends", func.value)
    api = module.api(func)
    if api == otel.USE_SPAN:
        span, ends = module.argument(call, "span"), module.argument(call, "end_on_exit")
        if span is None or not module.helpers.is_current(span) or not isinstance(ends, cst.Name):
            return None
        return Foreign(call, "`end_on_exit` ends", span, "leave that argument out") if ends.value == "True" else None
    for arg in call.args:
        if module.helpers.is_current(arg.value) and not otel.is_otel(api):
            facts = module.helper(call)
            if facts is not None and not facts.generator and "end" in (module.helpers.on(call, arg.value) or ()):
                return Foreign(call, f"`{facts.name.rpartition('.')[2]}` ends", arg.value)
    return None


def by_hand(module: Module) -> Reason | None:
    """What the file makes current by hand, so that the current span may be its own."""
    attach = next(iter(module.calls(otel.ATTACH)), None)
    if attach is not None:
        return Reason("the file attaches contexts, so the span may be its own", attach)
    for span in module.spans:
        if span.manner == "entered" or (span.manner == "with" and not span.ends):
            return Reason("the file makes a span current that it does not end there, so that may be meant", span.start)
    entered = next((each for each in module.walk.named("__enter__", module.tree)), None)
    return Reason("the file enters managers by hand, so the span may be its own", entered) if entered else None
