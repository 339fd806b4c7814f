"""What is taken out of a dict or list: the type that its annotation says, else that of all that the file puts there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.code.names import Binding
    from otlint.model.code.values import Values

_MAPPINGS = frozenset(
    ["builtins.dict"]
    + [f"weakref.{name}" for name in ("WeakKeyDictionary", "WeakValueDictionary")]
    + [f"collections.{name}" for name in ("OrderedDict", "defaultdict")]
    + [
        f"{module}.{name}"
        for module in ("typing", "collections.abc")
        for name in ("Dict", "DefaultDict", "OrderedDict", "Mapping", "MutableMapping")
    ]
)
SEQUENCES = frozenset(
    ["builtins.list", "builtins.set", "builtins.frozenset", "builtins.tuple", "collections.deque"]
    + [
        f"{module}.{name}"
        for module in ("typing", "collections.abc")
        for name in ("List", "Sequence", "MutableSequence", "Iterable", "Iterator", "Collection", "Set", "Tuple")
    ]
    + ["typing.Deque"]
)
_BUILT = frozenset({"builtins.list", "collections.deque", "typing.List", "typing.Deque"})
_TAKES = {"get": _MAPPINGS, "setdefault": _MAPPINGS, "pop": _MAPPINGS | _BUILT, "popleft": _BUILT, "popitem": ()}

Key = tuple[Node, str]


class Mapped:
    """The dicts and lists of one file that are kept in a name or in an attribute."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def taken(self, call: cst.Call, called: str) -> str | None:
        """The type of what `spans.get(key)`, `pop` and `setdefault` give."""
        owner, _, method = called.rpartition(".")
        if owner not in _TAKES.get(method, ()) or not isinstance(call.func, cst.Attribute):
            return None
        return self.item(call.func.value)

    def at(self, item: cst.Subscript) -> str | None:
        """The type of `spans[key]`, or of `stack[-1]`."""
        single = len(item.slice) == 1 and isinstance(item.slice[0].slice, cst.Index)
        return self.item(item.value) if single else None

    def iterated(self, loop: Binding) -> str | None:
        """The type of what `for span in stack`, `in spans.values()` and `for key, span in spans.items()` give."""
        value = loop.value
        if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute):
            owner, _, method = (self.values.api(value.func) or "").rpartition(".")
            whole = owner in _MAPPINGS and (method, loop.index) in {("values", None), ("items", 1)}
            return self.item(value.func.value) if whole else None
        is_list = value is not None and loop.index is None and self.values.type(value) in SEQUENCES
        return self.item(value) if is_list and value is not None else None

    def item(self, owner: Node) -> str | None:
        """The type of the values of a dict, or of the elements of a list."""
        bindings = held(self.values, owner)
        declared = [each.annotation for each in bindings if each.annotation is not None]
        others = [each for each in bindings if each.annotation is None]
        if not bindings or not all(self._is_empty(each) for each in others):
            return None
        if declared:
            found = {self._declared(each) for each in declared}
            return found.pop() if len(found) == 1 else None
        kind = self.values.agreed([value for key in self._keys(owner) for value in self._stores.get(key, ())])
        return kind if kind is not None and otel.is_otel(kind) else None

    def _is_empty(self, binding: Binding) -> bool:
        value = binding.value
        if isinstance(value, cst.Dict | cst.List):
            return not value.elements
        called = self.values.api(value.func) if isinstance(value, cst.Call) and len(value.args) < 2 else None
        return binding.kind == "assign" and (called in _MAPPINGS or called in _BUILT)

    def _declared(self, annotation: cst.BaseExpression) -> str | None:
        generic = self.values.api(annotation.value) if isinstance(annotation, cst.Subscript) else None
        if not isinstance(annotation, cst.Subscript) or (generic not in _MAPPINGS and generic not in SEQUENCES):
            return None
        if len(annotation.slice) != (2 if generic in _MAPPINGS else 1):
            return None
        inner = annotation.slice[-1].slice
        return self.values.annotated(inner.value) if isinstance(inner, cst.Index) else None

    @cached_property
    def _stores(self) -> dict[Key, list[cst.BaseExpression]]:
        """What is put into dicts and lists, by `spans[key] = span` and `stack.append(span)`."""
        found: dict[Key, list[cst.BaseExpression]] = {}
        for statement in self.values.walk.all(cst.Assign):
            for target in statement.targets:
                if isinstance(target.target, cst.Subscript):
                    for key in self._keys(target.target.value):
                        found.setdefault(key, []).append(statement.value)
        for call in self.values.walk.all(cst.Call):
            func = call.func
            if isinstance(func, cst.Attribute) and func.attr.value == "append" and len(call.args) == 1:
                for key in self._keys(func.value):
                    found.setdefault(key, []).append(call.args[0].value)
        return found

    def _keys(self, owner: Node) -> Iterator[Key]:
        """What stands for a dict wherever it is used: its class and attribute, or where its name is bound."""
        if isinstance(owner, cst.Attribute) and isinstance(owner.value, cst.Name):
            cls = self.values.names.owner_class(owner.value)
            if cls is not None:
                yield cls, owner.attr.value
        elif isinstance(owner, cst.Name):
            for binding in self.values.names.reaching(owner.value, owner):
                yield binding.node, owner.value


def held(values: Values, owner: Node) -> Sequence[Binding]:
    """What gives the name or the attribute of this object its value."""
    if isinstance(owner, cst.Name):
        return values.names.reaching(owner.value, owner)
    if not isinstance(owner, cst.Attribute) or not isinstance(owner.value, cst.Name):
        return ()
    cls = values.names.owner_class(owner.value)
    return values.names.attributes.get((cls, owner.attr.value), ()) if cls is not None else ()
