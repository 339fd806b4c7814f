"""The formats for people: `full`, with the source around each finding, and `concise`, one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from otlint.report.frame import Mark, Paint, clean, diff, frame
from otlint.settings import selection
from otlint.settings.level import Level, Safety

if TYPE_CHECKING:
    from otlint.engine import Report
    from otlint.finding import Finding
    from otlint.report import Setting

_COLORS = {Level.ERROR: "red", Level.WARNING: "magenta", Level.INFO: "cyan"}
_NOTES = {
    Safety.SAFE: None,
    Safety.UNSAFE: "this fix is unsafe: more than the defect may change; apply it with `--unsafe-fixes`",
    Safety.DISPLAY: "this is a suggestion, to be written by hand",
}


def concise(report: Report, stream: TextIO, setting: Setting) -> None:
    """`path:row:column: CODE [*] message`, `[*]` where `--fix` repairs the finding."""
    paint = Paint(setting.color)
    for finding in report.findings:
        place = f"{paint(clean(finding.path), None, bold=True)}:{finding.start.row}:{finding.start.column}:"
        stream.write(f"{place} {_title(finding, setting, paint)}\n")
    _footer(report, stream, setting)


def full(report: Report, stream: TextIO, setting: Setting) -> None:
    """Each finding with its source, its related places and the diff of its fix."""
    paint = Paint(setting.color)
    for finding in report.findings:
        stream.write("\n".join(block(finding, setting, paint)) + "\n\n")
    _footer(report, stream, setting)


def block(finding: Finding, setting: Setting, paint: Paint) -> Iterator[str]:
    """The lines that show one finding."""
    color = _COLORS[finding.level]
    yield f"{paint(finding.level.value, color, bold=True)}: {_title(finding, setting, paint)}"
    place = f"{clean(finding.path)}:{finding.start.row}:{finding.start.column}"
    source = setting.source(finding.path)
    here = [related for related in finding.related if related.path == finding.path]
    if source is None:
        yield f"{paint.gutter(' -->')} {place}"
    else:
        marks = [Mark(finding.start, finding.end, main=True)]
        marks += [Mark(related.start, related.end, related.message) for related in here]
        yield from frame(place, source, marks, color, paint)
    for related in finding.related:
        if source is None or related.path != finding.path:
            there = f"{clean(related.path)}:{related.start.row}:{related.start.column}"
            yield f"{paint.gutter(' :::')} {there}: {clean(related.message)}"
    if finding.fix is not None:
        yield f"{paint('help', 'cyan', bold=True)}: {clean(finding.fix.title)}"
        if source is not None:
            yield from diff(source, finding.fix, paint)
        note = _NOTES[finding.fix.safety]
        if note is not None:
            yield f"{paint('note', 'cyan', bold=True)}: {note}"


def _title(finding: Finding, setting: Setting, paint: Paint) -> str:
    star = f" [{paint('*', 'cyan', bold=True)}]" if setting.applicable(finding) else ""
    return f"{paint(finding.code, _COLORS[finding.level], bold=True)}{star} {clean(finding.message)}"


def _footer(report: Report, stream: TextIO, setting: Setting) -> None:
    if setting.summary:
        stream.write(summary(report, setting) + "\n")


def summary(report: Report, setting: Setting) -> str:
    """The last line: what was found, fixed and can be fixed."""
    suppressed = f" ({report.suppressed} suppressed)" if report.suppressed else ""
    parts = [fixed(report)] if report.changes else []
    if report.findings:
        parts.append(f"Found {_levels(report.findings)}{suppressed}.")
    elif report.problems:
        parts.append(f"Found nothing in what could be checked{suppressed}.")
    elif report.changes:
        parts.append(f"Nothing is left{suppressed}.")
    else:
        parts.append(f"All checks passed!{suppressed}")
    now = sum(setting.applicable(finding) for finding in report.findings)
    later = sum(finding.fix is not None and finding.fix.safety is Safety.UNSAFE for finding in report.findings)
    if now:
        more = f" ({later} more with --unsafe-fixes)" if later and not setting.unsafe else ""
        parts.append(f"[*] {now} fixable with --fix{more}.")
    elif later:
        parts.append(f"{later} fixable with --fix --unsafe-fixes.")
    return " ".join(parts)


def fixed(report: Report) -> str:
    """How many findings were repaired."""
    return f"Fixed {_count(sum(sum(change.fixed.values()) for change in report.changes), 'finding')}."


def statistics(report: Report, stream: TextIO, setting: Setting) -> None:
    """How many findings each rule has, the most frequent first; `[*]` where `--fix` repairs all, `[-]` some of them."""
    rows = setting.counts(report.findings)
    width = max((len(str(count)) for _, _, count, _ in rows), default=0)
    for code, name, count, fixable in rows:
        star = "[*]" if fixable == count else "[-]" if fixable else "[ ]"
        stream.write(f"{count:>{width}}  {code}  {star}  {name}\n")
    _footer(report, stream, setting)


def fixes(report: Report, stream: TextIO) -> None:
    """What was repaired, by file and rule."""
    names = selection.known()
    stream.write(f"{fixed(report)[:-1]}:\n")
    for change in report.changes:
        stream.write(f"- {clean(change.shown)}:\n")
        for code, count in sorted(change.fixed.items(), key=lambda pair: (-pair[1], pair[0])):
            stream.write(f"    {count} x {code} ({names.get(code, code)})\n")
    stream.write("\n")


def _levels(findings: list[Finding]) -> str:
    """`2 errors, 1 warning`."""
    by_level = Counter(finding.level for finding in findings)
    words = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "hint"}
    return ", ".join(_count(by_level[level], word) for level, word in words.items() if by_level[level])


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
