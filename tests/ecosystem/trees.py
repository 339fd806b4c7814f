"""Lint and repair the work tree of one repository, as `otlint check` does at its root with no configuration."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from otlint import files
from otlint.engine import Change, Report, Target, lint
from otlint.fix import Safety
from otlint.settings.config import Configs
from tests.judge import comments


def judge(root: Path, repair: Safety | None = None, texts: Mapping[str, bytes] | None = None) -> Report:
    """Lint all files below `root` as without configuration; `texts` replaces what some hold (path from the root)."""
    root, texts = root.resolve(), texts or {}
    config = Configs(isolated=True).of(str(root))
    targets = []
    for path in sorted(files.project_files(root, config)):
        shown = path.relative_to(root).as_posix()
        targets.append(Target(path, shown, config, texts.get(shown)))
    return lint(targets, root=root, project_files=lambda: (target.path for target in targets), repair=repair)


def faults(root: Path, before: Report) -> Iterator[str]:
    """What is wrong with a repair of the whole tree, which is made in memory: one line each, with the file."""
    repaired = judge(root, Safety.UNSAFE)
    again = judge(root, Safety.UNSAFE, {each.shown: each.before.encode(each.after) for each in repaired.changes})
    for problem in [*repaired.problems, *again.problems]:
        if problem not in before.problems:
            yield f"{problem.path}: {problem.message}"
    for change in again.changes:
        yield f"{change.shown}: a second run changes it again"
    for change in repaired.changes:
        for fault in _faults_of(change):
            yield f"{change.shown}: {fault}"
        counts, left = _counts(before, change.shown), _counts(again, change.shown)
        for code, repairs in change.fixed.items():
            if left[code] > max(0, counts[code] - repairs):
                yield f"{change.shown}: {code}: {counts[code]} findings, {repairs} repaired, {left[code]} are there now"


def _faults_of(change: Change) -> Iterator[str]:
    try:
        ast.parse(change.after)
    except SyntaxError as error:
        yield f"does not parse when repaired, line {error.lineno}: {error.msg}"
        return
    for comment in comments(change.before.text) - comments(change.after):
        yield f"loses a comment: {comment}"


def _counts(report: Report, path: str) -> Counter[str]:
    return Counter(finding.code for finding in report.findings if finding.path == path)
