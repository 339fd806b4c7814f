"""The control-flow graph of one function body, built from its LibCST nodes.

A `Point` is the moment a node has been evaluated. What a `finally` (or the exit of a `with`) does is built once: a
`Reason` to leave waits in its `Final` until the end of that block is reached, so nesting cannot multiply the graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import libcst as cst

from otlint.model import raised
from otlint.model.raised import Classes, Match, catches
from otlint.model.walk import Node, Walk, significant

Kind = Literal["return", "raise", "exception", "end", "yield", "loop", "break", "continue"]
Ends = list[list["Point"]]  # the successor lists that the next point is to be added to

_CONSTANTS = (cst.SimpleString, cst.Integer, cst.Float, cst.Imaginary, cst.Ellipsis)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why control leaves a block out of turn; `raised` is the class where an exception does it."""

    kind: Kind | Literal["normal"]
    node: Node
    raised: str | None = None
    only_base: bool = False


@dataclass(eq=False, slots=True)
class Point:
    """`next` holds what may follow, for a decision (`test`) if it is true; `reasons` how control may leave here."""

    frame: Frame
    node: Node | None = None
    next: list[Point] = field(default_factory=list)
    otherwise: list[Point] = field(default_factory=list)
    test: Node | None = None
    reasons: tuple[Reason, ...] = ()
    ends: Final | None = None
    index: int = -1


@dataclass(eq=False, slots=True)
class Final:
    """A `finally` block or a context manager's exit: from `entry` to `end`, then on with the waiting reason.

    `swallows`: classes of exceptions that end here and let control go on after the block.
    """

    outer: Frame
    entry: Point
    end: Point
    after: Point
    swallows: tuple[str, ...] = ()


@dataclass(eq=False, slots=True)
class Frame:
    """A block that something passes on its way out; the outermost, without `up`, is the function."""

    up: Frame | None = None
    handlers: list[tuple[tuple[str, ...], Point]] = field(default_factory=list)
    exhaustive: bool = True  # False for `except*`, where a handler takes only its part of a group
    loop: tuple[Point, Point] | None = None  # where break and continue go
    guard: Final | None = None  # runs on every way out
    inside: Final | None = None  # this frame is the body of that final block

    def route(self, reason: Reason) -> tuple[list[Point], Final | None, bool]:
        """Where the reason leads: points reached, the final block it has to pass, whether it leaves the function."""
        frame: Frame | None = self
        points: list[Point] = []
        while frame is not None:
            if frame.loop and reason.kind in ("break", "continue"):
                return [frame.loop[reason.kind == "continue"]], None, False
            if reason.raised and _caught(frame, reason.raised, points):
                return points, None, False
            if frame.guard:
                return points, frame.guard, False
            frame = frame.up
        return points, None, True


