"""The straight line from files to findings. Command line, hooks, editor and tests call `lint` and nothing else.

targets → bytes → gate → Module → Facts → Project → rules → suppression → selection → sort → fix → Report
"""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from otlint import rule as rules
from otlint.finding import Finding, Level, Location
from otlint.fix import Safety
from otlint.gather import Broken, Gathered, gather
from otlint.paths import shown
from otlint.repair import repair as repair_module
from otlint.settings import Wrappers
from otlint.source import Source

if TYPE_CHECKING:
    from otlint.config import Config
    from otlint.model.module import Module
    from otlint.rule import Rule

# Enough for LibCST to write out what is nested as deeply as `parse` lets through.
_RECURSION = 4000
SYNTAX_ERROR = ("OTL000", "syntax-error")


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
) -> Report:
    """Check the targets as part of the project at `root`.

    `project_files` lists the files that project facts come from; None means the targets alone. `repair` says how far
    fixes may go (`Safety.SAFE`, or `Safety.UNSAFE` for both); nothing is written: see `Report.changes`. `witness` gets
    what the rules are about to ask, and may listen to them (see `Module.silenced`).
    Never raises for what a file contains.
    """
    report = Report(checked=len(targets))
    root = root.resolve()
    files, asked = _read(targets, root, project_files, report)
    collecting, limit = gc.isenabled(), sys.getrecursionlimit()
    gc.disable()  # trees are large and hold no garbage: collections only cost time here
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        gathered = gather(
            files,
            lambda key: asked[key].shown if key in asked else shown(str(root / key)),
            root if project_files is not None else None,
            wrappers=Wrappers.joined(target.config.wrappers for target in asked.values()),
            progress=progress,
        )
        if witness is not None:
            witness(gathered)
        for key, target in asked.items():
            _check(key, target, gathered, report, repair, ignore_suppressions)
    finally:
        sys.setrecursionlimit(limit)
        if collecting:
            gc.enable()
    report.findings.sort(key=lambda finding: finding.sort_key)
    return report


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


def _check(
    key: str, target: Target, gathered: Gathered, report: Report, repair: Safety | None, ignore_suppressions: bool
) -> None:
    """Judge one target and put its findings, changes and problems into the report."""
    if key in gathered.broken:
        report.findings.append(_syntax_error(target, gathered.broken[key]))
        return
    if key in gathered.failed:
        report.problems.append(_internal(target, "the model", gathered.failed[key]))
        return
    module = gathered.modules.get(key)
    if module is None:
        return
    judged = _judge(module, target, report, ignore_suppressions)
    if repair is not None:
        trial = Report()
        repaired = repair_module(module, judged, target.config, repair, lambda changed: _judge(changed, target, trial))
        report.problems.extend(problem for problem in trial.problems if problem not in report.problems)
        if isinstance(repaired, str):
            report.problems.append(Problem(target.shown, f"fixes discarded: {repaired}"))
        elif repaired is not None:
            judged = repaired.remaining
            after = repaired.module.source.text
            report.changes.append(Change(target.shown, target.path, module.source, after, repaired.fixed))
    report.findings.extend(judged)


def _syntax_error(target: Target, broken: Broken) -> Finding:
    start = Location(broken.row, broken.column)
    code, name = SYNTAX_ERROR
    level = target.config.level(code, name, Level.ERROR)
    digest = hashlib.sha256(f"{code}\0{broken.message}".encode()).hexdigest()[:16]
    return Finding(target.shown, start, start, broken.message, noqa_row=broken.row, fingerprint=digest,
                   code=code, name=name, level=level)  # fmt: skip


def _judge(module: Module, target: Target, report: Report, ignore_suppressions: bool = False) -> list[Finding]:
    """All findings of the enabled rules in one module, suppressed ones removed and counted."""
    from otlint.suppress import Suppressions

    config, problems = target.config, len(report.problems)
    found: list[Finding] = []
    for rule in enabled(config, target.shown):
        found.extend(_run(rule, module, target, report))
    found = _without_duplicates(found)
    suppressions = Suppressions.of(module)
    try:
        covered = {id(finding) for finding in found if suppressions.covers(finding)}
        own = suppressions.own_findings(config) if len(report.problems) == problems else []
    except Exception as error:  # the comments of one file must not hide its findings
        report.problems.append(_internal(target, "the suppression comments", error))
        return found
    # A comment may cover a hint that nobody selected: it is of use, so hints are dropped only now.
    selected = [finding for finding in found if is_selected(finding, target)]
    if ignore_suppressions:
        return [dataclasses.replace(each, suppressed=True) if id(each) in covered else each for each in selected]
    kept = [finding for finding in selected if id(finding) not in covered]
    report.suppressed += len(selected) - len(kept)
    return kept + own


def is_selected(finding: Finding, target: Target) -> bool:
    """Whether the configuration reports such a finding in the file."""
    if finding.hint:
        return target.config.selects_hint(finding.code, finding.name, target.shown)
    return target.config.selects(finding.code, finding.name, rules.load(finding.code).level, target.shown)


def enabled(config: Config, path: str) -> list[Rule]:
    """The rules that the configuration switches on for a file, hints included."""
    return [
        rule
        for rule in rules.catalogue()
        if config.selects(rule.code, rule.name, rule.level, path) or config.selects_hint(rule.code, rule.name, path)
    ]


def _run(rule: Rule, module: Module, target: Target, report: Report) -> Iterator[Finding]:
    config = target.config
    level = config.level(rule.code, rule.name, rule.level)
    try:
        options = config.options(rule.code, rule.name)
        for finding in rule.check(module.configured(options, config.instrumentation, rule=rule.code)):
            yield _stamped(finding, rule, Level.INFO if finding.hint else level, config)
    except Exception as error:  # one rule's crash must not hide what others find
        report.problems.append(_internal(target, f"{rule.code} {rule.name}", error))


def _internal(target: Target, where: str, error: Exception) -> Problem:
    return Problem(target.shown, f"internal error in {where}: {type(error).__name__}: {error}")


def _stamped(finding: Finding, rule: Rule, level: Level, config: Config) -> Finding:
    fix = finding.fix
    if fix is not None:
        fix = dataclasses.replace(fix, safety=config.safety(rule.code, rule.name, fix.safety))
    digest = hashlib.sha256(f"{rule.code}\0{finding.fingerprint}".encode()).hexdigest()[:16]
    return dataclasses.replace(finding, code=rule.code, name=rule.name, level=level, fix=fix, fingerprint=digest)


def _without_duplicates(found: list[Finding]) -> list[Finding]:
    """A rule that reaches one place on two ways still says one thing."""
    seen = {(finding.code, finding.start, finding.end): finding for finding in reversed(found)}
    return list(reversed(seen.values()))
