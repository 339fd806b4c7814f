"""Spans that a function finds where another one has put them: `span = self.spans.pop(key)`, `self.span`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.flow.ways import Flow
    from otlint.model.module import Module

_METHODS = tuple(f"{otel.SPAN}.{method}" for method in sorted(otel.LOST_WHEN_ENDED))


@dataclass(frozen=True, eq=False, slots=True)
class Shelved:
    """`taken` is what gives the span, the function itself for an attribute; `calls` are those of its methods there."""

    taken: Node
    calls: list[tuple[cst.Call, str]] = field(default_factory=list)

    @property
    def ends(self) -> list[cst.Call]:
        return [call for call, method in self.calls if method == "end"]

    def flow(self, module: Module) -> Flow:
        """The control flow of the function."""
        return module.flow(module.function_of(self.calls[0][0]) or module.tree)


def shelved(module: Module) -> Iterator[Shelved]:
    """In the order of their first uses."""
    found: dict[tuple[Node, str], Shelved] = {}
    for call in module.calls(*_METHODS):
        owner = call.func.value if isinstance(call.func, cst.Attribute) else None
        if owner is None or module.spans.of(owner) is not None:
            continue
        taken = _in_name(module, owner) if isinstance(owner, cst.Name) else _in_attribute(module, owner)
        if taken is not None:
            name = owner.attr.value if isinstance(owner, cst.Attribute) else ""
            method = (module.api(call.func) or "").rpartition(".")[2]
            found.setdefault((taken, name), Shelved(taken)).calls.append((call, method))
    yield from found.values()


def _in_name(module: Module, name: cst.Name) -> Node | None:
    bindings = module.names.reaching(name.value, name)
    taken = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assign" else None
    if taken is None or module.function_of(taken) is not module.function_of(name):
        return None
    return taken if _is_kept(module, taken) else None


def _in_attribute(module: Module, owner: Node) -> Node | None:
    """The method that uses `self.span`, if neither it nor what it calls gives the attribute another span."""
    function = module.function_of(owner)
    if not isinstance(function, cst.FunctionDef) or not isinstance(owner, cst.Attribute):
        return None
    cls = module.names.owner_class(owner.value) if isinstance(owner.value, cst.Name) else None
    writes = module.names.attributes.get((cls, owner.attr.value), ()) if cls is not None else ()
    writers = {module.function_of(each.node) for each in writes if not _is_none(each.value)}
    called = {module.values.function(module.api(call.func)) for call in module.walk.own(function.body, cst.Call)}
    return None if not writers or function in writers or writers & called else function


def _is_none(value: cst.BaseExpression | None) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"


def _is_kept(module: Module, taken: cst.BaseExpression) -> bool:
    mapped = module.values.mapped
    if isinstance(taken, cst.Subscript):
        return mapped.at(taken) == otel.SPAN
    return isinstance(taken, cst.Call) and mapped.taken(taken, module.api(taken.func) or "") == otel.SPAN
