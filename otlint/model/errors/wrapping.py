"""Wrappers that trace something and keep its exceptions: with tracing the program does something else than without.

    def wrapper(*args):
        with tracer.start_as_current_span(function.__name__) as span:
            try:
                return function(*args)
            except Exception as error:
                span.record_exception(error)        # and the caller gets None

A wrapper that makes something else of the exception is not meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.logs import last_name
from otlint.model.code.managers import LEAVES
from otlint.model.code.walk import Node
from otlint.model.errors.handlers import Handler
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

_BROAD = frozenset({"Exception", "BaseException"})
_WRAPT = ("wrapped", "instance", "args", "kwargs")  # wrapt's parameters, by which instrumentations wrap
_ON_PURPOSE = re.compile(r"(?i).*(safe|suppress|swallow|ignor|silen|best_?effort|optional|dont_|throw|fallback).*")


@dataclass(frozen=True, eq=False, slots=True)
class Swallowed:
    """`node` keeps the exception: a handler, `return True` in `__exit__`, a decorator. `inner` is what may raise it."""

    node: Node
    inner: Node
    handler: Handler | None


def swallowed(module: Module) -> Iterator[Swallowed]:
    """In source order."""
    for handler in module.handlers:
        inner = _inner(handler)
        if inner is not None and not module.silenced(handler.node, _is_meant(handler)):
            yield Swallowed(handler.node, inner, handler)
    for function in module.walk.all(cst.FunctionDef):
        if function.name.value in LEAVES:
            yield from _exits(module, function)
        elif function.decorators:
            yield from _guarded(module, function)


def _inner(handler: Handler) -> Node | None:
    """What the traced `try` runs for others: the wrapped function, or the block of a context manager."""
    module, function = handler.module, handler.function
    if not isinstance(function, cst.FunctionDef) or not _BROAD.issuperset(handler.caught) or handler.is_clean_up:
        return None
    manager = module.values.is_manager(function)
    for node in module.walk.below(handler.tried.body):
        wrapped = isinstance(node, cst.Call) and _runs_wrapped(module, function, node)
        if wrapped or (manager and isinstance(node, cst.Yield)):
            traced = bool(handler.spans) or any("record" in mark.does for mark in handler.marks)
            return node if traced else None
    return None


def _runs_wrapped(module: Module, function: cst.FunctionDef, call: cst.Call) -> bool:
    if module.helpers.starting.calls_parameter(call):
        # `hook(span, args)` for its own sake is told of the work; `function(*args)` is the work
        used = not isinstance(module.walk.parent[call], cst.Expr)
        return used or not call.args or any(arg.star for arg in call.args)
    names = tuple(each.name.value for each in function.params.params)
    if isinstance(call.func, cst.Name) and call.func.value in names and _hands_on(function, call):
        return True
    return names[-4:] == _WRAPT and isinstance(call.func, cst.Name) and call.func.value == "wrapped"


def _hands_on(function: cst.FunctionDef, call: cst.Call) -> bool:
    """`def traced(name, function, *args): … function(*args)`."""
    rest = function.params.star_arg
    name = rest.name.value if isinstance(rest, cst.Param) else None
    given = [arg.value for arg in call.args if arg.star == "*"]
    return name is not None and any(isinstance(each, cst.Name) and each.value == name for each in given)


def _is_meant(handler: Handler) -> Reason | None:
    """Why the exception reaches the caller, or something was made of it."""
    module, function = handler.module, handler.function
    assert isinstance(function, cst.FunctionDef)
    flow = module.flow(function)
    start = next((node for node in handler.own if node in flow), None)
    ways = flow.escapes(start, (), every=True) if start is not None else handler.ways_out
    for way in ways:
        if way.kind == "raise":
            return Reason("it raises", way.node)
        if way.kind == "yield" or (isinstance(way.node, cst.Return) and not _is_none(handler, way.node.value)):
            return Reason("it gives its caller something else", way.node)
    again = (node for node in (flow.after(start) if start is not None else ()) if isinstance(node, cst.Call))
    other = next((node for node in again if _runs_wrapped(module, function, node)), None)
    if other is not None:
        return Reason("the wrapped function is called again", other)
    if handler.hands_over:
        return Reason("somebody else gets the exception")
    kept = next((node for node in handler.own if _keeps(handler, node)), None)
    if kept is not None:
        return Reason("the exception is kept for who asks", kept)
    around = [function, *(up for up in module.walk.ancestors(function) if isinstance(up, cst.FunctionDef))]
    named = next((each for each in around if _ON_PURPOSE.fullmatch(each.name.value)), None)
    return Reason("its name says that it keeps exceptions", named) if named is not None else None


def _keeps(handler: Handler, node: Node) -> bool:
    """`state["error"] = exc`, `errors.append(exc)`."""
    if isinstance(node, cst.Call):
        adds = last_name(node.func) in {"append", "add", "setdefault"}
        return adds and any(handler.is_exception(arg.value) for arg in node.args)
    if not isinstance(node, cst.Assign) or not handler.is_exception(node.value):
        return False
    return any(isinstance(each.target, cst.Subscript | cst.Attribute) for each in node.targets)


def _is_none(handler: Handler, value: Node | None) -> bool:
    """Whether a value is None, or a variable that has what the `try` gave it, or None."""
    if value is None:
        return True
    if not isinstance(value, cst.Name):
        return False
    if value.value == "None":
        return True
    bindings = handler.module.names.reaching(value.value, value)
    # `response = function()` before the `try`: what failed is something that was done with the response
    return bool(bindings) and all(
        handler.module.walk.inside(each.node, handler.tried.body)
        or (each.kind == "assign" and isinstance(each.value, cst.Name) and each.value.value == "None")
        for each in bindings
    )


def _exits(module: Module, function: cst.FunctionDef) -> Iterator[Swallowed]:
    """`return True` in the `__exit__` of a class that ends or marks a span there."""
    calls = module.walk.own(function.body, cst.Call)
    span = next((call for call in calls if module.api(call.func) in {otel.END, otel.RECORD_EXCEPTION}), None)
    owner = module.walk.class_of(function)
    if span is None or owner is None or _ON_PURPOSE.fullmatch(owner.name.value):
        return
    for each in module.walk.own(function.body, cst.Return):
        if isinstance(each.value, cst.Name) and each.value.value == "True":
            yield Swallowed(each, span, None)


def _guarded(module: Module, function: cst.FunctionDef) -> Iterator[Swallowed]:
    """A guard that is meant for telemetry, around a function that starts a span and runs what it wraps."""
    guard = function.decorators[-1]
    called = guard.decorator.func if isinstance(guard.decorator, cst.Call) else guard.decorator
    facts = module.helpers.named(called)
    if facts is None or not facts.guards or not any(span.function is function for span in module.spans):
        return
    for call in module.walk.own(function.body, cst.Call):
        if _runs_wrapped(module, function, call):
            yield Swallowed(guard, call, None)
            return
