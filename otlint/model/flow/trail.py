"""The control-flow graph of one function body, as it grows: points, ways to leave them, and what these have to pass.

A `Point` is the moment a node has been evaluated. What a `finally` (or the exit of a `with`) does is there once: a
`Reason` to leave waits in its `Final` until the end of that block is reached, so nesting cannot multiply the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

import libcst as cst

from otlint.model.code.walk import Node
from otlint.model.flow import raised
from otlint.model.flow.raised import Match, catches

Kind = Literal["return", "raise", "exception", "end", "yield", "loop", "break", "continue"]
Ends = list[list["Point"]]  # the successor lists that the next point is to be added to


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
    exhaustive: bool = True  # False in an `except*`: what it raises is raised after its siblings, never caught by them
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


class Trail:
    """The points so far, and where the next one goes: after `here`, the ends left open, in `frame`."""

    def __init__(self, beliefs: Beliefs) -> None:
        self.points: list[Point] = []
        self.evaluated: dict[Node, Point] = {}  # no node has two
        self.frame = Frame()
        self.here: Ends = []
        self.beliefs = beliefs

    def place(self, point: Point) -> Point:
        """Add a point after all open ends; it becomes the only one."""
        point.index = len(self.points)
        self.points.append(point)
        if point.node is not None:
            self.evaluated[point.node] = point
        for ends in self.here:
            ends.append(point)
        self.here = [point.next]
        return point

    def label(self) -> Point:
        """A point at which nothing is evaluated."""
        return self.place(Point(self.frame))

    def emit(self, node: Node, *, load: bool = True) -> Point:
        """The node is evaluated, which may raise unless it is a target that is stored to."""
        reasons: tuple[Reason, ...] = ()
        if load and isinstance(node, raised.RAISING) and self.beliefs.may_raise(node):
            reasons = implicit(node)
        return self.place(Point(self.frame, node, reasons=reasons))

    def jump(self, node: Node | None, reasons: Iterable[Reason]) -> None:
        """Control goes elsewhere; nothing follows."""
        self.place(Point(self.frame, node, reasons=tuple(reasons)))
        self.here = []


def implicit(node: Node) -> tuple[Reason, ...]:
    """Something raises here; a whole loop or item would be a poor place to point to."""
    blamed = node.iter if isinstance(node, cst.For | cst.CompFor) else node
    blamed = blamed.item if isinstance(blamed, cst.WithItem) else blamed
    return (Reason("exception", blamed, raised.ANY), Reason("exception", blamed, raised.BASE, True))
