"""What a loop's variable holds: the type of the elements of a list that this file builds or declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.mapped import SEQUENCES
from otlint.model.code.names import Binding
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.code.values import Values
    from otlint.model.module import Module

_DEPTH = 2  # of lists that are made of one another


def iterated(values: Values, binding: Binding) -> str | None:
    """`thread` in `for thread in threads`, where all that is known to be put into `threads` has one type."""
    if binding.value is None:
        return None
    if isinstance(getattr(binding.node, "target", None), cst.Name):
        found = _elements(values, binding.value)
        kind = found.pop() if len(found) == 1 else None
        if kind is not None:
            return kind
    return values.mapped.iterated(binding)


def _elements(values: Values, value: Node, depth: int = 0) -> set[str | None]:
    if isinstance(value, cst.List | cst.Tuple | cst.Set):
        return {values.type(each.value) for each in value.elements}
    if isinstance(value, cst.ListComp | cst.SetComp | cst.GeneratorExp):
        return {values.type(value.elt)}
    if not isinstance(value, cst.Name) or depth > _DEPTH:
        return {None}
    found: set[str | None] = set()
    for binding in values.names.reaching(value.value, value):
        if binding.annotation is not None:
            found.add(_declared(values, binding.annotation))
        elif binding.kind == "assign" and binding.value is not None:
            found |= _elements(values, binding.value, depth + 1)
        else:
            found.add(None)
    return found.union(values.type(each) for each in _appended(values, value))


def _declared(values: Values, annotation: cst.BaseExpression) -> str | None:
    if not isinstance(annotation, cst.Subscript) or values.api(annotation.value) not in SEQUENCES:
        return None
    inner = annotation.slice[0].slice
    return values.annotated(inner.value) if isinstance(inner, cst.Index) else None


def _appended(values: Values, collection: cst.Name) -> Iterator[cst.BaseExpression]:
    """What is appended to a list by its name, in the same function."""
    function = values.walk.function_of(collection)
    for call in values.walk.own(function.body if function is not None else values.walk.tree, cst.Call):
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value != "append" or len(call.args) != 1:
            continue
        if isinstance(func.value, cst.Name) and func.value.value == collection.value:
            yield call.args[0].value


def given_elements(module: Module, given: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What is put into a list, tuple or list comprehension, wherever that is written, and appended to a list."""
    for each in module.origins(given):
        if isinstance(each, cst.List | cst.Tuple):
            yield from (item.value for item in each.elements if isinstance(item, cst.Element))
        elif isinstance(each, cst.ListComp):
            yield each.elt
    if isinstance(given, cst.Name):
        yield from _appended(module.values, given)
