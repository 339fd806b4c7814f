"""What a value certainly is: a string, a number, an exception, the class of one."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.logs import words
from otlint.model.code.managers import LEAVES
from otlint.model.code.names import Binding
from otlint.model.code.walk import Node
from otlint.model.flow import raised

if TYPE_CHECKING:
    from otlint.model.module import Module


class Nature(enum.Enum):
    """The values are words for people."""

    TEXT = "a string"
    NUMBER = "a number"
    BOOL = "a bool"
    BYTES = "bytes"
    MAPPING = "a dict"
    LIST = "a list"
    TUPLE = "a tuple"
    NONE = "None"
    EXCEPTION = "an exception"
    CLASS = "a class"
    EXC_INFO = "what `sys.exc_info()` gives"
    MEMBER = "a member of another enum"
    CODE = "a `StatusCode`"
    STATUS = "a `Status`"


_TYPES = {
    "builtins.str": Nature.TEXT, "builtins.int": Nature.NUMBER, "builtins.float": Nature.NUMBER,
    "builtins.bool": Nature.BOOL, "builtins.bytes": Nature.BYTES, "builtins.dict": Nature.MAPPING,
    "builtins.list": Nature.LIST, "builtins.tuple": Nature.TUPLE, otel.STATUS_CODE: Nature.CODE,
    otel.STATUS: Nature.STATUS,
}  # fmt: skip
# What gives such a value, by dotted name.
_CALLS = {
    **dict.fromkeys(
        ("builtins.repr", "builtins.format", "builtins.ascii", "traceback.format_exc", "json.dumps"), Nature.TEXT
    ),
    **dict.fromkeys(("traceback.format_exception", "traceback.format_tb", "traceback.format_stack"), Nature.LIST),
    **dict.fromkeys((f"builtins.str.{method}" for method in ("format", "join", "strip", "lower")), Nature.TEXT),
    **dict.fromkeys(("builtins.len", "builtins.round"), Nature.NUMBER),
    "builtins.type": Nature.CLASS,
    "sys.exc_info": Nature.EXC_INFO,
}
_PARTS = {"name": Nature.TEXT, "value": Nature.NUMBER}
_EXCEPTION = re.compile(r"[A-Z]\w*(?:Error|Exception)")


def nature(module: Module, value: cst.BaseExpression) -> Nature | None:
    """What an expression is, None when that is not certain."""
    if isinstance(value, cst.Name):
        if value.value in {"None", "True", "False"}:
            return Nature.NONE if value.value == "None" else Nature.BOOL
        bindings = module.names.reaching(value.value, value)
        if bindings and all(each.kind == "except" for each in bindings):
            return Nature.EXCEPTION
        if len(bindings) == 1 and bindings[0].kind == "param" and _is_open(module, bindings[0], value):
            return _given(module, bindings[0].node)  # what callers in this file give is judged where they give it
    if isinstance(value, cst.Call):
        called = module.api(value.func) or ""
        if called in _CALLS:
            return _CALLS[called]
    if isinstance(value, cst.BinaryOperation):
        return _joined(module, value)
    if isinstance(value, cst.Attribute) and value.attr.value == "__class__":
        return Nature.CLASS
    return _named(module, value) or _typed(module.type(value))


def _named(module: Module, value: cst.BaseExpression) -> Nature | None:
    """`StatusCode.OK.value`, `grpc.StatusCode.INTERNAL`, `ValueError`."""
    api = module.api(value)
    if api is None:
        return None
    owner, _, name = api.rpartition(".")
    if owner == otel.STATUS_CODE:
        return Nature.CODE
    if owner.rpartition(".")[0] == otel.STATUS_CODE:
        return _PARTS.get(name)
    if name not in _PARTS and (owner in words("status", "enums") or module.values.is_enum(owner)):
        return Nature.MEMBER
    return Nature.CLASS if _is_class(module, api) else None


def _is_class(module: Module, api: str) -> bool:
    """Whether a dotted name is a class: of the project, or of exceptions by its name."""
    if api.startswith("builtins."):
        return raised.is_exception(api.removeprefix("builtins."))
    symbol = module.values.symbol(api)
    if module.values.cls(api) is not None or (symbol is not None and symbol.kind == "class"):
        return True
    return symbol is None and "." in api and _EXCEPTION.fullmatch(api.rpartition(".")[2]) is not None


def _typed(kind: str | None) -> Nature | None:
    if kind is None or kind in _TYPES:
        return _TYPES.get(kind or "")
    name = kind.rpartition(".")[2]
    return Nature.EXCEPTION if raised.is_exception(name) or _EXCEPTION.fullmatch(name) else None


def _is_open(module: Module, binding: Binding, name: cst.Name) -> bool:
    """Whether a parameter may be anything: nothing is said of it, or its type is looked at."""
    function = module.walk.parent[module.walk.parent[binding.node]]
    uses = [module.walk.parent[each] for each in module.walk.named(name.value, function)]
    calls = [module.walk.parent[use] for use in uses if isinstance(use, cst.Arg)]
    return binding.annotation is None or any(
        isinstance(call, cst.Call) and module.api(call.func) == "builtins.isinstance" for call in calls
    )


def _given(module: Module, param: Node) -> Nature | None:
    """What Python gives to `__exit__`."""
    params = module.walk.parent[param]
    function = module.walk.parent[params]
    if not isinstance(function, cst.FunctionDef) or function.name.value not in LEAVES:
        return None
    at = next((i for i, each in enumerate(function.params.params) if each is param), 0)
    return {1: Nature.CLASS, 2: Nature.EXCEPTION}.get(at) if module.walk.class_of(function) is not None else None


def _joined(module: Module, value: cst.BinaryOperation) -> Nature | None:
    """`"failed: " + text`, `"failed: %s" % error`."""
    if isinstance(value.operator, cst.Add | cst.Modulo):
        sides: list[cst.BaseExpression] = [value.left]
        if isinstance(value.operator, cst.Add):
            sides.append(value.right)
        if any(nature(module, side) is Nature.TEXT for side in sides):
            return Nature.TEXT
    return None


def is_text(node: Node) -> bool:
    """Whether an expression is a text that is never empty."""
    if isinstance(node, cst.SimpleString):
        return bool(node.evaluated_value)
    if isinstance(node, cst.ConcatenatedString):
        return is_text(node.left) or is_text(node.right)
    if isinstance(node, cst.FormattedString):
        return any(isinstance(part, cst.FormattedStringText) for part in node.parts)
    return False
