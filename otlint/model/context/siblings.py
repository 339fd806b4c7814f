"""Contexts that a handler takes from its request by hand, although an instrumentor has done so already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.values import parameters
from otlint.model.context.extracts import extracts
from otlint.model.kinds.deliveries import keys_in
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

_HEADERS = frozenset({"headers", "META", "environ", "invocation_metadata", "raw_headers"})


@dataclass(frozen=True, eq=False, slots=True)
class Sibling:
    """`call` starts a span with the context of the caller, or attaches that; `given` is the context.

    `why` says what has made a span with that parent already, for the same request.
    """

    call: cst.Call
    given: cst.BaseExpression
    why: Reason


def siblings(module: Module) -> Iterator[Sibling]:
    """Every such span and attach of a file."""
    for call in module.calls(*otel.STARTS, otel.ATTACH):
        given = module.argument(call, "context")
        function = module.function_of(call)
        if given is None or not isinstance(function, cst.FunctionDef) or not _from_request(module, given, function):
            continue
        why = module.entry(function)
        around = module.entries.stands_around(function)
        if module.silenced(call, why is None and "no instrumentor is known to make a span for the request"):
            continue
        if module.silenced(call, around and "what runs around the handlers may run before the instrumentor"):
            continue
        if why is not None and (module.api(call.func) != otel.ATTACH or _starts_later(module, call, function)):
            yield Sibling(call, given, why)


def _from_request(module: Module, given: cst.BaseExpression, function: cst.FunctionDef) -> bool:
    """Whether a context is certainly extracted from the headers of the request that the function handles."""
    origins = module.origins(given)
    made = [each for each in origins if isinstance(each, cst.Call) and _extracts_all(module, each)]
    if not made or len(made) != len(origins):
        return False
    return any(_is_request(module, each, function) for call in made for each in _carriers(module, call))


def _carriers(module: Module, call: cst.Call) -> Iterator[cst.BaseExpression]:
    """What is extracted from, or given to a helper that extracts; without that what the helper extracts from."""
    yield from (arg.value for arg in call.args)
    helper = module.values.function(module.api(call.func)) if not call.args else None
    for inner in module.walk.own(helper.body, cst.Call) if helper is not None else ():
        if module.api(inner.func) in otel.EXTRACTS:
            yield from (arg.value for arg in inner.args)


def _extracts_all(module: Module, call: cst.Call) -> bool:
    """By the global propagator, which is also that of the instrumentor, or by one for W3C trace contexts."""
    called = module.api(call.func)
    if called in otel.EXTRACTS - {otel.EXTRACT} and isinstance(call.func, cst.Attribute):
        made = [each for each in module.origins(call.func.value) if isinstance(each, cst.Call)]
        names = {(module.names.dotted(each.func) or "").rpartition(".")[2] for each in made}
        return names == {otel.TRACE_CONTEXT_PROPAGATOR.rpartition(".")[2]}
    return called == otel.EXTRACT or extracts(module, call)


def _is_request(module: Module, carrier: cst.BaseExpression, function: cst.FunctionDef) -> bool:
    """`request.headers`, `dict(request.headers)`, `self.request.headers`, `event["headers"]`, or the request itself."""
    for origin in module.origins(carrier):
        for each in module.walk.own(origin, cst.Attribute):
            if each.attr.value in _HEADERS and _root(module, each) in {*parameters(function), "request"}:
                return True
        if isinstance(origin, cst.Name) and origin.value in {"request", "req"}:
            return True
        if "headers" in keys_in(module, origin) and "event" in parameters(function):
            return True
    return False


def _root(module: Module, attribute: cst.Attribute) -> str:
    """The name with which the attribute begins; "request" for that of a framework."""
    if module.names.dotted(attribute.value) in known.table("propagators")["carriers"]["requests"]:
        return "request"
    node: cst.BaseExpression = attribute
    while isinstance(node, cst.Attribute | cst.Call):
        node = node.value if isinstance(node, cst.Attribute) else node.func
    return node.value if isinstance(node, cst.Name) else ""


def _starts_later(module: Module, attach: cst.Call, function: cst.FunctionDef) -> bool:
    after = set(module.flow(function).after(attach))
    return any(start in after for start in module.calls(*otel.STARTS) if module.argument(start, "context") is None)
