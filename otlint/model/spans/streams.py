"""Generators and iterators that end a span only if somebody takes all their values.

def stream(span, answer):
    for chunk in answer:
        yield chunk             # a consumer that stops here leaves the span open
    span.end()
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.spans.generators import Generators
from otlint.model.spans.unended import Unended, unended

if TYPE_CHECKING:
    from otlint.model.module import Module

_SPAN = re.compile(r"(?i)(?:^|_)span$")
_NEXT = ("__next__", "__anext__")
_CLOSING = frozenset({"__del__", "close", "aclose", "__exit__", "__aexit__", "throw", "athrow"})
# Bases that leave it to the class to end its span.
_BASES = re.compile(r"(?:wrapt|typing|collections|abc|builtins|types)\b.*")


@dataclass(frozen=True, eq=False, slots=True)
class Leak:
    """`node` is the start of the span, or its end where it comes from elsewhere; `at`: where the consumer may stop."""

    node: Node
    at: Node | None
    unended: Unended | None = None


def leaks(module: Module) -> Iterator[Leak]:
    """Each span once; tests are left alone."""
    for found in unended(module):
        if is_stream(found):
            yield Leak(found.span.start, next(way.node for way in found.exits if way.kind == "yield"), found)
    generators = Generators(module)
    for function in generators.functions:
        yield from _borrowed(module, generators, function)
    for cls in module.walk.all(cst.ClassDef):
        yield from _iterated(module, cls)


def is_stream(found: Unended) -> bool:
    """Whether it is a generator that misses the end of a span, which it has, where its consumer stops."""
    return bool(found.custody.discharged) and any(way.kind == "yield" for way in found.exits)


def _borrowed(module: Module, generators: Generators, function: cst.FunctionDef) -> Iterator[Leak]:
    """A span that the generator is given, or finds in a function around it or on its object, and that it ends."""
    ends: dict[str, list[Node]] = {}
    for name, end in [*_direct(module, function), *_by_own(module, function)]:
        ends.setdefault(name, []).append(end)
    for name, found in ends.items():
        usual = [each for each in found if not _is_handling(module, each)]
        if not usual or not generators.hands_over(function) or _has_owner(module, function, name, found):
            continue
        flow = module.flow(function)
        stops = [*found, *(test for each in found for test in _tests(module, each, function))]
        ways = (way.node for way in flow.escapes(function, stops) if way.kind == "yield")
        at = next((way for way in ways if flow.reaches(way, usual)), None)
        if not module.silenced(usual[0], at is None and "whatever the consumer does, the generator ends it"):
            yield Leak(_start(module, name, function) or usual[0], at)


def _direct(module: Module, function: cst.FunctionDef) -> Iterator[tuple[str, Node]]:
    named: list[cst.Name | cst.Attribute] = [*module.walk.own(function.body, cst.Name)]
    for held in [*named, *module.walk.own(function.body, cst.Attribute)]:
        source = _aliased(module, held)
        if _is_from_elsewhere(module, source, function) and (end := _end(module, held)) is not None:
            yield module.code(source), end


def _aliased(module: Module, held: cst.Name | cst.Attribute) -> cst.Name | cst.Attribute:
    """`span` is `self.span` after `span = self.span`."""
    bindings = module.names.reaching(held.value, held) if isinstance(held, cst.Name) else ()
    source = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assign" else None
    return source if isinstance(source, cst.Attribute) else held


def _by_own(module: Module, function: cst.FunctionDef) -> Iterator[tuple[str, Node]]:
    """`self._finish()`, `finish()`: a method, or a function beside the generator, that ends the span."""
    cls = module.walk.class_of(function)
    methods = _methods(module, cls) if cls is not None else {}
    for call in module.walk.own(function.body, cst.Call):
        func = call.func
        if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name) and func.value.value == "self":
            for name, _ in _ended_by(module, methods, [func.attr.value]):
                yield name, call
        beside = module.names.definition(func)
        if isinstance(beside, cst.FunctionDef) and module.function_of(beside) is not None:
            yield from ((name, call) for name, _ in _direct(module, beside))


def _tests(module: Module, end: Node, function: cst.FunctionDef) -> Iterator[Node]:
    """What decides on an end in a `finally`: `if span.is_recording(): span.end()` counts as done."""
    for up in module.walk.ancestors(end):
        if up is function:
            return
        if isinstance(up, cst.If):
            yield from module.walk.below(up.test)
        if isinstance(up, cst.Finally):
            return


def _is_from_elsewhere(module: Module, held: cst.Name | cst.Attribute, function: cst.FunctionDef) -> bool:
    """Whether it is a span that the function has not made itself."""
    kind = module.type(held)
    name = held.value if isinstance(held, cst.Name) else held.attr.value
    if kind != otel.SPAN and not (kind is None and _SPAN.search(name)):
        return False
    if isinstance(held, cst.Attribute):
        return isinstance(held.value, cst.Name) and held.value.value == "self"
    bindings = module.names.reaching(held.value, held)
    return bool(bindings) and all(
        each.kind == "param" or not module.walk.inside(each.node, function) for each in bindings
    )


def _end(module: Module, held: Node) -> Node | None:
    """The call by which one use of a span ends it."""
    up = module.walk.parent[held]
    if isinstance(up, cst.Attribute) and up.value is not held:
        return None
    if "end" not in module.helpers.use(held):
        return None
    if isinstance(up, cst.WithItem):
        return up
    call = module.walk.parent[up]
    return call if isinstance(call, cst.Call) else None


def _is_handling(module: Module, node: Node) -> bool:
    return any(isinstance(up, cst.ExceptHandler) for up in module.walk.ancestors(node))


def _has_owner(module: Module, function: cst.FunctionDef, name: str, ends: list[Node]) -> bool:
    """Whether something else ends the span as well: a block, the function around, a method for that."""
    for call in module.values.call_sites(function):
        given = [module.spans.of(arg.value) for arg in call.args]
        if any(span is not None and span.ends for span in given):
            return True
    cls = module.walk.class_of(function) if name.startswith("self.") else None
    if cls is not None:
        methods = _methods(module, cls)
        own = {end for _, end in _ended_by(module, methods, [function.name.value])}
        return any(
            found == name and (end not in own or other in _CLOSING) and not _is_handling(module, end)
            for other in methods
            for found, end in _ended_by(module, methods, [other])
        )
    around = module.function_of(function)
    if around is None or name in _parameters(function):
        return False
    for other in module.walk.named(name, around):
        end = _end(module, other)
        others = end is not None and end not in ends and module.function_of(end) is not function
        if end is not None and others and not _is_handling(module, end):
            return True
    return False


def _parameters(function: cst.FunctionDef) -> set[str]:
    params = function.params
    return {each.name.value for each in (*params.posonly_params, *params.params, *params.kwonly_params)}


def _start(module: Module, name: str, function: cst.FunctionDef) -> Node | None:
    """Where a span of the function around the generator starts."""
    outer = module.function_of(function)
    for span in module.spans:
        if span.variable == name and outer is not None and span.function is outer:
            return span.start
    return None


def _iterated(module: Module, cls: cst.ClassDef) -> Iterator[Leak]:
    """A class that ends its span in `__next__`, where there are no more values, and nowhere else."""
    methods = _methods(module, cls)
    if not methods.keys() & set(_NEXT) or "weakref" in module.code(cls):
        return
    if not all((base := module.api(arg.value)) is not None and _is_plain(module, base) for arg in cls.bases):
        return
    closing = next(_ended_by(module, methods, [name for name in methods if name in _CLOSING]), None)
    ends = [end for _, end in _ended_by(module, methods, [name for name in _NEXT if name in methods])]
    usual = [end for end in ends if not _is_handling(module, end)] or ends
    if usual and not module.silenced(usual[0], closing is not None and "the class ends it when it is closed"):
        yield Leak(usual[0], None)


def _is_plain(module: Module, base: str) -> bool:
    return _BASES.fullmatch(base) is not None or module.values.cls(base) is not None


def _methods(module: Module, cls: cst.ClassDef) -> dict[str, cst.FunctionDef]:
    """The methods of a class and of its bases in this file, by name."""
    found: dict[str, cst.FunctionDef] = {}
    for dotted in module.values.lineage(cls):
        each = module.values.cls(dotted)
        for method in module.walk.own(each.body, cst.FunctionDef) if each is not None else ():
            if module.walk.class_of(method) is each:
                found.setdefault(method.name.value, method)
    return found


def _ended_by(module: Module, methods: dict[str, cst.FunctionDef], names: Iterable[str]) -> Iterator[tuple[str, Node]]:
    """Where the methods of these names, and those of the class that they call, end a span on their object."""
    waiting, seen = [*names], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in seen or name not in methods:
            continue
        seen.add(name)
        for held in module.walk.all(cst.Attribute, within=methods[name].body):
            if not isinstance(held.value, cst.Name) or held.value.value != "self":
                continue
            waiting.append(held.attr.value)
            if module.type(held) == otel.SPAN or _SPAN.search(held.attr.value):
                ends = (_end(module, each) for each in (held, *_other_names(module, held, methods[name])))
                yield from ((module.code(held), end) for end in ends if end is not None)


def _other_names(module: Module, held: cst.Attribute, function: cst.FunctionDef) -> Iterator[cst.Name]:
    """The uses of `span` behind `span = self.span`."""
    up = module.walk.parent[held]
    target = up.targets[0].target if isinstance(up, cst.Assign) and len(up.targets) == 1 else None
    for each in module.walk.named(target.value, function) if isinstance(target, cst.Name) else ():
        if each is not target and _aliased(module, each) is held:
            yield each
