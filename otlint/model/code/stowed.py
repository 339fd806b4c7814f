"""What hooks leave for each other on an object that they share: `g.span = …` before a request, `g.span.end()` after."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node, Walk

if TYPE_CHECKING:
    from otlint.model.code.names import Names
    from otlint.model.code.values import Values


class Stowed:
    """What a file assigns to attributes of others than `self`, by the object as it is written and the name."""

    def __init__(self, walk: Walk, names: Names) -> None:
        self._walk = walk
        self._names = names

    def of(self, owner: Node, name: str) -> list[Node]:
        """What is assigned to the attribute of an object that is written like this one."""
        return self._assigned.get((written(owner), name), [])

    @cached_property
    def _assigned(self) -> dict[tuple[str, str], list[Node]]:
        found: dict[tuple[str, str], list[Node]] = {}
        for node in self._walk.all(cst.Assign):
            for target in (each.target for each in node.targets):
                if not isinstance(target, cst.Attribute):
                    continue
                own = isinstance(target.value, cst.Name) and self._names.owner_class(target.value) is not None
                if not own and (owner := written(target.value)):
                    found.setdefault((owner, target.attr.value), []).append(node.value)
        return found


def of_attribute(values: Values, owner: Node, name: str) -> str | None:
    """The type of OpenTelemetry that all assignments of this file to the attribute of an object so called give it."""
    kind = values.agreed(values.stowed.of(owner, name))
    return kind if kind is not None and otel.is_otel(kind) else None


def method(values: Values, expression: Node) -> str | None:
    """The method of what is so kept on an imported object: `g.span.end`."""
    if not isinstance(expression, cst.Attribute) or not isinstance(expression.value, cst.Attribute):
        return None
    kind = of_attribute(values, expression.value.value, expression.value.attr.value)
    return values.member(kind, expression.attr.value) if kind is not None else None


def read(values: Values, call: cst.Call) -> str | None:
    """The same of `getattr(g, "span", None)`, and what is declared for the attribute of a class."""
    if len(call.args) < 2 or not isinstance(call.args[1].value, cst.SimpleString):
        return None
    owner, name = call.args[0].value, str(call.args[1].value.evaluated_value)
    cls = values.names.owner_class(owner) if isinstance(owner, cst.Name) else None
    kind = values.names.qualified(cls) if cls is not None else values.type(owner)
    found = values.attribute(kind, name) if kind is not None else None
    if found is not None or cls is not None:
        return found if found is not None and otel.is_otel(found) else None
    return of_attribute(values, owner, name)


def written(owner: Node) -> str:
    """An object as it is written, `request.state`; empty if it is more than names."""
    if isinstance(owner, cst.Name):
        return owner.value
    if isinstance(owner, cst.Attribute) and (before := written(owner.value)):
        return f"{before}.{owner.attr.value}"
    return ""
