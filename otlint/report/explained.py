"""The answer of `otlint explain`, for people and as JSON."""

from __future__ import annotations

import dataclasses
import json as encoder
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from otlint.report import Setting
from otlint.report.frame import Paint, clean
from otlint.report.json import as_object
from otlint.report.text import block
from otlint.settings import selection

if TYPE_CHECKING:
    from otlint.explain import Answer, Explained, Spot, Told


def text(answer: Answer, stream: TextIO, *, color: bool) -> None:
    """The line, the findings in their frames, the silences and what is known, each with its place."""
    stream.write("\n".join(_lines(answer, Paint(color))) + "\n")


def _lines(answer: Answer, paint: Paint) -> Iterator[str]:
    row = answer.question.row
    yield paint(f"{clean(answer.path)}:{row}", None, bold=True)
    if answer.source is not None:
        yield f"{paint.gutter(f'{row} |')} {clean(answer.source.line(row))}".rstrip()
    yield from (f"{paint('note', 'cyan', bold=True)}: {clean(note)}" for note in answer.notes)
    if answer.why_not is not None:
        yield f"{paint('note', 'cyan', bold=True)}: {clean(answer.why_not)}"
    yield ""
    setting = Setting(lambda path: answer.source if path == answer.path else None, lambda: (), color=paint.on)
    if not answer.findings:
        yield "No finding here."
    for each in answer.findings:
        yield from _finding(each, setting, paint)
    if answer.why_not is None:
        yield from _section("Named by a finding elsewhere", map(_elsewhere, answer.mentioned), paint)
        yield from _section("Silent", (line for each in answer.silences for line in _silence(each, paint)), paint)
        yield from _section("Known", (line for each in answer.known for line in _told(each)), paint)


def _finding(each: Explained, setting: Setting, paint: Paint) -> Iterator[str]:
    yield from block(dataclasses.replace(each.finding, fix=None), setting, paint)
    note = paint("note", "cyan", bold=True)
    for spot in each.suppressed:
        yield f"{note}: not reported: suppressed by `{clean(spot.text)}` in line {spot.row}"
    if each.off is not None:
        yield f"{note}: not reported: {clean(each.off)}"


def _section(title: str, lines: Iterator[str], paint: Paint) -> Iterator[str]:
    written = list(lines)
    if written:
        yield ""
        yield paint(f"{title}:", None, bold=True)
        yield from (f"  {line}" for line in written)


def _elsewhere(each: Explained) -> str:
    finding = each.finding
    return f"{finding.code} {finding.name} in line {finding.start.row}: {clean(finding.message)}"


def _silence(each: Told, paint: Paint) -> Iterator[str]:
    names = selection.known()
    rules = ", ".join(f"{paint(code, None, bold=True)} {names.get(code, '')}".rstrip() for code in each.codes)
    yield f"{rules}: {clean(each.text)}"
    yield from _place(each.spot)


def _told(each: Told) -> Iterator[str]:
    yield clean(each.text)
    yield from _place(each.spot)


def _place(spot: Spot | None) -> Iterator[str]:
    if spot is not None:
        row = "" if spot.row is None else f":{spot.row}"
        words = f": {clean(spot.text)}" if spot.text else ""
        yield f"    {clean(spot.path)}{row}{words}"


def json(answer: Answer, stream: TextIO) -> None:
    """One object; findings as in `otlint check --output-format json`, with `suppressed_by` and `not_selected`."""
    names = selection.known()
    found = {
        "filename": answer.path,
        "row": answer.question.row,
        "column": answer.question.column,
        "rows": list(answer.rows) if answer.why_not is None else None,
        "judged": answer.why_not is None,
        "notes": [*answer.notes, *([answer.why_not] if answer.why_not is not None else [])],
        "findings": [_object(each, answer) for each in answer.findings],
        "mentioned_by": [_object(each, answer) for each in answer.mentioned],
        "silent": [
            {"rules": [{"code": code, "name": names.get(code)} for code in each.codes], **_sentence(each)}
            for each in answer.silences
        ],
        "known": [_sentence(each) for each in answer.known],
    }
    encoder.dump(found, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _object(each: Explained, answer: Answer) -> dict[str, object]:
    return {
        **as_object(each.finding, lambda path: answer.source if path == answer.path else None),
        "suppressed_by": [_spot(spot) for spot in each.suppressed],
        "not_selected": each.off,
    }


def _sentence(each: Told) -> dict[str, object]:
    return {"message": each.text, "place": _spot(each.spot)}


def _spot(spot: Spot | None) -> dict[str, object] | None:
    return None if spot is None else {"filename": spot.path, "row": spot.row, "text": spot.text}
