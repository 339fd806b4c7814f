"""What a loop's variable holds: the type of the elements of a list that this file builds or declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

_COLLECTIONS = frozenset(
    ["builtins.list", "builtins.set", "builtins.tuple"]
    + [
        f"{module}.{name}"
        for module in ("typing", "collections.abc")
        for name in ("List", "Sequence", "Iterable", "Iterator", "Collection", "Set", "Tuple")
    ]
)


def element_type(module: Module, variable: Node) -> str | None:
    """`thread` in `for thread in threads`, where all that is known to be put into `threads` has one type."""
    if not isinstance(variable, cst.Name):
        return None
    found: set[str | None] = set()
    for binding in module.names.reaching(variable.value, variable):
        target = getattr(binding.node, "target", None)
        if binding.kind != "for" or not isinstance(target, cst.Name) or binding.value is None:
            return None
        found |= _elements(module, binding.value)
    return found.pop() if len(found) == 1 else None


def _elements(module: Module, value: cst.BaseExpression, depth: int = 0) -> set[str | None]:
    if isinstance(value, cst.List | cst.Tuple | cst.Set):
        return {module.type(each.value) for each in value.elements}
    if isinstance(value, cst.ListComp | cst.SetComp | cst.GeneratorExp):
        return {module.type(value.elt)}
    if not isinstance(value, cst.Name) or depth > 2:
        return {None}
    found: set[str | None] = set()
    for binding in module.names.reaching(value.value, value):
        if binding.annotation is not None:
            found.add(_declared(module, binding.annotation))
        elif binding.kind == "assign" and binding.value is not None:
            found |= _elements(module, binding.value, depth + 1)
        else:
            found.add(None)
    return found | _appended(module, value)


def _declared(module: Module, annotation: cst.BaseExpression) -> str | None:
    if not isinstance(annotation, cst.Subscript) or module.api(annotation.value) not in _COLLECTIONS:
        return None
    inner = annotation.slice[0].slice
    return module.values.annotated(inner.value) if isinstance(inner, cst.Index) else None


def _appended(module: Module, collection: cst.Name) -> set[str | None]:
    """The types of what is appended to a list by its name, in the same function."""
    function = module.function_of(collection)
    found: set[str | None] = set()
    for call in module.walk.own(function.body if function is not None else module.tree, cst.Call):
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value != "append" or len(call.args) != 1:
            continue
        if isinstance(func.value, cst.Name) and func.value.value == collection.value:
            found.add(module.type(call.args[0].value))
    return found


def given_elements(module: Module, given: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What is put into a list, tuple or list comprehension, wherever that is written."""
    for each in module.origins(given):
        if isinstance(each, cst.List | cst.Tuple):
            yield from (item.value for item in each.elements if isinstance(item, cst.Element))
        elif isinstance(each, cst.ListComp):
            yield each.elt
