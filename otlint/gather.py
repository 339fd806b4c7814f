"""From files to judged modules and the facts of their project.

A file is judged if its bytes hold `opentelemetry`, or if it imports a name that makes telemetry, or sets it up, from a
judged file of the project, or if it hands work to threads in a project with such a file: what it hands over may be
instrumented without naming OpenTelemetry, and a helper that starts threads has no reason to name it. All judged files
of the project are read, whichever files were asked for, so that every way of calling otlint gives the same findings for
a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from otlint import gate
from otlint.settings import Wrappers
from otlint.source import Source, SourceError

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.project import Facts, Project


@dataclass(frozen=True, slots=True)
class Broken:
    """A judged file that cannot be parsed; `row` and `column` are 1-based."""

    message: str
    row: int
    column: int


@dataclass(slots=True)
class Gathered:
    """Judged modules by path from the project root, files that cannot be parsed, and what is known of the project.

    `failed`: files on which the model crashed.
    """

    modules: dict[str, Module] = field(default_factory=dict)
    broken: dict[str, Broken] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)
    project: Project | None = None


def gather(
    files: Mapping[str, bytes],
    shown: Callable[[str], str],
    root: Path | None,
    *,
    hot: Sequence[str] | None = None,
    wrappers: Wrappers | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Gathered:
    """Parse the judged ones among `files` (path from the project root → bytes) and join their facts.

    `shown` gives the name by which a file is reported, `root` the folder whose deployment files are read (None: none),
    `hot` what the gate lets through, if it was asked already.
    """
    gathered = Gathered()
    wrappers = wrappers or Wrappers()
    if hot is None:
        hot = gate.hot(files, (gate.WORD, *wrappers.words))
    if not hot:
        return gathered
    work = _Gathering(files, shown, gathered, root, wrappers, progress)
    work.judge(hot)
    while new := work.importers():
        work.judge(new)
    return gathered


class _Gathering:
    """The growing set of judged files; it ends when no further file imports telemetry from one of them."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        shown: Callable[[str], str],
        gathered: Gathered,
        root: Path | None,
        wrappers: Wrappers,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.files = files
        self.shown = shown
        from otlint.deployment import collect
        from otlint.model.project import Project
        from otlint.settle import Settling

        self.gathered = gathered
        deployments = collect(root) if root is not None else None
        self.project = gathered.project = Project(deployments=deployments, wrappers=wrappers, paths=frozenset(files))
        self.progress = progress
        self._settling = Settling(self.project, self._collect)
        self._collected: set[str] = set()
        self._cold = {path for path, data in files.items() if gate.WORD not in data}
        self._tails: set[bytes] = set()
        self._near: set[str] = set()  # files in which one of these words stands
        self._imported: dict[str, list[str]] = {}

    def judge(self, paths: Iterable[str]) -> None:
        """Parse files and settle the facts of everything judged so far."""
        waiting = sorted(paths)
        for done, path in enumerate(waiting):
            self._cold.discard(path)
            self._parse(path)
            if self.progress is not None:
                self.progress(done + 1, len(waiting))
        modules = self.gathered.modules
        self._settling.add(modules[path].outline() for path in waiting if path in modules)

    def _parse(self, path: str) -> None:
        from otlint.model.module import Module
        from otlint.parse import ParseError, parse

        try:
            source = Source.decode(self.files[path], self.shown(path))
            self.gathered.modules[path] = Module(source, parse(source), path, project=self.project)
        except (ParseError, SourceError) as error:
            self.gathered.broken[path] = Broken(error.message, error.row, error.column)
        except Exception as error:  # one file's crash must not hide what is in others
            self._give_up(path, error)

    def _give_up(self, path: str, error: Exception) -> None:
        self.gathered.modules.pop(path, None)
        if isinstance(error, RecursionError):
            self.gathered.broken[path] = Broken("nested too deeply", 1, 1)
        else:
            self.gathered.failed[path] = error

    def _collect(self, path: str) -> Facts | None:
        """The facts of a file as it is seen with the present facts of the others, None when the model crashes on it."""
        try:
            if path in self._collected:
                self.gathered.modules[path] = self.gathered.modules[path].within(self.project)
            self._collected.add(path)
            return self.gathered.modules[path].facts()
        except Exception as error:
            self._give_up(path, error)
            return None

    def importers(self) -> list[str]:
        """The files not judged yet that import telemetry from a judged one."""
        project = self.project
        modules = (facts.module for facts in project.speakers.files())
        tails = {module.rpartition(".")[2].encode("utf-8", "surrogateescape") for module in modules}
        new, self._tails = tails - self._tails, self._tails | tails
        self._near |= {path for path in self._cold - self._near if any(tail in self.files[path] for tail in new)}
        return [
            path
            for path in sorted(self._near & self._cold)
            if any(project.speakers.gives(name, path) for name in self._imports(path))
        ]

    def _imports(self, path: str) -> list[str]:
        if path not in self._imported:
            from otlint.imports import imports

            self._imported[path] = imports(self.files[path], path)
        return self._imported[path]
