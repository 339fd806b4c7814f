"""Which message a function works on: one that it receives, or one that the function which receives it hands in.

async for record in consumer:            received here
    await handle(record.value)           handed to `handle`, whose work is this message
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.model.code.values import argument, parameters
from otlint.model.code.walk import Node
from otlint.model.kinds import work as working

if TYPE_CHECKING:
    from otlint.model.module import Module

_DEPTH = 3


@dataclass(frozen=True, eq=False, slots=True)
class Delivery:
    """A message that has arrived: `names` are the local names that hold it, or a part of it, at the node asked for.

    `by` completes "what … "; `instrumentors` and `native` are the keys of what would make a span of its own for it, and
    `keys` those of the entry or client of the tables that gives it.
    """

    by: str
    names: frozenset[str]
    instrumentors: frozenset[str]
    native: frozenset[str]
    keys: frozenset[str]


def deliveries(module: Module, function: cst.FunctionDef, stop: Node, depth: int = 0) -> Iterator[Delivery]:
    """The messages that a function certainly has when it comes to a node."""
    received = list(working.received(module, function.body, stop))
    for done, names in received:
        consumers = [each for each in known.entries().values() if done.operation.api.rpartition(".")[0] in each.loops]
        yield Delivery(
            f"`{done.name(module)}` receives",
            names,
            done.operation.instrumentors.union(*(each.instrumentors for each in consumers)),
            frozenset().union(*(each.native for each in consumers)),
            frozenset({done.operation.client, *(each.key for each in consumers)}),
        )
    if not received and depth < _DEPTH:
        handed = _records(module, function, stop) or _handed_in(module, function, depth)
        if handed is not None:
            names = working.holding(module, function.body, stop, given=handed.names)
            yield dataclasses.replace(handed, names=names)


def _records(module: Module, function: cst.FunctionDef, stop: Node) -> Delivery | None:
    """`for record in event["Records"]:`, in a function that a queue, topic or stream calls with some messages."""
    entry = module.entries.of(function)
    if entry is None or not entry.records:
        return None
    for up in itertools.takewhile(lambda up: up is not function, module.walk.ancestors(stop)):
        if isinstance(up, cst.For) and "Records" in keys_in(module, up.iter):
            names = frozenset(each.value for each in module.walk.own(up.target, cst.Name))
            by = f"{entry.key.partition('.')[2]} hands to `{function.name.value}`"
            if not entry.records.isdisjoint(keys_in(module, up.body)):
                return Delivery(by, names, entry.instrumentors, entry.native, frozenset({entry.key}))
    return None


def keys_in(module: Module, node: Node) -> set[str]:
    """The texts in a node that are keys: of `event["Records"]`, `event.get("Records", [])`."""
    items = [each.slice[0].slice for each in module.walk.own(node, cst.Subscript)]
    values = [each.value for each in items if isinstance(each, cst.Index)]
    calls = [call for call in module.walk.own(node, cst.Call) if call.args]
    values += [call.args[0].value for call in calls if _is_get(call.func)]
    return {str(each.evaluated_value) for each in values if isinstance(each, cst.SimpleString)}


def _is_get(function: Node) -> bool:
    return isinstance(function, cst.Attribute) and function.attr.value == "get"


def _handed_in(module: Module, function: cst.FunctionDef, depth: int) -> Delivery | None:
    """The message that every call of a function gives it, and the parameters that hold it."""
    found: Delivery | None = None
    holding: set[str] = set()
    for call in module.values.call_sites(function):
        caller = module.function_of(call)
        if not isinstance(caller, cst.FunctionDef) or caller is function or module.span_around(call) is not None:
            return None
        found, given = _with(module, function, call, _arrived(module, caller, call, depth + 1))
        if found is None or _is_one_step(module, caller, call, found.names):
            return None
        holding |= given
    if found is None:
        return None
    return dataclasses.replace(found, names=frozenset(holding))


def _with(
    module: Module, function: cst.FunctionDef, call: cst.Call, arrived: Iterable[Delivery]
) -> tuple[Delivery | None, frozenset[str]]:
    """The message that a call gives to a function, and the parameters that get it."""
    for each in arrived:
        given = _given(module, function, call, each.names)
        if given:
            return each, given
    return None, frozenset()


def _arrived(module: Module, caller: cst.FunctionDef, call: cst.Call, depth: int) -> Iterator[Delivery]:
    entry = module.entries.of(caller)
    if entry is None or entry.kind != "CONSUMER":
        yield from deliveries(module, caller, call, depth)
    else:
        given = frozenset(parameters(caller)) - {"self", "cls"}
        names = working.holding(module, caller.body, call, given=given)
        by = f"{entry.key.partition('.')[2]} hands to `{caller.name.value}`"
        yield Delivery(by, names, entry.instrumentors, entry.native, frozenset({entry.key}))


def _given(module: Module, function: cst.FunctionDef, call: cst.Call, names: frozenset[str]) -> frozenset[str]:
    """The parameters that get a message, or a part of it, from a call."""
    every = [*function.params.posonly_params, *function.params.params, *function.params.kwonly_params]
    given = {each.name.value: argument(call, each.name.value, parameters(function)) for each in every}
    return frozenset(name for name, value in given.items() if value is not None and _mentions(module, value, names))


def _mentions(module: Module, value: Node, names: frozenset[str]) -> bool:
    return not names.isdisjoint(each.value for each in module.walk.own(value, cst.Name))


def _is_one_step(module: Module, caller: cst.FunctionDef, call: cst.Call, names: frozenset[str]) -> bool:
    """Whether the message also goes to another function with spans, so that each is a step of its processing."""
    for other in module.walk.own(caller.body, cst.Call):
        if other is call or working.exclusive(module, call, other):
            continue
        function = module.values.function(module.api(other.func))
        symbol = module.values.symbol(module.api(other.func)) if function is None else None
        facts = module.helpers.of(function) if function is not None else symbol.function if symbol is not None else None
        if facts is not None and facts.telemetry and any(_mentions(module, arg.value, names) for arg in other.args):
            return True
    return False
