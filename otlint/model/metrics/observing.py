"""The callbacks of observable instruments: what reads them calls each with one argument and goes through what it gives.

A callback that gives something else is logged as failed each time, and nothing is exported for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import is_hidden
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

_NUMBERS = frozenset({"builtins.int", "builtins.float", "builtins.bool"})
_COUNTS = frozenset({"builtins.len", "builtins.int", "builtins.float", "builtins.round", "time.time", "time.monotonic"})
_STATIC = frozenset({"builtins.staticmethod", "builtins.classmethod"})


@dataclass(frozen=True, eq=False, slots=True)
class Misuse:
    """Something wrong with a callback. `lone`: the node is one thing where a list of such things belongs."""

    node: Node
    what: str
    lone: bool = False


def misuses(module: Module, call: cst.Call) -> Iterator[Misuse]:
    """What is wrong with the callbacks that are given to one observable instrument."""
    given = module.argument(call, "callbacks")
    wrong = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "callback"), None)
    if given is None and wrong is not None:
        yield Misuse(wrong, "there is no parameter `callback`, so this raises TypeError; give a list as `callbacks`")
        yield from _of_callback(module, wrong.value)
        return
    if given is None or _is_empty(given):
        by_hand = any(each.attr.value == "_callbacks" for each in module.walk.all(cst.Attribute))
        if not is_hidden(call) and not module.silenced(call, by_hand and "the file adds callbacks by hand"):
            yield Misuse(call, "an observable instrument without a callback never has a value; give it one")
        return
    if isinstance(given, cst.Lambda) or _function(module, given) is not None or _is_foreign(module, given):
        yield Misuse(given, "`callbacks` is a function, which raises TypeError; give a list of functions", lone=True)
        yield from _of_callback(module, given)
    for each in _elements(given):
        yield from _of_callback(module, each)


def _elements(given: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(given, cst.List | cst.Tuple | cst.Set):
        return [each.value for each in given.elements if isinstance(each, cst.Element)]
    return []


def _of_callback(module: Module, callback: cst.BaseExpression) -> Iterator[Misuse]:
    if isinstance(callback, cst.Lambda):
        if not _takes_one(callback, bound=False):
            yield Misuse(callback, _SIGNATURE)
        yield from _of_value(module, callback.body)
        return
    if isinstance(callback, cst.Call):
        if module.type(callback) in {*_NUMBERS, otel.OBSERVATION, "builtins.list"}:
            yield Misuse(callback, "the callback is called here, once; give the function itself")
        return
    function = _function(module, callback)
    if function is not None:
        yield from _of_function(module, callback, function)
        return
    symbol = module.values.symbol(module.api(callback))
    facts = symbol.function if symbol is not None else None
    if facts is not None and facts.is_async:
        yield Misuse(callback, _ASYNC)
    elif facts is not None and facts.returns == otel.OBSERVATION:
        yield Misuse(callback, _LONE)
    elif facts is not None and facts.returns in _NUMBERS:
        yield Misuse(callback, _NUMBER)


_SIGNATURE = "a callback is called with one argument, which this one does not take; give it a parameter"
_ASYNC = "a callback that is a coroutine function is never awaited, so it has no value; make it a plain function"
_NUMBER = "the callback gives a number, which fails each time; give a list of `Observation`"
_BARE = "what the callback gives is no `Observation`, which fails each time; make it one of the value and attributes"
_LONE = "a callback gives a list of observations, not a lone one, which fails each time; return a list"


def _of_function(module: Module, callback: cst.BaseExpression, function: cst.FunctionDef) -> Iterator[Misuse]:
    decorators = {module.api(each.decorator) for each in function.decorators}
    if not decorators <= _STATIC:
        return
    if function.asynchronous is not None:
        yield Misuse(function, _ASYNC)
        return
    is_method = module.walk.class_of(function) is not None and isinstance(callback, cst.Attribute)
    if not _takes_one(function, bound=is_method and "builtins.staticmethod" not in decorators):
        yield Misuse(function, _SIGNATURE)
    yields = [each.value for each in module.values.own(function, cst.Yield)]
    if yields:
        yield from (Misuse(each, _BARE) for each in yields if each is not None and _is_bare(module, each))
        return
    returns = [each.value for each in module.values.own(function, cst.Return)]
    for value in returns:
        if value is not None:
            yield from _of_value(module, value)
    if all(value is None or _is_none(value) for value in returns) and _ends(module, function):
        yield Misuse(function, "the callback returns nothing, which fails each time; return a list of observations")


def _of_value(module: Module, value: cst.BaseExpression) -> Iterator[Misuse]:
    """What is wrong with what a callback returns."""
    if module.type(value) == otel.OBSERVATION:
        yield Misuse(value, _LONE, lone=True)
    elif _is_number(module, value):
        yield Misuse(value, _NUMBER)
    elif _elements(value) and all(_is_number(module, each) for each in _elements(value)):
        yield Misuse(value, "the callback gives a list of numbers, which fails each time; make them `Observation`")
    else:
        made = [value.elt] if isinstance(value, cst.ListComp | cst.GeneratorExp) else _elements(value)
        if made and all(_is_bare(module, each) for each in made):
            yield Misuse(value, _BARE)


def _is_bare(module: Module, value: Node) -> bool:
    """Whether it is a number, or a tuple of one and attributes, where an observation belongs."""
    if isinstance(value, cst.Tuple):
        second = value.elements[1].value if len(value.elements) == 2 else None
        return second is not None and (isinstance(second, cst.Dict) or module.type(second) == "builtins.dict")
    return _is_number(module, value)


def _is_number(module: Module, value: Node, depth: int = 0) -> bool:
    if isinstance(value, cst.BinaryOperation) and not isinstance(value.operator, cst.Multiply) and depth < 10:
        return any(_is_number(module, each, depth + 1) for each in (value.left, value.right))
    if isinstance(value, cst.Call) and module.api(value.func) in _COUNTS:
        return True
    return isinstance(value, cst.BaseExpression) and module.type(value) in _NUMBERS


def _takes_one(function: cst.FunctionDef | cst.Lambda, *, bound: bool) -> bool:
    """Whether it can be called with one positional argument."""
    params = function.params
    if isinstance(params.star_arg, cst.Param):
        return True
    own = [*params.posonly_params, *params.params][int(bound) :]
    needed = [each for each in own if each.default is None]
    return bool(own) and len(needed) <= 1 and all(each.default is not None for each in params.kwonly_params)


def _ends(module: Module, function: cst.FunctionDef) -> bool:
    """Whether it returns at all."""
    return any(each.kind in {"end", "return"} for each in module.flow(function).leaves(function.body))


def _function(module: Module, expression: cst.BaseExpression) -> cst.FunctionDef | None:
    if not isinstance(expression, cst.Name | cst.Attribute):
        return None
    function = module.values.function(module.api(expression))
    return None if function is None or module.values.is_property(function) else function


def _is_foreign(module: Module, expression: cst.BaseExpression) -> bool:
    """Whether it is a function of another file of the project."""
    symbol = module.values.symbol(module.api(expression))
    facts = symbol.function if symbol is not None and symbol.kind == "function" else None
    return facts is not None and "." not in facts.name


def _is_empty(given: cst.BaseExpression) -> bool:
    return _is_none(given) or (isinstance(given, cst.List | cst.Tuple) and not given.elements)


def _is_none(value: Node) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"
