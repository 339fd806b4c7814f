"""Which ways control can take through one function: what is reached and passed, how it or one of its blocks is left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from otlint.model.code.walk import Node, Walk
from otlint.model.flow import raised
from otlint.model.flow.graph import Graph
from otlint.model.flow.raised import Match, catches
from otlint.model.flow.trail import Beliefs, Final, Frame, Kind, Point, Reason

Stop = Node | Collection[Node] | Callable[[Node], bool]
Known = Callable[[Node], bool | None]
Quiet = Callable[[Node], bool]


@dataclass(frozen=True, slots=True)
class Exit:
    """One way out.

    kind: `return`, `raise` (also a call that never returns), `exception` (something may raise), `yield` (a generator
    abandoned there), `end` (falls off the end), `loop` (back at the start), `break`, `continue`.
    node: the statement or expression that leaves; the function or block for `end`, the start for `loop`.
    only_base_exceptions: leaves only if a KeyboardInterrupt, a cancellation or the like passes there.
    """

    kind: Kind
    node: Node
    only_base_exceptions: bool = False


class Flow:
    """The control flow of one function, or of the top level of a module or the body of a lambda.

    Nested functions and lambdas are values here, their bodies are not part of it. Class bodies are. What is evaluated,
    and can be asked for: expressions except plain literals, targets that are stored to, small statements, `def` and
    `class`, a For (each `next()`, the last one too), an ExceptHandler (its begin), a pattern that binds a name, and a
    WithItem: as a start it is the moment when the item has been entered, anywhere else when it is left. A With is its
    first item. Queries about a start that is never evaluated find nothing.

    `stop`, `avoiding`: a node, several, or a predicate of nodes. A stop counts once its operands are evaluated, even
    if it raises then.
    `known`: what a condition is known to be, None where it may be both; asked for operands of `and`, `or` and `not`.
    `may_raise` is asked for nodes of the types in `raised.RAISING`, for a WithItem both for entering and leaving.
    Where nothing in the body of a `try` is believed to raise, everything of these types is, for its handlers' sake.
    `no_return`: the call raises SystemExit, or an ordinary exception unless it is named like `sys.exit`.
    `swallows`: the context manager may end an exception of the classes that its call is given, or any.
    """

    def __init__(
        self,
        function: cst.FunctionDef | cst.Lambda | cst.Module,
        walk: Walk,
        *,
        may_raise: Callable[[Node], bool] | None = None,
        no_return: Callable[[cst.Call], bool] | None = None,
        swallows: Callable[[cst.WithItem], bool] | None = None,
    ) -> None:
        self.function = function
        self._walk = walk
        self._beliefs = Beliefs(
            may_raise or raised.may_raise, no_return or raised.no_return, swallows or raised.swallows
        )

    def __contains__(self, node: Node) -> bool:
        """Whether the node is evaluated when the function runs."""
        return node in self._graph.trail.evaluated or node in self._graph.entered

    def may_raise(self, node: Node) -> bool:
        """Whether the node raises for what it is; in a `try` where nothing does, everything is taken to raise."""
        return isinstance(node, raised.RAISING) and self._beliefs.may_raise(node)

    @property
    def is_generator(self) -> bool:
        """Whether calling the function makes a generator, asynchronous ones included."""
        return bool(self.yields)

    @cached_property
    def yields(self) -> tuple[cst.Yield, ...]:
        """The function's own `yield` and `yield from`, in source order."""
        if isinstance(self.function, cst.Module):
            return ()
        return tuple(node for node in self._walk.below(self.function.body) if isinstance(node, cst.Yield))

    def escapes(
        self, start: Node, stop: Stop, *, known: Known | None = None, quiet: Quiet | None = None, every: bool = False
    ) -> list[Exit]:
        """Every way to leave the function after `start` has been evaluated, without a stop.

        span = tracer.start_span("a")     start: the call; what raises before or in it is not asked
        work(span)                        → exception
        if done: return                   → return
        span.end()                        stop

        The function itself as start means its first statement. One Exit per return, raise, yield and so on, in source
        order; of exceptions only the first, and the first that is no base exception, unless `every` is asked for.
        `Exit("loop", start)`: the start is evaluated again. Nodes that are `quiet` raise nothing.
        """
        search = self._search(start, stop, known, again=True, quiet=quiet)
        return self._exits(search, every)

    def leaves(self, region: Node, stop: Stop = (), *, known: Known | None = None, every: bool = False) -> list[Exit]:
        """How control leaves a statement or block, entered at its beginning, without a stop.

        except KeyError as error:         region: the ExceptHandler
            log(error)                    → exception
            if fatal: raise               → raise
            continue                      → continue

        A region is a statement, a suite, or an Else, Finally, ExceptHandler or MatchCase. `end` falls through to what
        comes next. What a `finally` or `with` around the region does then is not followed.
        """
        bounds = self._graph.ranges.get(region)
        if bounds is None:
            return []
        search = _Search(self._graph, _matcher(stop), known, region, bounds)
        search.run(self._graph.points[bounds[0]])
        return self._exits(search, every)

    def reaches(self, start: Node, goal: Stop, avoiding: Stop = (), *, known: Known | None = None) -> bool:
        """Whether a goal may be evaluated after `start`, on a way without `avoiding`.

        span.end(); …; span.set_attribute("a", 1)     reaches(end, set_attribute, avoiding=start_span)
        """
        wanted = _matcher(goal)
        search = self._search(start, avoiding, known)
        return any(point.node is not None and wanted(point.node) for point in search.seen)

    def always_before(self, first: Stop, then: Node) -> bool:
        """Whether every way from the beginning of the function to `then` passes `first` (also if there is none)."""
        return not self.reaches(self.function, then, avoiding=first)

    def after(self, start: Node, stop: Stop = ()) -> list[Node]:
        """What may be evaluated after `start` on a way without a stop, in source order, stops excluded."""
        search = self._search(start, stop, None)
        found = {point.node for point in search.seen - search.stopped if point.node is not None}
        return sorted(found, key=self._walk.order.__getitem__)

    @cached_property
    def _graph(self) -> Graph:
        return Graph(self.function, self._walk, self._beliefs)

    @cached_property
    def _whole(self) -> _Search:
        search = _Search(self._graph, _matcher(()), None)
        search.run(self._graph.points[0])
        return search

    def _search(
        self, start: Node, stop: Stop, known: Known | None, *, again: bool = False, quiet: Quiet | None = None
    ) -> _Search:
        graph = self._graph
        search = _Search(graph, _matcher(stop), known, quiet=quiet)
        if start is self.function:
            search.run(graph.points[0])
        elif start in self:
            point = graph.entered.get(start) or graph.trail.evaluated[start]
            if point in self._whole.seen:
                search.run_after(point, start if again else None, self._waiting)
        return search

    def _waiting(self, final: Final) -> list[Reason]:
        """Everything for which control may ever be in the final block."""
        return list(self._whole.waiting.get((final, 0), ()))

    def _exits(self, search: _Search, every: bool) -> list[Exit]:
        found: dict[tuple[Kind, Node], bool] = {}
        for reason in search.exits:
            if reason.kind != "normal":
                key = (reason.kind, reason.node)
                found[key] = found.get(key, True) and reason.only_base
        order = self._walk.order
        exits = [Exit(kind, node, only) for (kind, node), only in found.items()]
        exits.sort(key=lambda way: (way.kind == "end", order[way.node], way.kind))
        return exits if every else _first_exceptions(exits)


