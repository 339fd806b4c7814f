"""Attribute values of types that an attribute does not take: what becomes of them depends on the version.

    span.set_attribute("created", datetime.now())    # text by `str()` and a warning; before 1.45: left out
    span.set_attribute("order", {"id": 1})           # before 1.45: left out

Unknown types are kept, as far as the rule knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.model.attributes.written import Attribute
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

# The version from which on nested values are kept.
NESTED = "1.45"


@dataclass(frozen=True, eq=False, slots=True)
class Lossy:
    """A value that is not kept. `what` says what it is, `write` what keeps it (`str({})`), "" when nothing does.

    `fate`: "text" (by `str()`), "nothing" (an object without a text), "dropped" or "raises". `value` is what has to be
    written otherwise: the part of a conditional, or what stands for it; None when other values come through it too.
    """

    write: str
    what: str
    fate: str
    attribute: Attribute
    value: cst.BaseExpression | None


def lossy(module: Module) -> Iterator[Lossy]:
    """The values of a file that are not kept, each once."""
    new = module.instrumentation.otel_at_least(NESTED)
    seen: set[Node] = set()
    for each in module.attributes:
        if each.value is None or each.value in seen or each.signal == "baggage" or each.converted:
            continue
        seen.add(each.value)
        origins = module.origins(each.value)
        for origin in origins:
            given = _is_given(module, origin) and "callers decide what the value is"
            found = _kind(module, origin, new) if not module.silenced(each.value, given) else None
            if found is not None:
                what, write, fate = found
                place = origin if module.walk.inside(origin, each.value) else each.value if len(origins) == 1 else None
                yield Lossy(write, what, fate if new else _before(each, what, fate), each, place)
                break


def _is_given(module: Module, value: cst.BaseExpression) -> bool:
    """Whether callers decide what a value is: those that pass a wrong one to a helper are reported themselves."""
    bindings = module.names.reaching(value.value, value) if isinstance(value, cst.Name) else []
    return any(each.kind == "param" and each.annotation is None for each in bindings)


def _before(attribute: Attribute, what: str, fate: str) -> str:
    """What versions before 1.45 do."""
    if attribute.signal == "metric" and what in {"a mapping", "a set", "a list of mappings", "a list of lists"}:
        return "raises"
    return fate if attribute.signal == "log" else "dropped"


def _kind(module: Module, value: cst.BaseExpression, new: bool) -> tuple[str, str, str] | None:
    """What a value is, what to write instead, and its fate since 1.45; None for one that is kept or not known."""
    table = known.table("values")
    kind = _type(module, value)
    if kind in table["text"]:
        what, write = table["text"][kind]
        return what, write, "text"
    found = _enum(module, value, kind) or _object(module, kind)
    if found is not None:
        return found
    if _is_exception(module, value, kind):
        return "an exception", "str({})", "text"
    if _is_function(module, value):
        return "a function", "", "text"
    return None if new else _nested(module, value, kind)


def _type(module: Module, value: cst.BaseExpression) -> str | None:
    kind = module.type(value)
    gives = known.table("values")["gives"]
    if kind is None and isinstance(value, cst.BinaryOperation):
        left, right = _type(module, value.left), _type(module, value.right)
        if isinstance(value.operator, cst.Subtract) and left == right == "datetime.datetime":
            return "datetime.timedelta"
        return left if isinstance(value.operator, cst.Divide) and (left or "").startswith("pathlib.") else None
    return gives.get(kind, kind) if kind is not None else None


def _enum(module: Module, value: cst.BaseExpression, kind: str | None) -> tuple[str, str, str] | None:
    """A member of an enum that is nothing but an enum: `Color.RED`, or a parameter of that type."""
    member = isinstance(value, cst.Attribute) and value.attr.value.isupper()
    owner = module.api(value.value) if member and isinstance(value, cst.Attribute) else None
    if any(each and _bases(module, each) == {"enum.Enum"} for each in (owner, kind)):
        return "a member of an enum", "{}.value", "text"
    return None


def _bases(module: Module, kind: str) -> set[str]:
    """The bases of a class of the project, its own classes left out; empty when it is none or one is not known."""
    definition = module.values.cls(kind)
    if definition is not None:
        own = [each for each in module.values.lineage(definition) if module.values.cls(each) is None]
        classes = [module.values.cls(each) for each in module.values.lineage(definition)]
        written = sum(len(each.bases) for each in classes if each is not None)
        return set(own) or {"builtins.object"} if written <= len(module.values.lineage(definition)) - 1 else set()
    symbol = module.values.symbol(kind)
    cls = symbol.cls if symbol is not None else None
    return set(cls.bases) if cls is not None else set()


def _object(module: Module, kind: str | None) -> tuple[str, str, str] | None:
    """An object of a class of the project; without a text of its own it becomes nothing at all."""
    definition = module.values.cls(kind)
    if definition is None:
        return _elsewhere(module, kind)
    plain = set(known.table("values")["classes"]["plain"])
    bases = _bases(module, kind) if kind is not None else set()
    if not bases or not bases <= plain:
        return None
    if bases & {"builtins.Exception", "builtins.BaseException"}:
        return "an exception", "str({})", "text"
    classes = [cls for each in module.values.lineage(definition) if (cls := module.values.cls(each)) is not None]
    methods = {
        function.name.value
        for function in module.walk.all(cst.FunctionDef)
        if module.walk.class_of(function) in classes
    }
    if "__iter__" in methods or "__len__" in methods:
        return None
    told = bool(methods & {"__str__", "__repr__"}) or "pydantic.BaseModel" in bases
    told = told or any(each.decorators for each in classes)
    name = definition.name.value
    return f"an object of `{name}`", "str({})" if told else "", "text" if told else "nothing"


def _elsewhere(module: Module, kind: str | None) -> tuple[str, str, str] | None:
    """An object of a class of another file, whose decorators are not known: it may have a text."""
    symbol = module.values.symbol(kind)
    cls = symbol.cls if symbol is not None else None
    plain = set(known.table("values")["classes"]["plain"]) - {"builtins.Exception", "builtins.BaseException"}
    if cls is None or not set(cls.bases) <= plain or {"__iter__", "__len__", "__getitem__"} & cls.methods:
        return None
    return f"an object of `{cls.name}`", "", "text"


def _is_exception(module: Module, value: cst.BaseExpression, kind: str | None) -> bool:
    if isinstance(value, cst.Name):
        bindings = module.names.reaching(value.value, value)
        if bindings and all(each.kind == "except" for each in bindings):
            return True
    return kind is not None and kind.startswith("builtins.") and kind.endswith(("Error", "Exception"))


def _is_function(module: Module, value: cst.BaseExpression) -> bool:
    """A function or method of this file that is not called."""
    if not isinstance(value, cst.Name | cst.Attribute):
        return False
    function = module.values.function(module.api(value))
    return function is not None and not function.decorators


def _nested(module: Module, value: cst.BaseExpression, kind: str | None) -> tuple[str, str, str] | None:
    """What only versions before 1.45 do not take."""
    before = known.table("values")["before"]
    if kind is not None and kind.endswith(("().json()", "Response.json()")):
        return "the parsed body of an answer", "json.dumps({})", "text"
    if kind in before:
        what, write = before[kind]
        return what, write, "text"
    if not isinstance(value, cst.List | cst.Tuple | cst.ListComp):
        return None
    items = [value.elt] if isinstance(value, cst.ListComp) else [each.value for each in value.elements]
    kinds = {_type(module, each) for each in items}
    if kinds & before.keys():
        return "a list of mappings", "json.dumps({})", "text"
    if kinds & {"builtins.list", "builtins.tuple"}:
        return "a list of lists", "json.dumps({})", "text"
    simple = {"builtins.str", "builtins.int", "builtins.float"}
    return ("a list of mixed types", "", "text") if len(kinds) > 1 and kinds <= simple else None
