"""Where the time of a run goes, in seconds by part; a part inside of another one stops that one's clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType


class Clock:
    """Seconds by part: gate, deployment, parse, model, report, and each rule by its code."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._parts: list[str] = []
        self._since = 0.0

    def part(self, name: str) -> Part:
        """`with clock.part("parse"):`."""
        return Part(self, name)

    def enter(self, name: str) -> None:
        """A part begins."""
        self._tick()
        self._parts.append(name)

    def leave(self) -> None:
        """The part ends that began last."""
        self._tick()
        self._parts.pop()

    def add(self, seconds: Mapping[str, float]) -> None:
        """What another process took."""
        for name, each in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + each

    def clear(self) -> None:
        """Start anew."""
        self.seconds.clear()

    def _tick(self) -> None:
        now = time.perf_counter()
        if self._parts:
            name = self._parts[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now


class Part:
    """One part while it runs."""

    __slots__ = ("_clock", "_name")

    def __init__(self, clock: Clock, name: str) -> None:
        self._clock = clock
        self._name = name

    def __enter__(self) -> None:
        self._clock.enter(self._name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clock.leave()


clock = Clock()
