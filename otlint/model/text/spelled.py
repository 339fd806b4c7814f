"""Whether what is serialized tells nothing that the source does not tell.

    json.dumps({"size": len(items)})                a mapping made for the attribute
    json.dumps([{"role": "user", "content": []}])   spelled out
    json.dumps(report_path)                         the place of the content

Whoever reads the trace could read as much in the source.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.model.code.given import given as passed
from otlint.model.code.walk import Node
from otlint.model.text.pieces import last_name

if TYPE_CHECKING:
    from otlint.model.module import Module

_CONTAINERS = cst.Dict | cst.List | cst.Tuple | cst.Set
_CONSTANTS = frozenset({"True", "False", "None"})


def is_plain(module: Module, given: cst.BaseExpression) -> bool:
    """Whether a value that is written down completely is made for that, spelled out in the file, or a path."""
    if isinstance(given, cst.Dict):
        return True
    origins = list(module.origins(given))
    if origins and all(_is_spelled(module, each) for each in origins):
        return not isinstance(given, cst.Name) or not _is_filled(module, given)
    return all(_is_place(each) for each in list(passed(module, given)) or [given])


def _is_spelled(module: Module, value: Node) -> bool:
    """Whether a container has something in it, and only literals."""
    if not isinstance(value, _CONTAINERS) or not value.elements:
        return False
    names = module.walk.all(cst.Name, within=value)
    return all(each.value in _CONSTANTS for each in names)


def _is_filled(module: Module, name: cst.Name) -> bool:
    """Whether a method of the container is called, or one of its items assigned, in the function of the use."""
    function = module.function_of(name)
    inside = function.body if function is not None else module.tree
    uses: list[cst.Attribute | cst.Subscript] = list(module.walk.all(cst.Attribute, within=inside))
    uses += module.walk.all(cst.Subscript, within=inside)
    own = (each for each in uses if isinstance(each.value, cst.Name) and each.value.value == name.value)
    return any(isinstance(module.walk.parent[each], cst.Call | cst.AssignTarget | cst.AugAssign) for each in own)


def _is_place(value: Node) -> bool:
    words = re.split("[^a-z]+", last_name(value).lower())
    return bool(words) and words[-1] in known.table("sensitive")["places"]
