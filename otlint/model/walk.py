"""The one walk over a parsed file: parents, source order, and the nodes that questions start from."""

from __future__ import annotations

import bisect
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
        "indent", "lbrace", "lbracket", "leading_lines", "leading_whitespace", "lines_after_decorators",
        "lines_after_module_docstring", "lpar", "newline", "open_parens", "operator", "posonly_ind", "rbrace",
        "rbracket", "rpar", "second_colon", "semicolon", "separator", "slash", "star", "trailing_whitespace",
        "walrus",
    }
)  # fmt: skip
# Fields in the order of the source where the dataclass has another one.
_FIRST = ("decorators", "posonly_params", "keyword")
_BODY_LAST = (cst.FunctionDef, cst.ClassDef, cst.ExceptHandler, cst.ExceptStarHandler, cst.MatchCase)


class Walk:
    """Parents and order of all significant nodes of a tree.

    Layout nodes (commas, whitespace, parentheses, operators) are not part of the walk: they have no parent here.
    """

    __slots__ = ("_bodies", "_by_type", "_end", "_named", "_nodes", "order", "parent", "tree")

    def __init__(self, tree: cst.Module) -> None:
        self.tree = tree
        self.parent: dict[Node, Node] = {}
        self.order: dict[Node, int] = {}
        self._nodes: list[Node] = []
        self._by_type: dict[type[Node], list[Node]] = {}
        self._named: dict[str, list[cst.Name]] | None = None
        self._run()
        self._end = self._ends()
        # Where the bodies of functions begin: `below` leaves those of nested functions out.
        functions: list[Function] = [*self.all(cst.FunctionDef), *self.all(cst.Lambda)]
        self._bodies = sorted(self.order[each.body] for each in functions)

    def _run(self) -> None:
        parent, order, by_type, nodes = self.parent, self.order, self._by_type, self._nodes
        stack: list[Node] = [self.tree]
        while stack:
            node = stack.pop()
            order[node] = len(nodes)
            nodes.append(node)
            kind = type(node)
            if kind in by_type:
                by_type[kind].append(node)
            else:
                by_type[kind] = [node]
            children = significant(node)
            for child in children:
                parent[child] = node
            children.reverse()
            stack.extend(children)

    def _ends(self) -> list[int]:
        """For each node by its order, the order of the first node behind everything below it."""
        order, parent, nodes = self.order, self.parent, self._nodes
        ends = list(range(1, len(nodes) + 1))
        for i in range(len(nodes) - 1, 0, -1):
            up = order[parent[nodes[i]]]
            ends[up] = max(ends[up], ends[i])
        return ends

    def all(self, *kinds: type[N], within: Node | None = None) -> list[N]:
        """Every node of exactly these types, in source order; those in or below `within` when it is given."""
        if len(kinds) == 1:
            found = self._by_type.get(kinds[0], [])
        else:
            found = [node for kind in kinds for node in self._by_type.get(kind, [])]
            found.sort(key=self.order.__getitem__)
        if within is not None:
            start = self.order[within]
            low = bisect.bisect_left(found, start, key=self.order.__getitem__)
            found = found[low : bisect.bisect_left(found, self._end[start], lo=low, key=self.order.__getitem__)]
        return cast("list[N]", found)

    def named(self, name: str, within: Node) -> list[cst.Name]:
        """Every `Name` node with that text in or below a node, attributes and keywords included."""
        if self._named is None:
            self._named = {}
            for each in self.all(cst.Name):
                self._named.setdefault(each.value, []).append(each)
        start = self.order[within]
        end = self._end[start]
        return [each for each in self._named.get(name, ()) if start <= self.order[each] < end]

    def ancestors(self, node: Node) -> Iterator[Node]:
        """The node's parents, from the nearest to the module."""
        up = self.parent.get(node)
        while up is not None:
            yield up
            up = self.parent.get(up)

    def inside(self, node: Node, container: Node) -> bool:
        """Whether `node` is `container` or lies below it."""
        start = self.order.get(container)
        return start is not None and node in self.order and start <= self.order[node] < self._end[start]

    def below(self, node: Node, *, functions: bool = False) -> Iterator[Node]:
        """`node` and everything below it in source order; the bodies of nested functions only when asked."""
        start = self.order[node]
        end = self._end[start]
        if functions:
            yield from self._nodes[start:end]
            return
        at = start
        for body in self._bodies[bisect.bisect_right(self._bodies, start) :]:
            if body >= end:
                break
            if body < at or self.parent[self._nodes[body]] is node:
                continue
            yield from self._nodes[at:body]
            at = self._end[body]
        yield from self._nodes[at:end]

    def own(self, node: Node, *kinds: type[N]) -> list[N]:
        """The nodes of these types in or below a node, in source order, without the bodies of nested functions."""
        found = self.all(*kinds, within=node)
        start, order = self.order[node], self.order
        end = self._end[start]
        first = bisect.bisect_right(self._bodies, start)
        nested = [
            (body, self._end[body])
            for body in self._bodies[first : bisect.bisect_left(self._bodies, end)]
            if self.parent[self._nodes[body]] is not node
        ]
        if not nested:
            return found
        return [each for each in found if not any(low <= order[each] < high for low, high in nested)]

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
        kind = type(value)
        if kind is list or kind is tuple:
            found.extend([item for item in value if isinstance(item, cst.CSTNode)])
        elif value is not None and kind is not str and isinstance(value, cst.CSTNode):
            found.append(value)
    return found


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
        if issubclass(kind, _BODY_LAST):
            names.sort(key="body".__eq__)
        if kind is cst.IfExp:
            names = ["body", "test", "orelse"]
        fields = _FIELDS[kind] = tuple(names)
    return fields
