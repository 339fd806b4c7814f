"""Lint examples through the engine, as every other user of it does, and state what holds for every fix."""

from __future__ import annotations

import ast
import functools
import io
import itertools
import re
import tempfile
import tokenize
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from otlint import pages, rule
from otlint.engine import Report, Target, lint
from otlint.finding import Finding
from otlint.fix import Fix, Safety
from otlint.settings.config import Configs
from otlint.settings.layers import Layer
from tests import spec


@dataclass(frozen=True)
class Case:
    """An example and the page it stands on."""

    code: str
    example: spec.Example

    @property
    def id(self) -> str:
        return f"{self.code}/{self.example.key}"


@functools.cache
def cases(code: str) -> tuple[Case, ...]:
    """The examples of a page; raises SpecError."""
    return tuple(Case(code, example) for example in spec.examples(pages.page(code).text))


@functools.cache
def all_cases() -> tuple[Case, ...]:
    """The examples of all pages that can be read; those that cannot are reported by their own test."""
    return tuple(case for code in rule.codes() for case in _readable(code))


def _readable(code: str) -> tuple[Case, ...]:
    try:
        return cases(code)
    except (spec.SpecError, pages.PageError, KeyError):
        return ()


@functools.cache
def report(case: Case, repair: Safety | None = None) -> Report:
    """What otlint says about an example, with the page's rule alone repairing."""
    return judge(case.code, case.example.texts, repair)


def judge(code: str, files: Mapping[str, str | bytes], repair: Safety | None = None) -> Report:
    """Lint files (path → content) in a folder of their own.

    On are the rules that are on by default and the rule `code`, which is also the only one that may repair.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
        config = Configs([Layer({"extend-select": [code], "fixable": [code]})]).of(str(root))
        targets = [Target(root / path, path, config) for path in files if path.endswith((".py", ".pyi"))]
        return lint(targets, root=root, project_files=lambda: root.rglob("*.py"), repair=repair)


def repairs(found: Report, code: str, *safeties: Safety) -> list[tuple[Finding, Fix]]:
    """The findings of a rule whose fix has one of these safeties."""
    return [
        (finding, finding.fix)
        for finding in found.findings
        if finding.code == code and finding.fix is not None and finding.fix.safety in safeties
    ]


def afterwards(files: Mapping[str, str], repaired: Report) -> dict[str, str]:
    """The files after a repair."""
    return {**files, **{change.shown: change.after for change in repaired.changes}}


def check_repair(code: str, before: Report, repaired: Report) -> None:
    """What holds for every repair by a rule at the level UNSAFE, whatever it repairs."""
    assert not repaired.problems, repaired.problems
    applied = repairs(before, code, Safety.SAFE, Safety.UNSAFE)
    assert bool(repaired.changes) == bool(applied), "a fix was offered and not applied, or the other way round"
    assert not repairs(repaired, code, Safety.SAFE, Safety.UNSAFE), "a fix does not make its own finding go away"
    counts, left = _counts(before), _counts(repaired)
    assert left[code] == counts[code] - len(applied), "a repair left its finding, or took another one with it"
    more = {other: count for other, count in left.items() if count > counts[other]}
    assert not more, f"a fix adds findings: {more}"
    for change in repaired.changes:
        ast.parse(change.after)
        lost = comments(change.before.text) - comments(change.after)
        assert not lost, f"a fix loses comments: {sorted(lost)}"
        fixes = [fix for finding, fix in applied if finding.path == change.shown]
        assert _keeps_the_rest(change.before.text, change.after, fixes), "a fix changes what lies outside of its edits"


def _counts(found: Report) -> Counter[str]:
    return Counter(finding.code for finding in found.findings)


def comments(text: str) -> Counter[str]:
    """The comments of a file, with how often each is there."""
    lines = io.StringIO(text.lstrip("\ufeff"), newline=None).readline
    return Counter(token.string.strip() for token in tokenize.generate_tokens(lines) if token.type == tokenize.COMMENT)


_WRAPPED = re.compile(r"(?P<head>import )\((?P<tail>[ \t]*#.*)?\r?\n(?P<names>(?:[ \t]+[\w. ]+,\r?\n)+)[ \t]*\)")


def _keeps_the_rest(before: str, after: str, fixes: list[Fix]) -> bool:
    """Whether the text between the edits is still there; an import that has become long may stand on several lines."""
    plain = _WRAPPED.sub(_unwrapped, after)
    return _keeps(before, after, fixes) or _keeps(before, plain, fixes)


def _unwrapped(found: re.Match[str]) -> str:
    names = ", ".join(each.strip() for each in found["names"].split(",") if each.strip())
    return found["head"] + names + (found["tail"] or "")


def _keeps(before: str, after: str, fixes: list[Fix]) -> bool:
    """Whether the text between the edits is still there, in its order, from the first character to the last."""
    left = {edit for fix in fixes for leftover in fix.leftovers for edit in leftover.edits}
    edits = sorted({edit for fix in fixes for edit in fix.edits} | left)
    if any(edit.end > following.start for edit, following in itertools.pairwise(edits)):
        return True  # fixes that overlap are made one after the other, and their edits with them
    starts, ends = [0, *(edit.end for edit in edits)], [*(edit.start for edit in edits), len(before)]
    first, *rest = [before[start:end] for start, end in zip(starts, ends, strict=True)]
    at = len(first)
    for kept in rest:
        at = after.find(kept, at) + len(kept)
        if at < len(kept):
            return False
    return after.startswith(first) and after.endswith(rest[-1])
