"""The straight line from files to findings. Command line, hooks, editor and tests call `lint` and nothing else.

targets → bytes → gate → Module → Facts → Project → rules → suppression → selection → sort → fix → Report
"""

from __future__ import annotations

import dataclasses
import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from otlint import rule as rules
from otlint.finding import Finding, Level, Location
from otlint.fix import Fix, Safety, apply
from otlint.gather import Broken, Gathered, gather
from otlint.source import Source, SourceError

if TYPE_CHECKING:
    from otlint.config import Config
    from otlint.model.module import Module
    from otlint.rule import Rule

SYNTAX_ERROR = ("OTL000", "syntax-error")
_FIX_ROUNDS = 10


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
) -> Report:
    """Check the targets as part of the project at `root`.

    `project_files` lists the files that project facts come from; None means the targets alone. `repair` says how far
    fixes may go (`Safety.SAFE`, or `Safety.UNSAFE` for both); nothing is written: see `Report.changes`.
    Never raises for what a file contains.
    """
    report = Report(checked=len(targets))
    root = root.resolve()
    files, asked = _read(targets, root, project_files, report)
    collecting = gc.isenabled()
    gc.disable()  # trees are large and hold no garbage: collections only cost time here
    try:
        gathered = gather(
            files,
            {key: target.shown for key, target in asked.items()},
            root if project_files is not None else None,
            progress=progress,
        )
        for key, target in asked.items():
            _check(key, target, gathered, report, repair, ignore_suppressions)
    finally:
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
    module = gathered.modules.get(key)
    if module is None:
        return
    judged = _judge(module, target, report, ignore_suppressions)
    if repair is not None and any(_applicable(finding, target.config, repair) for finding in judged):
        judged = _repair(module, target, judged, repair, report)
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
    kept = [finding for finding in found if not suppressions.covers(finding)]
    report.suppressed += len(found) - len(kept)
    if ignore_suppressions:
        report.suppressed -= len(found) - len(kept)
        return found
    if len(report.problems) == problems:
        kept.extend(suppressions.own_findings(config))
    return kept


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
    plain = config.selects(rule.code, rule.name, rule.level, target.shown)
    hints = config.selects_hint(rule.code, rule.name, target.shown)
    try:
        for finding in rule.check(module.configured(config.options(rule.code, rule.name))):
            if hints if finding.hint else plain:
                yield _stamped(finding, rule, Level.INFO if finding.hint else level, config)
    except Exception as error:  # one rule's crash must not hide what others find
        report.problems.append(
            Problem(target.shown, f"internal error in {rule.code} {rule.name}: {type(error).__name__}: {error}")
        )


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


def _applicable(finding: Finding, config: Config, repair: Safety) -> bool:
    if finding.fix is None or not config.may_fix(finding.code, finding.name):
        return False
    return finding.fix.safety is Safety.SAFE or (finding.fix.safety is Safety.UNSAFE and repair is Safety.UNSAFE)


def _repair(module: Module, target: Target, judged: list[Finding], repair: Safety, report: Report) -> list[Finding]:
    """Apply fixes and judge again until nothing is left to fix; on any doubt the file stays as it was."""
    first, fixed, started = module, Counter[str](), Counter(finding.code for finding in judged)
    quiet = Report()
    remaining = judged
    for _ in range(_FIX_ROUNDS):
        fixes = {id(finding.fix): finding for finding in remaining if _applicable(finding, target.config, repair)}
        if not fixes:
            break
        text, applied = apply(module.source.text, [_fix(finding) for finding in fixes.values()])
        fixed.update(fixes[id(each)].code for each in applied)
        changed = _reparsed(module, text)
        if changed is None:
            return _discard(target, judged, report, "a fix gives code that does not parse")
        module = changed
        remaining = _judge(module, target, quiet)
        worse = Counter(finding.code for finding in remaining) - started
        if worse:
            return _discard(target, judged, report, f"a fix brings new findings of {', '.join(sorted(worse))}")
    else:
        return _discard(target, judged, report, "the fixes do not come to an end")
    report.changes.append(Change(target.shown, target.path, first.source, module.source.text, dict(fixed)))
    return remaining


def _fix(finding: Finding) -> Fix:
    assert finding.fix is not None
    return finding.fix


def _reparsed(module: Module, text: str) -> Module | None:
    from otlint.model.module import Module as Parsed
    from otlint.parse import ParseError, parse

    source = dataclasses.replace(module.source, text=text)
    try:
        source.encode(text)
        return Parsed(source, parse(source), module.path, project=module.project)
    except (ParseError, SourceError):
        return None


def _discard(target: Target, judged: list[Finding], report: Report, why: str) -> list[Finding]:
    report.problems.append(Problem(target.shown, f"fixes discarded: {why}"))
    return judged
