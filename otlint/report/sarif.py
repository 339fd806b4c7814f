"""The `sarif` format, version 2.1.0, in the shape that GitHub code scanning reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO
from urllib.parse import quote

from otlint import __version__
from otlint.finding import Level, Location
from otlint.report.github import in_workspace

if TYPE_CHECKING:
    from otlint.engine import Problem, Report
    from otlint.finding import Finding
    from otlint.fix import Edit
    from otlint.report import Setting
    from otlint.rulebook import Entry
    from otlint.source import Source

_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "note"}
_PROBLEM = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "recommendation"}
_SECURITY = {"OTL526": "7.5", "OTL602": "5.0", "OTL604": "4.0"}

Json = dict[str, object]


def write(report: Report, stream: TextIO, setting: Setting) -> None:
    """One run. All rules that are on are listed, so that the list does not depend on what was found."""
    rules = sorted(setting.rules(), key=lambda entry: entry.code)
    index = {entry.code: at for at, entry in enumerate(rules)}
    seen: Counter[tuple[str, str]] = Counter()
    results = []
    for finding in report.findings:
        seen[finding.path, finding.fingerprint] += 1
        number = seen[finding.path, finding.fingerprint]
        results.append(_result(finding, index, f"{finding.fingerprint}:{number}", setting))
    run: Json = {
        "tool": {"driver": {"name": "otlint", "semanticVersion": __version__, "rules": [_rule(one) for one in rules]}},
        "automationDetails": {"id": "otlint/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": results,
    }
    if setting.partial_facts:
        run["properties"] = {"facts": "partial"}
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    json.dump(document, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _rule(entry: Entry) -> Json:
    properties: Json = {
        "tags": ["opentelemetry", entry.category] + (["security"] if entry.code in _SECURITY else []),
        "precision": "medium" if entry.level is Level.INFO else "high",
        "problem.severity": _PROBLEM[entry.level],
    }
    if entry.code in _SECURITY:
        properties["security-severity"] = _SECURITY[entry.code]
    return {
        "id": entry.code,
        "name": entry.name,
        "shortDescription": {"text": entry.summary},
        "fullDescription": {"text": entry.reason[:1024]},
        "help": {"text": entry.text, "markdown": entry.text},
        "defaultConfiguration": {"level": _LEVELS[entry.level]},
        "properties": properties,
    }


def _result(finding: Finding, index: Mapping[str, int], fingerprint: str, setting: Setting) -> Json:
    links = "".join(f" [{_escaped(related.message)}]({at})." for at, related in enumerate(finding.related, 1))
    result: Json = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.level],
        "message": {"text": f"{finding.message}.{links}" if links else finding.message},
        "locations": [{"physicalLocation": _place(finding.path, finding.start, finding.end)}],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
    }
    if finding.code in index:
        result["ruleIndex"] = index[finding.code]
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": at,
                "physicalLocation": _place(related.path, related.start, related.end),
                "message": {"text": related.message},
            }
            for at, related in enumerate(finding.related, 1)
        ]
    source = setting.source(finding.path) if finding.fix is not None else None
    if finding.fix is not None and source is not None:
        changes = [_replacement(edit, source) for edit in sorted(finding.fix.edits)]
        change = {"artifactLocation": _artifact(finding.path), "replacements": changes}
        result["fixes"] = [{"description": {"text": finding.fix.title}, "artifactChanges": [change]}]
        result["properties"] = {"fixApplicability": finding.fix.safety.value}
    return result


def _escaped(text: str) -> str:
    """Brackets inside of the text of a link."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _place(path: str, start: Location, end: Location) -> Json:
    return {"artifactLocation": _artifact(path), "region": _region(start, end)}


def _artifact(path: str) -> Json:
    return {"uri": quote(in_workspace(path).encode("utf-8", "surrogateescape"))}


def _region(start: Location, end: Location) -> Json:
    return {"startLine": start.row, "startColumn": start.column, "endLine": end.row, "endColumn": end.column}


def _replacement(edit: Edit, source: Source) -> Json:
    found: Json = {"deletedRegion": _region(source.location(edit.start), source.location(edit.end))}
    if edit.text:
        found["insertedContent"] = {"text": edit.text}
    return found


def _invocation(report: Report) -> Json:
    notifications = [_notification("error", problem) for problem in report.problems]
    notifications += [{"level": "note", "message": {"text": note}} for note in report.notes]
    found: Json = {"executionSuccessful": not report.problems}
    if notifications:
        found["toolExecutionNotifications"] = notifications
    return found


def _notification(level: str, problem: Problem) -> Json:
    found: Json = {"level": level, "message": {"text": problem.message}}
    if problem.path is not None:
        found["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(problem.path)}}]
    return found
