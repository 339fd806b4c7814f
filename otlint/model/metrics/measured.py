"""What is measured with an instrument, and what a value is that the SDK drops or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.optional import is_tested
from otlint.model.code.values import argument, parameters
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

_NOT_FINITE = frozenset({"math.nan", "math.inf", "numpy.nan", "numpy.inf"})
_SPELLED = frozenset({"nan", "inf", "+inf", "-inf", "infinity", "-infinity"})
_TEXT = {"builtins.str": "text", "builtins.list": "a list", "builtins.dict": "a dict"}


def amounts(module: Module, call: cst.Call) -> Iterator[cst.BaseExpression]:
    """Where the number that a call measures comes from: also what a function is given that passes it on."""
    given = module.argument(call, "amount")
    if given is None:
        return
    function = module.function_of(call)
    bindings = module.names.reaching(given.value, given) if isinstance(given, cst.Name) else []
    is_own = bool(bindings) and function is not None and module.walk.inside(bindings[0].node, function.params)
    if isinstance(function, cst.FunctionDef) and is_own and len(bindings) == 1:
        for site in module.values.call_sites(function):
            passed = argument(site, module.code(given), parameters(function))
            yield from _arriving(module, passed, (site, passed), (call, given)) if passed is not None else ()
    yield from _arriving(module, given, (call, given))


def _arriving(
    module: Module, value: cst.BaseExpression, *uses: tuple[cst.Call, cst.BaseExpression]
) -> Iterator[cst.BaseExpression]:
    """What a value may be: None only where no use of it asks for that."""
    asked = any(isinstance(name, cst.Name) and is_tested(module, name.value, at) for at, name in uses)
    return (each for each in module.origins(value) if not (asked and _is_none(each)))


def is_negative(module: Module, value: cst.BaseExpression) -> bool:
    """`-2`, `-len(x)` and `0 - x`; what is 0, takes a minus twice, or is compared with 0 before, is none."""
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus):
        inner = value.expression
        if isinstance(inner, cst.Integer | cst.Float):
            return bool(inner.evaluated_value)
        return not isinstance(inner, cst.UnaryOperation) and not _may_be_negative(module, inner)
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Subtract):
        left = value.left
        return isinstance(left, cst.Integer) and left.evaluated_value == 0 and not _may_be_negative(module, value.right)
    return False


def takes_minus(value: cst.BaseExpression) -> bool:
    """Whether a value is the negative of something, whatever that is."""
    return isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus)


def _may_be_negative(module: Module, value: cst.BaseExpression) -> bool:
    """Whether the sign of something is not known: a difference, or what is said to be below zero."""
    if isinstance(value, cst.BinaryOperation):
        sides = value.left, value.right
        return isinstance(value.operator, cst.Subtract) or any(_may_be_negative(module, each) for each in sides)
    if isinstance(value, cst.Name) and _asks_sign(module, value):
        return True
    origins = module.origins(value) if isinstance(value, cst.Name) else []
    return any(isinstance(each, cst.BinaryOperation) and _may_be_negative(module, each) for each in origins)


def _asks_sign(module: Module, name: cst.Name) -> bool:
    """Whether the function asks for the sign of a number, and does not take it for positive where it is used."""
    function = module.function_of(name)
    for other in module.walk.named(name.value, function.body if function is not None else module.tree):
        test = module.walk.parent[other]
        above = module.walk.parent[test]
        if not isinstance(test, cst.Comparison) or other is not test.left or len(test.comparisons) != 1:
            continue
        operator, limit = test.comparisons[0].operator, test.comparisons[0].comparator
        if not isinstance(limit, cst.Integer) or limit.evaluated_value != 0:
            continue
        positive = isinstance(operator, cst.GreaterThan | cst.GreaterThanEqual)
        if isinstance(operator, cst.LessThan | cst.LessThanEqual) or positive:
            inside = isinstance(above, cst.If | cst.IfExp) and module.walk.inside(name, above.body)
            if not (positive and inside):
                return True
    return False


def refused(module: Module, value: cst.BaseExpression) -> str | None:
    """What a value is, in words, where the SDK cannot measure with it; a negative number aside."""
    if _is_none(value):
        return "None"
    if module.api(value) in _NOT_FINITE:
        return "not a finite number"
    if isinstance(value, cst.Call) and module.api(value.func) == "builtins.float" and len(value.args) == 1:
        given = value.args[0].value
        text = given.evaluated_value if isinstance(given, cst.SimpleString) else None
        return "not a finite number" if isinstance(text, str) and text.lower() in _SPELLED else None
    return _TEXT.get(module.type(value) or "")


def _is_none(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"


def creation(module: Module, call: cst.Call) -> cst.Call | None:
    """The call of this file that makes the instrument which a measurement is taken with."""
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    if isinstance(owner, cst.Call):
        made: Node | None = owner
    elif isinstance(owner, cst.Name):
        bindings = module.names.reaching(owner.value, owner)
        made = bindings[0].value if len(bindings) == 1 else None
    elif isinstance(owner, cst.Attribute) and isinstance(owner.value, cst.Name):
        cls = module.names.owner_class(owner.value)
        bindings = module.names.attributes.get((cls, owner.attr.value), []) if cls is not None else []
        made = bindings[0].value if len(bindings) == 1 else None
    else:
        made = None
    return made if isinstance(made, cst.Call) and module.api(made.func) in otel.INSTRUMENTS else None
