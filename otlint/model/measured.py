"""What is measured with an instrument, and what a value is that the SDK drops or refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

_NOT_FINITE = frozenset({"math.nan", "math.inf", "numpy.nan", "numpy.inf"})
_SPELLED = frozenset({"nan", "inf", "+inf", "-inf", "infinity", "-infinity"})
_TEXT = {"builtins.str": "text", "builtins.list": "a list", "builtins.dict": "a dict"}


def is_negative(value: cst.BaseExpression) -> bool:
    """`-2`, `-len(x)` and `0 - x`; what is 0 or takes a minus twice is none."""
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus):
        inner = value.expression
        if isinstance(inner, cst.Integer | cst.Float):
            return bool(inner.evaluated_value)
        return not isinstance(inner, cst.UnaryOperation) and not _may_be_negative(inner)
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Subtract):
        left = value.left
        return isinstance(left, cst.Integer) and left.evaluated_value == 0 and not _may_be_negative(value.right)
    return False


def _may_be_negative(value: Node) -> bool:
    """Whether the sign of something is not known from how it is written: a difference, or what is called so."""
    if isinstance(value, cst.BinaryOperation):
        return isinstance(value.operator, cst.Subtract) or any(map(_may_be_negative, (value.left, value.right)))
    return False


def refused(module: Module, value: cst.BaseExpression) -> str | None:
    """What a value is, in words, where the SDK cannot measure with it; a negative number aside."""
    if isinstance(value, cst.Name) and value.value == "None":
        return "None"
    if module.api(value) in _NOT_FINITE:
        return "not a finite number"
    if isinstance(value, cst.Call) and module.api(value.func) == "builtins.float" and len(value.args) == 1:
        given = value.args[0].value
        text = given.evaluated_value if isinstance(given, cst.SimpleString) else None
        return "not a finite number" if isinstance(text, str) and text.lower() in _SPELLED else None
    return _TEXT.get(module.type(value) or "")


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
