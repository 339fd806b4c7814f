"""The one walk over a parsed file: parents, source order, and the nodes that questions start from."""

from __future__ import annotations

import bisect
import dataclasses
import math
import operator
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar, cast

import libcst as cst

Node = cst.CSTNode
Function = cst.FunctionDef | cst.Lambda
# LibCST's nodes have an abstract base, which makes `isinstance` ten times as slow as a look at the type.
FUNCTIONS = frozenset({cst.FunctionDef, cst.Lambda})
N = TypeVar("N", bound=Node)
T = TypeVar("T")

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


class Parents:
    """The parent of every node but the module, read off the lists of the walk: a dictionary more would be large."""

    __slots__ = ("_nodes", "_order", "_up")

    def __init__(self, order: dict[Node, int], nodes: list[Node], up: list[int]) -> None:
        self._order = order
        self._nodes = nodes
        self._up = up

    def __getitem__(self, node: Node) -> Node:
        at = self._order[node]
        if not at:
            raise KeyError(node)
        return self._nodes[self._up[at]]

    def get(self, node: Node | None) -> Node | None:
        """The parent of a node, None for the module and what is not in the walk."""
        at = self._order.get(node, 0) if node is not None else 0
        return self._nodes[self._up[at]] if at else None

    def __contains__(self, node: Node) -> bool:
        return self._order.get(node, 0) > 0


