"""Observable instruments that are made again under the same name: the callbacks of all but the first are ignored."""

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

_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_CACHES = frozenset({"functools.cache", "functools.lru_cache"})
_DEPTH = 4


@dataclass(frozen=True, eq=False, slots=True)
class Again:
    """A call that makes an instrument of this name again; `why` in words. `other` is what makes it before, or often."""

    call: cst.Call
    name: str
    why: str
    other: Node | None


def recreated(module: Module) -> Iterator[Again]:
    """The observable instruments that are certainly made more than once by one meter."""
    first: dict[tuple[str, str, str], list[cst.Call]] = {}
    for call in module.calls(*otel.OBSERVING):
        given = module.argument(call, "name")
        name = module.helpers.attributes.text(given) if given is not None else None
        meter = _meter(module, call)
        if name is None or meter is None or module.silenced(call, _once(module, call)):
            continue
        if not any(_differs(module, each) for each in _callbacks(module, call)):
            continue
        why, other = _repeats(module, call, 0)
        if why is not None:
            yield Again(call, name, why, other)
            continue
        same = first.setdefault((module.api(call.func) or "", name.lower(), meter), [])
        before = next((each for each in same if _follows(module, each, call) and _is_other(module, each, call)), None)
        if before is not None:
            yield Again(call, name, "a second time", before)
        same.append(call)


def _callbacks(module: Module, call: cst.Call) -> list[cst.BaseExpression]:
    given = module.argument(call, "callbacks")
    return [each.value for each in given.elements] if isinstance(given, cst.List | cst.Tuple) else []


def _is_other(module: Module, one: cst.Call, other: cst.Call) -> bool:
    return [module.code(each) for each in _callbacks(module, one)] != [
        module.code(each) for each in _callbacks(module, other)
    ]


def _differs(module: Module, callback: cst.BaseExpression) -> bool:
    """Whether a callback may be another one each time: a method of some object, a closure, what a call makes."""
    if isinstance(callback, cst.Attribute):
        return module.names.dotted(callback) is None
    if isinstance(callback, cst.Lambda):
        own = {each.name.value for each in callback.params.params}
        given = [each.default for each in callback.params.params if each.default is not None]
        used = [name for part in (callback.body, *given) for name in module.walk.all(cst.Name, within=part)]
        used = [each for each in used if each.value not in own or not module.walk.inside(each, callback.body)]
        bound = [binding for each in used for binding in module.names.reaching(each.value, each)]
        return any(each.kind in {"for", "param"} or module.walk.function_of(each.node) is not None for each in bound)
    function = module.values.function(module.api(callback))
    return not isinstance(callback, cst.Name) or (
        function is not None and module.walk.function_of(function) is not None
    )


def _meter(module: Module, call: cst.Call) -> str | None:
    """The meter as it is written, None when it may be another one each time."""
    if not isinstance(call.func, cst.Attribute):
        return None
    owner = call.func.value
    written = module.code(owner)
    if isinstance(owner, cst.Call):
        return written if _is_fixed(module, owner) else None
    if isinstance(owner, cst.Name):
        bindings = module.names.reaching(owner.value, owner)
    elif isinstance(owner, cst.Attribute) and isinstance(owner.value, cst.Name):
        cls = module.names.owner_class(owner.value)
        bindings = module.names.attributes.get((cls, owner.attr.value), []) if cls is not None else []
    else:
        return None
    made = [each.value for each in bindings if each.kind == "assign" or each.dotted is None]
    imported = all(each.kind == "import" for each in bindings)
    fixed = all(isinstance(each, cst.Call) and _is_fixed(module, each) for each in made)
    return written if bindings and (imported or (len(made) == len(bindings) and fixed)) else None


def _is_fixed(module: Module, call: cst.Call) -> bool:
    """`get_meter("shop")`: the same meter for all who ask for it, unless the provider is a new one."""
    if module.api(call.func) != otel.GET_METER or module.argument(call, "meter_provider") is not None:
        return False
    name = module.argument(call, "name")
    return isinstance(name, cst.SimpleString) or (isinstance(name, cst.Name) and name.value == "__name__")


def _once(module: Module, node: Node) -> Reason | None:
    """Why it is likely that the node runs once, whatever calls it: something is asked before."""
    walk = module.walk
    for up in walk.ancestors(node):
        if isinstance(up, cst.FunctionDef):
            if any(module.api(_called(each)) in _CACHES for each in up.decorators):
                return Reason("what makes it is cached", up)
            return None
        if isinstance(up, cst.If) and walk.inside(node, up.body) and _asks(up.test):
            return Reason("it is made only if it is not there yet", up)
    return None


def _called(decorator: cst.Decorator) -> cst.BaseExpression:
    return decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator


def _asks(test: cst.BaseExpression) -> bool:
    """`not x`, `x is None`, `x not in y`, or something with one of them."""
    if isinstance(test, cst.BooleanOperation):
        return _asks(test.left) or _asks(test.right)
    if isinstance(test, cst.Comparison):
        return isinstance(test.comparisons[0].operator, cst.Is | cst.NotIn | cst.NotEqual)
    return isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not)


def _repeats(module: Module, node: cst.Call, depth: int) -> tuple[str | None, Node | None]:
    """Why the code around a node runs more than once in a process, and the place that shows it."""
    walk = module.walk
    function = walk.function_of(node)
    for up in walk.ancestors(node):
        if up is function:
            break
        if isinstance(up, _COMPREHENSIONS):
            return "for each element of a loop", up
    body = function if isinstance(function, cst.FunctionDef) else module.tree
    if module.flow(body).reaches(node, node):
        loop = next((up for up in walk.ancestors(node) if isinstance(up, cst.For | cst.While)), None)
        return "in each turn of a loop", loop
    if not isinstance(function, cst.FunctionDef) or depth > _DEPTH:
        return None, None
    if module.entries.handles(function):
        return "for each request or message", function
    sites = _sites(module, function)
    for site in sites:
        if _once(module, site) is not None:
            return None, None
    for site in sites:
        why, place = _repeats(module, site, depth + 1)
        if why is not None:
            return why, place
    later = next((each for each in sites[1:] if _follows(module, sites[0], each)), None)
    return ("each time when it is called", later) if later is not None else (None, None)


def _sites(module: Module, function: cst.FunctionDef) -> list[cst.Call]:
    """The calls of a function, or of the class whose constructor it is."""
    cls = module.walk.class_of(function)
    if cls is None or function.name.value != "__init__":
        return module.values.call_sites(function)
    return module.calls(module.names.qualified(cls))


def _follows(module: Module, first: cst.Call, then: cst.Call) -> bool:
    """Whether one call is made after another one has been made, in the same run of a function."""
    function = module.walk.function_of(first)
    if function is not module.walk.function_of(then):
        return False
    body = function if isinstance(function, cst.FunctionDef) else module.tree
    return module.flow(body).reaches(first, then)
