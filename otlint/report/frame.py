"""Source frames and diffs for people: lines with their numbers, marks below them, colours if asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from otlint.finding import Location
    from otlint.fix import Fix
    from otlint.source import Source

_LINE_END = re.compile(r"\r\n|\n|\r")
_CONTEXT = 2
_WIDTH = 140
# Shown as they are, these would move the terminal's cursor or turn the text around.
_CONTROL = {code: chr(0x2400 + code) for code in range(32)} | {0x7F: "␡"}
_CONTROL |= dict.fromkeys([*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "�")


class Mark(NamedTuple):
    """A place to underline, `^` for the finding itself, `-` with words for a related place."""

    start: Location
    end: Location
    words: str = ""
    main: bool = False

    @property
    def last(self) -> int:
        """The last row that the place touches."""
        return self.end.row - (self.end.column == 1 and self.end.row > self.start.row)


class Paint(NamedTuple):
    """Colours that can be told apart on dark and on light terminals; none of them is needed to read the text."""

    on: bool

    def __call__(self, text: str, color: str | None, *, bold: bool = False) -> str:
        """The text in a colour of `click.style`."""
        if not self.on:
            return text
        import click

        return click.style(text, fg=color, bold=bold or None)

    def gutter(self, text: str) -> str:
        return self(text, "bright_blue", bold=True)


def clean(text: str) -> str:
    """The text with control characters made visible."""
    return text.translate(_CONTROL)


def frame(place: str, source: Source, marks: Sequence[Mark], color: str, paint: Paint) -> Iterator[str]:
    """The place and its lines, two more around the finding; `...` stands for lines between those of several marks."""
    rows = _rows(source, marks)
    width = len(str(rows[-1]))
    bar = paint.gutter(" " * width + " |")
    yield f"{paint.gutter(' ' * width + '-->')} {place}"
    yield bar
    before = rows[0]
    for row in rows:
        if row > before + 1:
            yield paint.gutter("...")
        before = row
        line = _Line.of(
            source.line(row), min((mark.start.column for mark in marks if mark.start.row == row), default=1)
        )
        yield f"{paint.gutter(f'{row:>{width}} |')} {line.text}".rstrip()
        for mark in sorted(marks, key=lambda mark: (not mark.main, mark.start)):
            if (under := _under(mark, row, source.line(row), line)) is not None:
                yield f"{bar} {paint(under, color if mark.main else 'bright_blue', bold=True)}"
    yield bar


def _rows(source: Source, marks: Sequence[Mark]) -> list[int]:
    """The rows to show: a long finding is cut in the middle, a single row between two others is shown."""
    rows: set[int] = set()
    for mark in marks:
        around = _CONTEXT if mark.main else 0
        first, last = mark.start.row, max(mark.last, mark.start.row)
        rows |= {row for row in range(first - around, first + _CONTEXT + 1) if row <= last + around}
        rows |= {row for row in range(last - _CONTEXT, last + around + 1) if row >= first}
    rows |= {row for row in range(min(rows), max(rows)) if row - 1 in rows and row + 1 in rows}
    end = source.rows if source.line(source.rows) else max(source.rows - 1, 1)
    within = sorted(row for row in rows if 1 <= row <= end) or [1]
    main = {row for mark in marks for row in range(mark.start.row, mark.last + 1)}
    while len(within) > 1 and within[0] not in main and not source.line(within[0]).strip():
        within.pop(0)
    while len(within) > 1 and within[-1] not in main and not source.line(within[-1]).strip():
        within.pop()
    return within


def _under(mark: Mark, row: int, written: str, line: _Line) -> str | None:
    """The underline of a mark on a row: all of it on one row, else its first and its last row."""
    if row not in (mark.start.row, mark.last):
        return None
    indent = len(written) - len(written.lstrip())
    start = mark.start.column - 1 if row == mark.start.row else indent
    end = mark.end.column - 1 if row == mark.end.row else len(written.rstrip())
    left, right = line.column(start), line.column(max(end, start + 1))
    words = f" {clean(mark.words)}" if mark.words and row == mark.last else ""
    return " " * left + ("^" if mark.main else "-") * max(right - left, 1) + words


class _Line(NamedTuple):
    """A line as shown: tabs are four blanks, a long line is cut around its mark. `columns` maps offsets to columns."""

    text: str
    columns: tuple[int, ...]

    @staticmethod
    def of(written: str, marked: int) -> _Line:
        cut = max(marked - _WIDTH // 2, 0) if len(written) > _WIDTH else 0
        parts, columns, column = ["…"] if cut else [], [0] * cut, 1 if cut else 0
        for character in written[cut : cut + _WIDTH]:
            columns.append(column)
            part = "    " if character == "\t" else clean(character)
            parts.append(part)
            column += 4 if character == "\t" else _columns(part)
        if cut + _WIDTH < len(written):
            parts.append("…")
        columns.append(column)
        return _Line("".join(parts), tuple(columns))

    def column(self, offset: int) -> int:
        """The column on the terminal, 0-based, of an offset in the line."""
        return self.columns[min(offset, len(self.columns) - 1)]


def _columns(character: str) -> int:
    import unicodedata

    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def diff(source: Source, fix: Fix, paint: Paint) -> Iterator[str]:
    """What the fix changes, one line around it; numbers are those after the fix."""
    before, after = _lines(source.text), _lines(applied(source.text, fix))
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    head, tail = max(head - 1, 0), max(tail - 1, 0)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    width = len(str(head + max(len(new), 1)))
    bar = paint.gutter(" " * width + " |")
    import difflib  # most runs show no change

    groups = difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(1)
    yield bar
    for at, group in enumerate(groups):
        if at:
            yield paint.gutter("...")
        for kind, i, j, k, m in group:
            if kind == "equal":
                for row in range(k, m):
                    yield f"{paint.gutter(f'{head + row + 1:>{width}} |')} {_shown(new[row])}".rstrip()
                continue
            for row in range(i, j):
                yield f"{' ' * width} {paint(f'- {_shown(old[row])}'.rstrip(), 'red')}"
            for row in range(k, m):
                number = paint.gutter(f"{head + row + 1:>{width}}")
                yield f"{number} {paint(f'+ {_shown(new[row])}'.rstrip(), 'green')}"
    yield bar


def applied(text: str, fix: Fix) -> str:
    """The text after the edits of one fix."""
    parts, at = [], 0
    for edit in sorted(fix.edits):
        parts += [text[at : edit.start], edit.text]
        at = max(at, edit.end)
    return "".join([*parts, text[at:]])


def _lines(text: str) -> list[str]:
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def _shown(line: str) -> str:
    return clean(line.replace("\t", "    "))[: _WIDTH * 2]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines the two have in common at the start."""
    for at, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return at
    return min(len(one), len(other))