class Walk:
    """Parents and order of all significant nodes of a tree.

    Layout nodes (commas, whitespace, parentheses, operators) are not part of the walk: they have no parent here.
    """

    __slots__ = ("_bodies", "_by_type", "_end", "_functions", "_named", "_nodes", "_up", "order", "parent", "tree")

    def __init__(self, tree: cst.Module) -> None:
        self.tree = tree
        self.order: dict[Node, int] = {}
        self._nodes: list[Node] = []
        self._up: list[int] = []  # the order of each node's parent
        self.parent = Parents(self.order, self._nodes, self._up)
        self._by_type: dict[type[Node], tuple[list[Node], list[int]]] = {}
        self._named: dict[str, list[int]] | None = None
        self._run()
        self._end = self._ends()
        functions: list[Function] = [*self.all(cst.FunctionDef), *self.all(cst.Lambda)]
        bodies = sorted((self.order[each.body], each) for each in functions)
        # Where the bodies of functions begin: `below` leaves those of nested functions out.
        self._bodies = [start for start, _ in bodies]
        self._functions = Regions([(start, self._end[start], each) for start, each in bodies], None)

    def _run(self) -> None:
        order, nodes, ups = self.order, self._nodes, self._up
        by_type: defaultdict[type[Node], list[int]] = defaultdict(list)
        stack: list[tuple[Node, int]] = [(self.tree, 0)]
        while stack:
            node, up = stack.pop()
            at = order[node] = len(nodes)
            nodes.append(node)
            ups.append(up)
            kind = type(node)
            by_type[kind].append(at)
            read = _READERS[kind]
            if read is None:
                continue
            children: list[Node] = []
            for value in read(node):
                kind = type(value)
                if kind in _MANY:
                    children += value
                elif kind not in _PLAIN:
                    children.append(value)
            stack += [(child, at) for child in reversed(children)]
        self._by_type = {kind: ([nodes[at] for at in places], places) for kind, places in by_type.items()}

    def _ends(self) -> list[int]:
        """For each node by its order, the order of the first node behind everything below it."""
        ups = self._up
        ends = list(range(1, len(ups) + 1))
        for i in range(len(ups) - 1, 0, -1):
            up = ups[i]
            if ends[up] == up + 1:  # the last child comes first, and reaches farthest
                ends[up] = ends[i]
        return ends

    def all(self, *kinds: type[N], within: Node | None = None) -> list[N]:
        """Every node of exactly these types, in source order; those in or below `within` when it is given."""
        if within is None:
            low, high = 0, len(self._nodes)
        else:
            low = self.order[within]
            high = self._end[low]
        found: list[int] = []
        for kind in kinds:
            if kind in self._by_type:
                same, places = self._by_type[kind]
                first = bisect.bisect_left(places, low)
                last = bisect.bisect_left(places, high, lo=first)
                if len(kinds) == 1:
                    return cast("list[N]", same[first:last])
                found += places[first:last]
        return cast("list[N]", [self._nodes[i] for i in sorted(found)])

    def named(self, name: str, within: Node) -> list[cst.Name]:
        """Every `Name` node with that text in or below a node, attributes and keywords included."""
        if self._named is None:
            self._named = {}
            for each, place in zip(*self._by_type.get(cst.Name, ((), ())), strict=True):
                self._named.setdefault(cast("cst.Name", each).value, []).append(place)
        start = self.order[within]
        places = self._named.get(name, [])
        first, last = (bisect.bisect_left(places, bound) for bound in (start, self._end[start]))
        return cast("list[cst.Name]", [self._nodes[i] for i in places[first:last]])

    def ancestors(self, node: Node) -> Iterator[Node]:
        """The node's parents, from the nearest to the module."""
        at = self.order.get(node, 0)
        while at:
            at = self._up[at]
            yield self._nodes[at]

    def extent(self, node: Node) -> tuple[int, int]:
        """The order of the node, and of the first one behind everything below it."""
        start = self.order[node]
        return start, self._end[start]

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
            if body < at or self._up[body] == start:
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
            if self._up[body] != start
        ]
        if not nested:
            return found
        return [each for each in found if not any(low <= order[each] < high for low, high in nested)]

    def function_of(self, node: Node) -> Function | None:
        """The function whose call evaluates the node, None at module or class level.

        Decorators, defaults and annotations of a function are evaluated outside of it.
        """
        return self._functions.of(self.order.get(node, 0))

    def class_of(self, function: Node) -> cst.ClassDef | None:
        """The class in whose body the function is defined directly, None for other functions."""
        for up in self.ancestors(function):
            if type(up) is cst.ClassDef:
                return up
            if type(up) in FUNCTIONS:
                return None
        return None

    def statement_of(self, node: Node) -> cst.BaseSmallStatement | cst.BaseCompoundStatement | None:
        """The nearest statement that holds the node: a small statement, or the compound whose header it is in."""
        up: Node | None = node
        while up is not None and not isinstance(up, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            up = self.parent.get(up)
        return up


class Regions(Generic[T]):
    """What the innermost of many regions around a place stands for. Regions lie in each other or apart.

    `regions` are given by start: start, end and what they stand for; None is a gap in the region that it lies in.
    """

    __slots__ = ("_held", "_starts")

    def __init__(self, regions: Iterable[tuple[int, int, T | None]], outside: T) -> None:
        self._starts = [0]
        self._held = [outside]
        around: list[tuple[float, T]] = [(math.inf, outside)]
        for start, end, held in regions:
            self._close(around, start)
            value = held if held is not None else around[-2][1]
            self._starts.append(start)
            self._held.append(value)
            around.append((end, value))
        self._close(around, sys.maxsize)

    def _close(self, around: list[tuple[float, T]], place: float) -> None:
        """End the regions that do not reach as far as a place."""
        while around[-1][0] <= place:
            self._starts.append(int(around.pop()[0]))
            self._held.append(around[-1][1])

    def of(self, place: int) -> T:
        """What stands for the innermost region around a place."""
        return self._held[bisect.bisect_right(self._starts, place) - 1]


def significant(node: Node) -> list[Node]:
    """The children of a node that carry meaning, in source order."""
    read = _READERS[type(node)]
    found: list[Node] = []
    if read is not None:
        for value in read(node):
            kind = type(value)
            if kind in _MANY:
                found += value
            elif kind not in _PLAIN:
                found.append(value)
    return found


_PLAIN = frozenset({type(None), str, bool, cst.MaybeSentinel})
_MANY = frozenset({list, tuple})


class _Readers(dict[type[Node], Callable[[Node], tuple[Any, ...]] | None]):
    """By type, what gives the values of a node's significant fields; None for types that have none."""

    def __missing__(self, kind: type[Node]) -> Callable[[Node], tuple[Any, ...]] | None:
        self[kind] = read = _reader(kind)
        return read


_READERS = _Readers()


def _reader(kind: type[Node]) -> Callable[[Node], tuple[Any, ...]] | None:
    names = _fields(kind)
    if not names:
        return None
    get = operator.attrgetter(*names)
    return get if len(names) > 1 else lambda node: (get(node),)


def _fields(kind: type[Node]) -> list[str]:
    names = [
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in _LAYOUT and not field.name.startswith("whitespace") and field.type is not str
    ]
    names.sort(key=lambda name: name not in _FIRST)
    if issubclass(kind, _BODY_LAST):
        names.sort(key="body".__eq__)
    return ["body", "test", "orelse"] if kind is cst.IfExp else names
