"""From files to judged modules and the facts of their project.

A file is judged if its bytes hold `opentelemetry`, or what is done with a tracer or span; if it imports what gives
telemetry from a judged file of the project, and names that (see `Speakers.gives`); or if it hands work to threads in a
project with such a file: what it hands over may be instrumented without naming OpenTelemetry, and a helper that starts
threads has no reason to name it. A test is judged where a rule may speak of it: see `otlint.spared`. All judged files
of the project are read, whichever files were asked for, so that every way of calling otlint gives the same findings for
a file.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from otlint import gate, quick
from otlint.cache.codec import decode, encode
from otlint.clock import clock
from otlint.crew import Crew, crew_of
from otlint.model.facts.watch import Reads
from otlint.paths import is_test_name
from otlint.settings.declared import Wrappers
from otlint.source import Source, SourceError
from otlint.spared import is_spared

if TYPE_CHECKING:
    from otlint.cache.memory import Known, Memory
    from otlint.cache.store import Store
    from otlint.model.facts.data import Facts
    from otlint.model.module import Module
    from otlint.model.project import Project


@dataclass(frozen=True, slots=True)
class Broken:
    """A judged file that cannot be parsed; `row` and `column` are 1-based."""

    message: str
    row: int
    column: int


@dataclass(slots=True)
class Gathered:
    """Judged modules by path from the project root, files that cannot be parsed, and what is known of the project.

    `aside`: files that do not name telemetry. `failed`: files on which the model crashed. `judged`: the other files
    that are judged, `reads`: what the facts of a file rest on. A judged file that is known from earlier runs is no
    module before it is asked for: see `module`.
    """

    modules: dict[str, Module] = field(default_factory=dict)
    broken: dict[str, Broken] = field(default_factory=dict)
    aside: set[str] = field(default_factory=set)
    failed: dict[str, Exception] = field(default_factory=dict)
    project: Project | None = None
    judged: set[str] = field(default_factory=set)
    reads: dict[str, Reads] = field(default_factory=dict)
    memory: Memory | None = None
    crew: Crew | None = None
    parsed: Callable[[str], Module | None] = lambda _: None

    def module(self, path: str) -> Module | None:
        """A judged file; one that was known from earlier runs is parsed now."""
        return self.parsed(path)


def gather(
    files: Mapping[str, bytes],
    shown: Callable[[str], str],
    root: Path | None,
    *,
    hot: Sequence[str] | None = None,
    wrappers: Wrappers | None = None,
    progress: Callable[[int, int], None] | None = None,
    store: Store | None = None,
    remember: Callable[[Project], Memory] | None = None,
    jobs: int = 1,
) -> Gathered:
    """Parse the judged ones among `files` (path from the project root → bytes) and join their facts.

    `shown` gives the name by which a file is reported, `root` the folder whose deployment files are read (None: none),
    `hot` what the gate lets through, if it was asked already. `remember` gives what earlier runs found out.
    `store` keeps what deployment files say. With `jobs` this may return in several
    processes: see `Gathered.crew`. Raises CrewError when one of them is gone.
    """
    gathered = Gathered()
    wrappers = wrappers or Wrappers()
    if hot is None:
        hot = gate.hot(files, wrappers.words)
    if not hot:
        return gathered
    work = _Gathering(files, shown, gathered, root, wrappers, progress, store)
    if remember is not None:
        work.memory = gathered.memory = remember(work.project)
    gathered.parsed = work.module
    work.start(hot, jobs)
    with clock.part("model"), gathered.crew.at_work() if gathered.crew is not None else contextlib.nullcontext():
        work.judge(hot)
        while new := [*work.importers(), *work.imported()]:
            work.judge(new)
        work.renew()
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
        store: Store | None,
    ) -> None:
        self.files = files
        self.shown = shown
        from otlint.deployment.services import collect
        from otlint.model.project import Project
        from otlint.settle import Settling

        self.gathered = gathered
        with clock.part("deployment"):
            deployments = collect(root, store=store) if root is not None else None
        self.project = gathered.project = Project(deployments=deployments, wrappers=wrappers, sources=files)
        self.progress = progress
        self._settling = Settling(self.project, self._collect)
        self.crew: Crew | None = None
        self.memory: Memory | None = None
        self._collected: set[str] = set()
        self._states: dict[str, str] = {}  # of what was looked at when facts were collected
        self._cold = {path for path, data in files.items() if gate.WORD not in data}
        self._words = wrappers.words
        gathered.aside = {path for path in self._cold if not any(word in files[path] for word in wrappers.words)}
        self._spared: set[str] = set()
        self._tails: set[bytes] = set()
        self._near: set[str] = set()  # files in which one of these words stands
        self._imported: dict[str, list[tuple[str, tuple[str, ...]]]] = {}

    def start(self, hot: Sequence[str], jobs: int) -> None:
        """Let several processes do the work where there is much of it."""
        self._spared = self.files.keys() - self._cold - set(hot)
        work = sum(len(self.files[each]) for each in hot if not self._is_known(each))
        self.crew = self.gathered.crew = crew_of(jobs, work)
        if self.crew is not None:
            self.crew.start()
            self.progress = None if self.crew.is_helper else self.progress

    def judge(self, paths: Iterable[str]) -> None:
        """Parse files and settle the facts of everything judged so far."""
        waiting = sorted(paths)
        self._cold.difference_update(waiting)
        self._spared.difference_update(waiting)
        found: dict[str, Facts | None] = {}
        others = self._share(waiting)
        for done, path in enumerate(waiting):
            if path not in others:
                found[path] = self._outline(path)
            if self.progress is not None:
                self.progress(done + 1, len(waiting))
        if self.crew is not None:
            self._exchange(self.crew, found, others)
        outlines = [outline for path in waiting if (outline := found[path]) is not None]
        self.gathered.judged.update(outline.path for outline in outlines)
        self._settling.add(outlines)

    def _share(self, waiting: list[str]) -> set[str]:
        """The files that others parse."""
        if self.crew is None:
            return set()
        new = [path for path in waiting if not self._is_known(path)]
        self.crew.share(new, {path: len(self.files[path]) for path in new})
        return {path for path in new if not self.crew.owns(path)}

    def _is_known(self, path: str) -> bool:
        known = self._known(path)
        return known is not None and bool(known.outline or known.broken)

    def _exchange(self, crew: Crew, found: dict[str, Facts | None], others: set[str]) -> None:
        """Tell the others of the files that this process has parsed, and hear of theirs."""
        from otlint.model.facts.data import Facts

        broken = self.gathered.broken
        mine = {path: [encode(facts), encode(broken.get(path))] for path, facts in found.items() if crew.owns(path)}
        for path, (outline, wrong) in crew.gathered(mine).items():
            if path not in others:
                continue
            found[path] = decode(Facts, outline) if outline is not None else None
            if wrong is not None:
                broken[path] = decode(Broken, wrong)
            elif outline is None and not crew.is_helper:
                found[path] = self._outline(path)  # to see what the model crashes on
            self._remember_outline(path, found[path])

    def _outline(self, path: str) -> Facts | None:
        """What a file imports; None for one that cannot be parsed."""
        known = self._known(path)
        if known is not None and (known.outline or known.broken):
            if known.broken:
                self.gathered.broken[path] = Broken(*known.broken)
                return None
            from otlint.model.facts.data import Facts

            return decode(Facts, json.loads(known.outline))
        module = self.module(path)
        try:
            outline = module.outline() if module is not None else None
        except Exception as error:
            self._give_up(path, error)
            return None
        self._remember_outline(path, outline)
        return outline

    def _remember_outline(self, path: str, outline: Facts | None) -> None:
        known = self._known(path)
        if known is not None and path in self.gathered.broken:
            broken = self.gathered.broken[path]
            known.broken = broken.message, broken.row, broken.column
        elif known is not None and outline is not None:
            known.outline = json.dumps(encode(outline))

    def _known(self, path: str) -> Known | None:
        return self.memory.file(path, self.files[path]) if self.memory is not None else None

    def module(self, path: str) -> Module | None:
        """A judged file, which is parsed when it is first asked for; None when it cannot be."""
        if path not in self.gathered.modules and path not in self.gathered.broken:
            self._parse(path)
        return self.gathered.modules.get(path)

    def _parse(self, path: str) -> None:
        quick.quicken()
        from otlint.model.module import Module
        from otlint.parse import ParseError, parse, parse_test

        try:
            source = Source.decode(self.files[path], self.shown(path))
            with clock.part("parse"):
                tree, text = parse_test(source, self._words) if is_test_name(path) else (parse(source), source.text)
            self.gathered.modules[path] = Module(source, tree, path, project=self.project, text=text)
        except (ParseError, SourceError) as error:
            self.gathered.broken[path] = Broken(error.message, error.row, error.column)
        except Exception as error:  # one file's crash must not hide what is in others
            self._give_up(path, error)

    def _give_up(self, path: str, error: Exception) -> None:
        self.gathered.modules.pop(path, None)
        self.gathered.judged.discard(path)
        if isinstance(error, RecursionError):
            self.gathered.broken[path] = Broken("nested too deeply", 1, 1)
        else:
            self.gathered.failed[path] = error

    def _collect(self, paths: list[str]) -> dict[str, Facts | None]:
        """The facts of files as seen with the present facts of the others, None for what the model crashes on."""
        found: dict[str, Facts | None] = {path: self._unchanged(path) or self._recalled(path) for path in paths}
        new = [path for path in paths if found[path] is None]
        if new:
            found |= self._collected_new(new) if self.crew is None else self._collected_by(self.crew, new)
        return found

    def _unchanged(self, path: str) -> Facts | None:
        """The facts that were found before, where nothing has changed since that they rest on."""
        before = self._states.get(path)
        if before is None or self.project.state.of(self.gathered.reads[path]) != before:
            return None
        return self.project.known(path)

    def _recalled(self, path: str) -> Facts | None:
        """The facts that an earlier run found, None when they are not known."""
        known = self._known(path)
        found = self.memory.facts(path, known, self.project.state) if self.memory is not None and known else None
        if found is None:
            return None
        self._states.pop(path, None)
        if path in self.gathered.modules:  # it was looked at with other facts around
            self.gathered.modules[path] = self.gathered.modules[path].within(self.project)
        facts, self.gathered.reads[path] = found
        return facts

    def _collected_new(self, paths: list[str]) -> dict[str, Facts | None]:
        found = {path: self._collect_here(path) for path in paths}
        for path, facts in found.items():
            self._remember(path, facts)
        return found

    def _remember(self, path: str, facts: Facts | None) -> None:
        known = self._known(path)
        if facts is not None and known is not None and self.memory is not None:
            self.memory.keep_facts(path, known, self.project.state, self.gathered.reads[path], facts)

    def _collected_by(self, crew: Crew, paths: list[str]) -> dict[str, Facts | None]:
        """The facts of files, each from the process that has parsed it: this one, perhaps."""
        from otlint.model.facts.data import Facts

        state, reads = self.project.state, self.gathered.reads
        found = {path: self._collect_here(path) for path in paths if crew.owns(path)}
        mine = {
            path: [state.text_of(facts), encode(reads[path])] if facts is not None else None
            for path, facts in found.items()
        }
        for path, said in crew.gathered(mine).items():
            if crew.owns(path):
                pass
            elif said is not None:
                facts = found[path] = decode(Facts, json.loads(said[0]))
                state.given(facts, said[0])
                reads[path] = decode(Reads, said[1])
                self._states[path] = state.of(reads[path])
            else:
                self.gathered.judged.discard(path)
                found[path] = None if crew.is_helper else self._collect_here(path)  # to see what the model crashes on
            self._remember(path, found[path])
        return found

    def _collect_here(self, path: str) -> Facts | None:
        watch, state = self.project.watch, self.project.state
        if self.module(path) is None:
            return None
        try:
            if path in self._collected:
                self.gathered.modules[path] = self.gathered.modules[path].within(self.project)
            self._collected.add(path)
            watch.start()
            facts = self.gathered.modules[path].facts()
        except Exception as error:
            self._give_up(path, error)
            return None
        reads = self.gathered.reads[path] = watch.reads()
        self._states[path] = state.of(reads)
        return facts

    def renew(self) -> None:
        """Look anew at the files that were looked at when the facts around them were others than they are now."""
        for path, before in self._states.items():
            module = self.gathered.modules.get(path)
            if module is not None and self.project.state.of(self.gathered.reads[path]) != before:
                self.gathered.modules[path] = module.within(self.project)

    def importers(self) -> list[str]:
        """The files not judged yet that import telemetry from a judged one."""
        project = self.project
        modules = (facts.module for facts in project.speakers.files())
        tails = {module.rpartition(".")[2].encode("utf-8", "surrogateescape") for module in modules}
        new, self._tails = tails - self._tails, self._tails | tails
        self._near |= {path for path in self._cold - self._near if any(tail in self.files[path] for tail in new)}
        speakers, held = project.speakers, dict[str, bool]()

        def others(word: str) -> bool:
            if word not in held:
                held[word] = any(word.encode() in self.files[path] for path in self._cold)
            return held[word]

        return [
            path
            for path in sorted(self._near & self._cold)
            if not is_spared(path, self.files[path], self._words)
            and any(speakers.gives(name, path, self.files[path], others) for name in self._known_imports(path))
        ]

    def imported(self) -> list[str]:
        """The tests not judged yet that a judged file imports from."""
        if not self._spared:
            return []
        targets = set().union(*map(self.project.targets, self.project.files.values()))
        return sorted(self._spared.intersection(path or package for path, package in targets))

    def _known_imports(self, path: str) -> Iterator[str]:
        """The names that a file imports from files of which something is known, or from what may lead to one."""
        if path not in self._imported:
            from otlint.imports import imports

            names = dict.fromkeys(imports(self.files[path], path))
            self._imported[path] = [(name, files) for name in names if (files := self.project.leading(name, path))]
        known = self.project.known
        return (name for name, files in self._imported[path] if any(known(each) is not None for each in files))
