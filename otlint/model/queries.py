"""Query texts that are put together from values: what they hold is personal, and each is another one.

    span.set_attribute("db.query.text", f"SELECT * FROM orders WHERE customer = '{name}'")

The name of a table is no value, and neither is a placeholder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.attributes import Attribute
from otlint.model.template import pieces
from otlint.model.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

_SQL = re.compile(r"(?is)\s*(?:select|insert|update|delete|with|merge|replace|call|exec(?:ute)?)\b")
# What stands before a value: an operator, an opening quote, a list of values.
_BEFORE = re.compile(
    r"(?is)(?:[=<>]|\blike|\bin\s*\(|\bvalues\s*\(|\bbetween|\band|\blimit|\boffset|\bset\s+\w+\s*=|\(|,|['\"%])\s*['\"%]?\s*$"
)
_KEYS = re.compile(r"(?:^|[._-])(?:statement|query|sql|text)$")


def interpolated(module: Module) -> Iterator[tuple[Attribute, cst.BaseExpression]]:
    """The attributes that hold such a text, and the first value in it."""
    seen: set[Node] = set()
    for each in module.attributes:
        if each.value is None or each.value in seen or not _KEYS.search(each.name or ""):
            continue
        for origin in module.origins(each.value):
            value = _first_value(module, origin)
            module.silenced(each.value, value is None and "no value is known to be part of the text")
            if value is not None:
                seen.add(each.value)
                yield each, value
                break


def _first_value(module: Module, text: cst.BaseExpression) -> cst.BaseExpression | None:
    parts = pieces(module, text)
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
    origins = module.origins(value)
    if all(isinstance(each, cst.SimpleString | cst.BaseNumber) for each in origins):
        return True
    if isinstance(value, cst.Name) and (value.value.isupper() or "placeholder" in value.value):
        return True
    return isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) and value.func.attr.value == "join"
