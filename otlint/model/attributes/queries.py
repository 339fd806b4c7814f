"""Query texts that are put together from values: what they hold is personal, and each is another one.

    span.set_attribute("db.query.text", f"SELECT * FROM orders WHERE customer = '{name}'")

The name of a table is no value, and neither is a placeholder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.attributes.written import Attribute
from otlint.model.code.values import argument, parameters
from otlint.model.code.walk import Node
from otlint.model.text.template import Piece, pieces

if TYPE_CHECKING:
    from otlint.model.module import Module

_SQL = re.compile(r"(?is)\s*(?:select|insert|update|delete|with|merge|replace|call|exec(?:ute)?)\b")
# What stands before a value: an operator, an opening quote, a list of values.
_BEFORE = re.compile(
    r"(?is)(?:[=<>]|\blike|\bin\s*\(|\bvalues\s*\(|\bbetween|\band|\blimit|\boffset|\bset\s+\w+\s*=|\(|,|['\"%])\s*['\"%]?\s*$"
)
_DEPTH = 2
_KEYS = re.compile(r"(?:^|[._-])(?:statement|query|sql|text)$")


def interpolated(module: Module) -> Iterator[tuple[Attribute, cst.BaseExpression]]:
    """The attributes that hold such a text, and the first value in it."""
    seen: set[Node] = set()
    for each in module.attributes:
        if each.value is None or each.value in seen or not _KEYS.search(each.name or ""):
            continue
        values = (_first_value(module, parts) for parts in _texts(module, each.value, 0))
        value = next((found for found in values if found is not None), None)
        module.silenced(each.value, value is None and "no value is known to be part of the text")
        if value is not None:
            seen.add(each.value)
            yield each, value


def _texts(module: Module, text: cst.BaseExpression, depth: int) -> Iterator[list[Piece]]:
    """What the text is put together from on some way: where it is written, grows, is given or returned."""
    text = _whole(text)
    grown = _grown(module, text)
    if grown is not None:
        yield grown
        return
    for given in _given(module, text) if depth < _DEPTH else ():
        yield from _texts(module, given, depth + 1)
    for origin in map(_whole, module.origins(text)):
        parts = pieces(module, origin)
        function = module.values.function(module.api(origin.func)) if isinstance(origin, cst.Call) else None
        if parts is not None:
            yield parts
        elif function is not None and depth < _DEPTH:
            for each in module.walk.own(function.body, cst.Return):
                if each.value is not None:
                    yield from _texts(module, each.value, depth + 1)


def _whole(text: cst.BaseExpression) -> cst.BaseExpression:
    """`query` of `query[:500]` and `query.strip()`."""
    while True:
        if isinstance(text, cst.Subscript) and isinstance(text.slice[0].slice, cst.Slice):
            text = text.value
        elif isinstance(text, cst.Call) and isinstance(text.func, cst.Attribute) and text.func.attr.value == "strip":
            text = text.func.value
        else:
            return text


def _given(module: Module, text: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What the calls in this file give for a text that is a parameter, and nothing else."""
    function = module.function_of(text)
    if not isinstance(text, cst.Name) or not isinstance(function, cst.FunctionDef):
        return
    bindings = module.names.reaching(text.value, text)
    if [each.kind for each in bindings] != ["param"] or not module.walk.inside(bindings[0].node, function.params):
        return
    for site in module.values.call_sites(function):
        given = argument(site, text.value, parameters(function))
        if given is not None:
            yield given


def _grown(module: Module, text: cst.BaseExpression) -> list[Piece] | None:
    """`query = "SELECT …"; query += f" WHERE …"`: all that a name of the function is given, in the order of source."""
    if not isinstance(text, cst.Name):
        return None
    function = module.function_of(text)
    order = module.walk.order
    bindings = [each for each in module.names.bindings(text.value, text) if order[each.node] < order[text]]
    if [each.kind for each in bindings[:2]] != ["assign", "aug"] or bindings[0].value is None:
        return None
    found = pieces(module, bindings[0].value)
    for each in bindings[1:]:
        if not isinstance(each.node, cst.AugAssign) or not isinstance(each.node.operator, cst.AddAssign):
            return None
        if found is None or module.function_of(each.node) is not function:
            return None
        found += pieces(module, each.node.value) or [each.node.value]
    return found


def _first_value(module: Module, parts: list[Piece]) -> cst.BaseExpression | None:
    if not parts or not isinstance(parts[0], str) or not _SQL.match(parts[0]):
        return None
    before = ""
    for part in parts:
        if isinstance(part, str):
            before += part
        elif _is_value(before) and not _is_constant(module, part):
            return part
        else:
            before += " x "
    return None


def _is_value(before: str) -> bool:
    where = re.search(r"(?is)\bwhere\b|\bvalues\b|\bset\b|\blimit\b|\bhaving\b|\bcall\b|\bexec", before)
    return where is not None and _BEFORE.search(before) is not None


def _is_constant(module: Module, value: cst.BaseExpression) -> bool:
    """Whether a value is one of few: a constant, a literal, placeholders."""
    if isinstance(value, cst.Name) and (value.value.isupper() or "placeholder" in value.value):
        return True
    return all(
        isinstance(each, cst.SimpleString | cst.BaseNumber) or _is_joined(each) for each in module.origins(value)
    )


def _is_joined(value: cst.BaseExpression) -> bool:
    """`", ".join("?" for _ in ids)`, `"?, " * n`: placeholders, or names of columns."""
    if isinstance(value, cst.Call):
        return isinstance(value.func, cst.Attribute) and value.func.attr.value == "join"
    if isinstance(value, cst.Subscript):
        return _is_joined(value.value)
    sides = [value.left, value.right] if isinstance(value, cst.BinaryOperation) else []
    return isinstance(value, cst.BinaryOperation) and (
        isinstance(value.operator, cst.Multiply) and any(isinstance(each, cst.SimpleString) for each in sides)
    )
