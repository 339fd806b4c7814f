"""`otlint explain FILE:LINE`: what is reported at a line, what is not and by which fact, and what is known there.

The line is judged by `lint` as in `otlint check`, with every rule switched on and somebody listening to the silences.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from otlint import check, engine, gate, judge, rule
from otlint.deployment.services import Evidence
from otlint.engine import Problem, Target
from otlint.finding import Finding, Location
from otlint.gather import Gathered
from otlint.paths import is_test_name, shown
from otlint.settings import selection
from otlint.settings.selection import Choice
from otlint.toml import ConfigError

if TYPE_CHECKING:
    from otlint.model.code.extents import Extent
    from otlint.model.code.walk import Node
    from otlint.model.module import Module
    from otlint.model.reason import Elsewhere, Reason
    from otlint.settings.config import Config
    from otlint.settings.options import Options
    from otlint.source import Source

_QUESTION = re.compile(r"(?s)(?P<path>.+?):(?P<row>[0-9]+)(?::(?P<column>[0-9]+))?")


@dataclass(frozen=True, slots=True)
class Question:
    """A line of a file, and perhaps a column in it."""

    path: str
    row: int
    column: int | None = None

    @staticmethod
    def read(text: str) -> Question:
        """`src/worker.py:42`, `src/worker.py:42:9`; raises ConfigError."""
        match = _QUESTION.fullmatch(text)
        if match is None or not int(match["row"]) or match["column"] == "0":
            raise ConfigError(f"`{text}` names no line; write FILE:LINE or FILE:LINE:COLUMN, both counted from 1")
        return Question(match["path"], int(match["row"]), int(match["column"]) if match["column"] else None)


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of some file of the project; `row` is None where only the file is known."""

    path: str
    row: int | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and where it is stated. `codes` are the rules that are silent for that reason."""

    text: str
    spot: Spot | None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """A finding; `suppressed` are the comments that hide it, `off` says why nobody selected it."""

    finding: Finding
    suppressed: tuple[Spot, ...] = ()
    off: str | None = None


@dataclass(slots=True)
class Answer:
    """What is known about a line. `why_not` says why nothing is, when the file is not judged."""

    question: Question
    path: str
    source: Source | None = None
    rows: tuple[int, int] = (0, 0)
    why_not: str | None = None
    notes: list[str] = field(default_factory=list)
    findings: list[Explained] = field(default_factory=list)
    mentioned: list[Explained] = field(default_factory=list)
    silences: list[Told] = field(default_factory=list)
    known: list[Told] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Witness:
    """Listens to the rules while they judge one file."""

    shown: str
    gathered: Gathered | None = None
    module: Module | None = None
    heard: list[tuple[str, Node, Reason]] = field(default_factory=list)

    def __call__(self, gathered: Gathered) -> None:
        self.gathered = gathered
        self.module = next((each for each in gathered.modules.values() if each.source.path == self.shown), None)
        if self.module is not None:
            self.module.listener = lambda code, node, reason: self.heard.append((code, node, reason))


def run(text: str, options: Options, form: str) -> int:
    """Print the answer and return the exit code; raises ConfigError."""
    from otlint.report import explained

    found = answer(Question.read(text), options)
    for problem in found.problems:
        print(f"error: {problem.path}: {problem.message}", file=sys.stderr)  # noqa: T201
    if form == "json":
        explained.json(found, sys.stdout)
    else:
        explained.text(found, sys.stdout, color=check.color(options, sys.stdout))
    return 2 if found.problems else 0


def answer(question: Question, options: Options) -> Answer:
    """What is known about a line; raises ConfigError for one that cannot be read."""
    if os.path.isdir(question.path) or question.path == "-":  # noqa: PTH112
        raise ConfigError(f"{question.path} is no file; write FILE:LINE")
    job = check.job_of(dataclasses.replace(options, paths=(question.path,)))
    if job.problems:
        raise ConfigError(f"{job.problems[0].path}: {job.problems[0].message}")
    if not job.targets:
        return Answer(question, question.path, why_not="the configuration excludes this file")
    target = job.targets[0]
    witness = _Witness(target.shown)
    report = engine.lint(
        [dataclasses.replace(target, config=_everything(target.config))],
        root=job.root,
        project_files=check.project_files(job),
        ignore_suppressions=True,
        witness=witness,
    )
    found = Answer(question, target.shown, notes=list(_outside(target, job.root)), problems=report.problems)
    found.source = _source(target)
    if found.source is not None and question.row > _rows(found.source):
        raise ConfigError(f"{target.shown} has no line {question.row}: it ends with line {_rows(found.source)}")
    if witness.module is None or witness.gathered is None:
        found.why_not = _why_not(report, found.source)
        found.findings = [Explained(each) for each in report.findings]
    else:
        _Inquiry(witness.module, witness.gathered, target, job.root).fill(found, report.findings, witness.heard)
    return found


def _everything(config: Config) -> Config:
    """The same settings with all rules on, hints included."""
    every = (*map(selection.selector, rule.codes()), selection.selector("hints"))
    return dataclasses.replace(config, rules=(Choice(only=every),), ignores=())


def _source(target: Target) -> Source | None:
    from otlint.source import Source, SourceError

    try:
        return Source.decode(target.path.read_bytes(), target.shown)
    except (OSError, SourceError):
        return None


def _rows(source: Source) -> int:
    return source.rows if source.line(source.rows) else max(source.rows - 1, 1)


def _outside(target: Target, root: Path) -> Iterator[str]:
    if not target.path.resolve().is_relative_to(root.resolve()):
        yield f"the file is outside of the project root {root}, so what the project's files say may not count for it"


def _why_not(report: engine.Report, source: Source | None) -> str:
    if report.notes:
        return report.notes[0].partition(": ")[2]
    if report.problems:
        return "the file was not judged"
    if report.findings:
        return "the file cannot be parsed, so nothing else in it is judged"
    if source is not None and is_test_name(source.path) and gate.WORD.decode() in source.text:
        return "not judged: this is a test, and nothing in it is what rules look at in tests"
    return "not judged: no OpenTelemetry in this file, and no name from a file that has it"


class _Inquiry:
    """Puts what was found and heard in a judged file together for one line."""

    def __init__(self, module: Module, gathered: Gathered, target: Target, root: Path) -> None:
        self.module = module
        self.gathered = gathered
        self.target = target
        self.root = root

    def fill(self, found: Answer, findings: list[Finding], heard: list[tuple[str, Node, Reason]]) -> None:
        from otlint.suppress import Suppressions

        suppressions = Suppressions.of(self.module)
        judged = [self._explained(finding, suppressions.covering(finding)) for finding in findings]
        judged += [Explained(finding) for finding in suppressions.own_findings(self.target.config)]
        extent = self._extent(found.question.row)
        found.rows = self._rows(extent, found.question.row)
        found.findings = [each for each in judged if _meets(_span(each.finding), found.rows)]
        found.mentioned = [each for each in judged if each not in found.findings and self._names(each, found.rows)]
        said = {each.finding.code for each in (*found.findings, *found.mentioned)}
        found.silences = self._silences(found.rows, [each for each in heard if each[0] not in said])
        if extent is not None:
            found.known = list(self._known(extent, found.question))
        else:
            found.notes.append("no statement stands on this line")

    def _explained(self, finding: Finding, comments: list[tuple[int, int]]) -> Explained:
        source = self.module.source
        spots = tuple(
            Spot(source.path, source.location(start).row, source.text[start:end].strip()) for start, end in comments
        )
        return Explained(finding, spots, self._why_off(finding))

    def _why_off(self, finding: Finding) -> str | None:
        config, path = self.target.config, self.target.shown
        if judge.is_selected(finding, self.target):
            return None
        subject = selection.Subject(finding.code, finding.name, finding.level)
        of = "the command line" if config.path is None else shown(str(config.path))
        if selection.best(config.ignored_in(path), subject) is not None:
            return f"`per-file-ignores` of {of} leaves {finding.code} out here"
        if finding.hint or rule.load(finding.code).level.rank == 0:
            return f"a hint, off by default: `--extend-select {finding.code}` or `hints` switches it on"
        return f"{finding.code} is not selected by {of}"

    # -- the line -------------------------------------------------------------------------------------------

    def _extent(self, row: int) -> Extent | None:
        """The innermost statement or header that the line is part of."""
        from otlint.model.code.extents import extents

        location = self.module.source.location
        over = [
            each
            for each in extents(self.module.walk, self.module.ranges)
            if location(each.start).row <= row <= location(max(each.start, each.end - 1)).row
        ]
        return max(over, key=lambda each: each.start, default=None)

    def _rows(self, extent: Extent | None, row: int) -> tuple[int, int]:
        if extent is None:
            return row, row
        location = self.module.source.location
        return location(extent.start).row, location(max(extent.start, extent.end - 1)).row

    def _names(self, each: Explained, rows: tuple[int, int]) -> bool:
        path = self.module.source.path
        return any(one.path == path and _meets((one.start.row, one.end.row), rows) for one in each.finding.related)

    # -- reasons --------------------------------------------------------------------------------------------

    def _silences(self, rows: tuple[int, int], heard: list[tuple[str, Node, Reason]]) -> list[Told]:
        codes: dict[tuple[str, Spot | None], set[str]] = {}
        for code, node, reason in heard:
            if _meets(self._head(node), rows):
                told = self._told(reason, rows)
                codes.setdefault((told.text, told.spot), set()).add(code)
        found = [Told(text, spot, tuple(sorted(each))) for (text, spot), each in codes.items()]
        return sorted(found, key=lambda each: each.codes)

    def _head(self, node: Node) -> tuple[int, int]:
        """The rows of a node; of a block only those of its header."""
        import libcst as cst

        from otlint.model.code.extents import header_end

        start, end = self.module.range(node)
        if isinstance(node, cst.BaseCompoundStatement | cst.ExceptHandler | cst.ExceptStarHandler):
            end = header_end(node, self.module.ranges)
        location = self.module.source.location
        return location(start).row, location(max(start, end - 1)).row

    def _known(self, extent: Extent, question: Question) -> Iterator[Told]:
        import libcst as cst

        from otlint.model import telling

        module = self.module
        inside = [
            node
            for node in module.walk.order
            if extent.start <= module.range(node)[0] and module.range(node)[1] <= extent.end
        ]
        for reason in telling.told(module, extent.node, inside):
            yield self._told(reason, self._rows(extent, 0))
        if question.column is not None:
            at = module.source.offset(Location(question.row, question.column))
            over = [
                node
                for node in inside
                if isinstance(node, cst.BaseExpression) and module.range(node)[0] <= at < module.range(node)[1]
            ]
            for node in over[-1:]:
                up = module.walk.parent[node]
                whole = up if isinstance(up, cst.Attribute) and up.attr is node else node
                for reason in telling.expression(module, whole):
                    yield self._told(reason, self._rows(extent, 0))

    def _told(self, reason: Reason, rows: tuple[int, int]) -> Told:
        """A reason in words; a place on the line itself says nothing new."""
        spot = self._spot(reason)
        if spot is not None and spot.path == self.module.source.path and spot.row in range(rows[0], rows[1] + 1):
            spot = None
        return Told(reason.text, spot)

    def _spot(self, reason: Reason) -> Spot | None:
        """Where a reason is stated, as people find it."""
        from otlint.model.reason import Elsewhere

        where = reason.where() if callable(reason.where) else reason.where
        if where is None:
            return None
        if isinstance(where, Evidence):
            return Spot(self._shown(where.path), where.row, where.text.strip())
        if isinstance(where, Elsewhere):
            return self._elsewhere(where)
        return self._line(self.module, where)

    def _elsewhere(self, place: Elsewhere) -> Spot:
        other = self.gathered.modules.get(place.path)
        node = place.find(other) if other is not None else None
        return Spot(self._shown(place.path), None) if other is None or node is None else self._line(other, node)

    def _line(self, module: Module, node: Node) -> Spot:
        row = module.row(node)
        return Spot(module.source.path, row, module.source.line(row).strip())

    def _shown(self, path: str) -> str:
        return shown(str(self.root.resolve() / path))


def _span(finding: Finding) -> tuple[int, int]:
    last = finding.end.row - (finding.end.column == 1 and finding.end.row > finding.start.row)
    return finding.start.row, max(last, finding.start.row)


def _meets(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and one[1] >= other[0]
