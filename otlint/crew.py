"""Processes that share the files of one run. All of them take the same steps; each does the work of its own files.

A crew is forked once the files are read. From then on every process settles the same facts, level by level: of each
level it looks at its own files, tells the others what it found there, and waits for what they found.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from otlint.clock import clock

# What a process more has to do at least, in bytes of source: it costs some milliseconds, and memory.
_SHARE = 200 * 1024


class CrewError(Exception):
    """A process of the crew is gone."""


class Crew:
    """The processes: number 0 is the one that was started, which works as well; it knows all others."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.number = 0
        self._owner: dict[str, int] = {}
        self._load = [0] * size
        self._lines: dict[int, tuple[int, int]] = {}  # process → descriptors to read from and to write to
        self._children: list[int] = []

    @property
    def is_helper(self) -> bool:
        """Whether this is one of the processes that were forked."""
        return self.number > 0

    def start(self) -> None:
        """Fork."""
        for number in range(1, self.size):
            down, up = os.pipe(), os.pipe()
            child = os.fork()
            if child == 0:
                for ends in self._lines.values():
                    os.close(ends[0])
                    os.close(ends[1])
                os.close(down[1])
                os.close(up[0])
                self.number, self._lines, self._children = number, {0: (down[0], up[1])}, []
                clock.clear()
                return
            os.close(down[0])
            os.close(up[1])
            self._lines[number] = up[0], down[1]
            self._children.append(child)

    def share(self, files: Sequence[str], sizes: Mapping[str, int]) -> None:
        """Give each file an owner: neighbours, which often import each other, the same one."""
        total = sum(sizes[path] for path in files) / self.size
        done = 0.0
        for path in files:
            self._owner[path] = min(int((done + sizes[path] / 2) / total), self.size - 1) if total else 0
            done += sizes[path]

    def owns(self, path: str) -> bool:
        """Whether this process does the work of a file."""
        return self._owner.get(path, 0) == self.number

    def gathered(self, mine: Mapping[str, Any]) -> dict[str, Any]:
        """What all processes found, by file; the same in each of them."""
        if self.is_helper:
            self._send(0, mine)
            return dict(self._receive(0))
        found = dict(mine)
        for number in self._lines:
            found |= self._receive(number)
        for number in self._lines:
            self._send(number, found)
        return found

    def reports(self) -> tuple[dict[str, Any], dict[str, float]]:
        """What the helpers have to say at last, by file, and the seconds that they took, by part."""
        found: dict[str, Any] = {}
        seconds: Counter[str] = Counter()
        for number in self._lines:
            mine, took = self._receive(number)
            found |= mine
            for name, each in took.items():
                seconds[name] += each
        return found, dict(seconds)

    def leave(self, mine: Mapping[str, Any], seconds: Mapping[str, float]) -> NoReturn:
        """The end of a helper."""
        self._send(0, [mine, seconds])
        os._exit(0)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """What goes wrong in a helper ends it alone; the end of the first process ends all."""
        try:
            yield
        except BaseException:
            if self.is_helper:
                os._exit(1)
            for child in self._children:
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGKILL)
            self.dismiss()
            raise

    def dismiss(self) -> None:
        """The end of the crew, when its work is done or given up."""
        for ends in self._lines.values():
            for end in ends:
                os.close(end)
        self._lines = {}
        for child in self._children:
            try:
                os.waitpid(child, 0)
            except ChildProcessError:
                continue
        self._children = []

    def _send(self, number: int, message: Any) -> None:
        data = json.dumps(message).encode()
        data = len(data).to_bytes(8, "big") + data
        at = 0
        try:
            while at < len(data):
                at += os.write(self._lines[number][1], data[at : at + (1 << 20)])
        except OSError as error:
            raise CrewError from error

    def _receive(self, number: int) -> Any:
        return json.loads(self._read(number, int.from_bytes(self._read(number, 8), "big")))

    def _read(self, number: int, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._lines[number][0], min(count, 1 << 20))
            if not part:
                raise CrewError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def crew_of(jobs: int, work: int) -> Crew | None:
    """The crew for that many bytes of source; None where one process is enough, or forking is not safe."""
    size = min(jobs, work // _SHARE)
    safe = hasattr(os, "fork") and sys.platform != "darwin" and threading.active_count() == 1
    return Crew(size) if size > 1 and safe else None


def cores() -> int:
    """How many processes can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
