"""Instruments of one process that have the same name and scope, and are not the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.metrics.instruments import Instrument

if TYPE_CHECKING:
    from otlint.model.module import Module

_BRANCHES = (cst.If, cst.ExceptHandler, cst.ExceptStarHandler, cst.IfExp, cst.MatchCase)
# The scope, the name, the method that makes it, unit and buckets as they are written ("" for none, None if not known).
Made = tuple[str, str, str, str | None, str | None]


@dataclass(frozen=True, eq=False, slots=True)
class Conflict:
    """An instrument that differs in `what` from one that is made before, at a node of the file or in another one."""

    each: Instrument
    name: str
    what: str
    before: Node | None
    other: str | None


def made(module: Module) -> Iterator[Made]:
    """The instruments that a file makes whatever happens, for other files of the process; none for tests."""
    for each in module.instruments if not module.is_test else ():
        if not _is_conditional(module, each.call):
            for scope in _scopes(module, each):
                yield from _described(module, each, scope)


def conflicts(module: Module) -> Iterator[Conflict]:
    """The instruments of a file that are not what was made before under the same name."""
    if not module.instruments:
        return
    others = [
        (facts.path, one)
        for facts in module.project.reach.together(module.path)
        if facts.path < module.path
        for one in facts.instruments
    ]
    earlier: list[tuple[Instrument, Made]] = []
    for each in module.instruments:
        found = _here(module, each, earlier) or _elsewhere(module, each, others)
        if found is not None:
            yield found
        else:
            module.silenced(each.call, _agrees(module, each, earlier))
        earlier += [(each, one) for scope in _scopes(module, each) for one in _described(module, each, scope)]


def _agrees(module: Module, each: Instrument, earlier: list[tuple[Instrument, Made]]) -> str | None:
    """Why nothing is known to be in conflict with an instrument."""
    scopes = list(_scopes(module, each))
    if not scopes:
        return "it is not known which meter makes it"
    mine = [one for scope in scopes for one in _described(module, each, scope)]
    same = [one for _, one in earlier if one[1] in {name for _, name, *_ in mine}]
    if any(one[0] in scopes for one in same):
        return "the other one of that name is like it, or not made in the same run"
    return "the other one of that name is made by another meter" if same else None


def _here(module: Module, each: Instrument, earlier: list[tuple[Instrument, Made]]) -> Conflict | None:
    for scope in _scopes(module, each):
        for mine in _described(module, each, scope):
            for other, one in earlier:
                what = _difference(one, mine)
                if what is not None and _both_run(module, other.call, each.call):
                    return Conflict(each, mine[1], what, other.call, None)
    return None


def _elsewhere(module: Module, each: Instrument, others: list[tuple[str, Made]]) -> Conflict | None:
    if _is_conditional(module, each.call):
        return None
    for scope in _scopes(module, each):
        for mine in _described(module, each, scope):
            for path, one in others:
                what = _difference(one, mine)
                if what is not None:
                    return Conflict(each, mine[1], what, None, path)
    return None


def _difference(one: Made, other: Made) -> str | None:
    if one[:2] != other[:2]:
        return None
    if one[2] != other[2]:
        return "kind"
    if None not in {one[3], other[3]} and one[3] != other[3]:
        return "unit"
    differs = None not in {one[4], other[4]} and other[4] != one[4]
    return "boundaries" if differs and other[4] else None  # without any, it is meant to have those of the first


def _described(module: Module, each: Instrument, scope: str) -> Iterator[Made]:
    text = module.helpers.attributes.text
    name = text(each.name) if each.name is not None and not each.hidden else None
    if name is None:
        return
    unit = text(each.unit) if each.unit is not None else ""
    buckets: str | None = ""
    if each.buckets is not None:
        listed = isinstance(each.buckets, cst.List | cst.Tuple)
        buckets = "".join(module.code(each.buckets).split()).strip("[](),") if listed else None
    yield scope, name.lower(), each.api, unit, buckets


def _scopes(module: Module, each: Instrument) -> Iterator[str]:
    """By what the meter is known: the name that it is asked for by, and the variable of the project that holds it."""
    owner = each.made.func.value if isinstance(each.made.func, cst.Attribute) else None
    if isinstance(owner, cst.Call):
        yield from _asked(module, owner)
    elif isinstance(owner, cst.Name):
        bindings = module.names.reaching(owner.value, owner)
        only = bindings[0] if len(bindings) == 1 else None
        if only is not None and only.kind == "param":
            yield f"{module.path}:{module.row(only.node)}:{owner.value}"
        if only is not None and only.kind == "assign" and module.function_of(only.node) is None:
            yield f"{module.names.module_name}.{owner.value}"
        if only is not None and isinstance(only.value, cst.Call):
            yield from _asked(module, only.value)
        symbol = module.values.symbol(module.names.dotted(owner)) if only is not None else None
        if only is not None and only.kind == "import" and symbol is not None:
            yield symbol.dotted
    elif isinstance(owner, cst.Attribute) and isinstance(owner.value, cst.Name):
        cls = module.names.owner_class(owner.value)
        bindings = module.names.attributes.get((cls, owner.attr.value), []) if cls is not None else []
        if cls is not None and len(bindings) == 1:
            yield f"{module.names.qualified(cls)}.{owner.attr.value}"
            if isinstance(bindings[0].value, cst.Call):
                yield from _asked(module, bindings[0].value)


def _asked(module: Module, call: cst.Call) -> Iterator[str]:
    """The name that the global provider is asked for."""
    if module.api(call.func) != otel.GET_METER or module.argument(call, "meter_provider") is not None:
        return
    given = module.argument(call, "name")
    if isinstance(given, cst.Name) and given.value == "__name__":
        yield f"name of {module.path}"
    name = module.helpers.attributes.text(given) if given is not None else None
    if name is not None:
        yield f"name {name}"


def _is_conditional(module: Module, node: Node) -> bool:
    return any(isinstance(up, _BRANCHES) for up in module.walk.ancestors(node))


def _both_run(module: Module, first: cst.Call, then: cst.Call) -> bool:
    """Whether both are made in one process, for all that is known."""
    if not _is_conditional(module, first) and not _is_conditional(module, then):
        return True
    function = module.function_of(first)
    handled = any(isinstance(up, cst.ExceptHandler) for each in (first, then) for up in module.walk.ancestors(each))
    if handled or function is not module.function_of(then) or isinstance(function, cst.Lambda):
        return False
    return module.flow(function or module.tree).reaches(first, then)
