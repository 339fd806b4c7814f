"""The `json` format: ruff's keys, with `category`, `fingerprint` and `related` besides."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from otlint.finding import Location
from otlint.rule import CATEGORIES

if TYPE_CHECKING:
    from otlint.engine import Report
    from otlint.finding import Finding
    from otlint.report import Setting
    from otlint.source import Source


def write(report: Report, stream: TextIO, setting: Setting) -> None:
    """A list of objects, `[]` when there is nothing to report."""
    found = [as_object(finding, setting.source) for finding in report.findings]
    json.dump(found, stream, indent=2, sort_keys=True, ensure_ascii=False)
    stream.write("\n")


def statistics(report: Report, stream: TextIO, setting: Setting) -> None:
    """How often each rule was violated, in ruff's keys."""
    rows = [
        {"code": code, "name": name, "count": count, "fixable": fixable == count, "fixable_count": fixable}
        for code, name, count, fixable in setting.counts(report.findings)
    ]
    json.dump(rows, stream, indent=2)
    stream.write("\n")


def as_object(finding: Finding, source: Callable[[str], Source | None]) -> dict[str, object]:
    """One finding."""
    return {
        "category": CATEGORIES[finding.code[3]],
        "cell": None,
        "code": finding.code,
        "end_location": _place(finding.end),
        "filename": finding.path,
        "fingerprint": finding.fingerprint,
        "fix": _fix(finding, source(finding.path)) if finding.fix is not None else None,
        "location": _place(finding.start),
        "message": finding.message,
        "name": finding.name,
        "noqa_row": finding.noqa_row,
        "related": [
            {
                "message": related.message,
                "filename": related.path,
                "location": _place(related.start),
                "end_location": _place(related.end),
            }
            for related in finding.related
        ],
        "severity": finding.level.value,
        "url": None,
    }


def _fix(finding: Finding, source: Source | None) -> dict[str, object] | None:
    fix = finding.fix
    if fix is None or source is None:
        return None
    return {
        "applicability": fix.safety.value,
        "message": fix.title,
        "edits": [
            {
                "content": edit.text,
                "location": _place(source.location(edit.start)),
                "end_location": _place(source.location(edit.end)),
            }
            for edit in sorted(fix.edits)
        ],
    }


def _place(location: Location) -> dict[str, int]:
    return {"row": location.row, "column": location.column}
