"""Providers that are built anew for each request, message or invocation."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.kinds.deliveries import deliveries

if TYPE_CHECKING:
    from otlint.model.module import Module

_CACHES = re.compile(r"(?i)cache|once|memo|singleton")
_BRANCHES = (cst.If, cst.IfExp, cst.BooleanOperation, cst.ExceptHandler, cst.MatchCase, cst.While, cst.For, cst.Else)
_DEPTH = 2


@dataclass(frozen=True, eq=False, slots=True)
class Repeated:
    """A call that is made for each of them, by what `handler` names; `at` is its function if that is here."""

    call: cst.Call
    handler: str
    at: cst.FunctionDef | None


def repeated_providers(module: Module) -> Iterator[Repeated]:
    """The constructors of providers, in source order."""
    for provider in module.providers:
        function = module.function_of(provider.call)
        if not isinstance(function, cst.FunctionDef):
            continue
        found = None if _is_conditional(module, provider.call) else _handler(module, function, 0)
        if found is not None:
            yield Repeated(provider.call, *found)
        else:
            module.silenced(provider.call, "it is not known to be built for each request, message or invocation")


def repeated_tracers(module: Module) -> Iterator[Repeated]:
    """The calls that give a tracer or meter, where a handler makes them itself."""
    for call in module.calls(*otel.SCOPES):
        function = module.function_of(call)
        if isinstance(function, cst.FunctionDef) and module.entries.handles(function):
            yield Repeated(call, function.name.value, function)


def _handler(module: Module, function: cst.FunctionDef, depth: int) -> tuple[str, cst.FunctionDef | None] | None:
    """What handles requests and certainly calls the function each time, nothing remembering what it has made."""
    if module.entries.of(function) is not None or module.entries.around(function) is not None:
        return function.name.value, function
    if depth >= _DEPTH or any(_CACHES.search(module.code(each)) for each in function.decorators):
        return None
    for call in _sites(module, function):
        caller = module.function_of(call)
        if not isinstance(caller, cst.FunctionDef):
            continue
        found = None if _is_conditional(module, call) else _handler(module, caller, depth + 1)
        if found is None and _has_message(module, caller, call):
            return caller.name.value, caller
        if found is not None:
            return found
    asked = _depends(module, function)
    if asked is not None:
        return asked.name.value, asked
    name = module.names.qualified(function)
    others = [path for _, path in module.project.handlers(name) if path != module.path]
    return (others[0], None) if others else None


def _sites(module: Module, function: cst.FunctionDef) -> list[cst.Call]:
    """The calls of a function, or of the class whose constructor it is."""
    cls = module.walk.class_of(function)
    if cls is not None and function.name.value == "__init__":
        return module.calls(module.names.qualified(cls))
    return [*module.values.call_sites(function), *_of_instances(module, function)]


def _of_instances(module: Module, function: cst.FunctionDef) -> list[cst.Call]:
    """The calls of a method on what is known to be an object of its class."""
    return module.calls(module.names.qualified(function)) if module.walk.class_of(function) is not None else []


def _has_message(module: Module, caller: cst.FunctionDef, call: cst.Call) -> bool:
    """Whether the call is made for a message that has arrived: `async for message in consumer: handle(message)`."""
    for up in itertools.takewhile(lambda up: up is not caller, module.walk.ancestors(call)):
        if isinstance(up, cst.If | cst.IfExp | cst.ExceptHandler | cst.MatchCase):
            return False
    return next(deliveries(module, caller, call), None) is not None


def _depends(module: Module, function: cst.FunctionDef) -> cst.FunctionDef | None:
    """The handler of FastAPI that the function is called for each time: `def orders(tracer=Depends(get_tracer)):`."""
    for call in module.calls("fastapi.Depends"):
        given = call.args[0].value if call.args else None
        if given is None or module.values.function(module.api(given)) is not function:
            continue
        above = next((up for up in module.walk.ancestors(call) if isinstance(up, cst.FunctionDef)), None)
        if above is not None and module.walk.inside(call, above.params) and module.entries.of(above) is not None:
            return above
    return None


def _is_conditional(module: Module, node: Node) -> bool:
    """Whether something decides if the node runs when its function does: what is there already, mostly."""
    function = module.function_of(node)
    for up in module.walk.ancestors(node):
        if up is function:
            break
        if isinstance(up, _BRANCHES):
            return True
    if not isinstance(function, cst.FunctionDef):
        return True
    left = [each for each in module.walk.own(function.body, cst.Return) if not module.walk.inside(node, each)]
    return any(module.walk.order[each] < module.walk.order[node] for each in left)
