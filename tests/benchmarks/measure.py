"""Runs of a command: wall time, and memory of all its processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PAUSE = 0.02


@dataclass
class Command:
    """What is run in a folder; `before` prepares each run and is not measured."""

    arguments: Sequence[str]
    folder: Path
    before: Callable[[], object] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> float:
        """Seconds of one run; raises RuntimeError when the command breaks down."""
        if self.before is not None:
            self.before()
        started = time.perf_counter()
        done = subprocess.run(
            self.arguments, cwd=self.folder, env=self._environment(), capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - started
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(self.arguments)} exits with {done.returncode}: {done.stderr[-500:]}")
        return seconds

    def start(self) -> subprocess.Popen[bytes]:
        """The running command."""
        if self.before is not None:
            self.before()
        return subprocess.Popen(
            self.arguments, cwd=self.folder, env=self._environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **self.environment}  # byte code is part of an installation


def medians(commands: Mapping[str, Command], runs: int) -> dict[str, float]:
    """The median seconds of each command. They take turns, so that a busy machine slows all of them."""
    for command in commands.values():
        command.run()  # once for byte code and the file system's cache
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            seconds[name].append(command.run())
    return {name: statistics.median(each) for name, each in seconds.items()}


def peak_memory(command: Command) -> float:
    """MiB of proportional set size over the command and its children, at most; Linux only."""
    peak = 0
    process = command.start()
    while process.poll() is None:
        peak = max(peak, sum(map(_proportional, _family(process.pid))))
        time.sleep(_PAUSE)
    return peak / 1024


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        try:
            tasks = list(Path(f"/proc/{each}/task").iterdir())
            found += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _proportional(pid: int) -> int:
    """KiB of one process, 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