def _caught(frame: Frame, raised: str, points: list[Point]) -> bool:
    """Add the handlers that may take the exception; whether one certainly does."""
    for classes, entry in frame.handlers:
        match = max(catches(name, raised) for name in classes) if classes else Match.NO
        if match:
            points.append(entry)
        if match is Match.YES and frame.exhaustive:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What the model knows about calls: which may raise, never return, and which managers swallow exceptions."""

    may_raise: Callable[[Node], bool] = raised.may_raise
    no_return: Callable[[cst.Call], bool] = raised.no_return
    swallows: Callable[[cst.WithItem], bool] = raised.swallows


class Graph:
    """The points of one function, Lambda or Module body; `entry` comes first, `exit` is where it falls off the end."""

    def __init__(self, root: Node, walk: Walk, beliefs: Beliefs) -> None:
        self.points: list[Point] = []
        self.evaluated: dict[Node, Point] = {}  # no node has two
        self.entered: dict[Node, Point] = {}  # with items
        self.ranges: dict[Node, tuple[int, int]] = {}  # statements and blocks; the first point is the entry
        self.frame = Frame()
        self._here: Ends = []
        self._beliefs = beliefs
        self._classes = Classes(walk)
        self._walk = walk
        self._handled: list[tuple[str | None, tuple[str, ...]]] = []
        self._in_function = isinstance(root, cst.FunctionDef)
        self.entry = self._place(Point(self.frame))
        if isinstance(root, cst.Lambda):
            self._expression(root.body)
        elif isinstance(root, cst.FunctionDef):
            self._block(root.body)
        elif isinstance(root, cst.Module):
            self._statements(root.body)
        self._place(Point(self.frame, reasons=(Reason("end", root),)))

    # Points

    def _place(self, point: Point) -> Point:
        point.index = len(self.points)
        self.points.append(point)
        if point.node is not None:
            self.evaluated[point.node] = point
        for ends in self._here:
            ends.append(point)
        self._here = [point.next]
        return point

    def _label(self) -> Point:
        return self._place(Point(self.frame))

    def _emit(self, node: Node, *, load: bool = True) -> Point:
        reasons: tuple[Reason, ...] = ()
        if load and isinstance(node, raised.RAISING) and self._beliefs.may_raise(node):
            reasons = _implicit(node)
        return self._place(Point(self.frame, node, reasons=reasons))

    def _jump(self, node: Node | None, reasons: Iterable[Reason]) -> None:
        self._place(Point(self.frame, node, reasons=tuple(reasons)))
        self._here = []

    # Statements

    def _block(self, block: Node) -> None:
        """An IndentedBlock, a SimpleStatementSuite, or what an Else, Finally or ExceptHandler holds."""
        first = self._label().index
        if isinstance(block, cst.Else | cst.Finally):
            self._block(block.body)
        elif isinstance(block, cst.BaseSuite):
            self._statements(block.body)
        self.ranges[block] = (first, len(self.points))

    def _statements(self, body: Sequence[Node]) -> None:
        for statement in body:
            first = len(self.points)
            if isinstance(statement, cst.SimpleStatementLine):
                self._statements(statement.body)
            else:
                build = _STATEMENTS.get(type(statement), Graph._simple)
                build(self, statement)
            self.ranges[statement] = (first, len(self.points))

    def _simple(self, node: Node) -> None:
        """Expr, Pass, Global, Import …: the expressions in it, then the statement."""
        if isinstance(node, cst.Expr):
            self._expression(node.value)
        self._emit(node)

    def _assign(self, node: cst.Assign) -> None:
        self._expression(node.value)
        for target in node.targets:
            self._store(target.target)
        self._emit(node)

    def _ann_assign(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self._expression(node.value)
        if not self._in_function:
            self._expression(node.annotation.annotation)
        self._store(node.target)
        self._emit(node)

    def _aug_assign(self, node: cst.AugAssign) -> None:
        self._expression(node.target)
        self._expression(node.value)
        self._emit(node)

    def _store(self, target: Node) -> None:
        if isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self._store(element.value)
        elif isinstance(target, cst.Attribute):
            self._expression(target.value)
        elif isinstance(target, cst.Subscript):
            self._expression(target.value)
            for index in target.slice:
                self._expression(index)
        self._emit(target, load=False)

    def _delete(self, node: cst.Del) -> None:
        targets = node.target.elements if isinstance(node.target, cst.Tuple | cst.List) else [node.target]
        for target in targets:
            self._expression(target)
        self._emit(node)

    def _return(self, node: cst.Return) -> None:
        if node.value is not None:
            self._expression(node.value)
        self._jump(node, [Reason("return", node)])

    def _break(self, node: cst.Break) -> None:
        self._jump(node, [Reason("break", node)])

    def _continue(self, node: cst.Continue) -> None:
        self._jump(node, [Reason("continue", node)])

    def _raise(self, node: cst.Raise) -> None:
        again = self._handled[-1] if self._handled else (None, (raised.ANY,))
        if node.exc is not None:
            self._expression(node.exc)
            if node.cause is not None:
                self._expression(node.cause.item)
            if not (isinstance(node.exc, cst.Name) and node.exc.value == again[0]):
                self._jump(node, [Reason("raise", node, self._classes.raised(node.exc))])
                return
        self._jump(node, [Reason("raise", node, name, raised.is_base(name)) for name in again[1]])

    def _assert(self, node: cst.Assert) -> None:
        true, self._here = self._branch(node.test)
        if node.msg is not None:
            self._expression(node.msg)
        self._jump(None, [Reason("exception", node, "AssertionError")])
        self._here = true
        self._emit(node)

    def _function(self, node: cst.FunctionDef) -> None:
        for decorator in node.decorators:
            self._expression(decorator.decorator)
        self._parameters(node.params)
        if node.returns is not None:
            self._expression(node.returns.annotation)
        self._emit(node)

    def _parameters(self, params: cst.Parameters) -> None:
        for param in self._walk.below(params):
            if isinstance(param, cst.Param):
                for part in (param.default, param.annotation and param.annotation.annotation):
                    if part is not None and self._outermost(param, params):
                        self._expression(part)

    def _outermost(self, param: Node, params: Node) -> bool:
        """Not a parameter of a lambda that is somewhere in a default."""
        return next(up for up in self._walk.ancestors(param) if isinstance(up, cst.Parameters)) is params

    def _class(self, node: cst.ClassDef) -> None:
        for decorator in node.decorators:
            self._expression(decorator.decorator)
        for argument in (*node.bases, *node.keywords):
            self._expression(argument)
        outside, self._in_function = self._in_function, False
        self._block(node.body)
        self._in_function = outside
        self._emit(node)

    def _if(self, node: cst.If) -> None:
        done: Ends = []
        starts: list[tuple[Node, int]] = []
        branch: cst.If | cst.Else | None = node
        while isinstance(branch, cst.If):  # a long elif chain must not recurse
            starts.append((branch, len(self.points)))
            true, false = self._branch(branch.test)
            self._here = true
            self._block(branch.body)
            done += self._here
            self._here = false
            branch = branch.orelse
        if branch is not None:
            self._block(branch)
        self._here += done
        self._label()
        self.ranges.update((part, (first, len(self.points))) for part, first in starts)

    def _while(self, node: cst.While) -> None:
        head, after = self._label(), Point(self.frame)
        true, false = self._branch(node.test)
        self._loop(node, true, false, head, after)

    def _for(self, node: cst.For) -> None:
        self._expression(node.iter)
        head, after = self._emit(node), Point(self.frame)
        self._store(node.target)
        self._loop(node, self._here, [head.next], head, after)

    def _loop(self, node: cst.While | cst.For, body: Ends, done: Ends, head: Point, after: Point) -> None:
        self.frame = Frame(self.frame, loop=(after, head))
        self._here = body
        self._block(node.body)
        for ends in self._here:
            ends.append(head)
        self.frame = head.frame
        self._here = done
        if node.orelse is not None:
            self._block(node.orelse)
        self._place(after)

    # Try and with

    def _guarded(self, outer: Frame, *, swallows: tuple[str, ...] = ()) -> Final:
        """Everything until `_close` runs under a new final block."""
        final = Final(outer, Point(outer), Point(outer), Point(outer), swallows)
        final.end.ends = final
        self.frame = Frame(outer, guard=final)
        return final

    def _close(self, final: Final, cause: Node) -> None:
        """End what is guarded; what is emitted from here to `_finish` is the final block."""
        if self._here:
            self._place(Point(self.frame, reasons=(Reason("normal", cause),)))
        self._here = []
        self.frame = Frame(final.outer, inside=final)
        final.entry.frame = final.end.frame = self.frame
        self._place(final.entry)

    def _finish(self, final: Final) -> None:
        self._place(final.end)
        self.frame = final.outer
        self._here = []
        self._place(final.after)

    def _try(self, node: cst.Try | cst.TryStar) -> None:
        final = self._guarded(self.frame) if node.finalbody else None
        outer = self.frame
        classes = self._classes.clauses([handler.type for handler in node.handlers])
        entries = [(names, Point(outer)) for names in classes]
        star = isinstance(node, cst.TryStar)
        self.frame = Frame(outer, handlers=entries, exhaustive=not star)
        first = len(self.points)
        self._block(node.body)
        self._assume_raising(first, classes)
        self.frame = outer
        if node.orelse is not None:
            self._block(node.orelse)
        done = self._here
        handlers: Sequence[cst.ExceptHandler | cst.ExceptStarHandler] = node.handlers
        for index, handler in enumerate(handlers):
            self._here = []
            if star:
                self.frame = Frame(outer, handlers=entries[index + 1 :], exhaustive=False)
            self._handler(handler, entries[index][1], classes[: index + 1])
            if star:
                self._rest_of_group(handler, classes, [entry for _, entry in entries[index + 1 :]])
            self.frame = outer
            done += self._here
        self._here = done
        self._label()
        if final is not None and node.finalbody is not None:
            self._close(final, node)
            self._block(node.finalbody)
            self._finish(final)

    def _assume_raising(self, first: int, classes: list[tuple[str, ...]]) -> None:
        """Who writes a handler knows that the body raises: `try: value.attribute`, `except AttributeError:`."""
        body = self.points[first:]
        if any(reason.raised for point in body for reason in point.reasons):
            return
        names = [name for group in classes for name in self._classes.again(group, ())]
        for point in body:
            node = point.node
            if isinstance(node, cst.Attribute | cst.BinaryOperation | cst.AugAssign) and not self._is_called(node):
                point.reasons = tuple(Reason("exception", node, name) for name in names)

    def _is_called(self, node: Node) -> bool:
        up = self._walk.parent[node]
        return isinstance(up, cst.Call) and up.func is node

    def _handler(
        self, handler: cst.ExceptHandler | cst.ExceptStarHandler, entry: Point, classes: list[tuple[str, ...]]
    ) -> None:
        self._place(entry)
        if handler.type is not None:
            self._expression(handler.type)
        alias = handler.name.name.value if handler.name and isinstance(handler.name.name, cst.Name) else None
        earlier = tuple(name for names in classes[:-1] for name in names)
        self._handled.append((alias, self._classes.again(classes[-1], earlier)))
        self._block(handler.body)
        self._handled.pop()
        self.ranges[handler] = (entry.index, len(self.points))

    def _rest_of_group(self, handler: Node, classes: list[tuple[str, ...]], later: list[Point]) -> None:
        """After an `except*` handler its siblings get their part of the group, and the rest is raised."""
        caught = [name for names in classes for name in names]
        rest = [raised.ANY, raised.BASE]
        rest = [name for name in rest if not any(catches(kind, name) is Match.YES for kind in caught)]
        reasons = tuple(Reason("exception", handler, name, raised.is_base(name)) for name in rest)
        point = self._place(Point(self.frame, reasons=reasons))
        point.next += later

    def _with(self, node: cst.With) -> None:
        finals: list[tuple[Final, cst.WithItem]] = []
        for item in node.items:
            self._expression(item.item)
            enters = _implicit(item) if self._beliefs.may_raise(item) else ()
            self.entered[item] = self._place(Point(self.frame, reasons=enters))
            finals.append((self._guarded(self.frame, swallows=self._swallowed(item)), item))
            if item.asname is not None:
                self._store(item.asname.name)
        self.entered[node] = self.entered[node.items[-1]]
        self._block(node.body)
        for final, item in reversed(finals):
            self._close(final, item)
            if item is node.items[0]:
                self._emit(node)
            self._emit(item)
            self._finish(final)

    def _swallowed(self, item: cst.WithItem) -> tuple[str, ...]:
        if not self._beliefs.swallows(item):
            return ()
        names: list[str] = []
        for argument in item.item.args if isinstance(item.item, cst.Call) else ():
            if argument.keyword is None and isinstance(argument.value, cst.Name | cst.Attribute | cst.Tuple):
                names += self._classes.caught(argument.value)
        return tuple(names) or (raised.UNKNOWN,)

    # Match

    def _match(self, node: cst.Match) -> None:
        self._expression(node.subject)
        self._label()
        done: Ends = []
        for case in node.cases:
            first = self._label().index
            for part in self._walk.below(case.pattern):
                if isinstance(part, cst.MatchValue):
                    self._expression(part.value)
                elif isinstance(part, cst.MatchClass):
                    self._expression(part.cls)
            choice = self._label()
            missed: Ends = [] if _irrefutable(case.pattern) else [choice.next]
            if case.guard is not None:
                self._here, refused = self._branch(case.guard)
                missed += refused
            self._block(case.body)
            self.ranges[case] = (first, len(self.points))
            done += self._here
            self._here = missed
        self._here += done
        self._label()

    # Expressions

    def _branch(self, test: Node) -> tuple[Ends, Ends]:
        """Evaluate a condition: what follows when it is true, and when it is false."""
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            true, false = self._branch(test.expression)
            return false, true
        if isinstance(test, cst.BooleanOperation):
            return self._junction(test)
        constant = _constant(test)
        if constant is not None:
            label = self._label()
            return ([label.next], []) if constant else ([], [label.next])
        self._expression(test)
        choice = self._place(Point(self.frame, test=test))
        return [choice.next], [choice.otherwise]

    def _junction(self, node: cst.BooleanOperation) -> tuple[Ends, Ends]:
        """`a and b`, `a or b`: the right side is evaluated on one outcome of the left side."""
        operands, is_and = _operands(node)
        shortcut: Ends = []
        for operand in operands[:-1]:
            true, false = self._branch(operand)
            self._here = true if is_and else false
            shortcut += false if is_and else true
        true, false = self._branch(operands[-1])
        return (true, false + shortcut) if is_and else (true + shortcut, false)

    def _expression(self, node: Node) -> None:
        """Points for the operands in the order of evaluation, then for the node. Chains do not recurse."""
        stack: list[tuple[Node, bool]] = [(node, False)]
        while stack:
            node, evaluated = stack.pop()
            special = _EXPRESSIONS.get(type(node))
            if evaluated:
                self._evaluated(node)
            elif special is not None:
                special(self, node)
            else:
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(_children(node)))

    def _evaluated(self, node: Node) -> None:
        if isinstance(node, cst.Call) and self._beliefs.no_return(node):
            name = "SystemExit" if raised.leaves_process(node) else raised.ANY
            self._jump(node, [Reason("raise", node, name)])
        elif isinstance(node, cst.BaseExpression) and not isinstance(node, _CONSTANTS):
            self._emit(node)

    def _yield(self, node: cst.Yield) -> None:
        if node.value is not None:
            self._expression(node.value)
        point = self._emit(node)
        point.reasons += (Reason("yield", node, raised.GENERATOR_EXIT),)

    def _boolean(self, node: cst.BooleanOperation) -> None:
        operands, is_and = _operands(node)
        done: Ends = []
        for operand in operands[:-1]:
            true, false = self._branch(operand)
            self._here = true if is_and else false
            done += false if is_and else true
        self._expression(operands[-1])
        self._here += done
        self._emit(node)

    def _conditional(self, node: cst.IfExp) -> None:
        self._here, false = self._branch(node.test)
        self._expression(node.body)
        done, self._here = self._here, false
        self._expression(node.orelse)
        self._here += done
        self._emit(node)

    def _comparison(self, node: cst.Comparison) -> None:
        self._expression(node.left)
        done: Ends = []
        for target in node.comparisons:
            if target is not node.comparisons[0]:
                done.append(self._label().next)
            self._expression(target.comparator)
        self._here += done
        self._emit(node)

    def _walrus(self, node: cst.NamedExpr) -> None:
        self._expression(node.value)
        self._store(node.target)
        self._emit(node)

    def _lambda(self, node: cst.Lambda) -> None:
        self._parameters(node.params)
        self._emit(node)

    def _comprehension(self, node: cst.BaseSimpleComp | cst.DictComp) -> None:
        """A generator expression is taken to be consumed where it stands."""
        heads: list[Point] = []
        clause: cst.CompFor | None = node.for_in
        while clause is not None:
            self._expression(clause.iter)
            heads.append(self._emit(clause))
            self._store(clause.target)
            for condition in clause.ifs:
                self._here, false = self._branch(condition.test)
                for ends in false:
                    ends.append(heads[-1])
            clause = clause.inner_for_in
        parts = [node.key, node.value] if isinstance(node, cst.DictComp) else [node.elt]
        for part in parts:
            self._expression(part)
        for ends in self._here:
            ends.append(heads[-1])
        for outer, inner in itertools.pairwise(heads):
            inner.next.append(outer)
        self._here = [heads[0].next]
        self._emit(node)


def _implicit(node: Node) -> tuple[Reason, ...]:
    """Something raises here; a whole loop or item would be a poor place to point to."""
    blamed = node.iter if isinstance(node, cst.For | cst.CompFor) else node
    blamed = blamed.item if isinstance(blamed, cst.WithItem) else blamed
    return (Reason("exception", blamed, raised.ANY), Reason("exception", blamed, raised.BASE, True))


def _children(node: Node) -> list[Node]:
    """The operands of an expression, or of a part of one, in the order of evaluation."""
    if isinstance(node, cst.Arg | cst.Attribute):
        return [node.value]
    if isinstance(node, cst.Name):
        return []
    return significant(node)


def _operands(node: cst.BooleanOperation) -> tuple[list[Node], bool]:
    """`a and b and c` as [a, b, c], and whether it is `and`."""
    kind = type(node.operator)
    operands: list[Node] = []
    left: Node = node
    while isinstance(left, cst.BooleanOperation) and isinstance(left.operator, kind):
        operands.append(left.right)
        left = left.left
    return [left, *reversed(operands)], kind is cst.And


def _constant(test: Node) -> bool | None:
    if isinstance(test, cst.Name):
        return {"True": True, "False": False, "None": False}.get(test.value)
    return bool(test.evaluated_value) if isinstance(test, cst.Integer | cst.SimpleString) else None


def _irrefutable(pattern: cst.MatchPattern) -> bool:
    if isinstance(pattern, cst.MatchAs):
        return pattern.pattern is None or _irrefutable(pattern.pattern)
    return isinstance(pattern, cst.MatchOr) and any(_irrefutable(part.pattern) for part in pattern.patterns)


_STATEMENTS: dict[type[Node], Callable[[Graph, Any], None]] = {
    cst.AnnAssign: Graph._ann_assign,
    cst.Assert: Graph._assert,
    cst.Assign: Graph._assign,
    cst.AugAssign: Graph._aug_assign,
    cst.Break: Graph._break,
    cst.ClassDef: Graph._class,
    cst.Continue: Graph._continue,
    cst.Del: Graph._delete,
    cst.For: Graph._for,
    cst.FunctionDef: Graph._function,
    cst.If: Graph._if,
    cst.Match: Graph._match,
    cst.Raise: Graph._raise,
    cst.Return: Graph._return,
    cst.Try: Graph._try,
    cst.TryStar: Graph._try,
    cst.While: Graph._while,
    cst.With: Graph._with,
}
_EXPRESSIONS: dict[type[Node], Callable[[Graph, Any], None]] = {
    cst.BooleanOperation: Graph._boolean,
    cst.Comparison: Graph._comparison,
    cst.DictComp: Graph._comprehension,
    cst.GeneratorExp: Graph._comprehension,
    cst.IfExp: Graph._conditional,
    cst.Lambda: Graph._lambda,
    cst.ListComp: Graph._comprehension,
    cst.NamedExpr: Graph._walrus,
    cst.SetComp: Graph._comprehension,
    cst.Yield: Graph._yield,
}