def _first_exceptions(exits: list[Exit]) -> list[Exit]:
    kept: list[Exit] = []
    seen: set[bool] = set()
    for way in exits:
        if way.kind == "exception":
            if way.only_base_exceptions in seen:
                continue
            seen.add(way.only_base_exceptions)
        kept.append(way)
    return kept


class _Search:
    """What is reachable from a point.

    A state is a point and a level. A final block that is entered during the search ends with the reasons that were
    waiting for it, whatever happens inside, so they are no part of the state. A final block in which the search began
    (`_chain`, outermost first) ends with any reason that may ever wait for it; the level says how many of those are
    still in their first execution.
    """

    def __init__(
        self,
        graph: Graph,
        stop: Callable[[Node], bool],
        known: Known | None,
        region: Node | None = None,
        bounds: tuple[int, int] | None = None,
        quiet: Quiet | None = None,
    ) -> None:
        self.seen: set[Point] = set()
        self.stopped: set[Point] = set()
        self.exits: dict[Reason, None] = {}
        self.waiting: dict[tuple[Final, int], dict[Reason, None]] = {}
        self._stop = stop
        self._known = known
        self._quiet = quiet
        self._region = region
        self._bounds = bounds or (0, len(graph.points))
        self._again: tuple[Node, Point] | None = None
        self._chain: list[Final] = []
        self._earlier: Callable[[Final], list[Reason]] = lambda _: []
        self._states: set[tuple[Point, int]] = set()
        self._todo: list[tuple[Point, int]] = []
        self._ended: set[tuple[Final, int]] = set()

    def run(self, point: Point) -> None:
        """Search from before the point, which is not in a final block or the first of the region."""
        self._go(point, 0)
        self._work()

    def run_after(self, point: Point, again: Node | None, earlier: Callable[[Final], list[Reason]]) -> None:
        """Search from the point's successful evaluation; coming back to it is an exit if `again` names it."""
        self._again = (again, point) if again is not None else None
        self._earlier = earlier
        self._chain = [frame.inside for frame in _outwards(point.frame) if frame.inside][::-1]
        level = len(self._chain)
        for following in self._successors(point):
            self._go(following, level)
        for reason in () if point.next else point.reasons:
            self._leave(point.frame, reason, level)
        self._work()

    def _work(self) -> None:
        while self._todo:
            point, level = self._todo.pop()
            self.seen.add(point)
            if point.node is not None and self._stop(point.node):
                self.stopped.add(point)
            elif self._again is not None and point is self._again[1]:
                self.exits[Reason("loop", self._again[0])] = None
            else:
                self._step(point, level)

    def _step(self, point: Point, level: int) -> None:
        for following in self._successors(point):
            self._go(following, level)
        for reason in point.reasons:
            if reason.kind != "exception" or self._quiet is None or not self._quiet(reason.node):
                self._leave(point.frame, reason, level)
        if point.ends is not None:
            self._end(point.ends, level)

    def _successors(self, point: Point) -> list[Point]:
        if point.test is None or self._known is None:
            return point.next + point.otherwise
        known = self._known(point.test)
        if known is None:
            return point.next + point.otherwise
        return point.next if known else point.otherwise

    def _go(self, point: Point, level: int, reason: Reason | None = None) -> None:
        low, high = self._bounds
        if not low <= point.index < high:
            if reason is None and self._region is not None:
                reason = Reason("end", self._region)
            if reason is not None:
                self.exits[reason] = None
            return
        state = (point, min(level, self._depth(point.frame)))
        if state not in self._states:
            self._states.add(state)
            self._todo.append(state)

    def _leave(self, frame: Frame, reason: Reason, level: int) -> None:
        points, final, outside = frame.route(reason)
        for point in points:
            self._go(point, level, reason)
        if outside:
            self.exits[reason] = None
        elif final is not None:
            key = (final, min(level, self._depth(final.outer)))
            waiting = self.waiting.setdefault(key, {})
            if self._bounds[0] <= final.entry.index < self._bounds[1] and reason not in waiting:
                waiting[reason] = None
                if key in self._ended:
                    self._resume(final, reason, key[1])
            self._go(final.entry, key[1], reason)

    def _end(self, final: Final, level: int) -> None:
        if level and self._chain[level - 1] is final:
            for reason in self._earlier(final):
                self._resume(final, reason, level - 1)
            return
        key = (final, level)
        self._ended.add(key)
        for reason in list(self.waiting.get(key, ())):
            self._resume(final, reason, level)

    def _resume(self, final: Final, reason: Reason, level: int) -> None:
        """The final block is done: go on with why control came."""
        swallowed = Match.NO
        if reason.raised and final.swallows:
            swallowed = max(catches(name, reason.raised) for name in final.swallows)
        if swallowed or reason.kind == "normal":
            self._go(final.after, level)
        if swallowed is not Match.YES and reason.kind != "normal":
            self._leave(final.outer, reason, level)

    def _depth(self, frame: Frame) -> int:
        """How many of the final blocks in which the search began are around the frame."""
        if not self._chain:
            return 0
        return sum(up.inside in self._chain for up in _outwards(frame) if up.inside)


def _outwards(frame: Frame | None) -> Iterator[Frame]:
    while frame is not None:
        yield frame
        frame = frame.up


def _matcher(stop: Stop) -> Callable[[Node], bool]:
    if isinstance(stop, cst.CSTNode):
        return lambda node: node is stop
    if isinstance(stop, Collection):
        nodes = frozenset(stop)
        return nodes.__contains__
    return stop
