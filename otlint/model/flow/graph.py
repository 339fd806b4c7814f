"""The control-flow graph of one function body, built from its LibCST statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from otlint.model.code.walk import Node, Walk
from otlint.model.flow import raised
from otlint.model.flow.evaluation import Evaluation
from otlint.model.flow.raised import Classes, Match, catches
from otlint.model.flow.trail import Beliefs, Ends, Final, Frame, Point, Reason, Trail, implicit


class Graph:
    """The points of one function, Lambda or Module body; the first is the entry, at the last it falls off the end."""

    def __init__(self, root: Node, walk: Walk, beliefs: Beliefs) -> None:
        self.entered: dict[Node, Point] = {}  # with statements and their items
        self.ranges: dict[Node, tuple[int, int]] = {}  # statements and blocks; the first point is the entry
        self.trail = Trail(beliefs)
        self._evaluation = Evaluation(self.trail, walk)
        self._expression, self._branch = self._evaluation.expression, self._evaluation.branch
        self._store = self._evaluation.store
        self._classes = Classes(walk)
        self._walk = walk
        self._handled: list[tuple[str | None, tuple[str, ...]]] = []
        self._in_function = isinstance(root, cst.FunctionDef)
        self.trail.label()
        if isinstance(root, cst.Lambda):
            self._expression(root.body)
        elif isinstance(root, cst.FunctionDef):
            self._block(root.body)
        elif isinstance(root, cst.Module):
            self._statements(root.body)
        self.trail.jump(None, [Reason("end", root)])

    @property
    def points(self) -> list[Point]:
        """All points in the order of the source."""
        return self.trail.points

    def _block(self, block: Node) -> None:
        """An IndentedBlock, a SimpleStatementSuite, or what an Else, Finally or ExceptHandler holds."""
        first = self.trail.label().index
        if isinstance(block, cst.Else | cst.Finally):
            self._block(block.body)
        elif isinstance(block, cst.BaseSuite):
            self._statements(block.body)
        self.ranges[block] = (first, len(self.trail.points))

    def _statements(self, body: Sequence[Node]) -> None:
        for statement in body:
            first = len(self.trail.points)
            if isinstance(statement, cst.SimpleStatementLine):
                self._statements(statement.body)
            else:
                build = _STATEMENTS.get(type(statement), Graph._simple)
                build(self, statement)
            self.ranges[statement] = (first, len(self.trail.points))

    def _simple(self, node: Node) -> None:
        """Expr, Pass, Global, Import …: the expressions in it, then the statement."""
        if isinstance(node, cst.Expr):
            self._expression(node.value)
        self.trail.emit(node)

    def _assign(self, node: cst.Assign) -> None:
        self._expression(node.value)
        for target in node.targets:
            self._store(target.target)
        self.trail.emit(node)

    def _ann_assign(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self._expression(node.value)
        if not self._in_function:
            self._expression(node.annotation.annotation)
        if node.value is not None:
            self._store(node.target)
        self.trail.emit(node)

    def _aug_assign(self, node: cst.AugAssign) -> None:
        self._expression(node.target)
        self._expression(node.value)
        self.trail.emit(node)

    def _delete(self, node: cst.Del) -> None:
        targets = node.target.elements if isinstance(node.target, cst.Tuple | cst.List) else [node.target]
        for target in targets:
            self._expression(target)
        self.trail.emit(node)

    def _return(self, node: cst.Return) -> None:
        if node.value is not None:
            self._expression(node.value)
        self.trail.jump(node, [Reason("return", node)])

    def _break(self, node: cst.Break) -> None:
        self.trail.jump(node, [Reason("break", node)])

    def _continue(self, node: cst.Continue) -> None:
        self.trail.jump(node, [Reason("continue", node)])

    def _raise(self, node: cst.Raise) -> None:
        again = self._handled[-1] if self._handled else (None, (raised.ANY,))
        if node.exc is not None:
            self._expression(node.exc)
            if isinstance(node.exc, cst.Call):
                made = self.trail.evaluated[node.exc]  # no exception fails to be made
                made.reasons = tuple(reason for reason in made.reasons if reason.kind != "exception")
            if node.cause is not None:
                self._expression(node.cause.item)
            if not (isinstance(node.exc, cst.Name) and node.exc.value == again[0]):
                self.trail.jump(node, [Reason("raise", node, self._classes.raised(node.exc))])
                return
        self.trail.jump(node, [Reason("raise", node, name, raised.is_base(name)) for name in again[1]])

    def _assert(self, node: cst.Assert) -> None:
        true, self.trail.here = self._branch(node.test)
        if node.msg is not None:
            self._expression(node.msg)
        self.trail.jump(None, [Reason("exception", node, "AssertionError")])
        self.trail.here = true
        self.trail.emit(node)

    def _function(self, node: cst.FunctionDef) -> None:
        for decorator in node.decorators:
            self._expression(decorator.decorator)
        self._evaluation.parameters(node.params)
        if node.returns is not None:
            self._expression(node.returns.annotation)
        self.trail.emit(node)

    def _class(self, node: cst.ClassDef) -> None:
        for decorator in node.decorators:
            self._expression(decorator.decorator)
        for argument in (*node.bases, *node.keywords):
            self._expression(argument)
        outside, self._in_function = self._in_function, False
        self._block(node.body)
        self._in_function = outside
        self.trail.emit(node)

    def _if(self, node: cst.If) -> None:
        done: Ends = []
        starts: list[tuple[Node, int]] = []
        branch: cst.If | cst.Else | None = node
        while isinstance(branch, cst.If):  # a long elif chain must not recurse
            starts.append((branch, len(self.trail.points)))
            true, false = self._branch(branch.test)
            self.trail.here = true
            self._block(branch.body)
            done += self.trail.here
            self.trail.here = false
            branch = branch.orelse
        if branch is not None:
            self._block(branch)
        self.trail.here += done
        self.trail.label()
        self.ranges.update((part, (first, len(self.trail.points))) for part, first in starts)

    def _while(self, node: cst.While) -> None:
        head, after = self.trail.label(), Point(self.trail.frame)
        true, false = self._branch(node.test)
        self._loop(node, true, false, head, after)

    def _for(self, node: cst.For) -> None:
        self._expression(node.iter)
        head, after = self.trail.emit(node), Point(self.trail.frame)
        self._store(node.target)
        self._loop(node, self.trail.here, [head.next], head, after)

    def _loop(self, node: cst.While | cst.For, body: Ends, done: Ends, head: Point, after: Point) -> None:
        self.trail.frame = Frame(self.trail.frame, loop=(after, head))
        self.trail.here = body
        self._block(node.body)
        for ends in self.trail.here:
            ends.append(head)
        self.trail.frame = head.frame
        self.trail.here = done
        if node.orelse is not None:
            self._block(node.orelse)
        self.trail.place(after)

    # Try and with

    def _guarded(self, outer: Frame, *, swallows: tuple[str, ...] = ()) -> Final:
        """Everything until `_close` runs under a new final block."""
        final = Final(outer, Point(outer), Point(outer), Point(outer), swallows)
        final.end.ends = final
        self.trail.frame = Frame(outer, guard=final)
        return final

    def _close(self, final: Final, cause: Node) -> None:
        """End what is guarded; what is emitted from here to `_finish` is the final block."""
        if self.trail.here:
            self.trail.place(Point(self.trail.frame, reasons=(Reason("normal", cause),)))
        self.trail.here = []
        self.trail.frame = Frame(final.outer, inside=final)
        final.entry.frame = final.end.frame = self.trail.frame
        self.trail.place(final.entry)

    def _finish(self, final: Final) -> None:
        self.trail.place(final.end)
        self.trail.frame = final.outer
        self.trail.here = []
        self.trail.place(final.after)

    def _try(self, node: cst.Try | cst.TryStar) -> None:
        final = self._guarded(self.trail.frame) if node.finalbody else None
        outer = self.trail.frame
        classes = self._classes.clauses([handler.type for handler in node.handlers])
        entries = [(names, Point(outer, handler)) for names, handler in zip(classes, node.handlers, strict=True)]
        star = isinstance(node, cst.TryStar)
        self.trail.frame = Frame(outer, handlers=entries)
        first = len(self.trail.points)
        self._block(node.body)
        self._assume_raising(self.trail.points[first:], entries)
        self.trail.frame = outer
        if node.orelse is not None:
            self._block(node.orelse)
        done = self.trail.here
        handlers: Sequence[cst.ExceptHandler | cst.ExceptStarHandler] = node.handlers
        for index, handler in enumerate(handlers):
            self.trail.here = []
            if star:
                self.trail.frame = Frame(outer, handlers=entries[index + 1 :], exhaustive=False)
            self._handler(handler, entries[index][1], classes[: index + 1])
            if star:
                self._rest_of_group(handler, classes, [entry for _, entry in entries[index + 1 :]])
            self.trail.frame = outer
            done += self.trail.here
        self.trail.here = done
        self.trail.label()
        if final is not None and node.finalbody is not None:
            self._close(final, node)
            self._block(node.finalbody)
            self._finish(final)

    def _assume_raising(self, body: list[Point], handlers: list[tuple[tuple[str, ...], Point]]) -> None:
        """Who writes a handler knows that the body raises, even where nothing in it is believed to."""
        entries = {entry for _, entry in handlers}
        if any(_arrives(point, entries) for point in body):
            return
        names = [name for classes, _ in handlers for name in self._classes.again(classes, ())]
        for point in body:
            node = point.node
            if node is not None and not point.reasons and (isinstance(node, raised.RAISING) or self._is_read(node)):
                point.reasons = tuple(Reason("exception", node, name) for name in names)

    def _is_read(self, node: Node) -> bool:
        """Whether an attribute is looked up for its value, not to be called: the call is what fails then."""
        if not isinstance(node, cst.Attribute):
            return False
        up: Node = self._walk.parent[node]
        while isinstance(up, cst.Attribute):
            node, up = up, self._walk.parent[up]
        return not (isinstance(up, cst.Call) and up.func is node)

    def _handler(
        self, handler: cst.ExceptHandler | cst.ExceptStarHandler, entry: Point, classes: list[tuple[str, ...]]
    ) -> None:
        self.trail.place(entry)
        if handler.type is not None:
            self._expression(handler.type)
        alias = handler.name.name.value if handler.name and isinstance(handler.name.name, cst.Name) else None
        earlier = tuple(name for names in classes[:-1] for name in names)
        self._handled.append((alias, self._classes.again(classes[-1], earlier)))
        self._block(handler.body)
        self._handled.pop()
        self.ranges[handler] = (entry.index, len(self.trail.points))

    def _rest_of_group(self, handler: Node, classes: list[tuple[str, ...]], later: list[Point]) -> None:
        """After an `except*` handler its siblings get their part of the group, and the rest is raised."""
        caught = [name for names in classes for name in names]
        rest = [raised.ANY, raised.BASE]
        rest = [name for name in rest if not any(catches(kind, name) is Match.YES for kind in caught)]
        reasons = tuple(Reason("exception", handler, name, raised.is_base(name)) for name in rest)
        point = self.trail.place(Point(self.trail.frame, reasons=reasons))
        point.next += later

    def _with(self, node: cst.With) -> None:
        finals: list[tuple[Final, cst.WithItem]] = []
        for item in node.items:
            self._expression(item.item)
            enters = implicit(item) if self.trail.beliefs.may_raise(item) else ()
            self.entered[item] = self.trail.place(Point(self.trail.frame, reasons=enters))
            finals.append((self._guarded(self.trail.frame, swallows=self._swallowed(item)), item))
            if item.asname is not None:
                self._store(item.asname.name)
        self.entered[node] = self.entered[node.items[-1]]
        self._block(node.body)
        for final, item in reversed(finals):
            self._close(final, item)
            if item is node.items[0]:
                self.trail.emit(node)
            self.trail.emit(item)
            self._finish(final)

    def _swallowed(self, item: cst.WithItem) -> tuple[str, ...]:
        if not self.trail.beliefs.swallows(item):
            return ()
        names: list[str] = []
        for argument in item.item.args if isinstance(item.item, cst.Call) else ():
            if argument.keyword is None and isinstance(argument.value, cst.Name | cst.Attribute | cst.Tuple):
                names += self._classes.caught(argument.value)
        return tuple(names) or (raised.UNKNOWN,)

    # Match

    def _match(self, node: cst.Match) -> None:
        self._expression(node.subject)
        self.trail.label()
        done: Ends = []
        for case in node.cases:
            first = self.trail.label().index
            for part in self._walk.below(case.pattern):
                if isinstance(part, cst.MatchValue):
                    self._expression(part.value)
                elif isinstance(part, cst.MatchClass):
                    self._expression(part.cls)
                elif isinstance(part, cst.MatchAs | cst.MatchStar | cst.MatchMapping):
                    self.trail.emit(part)
            choice = self.trail.label()
            missed: Ends = [] if _irrefutable(case.pattern) else [choice.next]
            if case.guard is not None:
                self.trail.here, refused = self._branch(case.guard)
                missed += refused
            self._block(case.body)
            self.ranges[case] = (first, len(self.trail.points))
            done += self.trail.here
            self.trail.here = missed
        self.trail.here += done
        self.trail.label()


def _arrives(point: Point, entries: set[Point]) -> bool:
    """Whether an exception at the point may get to one of the handlers, past the final blocks on its way."""
    for reason in point.reasons:
        frame: Frame | None = point.frame
        while reason.raised and frame is not None:
            targets, final, _ = frame.route(reason)
            if not entries.isdisjoint(targets):
                return True
            frame = final.outer if final is not None and final.entry.index >= 0 else None
    return False


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
