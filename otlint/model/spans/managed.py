"""Classes that are context managers of a span: `__enter__` starts it, `__exit__` ends it.

class Operation:
    def __enter__(self):
        self.span = tracer.start_span("a")
        return self.span
    def __exit__(self, *raised):
        self.span.end()
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.managers import ENTERS, LEAVES_OF
from otlint.model.code.walk import Node
from otlint.model.spans.span import Span

if TYPE_CHECKING:
    from otlint.model.module import Module

_MAKES_CURRENT = frozenset({"use", "keep", "attach", "thread", "capture"})


def left_aside(module: Module, span: Span) -> bool:
    """Whether the span is that of a class which is a context manager, and is not current while its block runs.

    The class ends it and reports errors on it. False as well where anything else can get at the span or is made
    current along with it.
    """
    starts = span.function
    owner = module.walk.class_of(starts) if starts is not None else None
    leaving = _leaving(module, owner, starts) if owner is not None and starts is not None else []
    name = _attribute(module, span) if leaving else None
    if owner is None or name is None or _activates(module, owner):
        return False
    ended: set[str] = set()
    for use in _uses(module, owner, span, name):
        effects = module.helpers.use(use)
        if effects & _MAKES_CURRENT:
            return False
        if any(module.walk.inside(use, each) for each in leaving):
            ended |= effects
    return "end" in ended and (bool(ended & {"record", "status"}) or span.api == otel.START_AS_CURRENT_SPAN)


def _leaving(module: Module, owner: cst.ClassDef, starts: Node) -> list[cst.FunctionDef]:
    """What runs at the end of the block where `starts` is what runs at its beginning: `__exit__` and what it calls."""
    methods = {
        each.name.value: each for each in module.walk.all(cst.FunctionDef) if module.walk.class_of(each) is owner
    }
    for enter, leave in LEAVES_OF.items():
        if enter in methods and leave in methods and starts in _with_called(module, methods[enter], owner):
            return _with_called(module, methods[leave], owner)
    return []


def _with_called(module: Module, method: cst.FunctionDef, owner: cst.ClassDef) -> list[cst.FunctionDef]:
    """The method, and the methods of its class that it calls."""
    called = [module.values.function(module.api(each.func)) for each in module.walk.own(method.body, cst.Call)]
    return [method, *(each for each in called if each is not None and module.walk.class_of(each) is owner)]


def _attribute(module: Module, span: Span) -> str | None:
    """The attribute of the object in which the span is kept, and nowhere else."""
    kept = [each for each in module.custody(span.start).handed if not isinstance(each, cst.Return)]
    targets = [target.target for each in kept if isinstance(each, cst.Assign) for target in each.targets]
    targets += [each.target for each in kept if isinstance(each, cst.AnnAssign)]
    names = {
        each.attr.value
        for each in targets
        if isinstance(each, cst.Attribute) and isinstance(each.value, cst.Name) and module.names.owner_class(each.value)
    }
    return names.pop() if len(targets) == len(kept) and len(names) == 1 else None


def _activates(module: Module, owner: cst.ClassDef) -> bool:
    """Whether the class makes something current by other means: an attach, a manager that it enters."""
    return any(_activated(module, each) for each in module.walk.all(cst.Call, within=owner))


def _activated(module: Module, call: cst.Call) -> bool:
    if module.api(call.func) in {otel.ATTACH, otel.USE_SPAN}:
        return True
    entered = isinstance(call.func, cst.Attribute) and call.func.attr.value in {*ENTERS, "enter_context"}
    # A span that is entered gives itself, and stays what it is: not current.
    return entered and module.api(call.func) != f"{otel.SPAN}.__enter__"


def _uses(module: Module, owner: cst.ClassDef, span: Span, name: str) -> Iterator[Node]:
    """Where the class uses the span: as the attribute, or by a variable that holds it."""
    custody = module.custody(span.start)
    stored = set(custody.handed)
    yield from (each for each in custody.uses if each is not span.start and module.walk.parent[each] not in stored)
    for each in module.walk.all(cst.Attribute, within=owner):
        if each.attr.value != name or not isinstance(each.value, cst.Name) or not module.names.owner_class(each.value):
            continue
        up = module.walk.parent[each]
        if isinstance(up, cst.AssignTarget) or (isinstance(up, cst.AnnAssign) and up.target is each):
            continue
        yield each
        if isinstance(up, cst.Assign):
            yield from _held(module, up)


def _held(module: Module, statement: cst.Assign) -> Iterator[Node]:
    """The uses of the variables to which a statement gives the span."""
    function = module.function_of(statement)
    for target in statement.targets:
        if isinstance(target.target, cst.Name) and function is not None:
            name = target.target.value
            for use in module.walk.named(name, function.body):
                if any(each.node is statement for each in module.names.reaching(name, use)):
                    yield use
