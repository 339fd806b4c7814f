"""The straight line from files to findings. Command line, hooks, editor and tests call `lint` and nothing else.

targets → bytes → gate → Module → Facts → Project → rules → suppression → selection → sort → fix → Report
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from otlint import gate
from otlint.cache.digest import digest
from otlint.clock import clock
from otlint.paths import shown
from otlint.settings.declared import Wrappers

if TYPE_CHECKING:
    from otlint.cache.memory import Memory
    from otlint.cache.store import Store
    from otlint.finding import Finding
    from otlint.gather import Gathered
    from otlint.model.project import Project
    from otlint.settings.config import Config
    from otlint.settings.level import Safety
    from otlint.source import Source

# Enough for LibCST to write out what is nested as deeply as `parse` lets through.
_RECURSION = 4000


@dataclass(frozen=True, slots=True)
class Target:
    """A file to check. `shown` is its name in reports; `data` replaces the file's bytes (standard input)."""

    path: Path
    shown: str
    config: Config
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that otlint could not do; the exit code becomes 2. `path` is None when no file is to blame."""

    path: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """A file whose text the fixes change; `fixed` counts them by code."""

    shown: str
    path: Path
    before: Source
    after: str
    fixed: Mapping[str, int]


@dataclass(slots=True)
class Report:
    """What a run has to say. Findings are those that remain after the repair, sorted; `checked` counts targets."""

    findings: list[Finding] = field(default_factory=list)
    suppressed: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checked: int = 0
    changes: list[Change] = field(default_factory=list)


def lint(
    targets: Sequence[Target],
    *,
    root: Path,
    project_files: Callable[[], Iterator[Path]] | None = None,
    repair: Safety | None = None,
    ignore_suppressions: bool = False,
    progress: Callable[[int, int], None] | None = None,
    witness: Callable[[Gathered], None] | None = None,
    store: Store | None = None,
    jobs: int = 1,
) -> Report:
    """Check the targets as part of the project at `root`.

    `project_files` lists the files that project facts come from; None means the targets alone. `repair` says how far
    fixes may go (`Safety.SAFE`, or `Safety.UNSAFE` for both); nothing is written: see `Report.changes`. `witness` gets
    what the rules are about to ask, and may listen to them (see `Module.silenced`). `store` keeps what is found out.
    `jobs`: how many processes may work.
    Never raises for what a file contains.
    """
    report = Report(checked=len(targets))
    root = root.resolve()
    jobs = 1 if repair is not None or witness is not None else jobs
    with clock.part("gate"):
        files, asked = _read(targets, root, project_files, report)
        wrappers = Wrappers.joined(target.config.wrappers for target in asked.values())
        hot = gate.hot(files, wrappers.words)
    if not hot and witness is None:
        return report
    from otlint.crew import CrewError
    from otlint.gather import gather
    from otlint.judge import verdicts

    gathering = partial(
        gather,
        files,
        lambda key: asked[key].shown if key in asked else shown(str(root / key)),
        root if project_files is not None else None,
        hot=hot,
        wrappers=wrappers,
        progress=progress,
        store=store,
        remember=None if store is None else partial(_remember, store, root, project_files is not None),
    )
    judging = partial(verdicts, asked, report=report, repair=repair, ignore_suppressions=ignore_suppressions)
    with _room_for_trees():
        try:
            gathered = gathering(jobs=jobs)
            if witness is not None:
                witness(gathered)
            judging(gathered)
        except CrewError:  # a process was killed: one alone can do it, too
            gathered = gathering()
            judging(gathered)
        if store is not None and gathered.memory is not None and gathered.memory.changed:
            store.write(_name(root, project_files is not None), gathered.memory.dump(files))
    report.findings.sort(key=lambda finding: finding.sort_key)
    return report


@contextmanager
def _room_for_trees() -> Iterator[None]:
    """Deep recursion, and no garbage collector: trees are large and hold no garbage, so collections only cost time."""
    collecting, limit = gc.isenabled(), sys.getrecursionlimit()
    gc.disable()
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if collecting:
            gc.enable()


def _name(root: Path, whole: bool) -> str:
    """Where the store keeps the memory of a project, seen as a `whole` or as nothing but the files asked for."""
    return f"project-{digest(f'{root} {whole}')}"


def _remember(store: Store, root: Path, whole: bool, project: Project) -> Memory:
    """What is known of a project from earlier runs, as far as what all of it rests on is the same."""
    from otlint.cache.codec import encode
    from otlint.cache.memory import Memory

    deployments = encode(project.deployments) if project.deployments is not None else None
    basis = digest(f"{deployments} {project.wrappers} {shown(str(root))}")
    return Memory.load(store.read(_name(root, whole)) or "", basis)


def _read(
    targets: Sequence[Target], root: Path, project_files: Callable[[], Iterator[Path]] | None, report: Report
) -> tuple[dict[str, bytes], dict[str, Target]]:
    """The bytes of all files, and the targets among them, by path from the root."""
    files: dict[str, bytes] = {}
    asked: dict[str, Target] = {}
    for target in targets:
        try:
            data = target.data if target.data is not None else target.path.read_bytes()
        except OSError as error:
            report.problems.append(Problem(target.shown, f"cannot read: {error.strerror or error}"))
            continue
        if len(data) > target.config.max_file_size:
            report.notes.append(f"{target.shown}: not judged, larger than max-file-size ({len(data):,} bytes)")
            continue
        key = _key(target.path, root)
        files[key], asked[key] = data, target
    if project_files is not None:
        limit = max((target.config.max_file_size for target in targets), default=0)
        _read_project(files, root, project_files(), limit)
    return files, asked


def _read_project(files: dict[str, bytes], root: Path, paths: Iterator[Path], limit: int) -> None:
    for path in paths:
        key = _key(path, root)
        if key in files or not key.endswith(".py"):
            continue
        try:
            data = path.read_bytes()
        except OSError:
            continue  # not asked for: it can only add facts
        if len(data) <= limit:
            files[key] = data


def _key(path: Path, root: Path) -> str:
    """The path from the root with `/`; a file outside keeps its whole path."""
    resolved = path if path.is_absolute() else Path.cwd() / path
    try:
        return resolved.relative_to(root).as_posix()
    except ValueError:
        try:
            return resolved.resolve().relative_to(root).as_posix()
        except ValueError:
            return resolved.as_posix().lstrip("/")
