"""Attributes of the semantic conventions with a wrong type, a wrong value, or a misspelt key.

    span.set_attribute("http.response.status_code", "200")    # a text; the conventions say a whole number
    span.set_attribute("db.system.name", "PostgreSQL")        # the value is `postgresql`
    span.set_attribute("http.response.status_cod", 200)

A value whose type is not certain is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint.known import semconv
from otlint.model.attributes.written import Attribute
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

_WORDS = {
    "string": "a text",
    "int": "a whole number",
    "double": "a number",
    "boolean": "a boolean",
    "string[]": "a list of texts",
    "int[]": "a list of whole numbers",
}
# What an expression may be where the conventions say that it is …
_FITS = {
    "string": {"string"},
    "int": {"int"},
    "double": {"double", "int"},
    "boolean": {"boolean"},
    "string[]": {"string[]", "list"},
    "int[]": {"int[]", "list"},
}
_TYPES = {
    "builtins.str": "string",
    "builtins.int": "int",
    "builtins.float": "double",
    "builtins.bool": "boolean",
    "builtins.list": "list",
    "builtins.tuple": "list",
}


@dataclass(frozen=True, eq=False, slots=True)
class Mistyped:
    """What is wrong: a sentence for `write`, at `place`."""

    write: Attribute
    place: cst.BaseExpression
    message: str


def mistyped(module: Module) -> Iterator[Mistyped]:
    """The wrong attributes of a file, each once."""
    seen: set[Node] = set()
    for each in module.attributes:
        if each.name is None or each.signal == "baggage" or each.key in seen:
            continue
        found = _key(module, each) or _value(module, each)
        if found is not None and found.place not in seen:
            seen.update((found.place, each.key))
            yield found


def _key(module: Module, write: Attribute) -> Mistyped | None:
    assert write.name is not None
    meant = semconv.near(write.name)
    if meant is None:
        return None
    place = module.helpers.attributes.literal(write.key) or write.key
    return Mistyped(write, place, f"`{write.name}` is no key of the semantic conventions; `{meant}` is one")


def _value(module: Module, write: Attribute) -> Mistyped | None:
    assert write.name is not None
    wanted = semconv.kind(write.name) or semconv.template(write.name)
    if write.value is None or write.converted or wanted not in _FITS:
        return None
    for origin in module.origins(write.value):
        given = _given(module, origin)
        module.silenced(write.value, given is None and "the type of the value is not known")
        if given is not None and given not in _FITS[wanted]:
            says = _WORDS.get(given, "a list")
            message = f"`{write.name}` is set to {says}, and the semantic conventions say {_WORDS[wanted]}"
            return Mistyped(write, write.value, f"{message}; back ends store the first type that they see")
        wrong = _word(write.name, origin)
        if wrong is not None:
            return Mistyped(write, write.value, wrong)
    return None


def _given(module: Module, value: Node) -> str | None:
    """The type of an expression, None when it is not certain."""
    if isinstance(value, cst.Name) and value.value in {"True", "False"}:
        return "boolean"
    if isinstance(value, cst.Comparison) or (
        isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Not)
    ):
        return "boolean"
    if isinstance(value, cst.List | cst.Tuple):
        items = {_given(module, each.value) for each in value.elements}
        return f"{items.pop()}[]" if len(items) == 1 and items <= {"string", "int"} else "list"
    if isinstance(value, cst.Call):
        called = module.api(value.func)
        if called in {"builtins.len", "builtins.int"}:
            return "int"
        if called == "builtins.bool":
            return "boolean"
    if isinstance(value, cst.Name) and _is_given(module, value):
        return None
    return _TYPES.get(module.type(value) or "")


def _is_given(module: Module, name: cst.Name) -> bool:
    """Whether callers or several places decide what a name holds."""
    bindings = module.names.reaching(name.value, name)
    return len(bindings) != 1 or bindings[0].kind != "param" or not bindings[0].annotation


def _word(key: str, value: Node) -> str | None:
    """What is wrong with a literal value of an enumeration."""
    if not isinstance(value, cst.SimpleString) or not isinstance(value.evaluated_value, str):
        return None
    text, values = value.evaluated_value, semconv.values(key)
    if not values or text in values or not text:
        return None
    meant = next((each for each in values if each.lower() == text.lower()), None)
    if meant is not None:
        return f"`{text}` is written `{meant}` in the semantic conventions, and queries for `{key}` tell them apart"
    if semconv.is_closed(key):
        return f"`{text}` is no value that the semantic conventions allow for `{key}`"
    return None
