"""The one walk over a parsed file: parents, source order, and the nodes that questions start from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TypeVar, cast

import libcst as cst

Node = cst.CSTNode
Function = cst.FunctionDef | cst.Lambda
N = TypeVar("N", bound=Node)

# Fields that hold only layout or punctuation; skipping them makes the walk ten times cheaper than a visitor.
_LAYOUT = frozenset(
    {
        "asynchronous", "at", "bar", "colon", "comma", "dot", "equal", "first_colon", "footer", "header",
        "indent", "lbrace", "lbracket", "leading_lines", "lines_after_decorators",
        "lines_after_module_docstring", "lpar", "newline", "open_parens", "operator", "posonly_ind", "rbrace",
        "rbracket", "rpar", "second_colon", "semicolon", "separator", "slash", "star", "trailing_whitespace",
        "walrus",
    }
)  # fmt: skip
# Fields in the order of the source where the dataclass has another one.
_FIRST = ("decorators", "posonly_params")


class Walk:
    """Parents and order of all significant nodes of a tree.

    Layout nodes (commas, whitespace, parentheses, operators) are not part of the walk: they have no parent here.
    """

    __slots__ = ("_by_type", "order", "parent", "tree")

    def __init__(self, tree: cst.Module) -> None:
        self.tree = tree
        self.parent: dict[Node, Node] = {}
        self.order: dict[Node, int] = {}
        self._by_type: dict[type[Node], list[Node]] = {}
        self._run()

    def _run(self) -> None:
        parent, order, by_type = self.parent, self.order, self._by_type
        stack: list[Node] = [self.tree]
        while stack:
            node = stack.pop()
            order[node] = len(order)
            kind = type(node)
            by_type.setdefault(kind, []).append(node)
            children = significant(node)
            for child in children:
                parent[child] = node
            children.reverse()
            stack.extend(children)

    def all(self, *kinds: type[N]) -> list[N]:
        """Every node of exactly these types, in source order."""
        if len(kinds) == 1:
            return cast("list[N]", self._by_type.get(kinds[0], []))
        found = [node for kind in kinds for node in self._by_type.get(kind, [])]
        return cast("list[N]", sorted(found, key=self.order.__getitem__))

    def ancestors(self, node: Node) -> Iterator[Node]:
        """The node's parents, from the nearest to the module."""
        up = self.parent.get(node)
        while up is not None:
            yield up
            up = self.parent.get(up)

    def inside(self, node: Node, container: Node) -> bool:
        """Whether `node` is `container` or lies below it."""
        up: Node | None = node
        while up is not None and up is not container:
            up = self.parent.get(up)
        return up is container

    def below(self, node: Node, *, functions: bool = False) -> Iterator[Node]:
        """`node` and everything below it in source order; the insides of nested functions only when asked."""
        stack = [node]
        while stack:
            found = stack.pop()
            yield found
            if found is not node and not functions and isinstance(found, cst.FunctionDef | cst.Lambda):
                stack.extend(reversed(_evaluated_outside(found)))
            else:
                stack.extend(reversed(significant(found)))

    def function_of(self, node: Node) -> Function | None:
        """The function whose call evaluates the node, None at module or class level.

        Decorators, defaults and annotations of a function are evaluated outside of it.
        """
        below = node
        for up in self.ancestors(node):
            if isinstance(up, cst.FunctionDef | cst.Lambda) and below is up.body:
                return up
            below = up
        return None

    def class_of(self, function: Node) -> cst.ClassDef | None:
        """The class in whose body the function is defined directly, None for other functions."""
        for up in self.ancestors(function):
            if isinstance(up, cst.ClassDef):
                return up
            if isinstance(up, cst.FunctionDef | cst.Lambda):
                return None
        return None

    def statement_of(self, node: Node) -> cst.BaseSmallStatement | cst.BaseCompoundStatement | None:
        """The nearest statement that holds the node: a small statement, or the compound whose header it is in."""
        up: Node | None = node
        while up is not None and not isinstance(up, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            up = self.parent.get(up)
        return up


def significant(node: Node) -> list[Node]:
    """The children of a node that carry meaning, in source order."""
    found: list[Node] = []
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            found.append(value)
        elif isinstance(value, list | tuple):
            found.extend(item for item in value if isinstance(item, cst.CSTNode))
    return found


def _evaluated_outside(function: Function) -> list[Node]:
    """What is evaluated where the function is defined, not where it runs."""
    if isinstance(function, cst.Lambda):
        return [function.params]
    outside: list[Node] = [*function.decorators, function.params]
    if function.returns is not None:
        outside.append(function.returns)
    return outside


_FIELDS: dict[type[Node], tuple[str, ...]] = {}


def _fields(kind: type[Node]) -> tuple[str, ...]:
    fields = _FIELDS.get(kind)
    if fields is None:
        names = [
            field.name
            for field in dataclasses.fields(kind)
            if field.name not in _LAYOUT and not field.name.startswith("whitespace")
        ]
        names.sort(key=lambda name: name not in _FIRST)
        if kind is cst.IfExp:
            names = ["body", "test", "orelse"]
        fields = _FIELDS[kind] = tuple(names)
    return fields
