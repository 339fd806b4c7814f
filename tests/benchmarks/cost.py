"""What otlint's model costs on a tree, as a multiple of parsing it: `python -m tests.benchmarks.cost PATH [RULE…]`.

Both are timed in one process and one run, in seconds of its own: the ratio holds on a machine that others use, too.
The parse that all is held against is LibCST's own, of the OpenTelemetry files of the tree, with what it takes to free
the trees.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import importlib
import os
import pkgutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libcst

import otlint
from otlint import check, engine, gate, gather, judge, quick, rule, settle, suppress
from otlint import parse as parsing
from otlint.deployment import services as deployment
from otlint.model import module as modules
from otlint.model.code import positions, walk
from otlint.settings.options import Options

if TYPE_CHECKING:
    from otlint.finding import Finding
    from otlint.model.module import Module
    from otlint.rule import Rule


class Clock:
    """Seconds by part. A part that runs inside of another stops that one's clock."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._parts: list[str] = []
        self._since = 0.0

    def _tick(self) -> None:
        now = time.process_time()
        if self._parts:
            self.seconds[self._parts[-1]] += now - self._since
        self._since = now

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        self._tick()
        self._parts.append(name)
        try:
            yield
        finally:
            self._tick()
            self._parts.pop()

    def timed(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def run(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            with self.part(name):
                return work(*args, **kwargs)

        return run

    def rule(self, rule: Rule) -> Rule:
        """The rule, each step of whose generator counts as its own part."""

        def checked(module: Module) -> Iterator[Finding]:
            return iter(self.timed(rule.code, lambda: list(rule.check(module)))())

        return dataclasses.replace(rule, check=checked)


def main(tree: str, *codes: str) -> None:
    """Lint the tree as the command line does, and print where the time went."""
    os.chdir(tree)
    job = check.job_of(
        Options(paths=(".",), isolated=True, project_root=".", select=codes or ("ALL",), no_cache=True, jobs="1")
    )
    rule.catalogue()
    for each in pkgutil.walk_packages(otlint.__path__, "otlint."):
        if not each.name.endswith("__main__"):
            importlib.import_module(each.name)
    quick.change()
    gc.disable()  # as the command line does
    clock = Clock()
    kept: list[Any] = []
    _install(clock, kept)
    with clock.part("everything else"):
        report = check._judged(job, job.targets, False, None)
    _print(clock, len(job.targets), len(report.findings), _parsed([target.path for target in job.targets]))


def _parsed(paths: list[Path]) -> float:
    """The seconds that LibCST alone takes for the OpenTelemetry files among these."""
    files = [data for path in paths if gate.WORD in (data := path.read_bytes())]
    start = time.process_time()
    for data in files:
        with contextlib.suppress(libcst.ParserSyntaxError):
            libcst.parse_module(data)
    return time.process_time() - start


def _install(clock: Clock, kept: list[Any]) -> None:
    """Time the parts; `kept` gets the trees, which would be freed while a clock runs."""

    def gathered(*args: Any, **kwargs: Any) -> Any:
        kept.append(join(*args, **kwargs))
        return kept[-1]

    join = gather.gather
    gather.gather = gathered
    enabled = judge.enabled
    judge.enabled = lambda config, path: [clock.rule(rule) for rule in enabled(config, path)]
    parsing.parse = clock.timed("parse", parsing.parse)
    parsing.parse_test = clock.timed("parse", parsing.parse_test)
    modules.Walk = clock.timed("walk", walk.Walk)
    modules.Names = clock.timed("names", modules.Names)
    modules.Module.facts = clock.timed("facts", modules.Module.facts)
    positions.Ranges.all = clock.timed("positions", positions.Ranges.all)
    positions.Ranges._part = clock.timed("positions", positions.Ranges._part)
    settle.Settling.add = clock.timed("project", settle.Settling.add)
    gather._Gathering.importers = clock.timed("project", gather._Gathering.importers)
    engine._read = clock.timed("reading", engine._read)
    engine.gate.hot = clock.timed("gate", engine.gate.hot)
    deployment.collect = clock.timed("deployment", deployment.collect)
    modules.Module.__init__ = clock.timed("module", modules.Module.__init__)
    suppress.Suppressions.of = clock.timed("suppression", suppress.Suppressions.of)


def _print(clock: Clock, read: int, findings: int, parse: float) -> None:
    judged, collected = clock.calls["walk"], clock.calls["facts"]
    model = clock.seconds.total() - clock.seconds["parse"]
    print(f"{read} files read, {judged} judged, facts of one collected {collected} times, {findings} findings")
    print(f"{'LibCST parses':16}{parse:8.2f} s\n{'all of otlint':16}{clock.seconds.total() / parse:8.3f} of that")
    print(f"{'  parse':16}{clock.seconds['parse'] / parse:8.3f}\n{'  model':16}{model / parse:8.3f}")
    for name, seconds in clock.seconds.most_common():
        if name != "parse":
            print(f"    {name:14}{seconds / parse:8.3f}")


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(__doc__)
    main(str(Path(sys.argv[1]).resolve()), *sys.argv[2:])
