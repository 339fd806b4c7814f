"""Comments that suppress findings, and what otlint has to say about the comments themselves."""

from __future__ import annotations

import bisect
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otlint import own, rule
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.settings import selection
from otlint.settings.selection import Selector, Subject

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.settings.config import Config
    from otlint.source import Source

_MENTION = re.compile(r"#\s*otlint:|#\s*noqa(?!\s*:)|#\s*noqa\s*:[^\r\n]*OTL", re.IGNORECASE)
_NAMED = re.compile(r"#\s*otlint:|#\s*noqa\s*:[^\r\n]*OTL", re.IGNORECASE)
_PIECE = re.compile(r"(?:\A|(?<=\s))#(?=\s*[A-Za-z])")
_OURS = re.compile(r"#\s*otlint:")
_DIRECTIVE = re.compile(r"#\s*otlint:\s*(?P<kind>ignore|file-ignore)\[(?P<rules>[^\]]*)\](?P<reason>.*)", re.DOTALL)
_KIND = re.compile(r"#\s*otlint:\s*(?P<kind>[\w-]*)(?P<bracket>\[)?")
_NOQA = re.compile(
    r"#\s*noqa\b(?::\s*(?P<rules>[A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+)*)(?P<reason>.*)|(?!\s*:))", re.I | re.DOTALL
)
_WORD = re.compile(r"[^\s,]+")

Rows = tuple[int, int]


@dataclass(slots=True)
class _Item:
    """One word of a suppression; `selector` is None when it names no rule, `ours` False for other tools' codes."""

    word: str
    start: int
    selector: Selector | None
    ours: bool = True
    used: bool = False


@dataclass(slots=True)
class _Directive:
    """One suppression. `rows` None is the whole file; no items is a bare `noqa`, which covers everything."""

    start: int
    end: int
    rows: Rows | None
    items: list[_Item]
    brackets: tuple[int, int] = (0, 0)
    reason: str = ""
    noqa: bool = False

    def reaches(self, finding: Finding) -> bool:
        """Whether the finding lies where the directive holds."""
        if self.rows is None:
            return True
        first, last = self.rows
        end = finding.end.row - (finding.end.column == 1 and finding.end.row > finding.start.row)
        return (finding.start.row <= last and end >= first) or first <= finding.noqa_row <= last


@dataclass(slots=True)
class _Malformed:
    start: int
    end: int
    message: str


class Suppressions:
    """The suppressions of one file, and which of them were of use."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._source = module.source
        self._malformed: list[_Malformed] = []

    @staticmethod
    def of(module: Module) -> Suppressions:
        """The suppressions in the comments of a parsed file. The comments are looked up when they matter."""
        return Suppressions(module)

    @functools.cached_property
    def _directives(self) -> list[_Directive]:
        if not _MENTION.search(self._source.text):
            return []
        reader = _Reader(self._module)
        self._malformed = reader.malformed
        return reader.directives

    def covers(self, finding: Finding) -> bool:
        """Whether a comment suppresses the finding; the comments that do are remembered as used."""
        return bool(self.covering(finding))

    def covering(self, finding: Finding) -> list[tuple[int, int]]:
        """The comments that suppress the finding, as offsets; they are remembered as used."""
        subject = Subject(finding.code, finding.name, finding.level)
        found = []
        for directive in self._directives:
            if finding.code == "OTL000" or not directive.reaches(finding):
                continue
            meant = [one for one in directive.items if one.selector is not None and one.selector.matches(subject)]
            for item in meant:
                item.used = True
            if meant or not directive.items:
                found.append((directive.start, directive.end))
        return found

    def own_findings(self, config: Config) -> list[Finding]:
        """What is wrong with the comments; to be asked after all findings were offered to `covers`."""
        if not _NAMED.search(self._source.text):
            return []
        directives = self._directives
        judge = _Judge(self._source, config)
        about = [finding for bad in self._malformed for finding in judge.malformed(bad)]
        mine = [one for one in directives if any(_names_own(item) for item in one.items)]
        for directive in directives:
            about.extend(judge.unknown(directive))
            about.extend(judge.without_reason(directive))
            about.extend(judge.unused(directive) if directive not in mine else ())
        about = [finding for finding in about if not self._covers_own(finding)]
        about.extend(finding for directive in mine for finding in judge.unused(directive))
        return sorted(about, key=lambda finding: finding.sort_key)

    def _covers_own(self, finding: Finding) -> bool:
        """The same for otlint's own rules: `ALL` does not mean them, it would hide its own uselessness."""
        subject = Subject(finding.code, finding.name, finding.level)
        reaching = [directive for directive in self._directives if directive.reaches(finding)]
        hiding = [item for directive in reaching for item in directive.items if _names_own(item, subject)]
        for item in hiding:
            item.used = True
        return bool(hiding)


def _names_own(item: _Item, subject: Subject | None = None) -> bool:
    """Whether the word means rules about comments, or the given one of them."""
    if item.selector is None or not item.selector.prefix.startswith("OTL0"):
        return False
    return subject is None or item.selector.matches(subject)


class _Reader:
    """Finds the directives in a file's comments and the rows that each one covers."""

    def __init__(self, module: Module) -> None:
        from otlint.model.code.positions import comments

        self.module = module
        self.source = module.source
        self.directives: list[_Directive] = []
        self.malformed: list[_Malformed] = []
        self.ranges = module.ranges
        for start, end in comments(self.ranges):
            text = self.source.text[start:end]
            marks = [match.start() for match in _PIECE.finditer(text)] if _MENTION.search(text) else []
            for mark, stop in zip(marks, [*marks[1:], len(text)], strict=False):
                self._piece(start, start + mark, text[mark:stop].rstrip())

    def _piece(self, comment: int, start: int, text: str) -> None:
        if _OURS.match(text):
            self._otlint(comment, start, text)
        elif match := _NOQA.match(text):
            brackets = (start + match.start("rules"), start + match.end("rules")) if match["rules"] else (0, 0)
            items = _items(self.source.text, *brackets, noqa=True)
            row = self.source.location(start).row
            if any(item.ours for item in items) or not items:
                reason = (match["reason"] or "").strip()
                self.directives.append(
                    _Directive(start, start + len(text), (row, row), items, brackets, reason, noqa=True)
                )

    def _otlint(self, comment: int, start: int, text: str) -> None:
        match = _DIRECTIVE.match(text)
        brackets = (start + match.start("rules"), start + match.end("rules")) if match else (0, 0)
        items = _items(self.source.text, *brackets, noqa=False)
        if match is None or not items:
            self._bad(start, text, _why_malformed(text))
        elif match["kind"] == "file-ignore" and (self._before(comment).strip("\f") or self._within(comment)):
            self._bad(start, text, "`file-ignore` covers nothing here; put it on a line of its own outside of blocks")
        else:
            rows = None if match["kind"] == "file-ignore" else self._rows(comment)
            self.directives.append(_Directive(start, start + len(text), rows, items, brackets, match["reason"].strip()))

    def _bad(self, start: int, text: str, message: str) -> None:
        self.malformed.append(_Malformed(start, start + len(text), message))

    def _before(self, offset: int) -> str:
        """What stands before the comment on its line."""
        column = self.source.location(offset).column
        return self.source.text[offset - column + 1 : offset]

    def _rows(self, comment: int) -> Rows:
        """The rows that a comment covers: its own, or those of the next statement if it has a line for itself."""
        row = self.source.location(comment).row
        if self._before(comment).strip():
            return row, row
        following = bisect.bisect_left(self.statements, (comment,))
        if self._within(comment) or following == len(self.statements):
            return self._next_row(row)
        start, _, end = self.statements[following]
        return self.source.location(start).row, self.source.location(end).row

    def _next_row(self, row: int) -> Rows:
        """Inside brackets the next row that is no comment: `f(` / `# otlint: ignore[…]` / `argument)`."""
        following = row + 1
        while following < self.source.rows and self.source.line(following).lstrip().startswith("#"):
            following += 1
        return following, following

    def _within(self, comment: int) -> bool:
        """Whether a comment stands in the middle of a statement or header."""
        before = bisect.bisect_left(self.statements, (comment,)) - 1
        return before >= 0 and self.statements[before][1] > comment

    @functools.cached_property
    def statements(self) -> list[tuple[int, int, int]]:
        """Start and end of each simple statement and block header, and the end of what a comment above it covers."""
        from otlint.model.code.extents import extents

        return [(each.start, each.end, each.whole) for each in extents(self.module.walk, self.ranges)]


def _items(text: str, start: int, end: int, *, noqa: bool) -> list[_Item]:
    """The words between two offsets. In a noqa, codes have any case, and other tools' are none of our business."""
    items = []
    for match in _WORD.finditer(text, start, end):
        word = match[0].upper() if noqa else match[0]
        ours = not noqa or word.startswith("OTL")
        items.append(_Item(match[0], match.start(), _selector(word) if ours else None, ours))
    return items


def _selector(word: str) -> Selector | None:
    if word == "hints":
        return None
    try:
        return selection.selector(word)
    except selection.UnknownRuleError:
        return None


def _why_malformed(text: str) -> str:
    match = _KIND.match(text)
    assert match is not None
    kind = match["kind"]
    if kind in ("ignore", "file-ignore"):
        if match["bracket"] and "]" in text:
            return f"`otlint: {kind}[]` names no rule; write `# otlint: {kind}[OTL101] reason`"
        return f"`otlint: {kind}` lacks its brackets; write `# otlint: {kind}[OTL101] reason`"
    near = selection.did_you_mean(kind, ("ignore", "file-ignore"))
    return f"`otlint: {kind}` is no suppression{near or '; write `# otlint: ignore[OTL101] reason`'}"


class _Judge:
    """Makes the findings about comments, for the rules that are on."""

    def __init__(self, source: Source, config: Config) -> None:
        self.source = source
        self.config = config

    def malformed(self, bad: _Malformed) -> Iterator[Finding]:
        yield from self._finding("OTL003", bad.start, bad.end, bad.message)

    def without_reason(self, directive: _Directive) -> Iterator[Finding]:
        if not directive.reason and not directive.noqa:
            message = "this suppression gives no reason; write a few words after the bracket"
            yield from self._finding("OTL004", directive.start, directive.end, message)

    def unknown(self, directive: _Directive) -> Iterator[Finding]:
        for item in directive.items:
            if item.ours and item.selector is None:
                near = selection.nearest(item.word, [*selection.known(), *selection.known().values()])
                hint = f"; did you mean `{near[0]}`?" if near else ""
                message = f"`{item.word}` is no rule, so nothing is suppressed{hint}"
                fix = self._correction(directive, item, near)
                yield from self._finding("OTL002", item.start, item.start + len(item.word), message, fix)

    def unused(self, directive: _Directive) -> Iterator[Finding]:
        unused = [item for item in directive.items if item.ours and not item.used and self._is_on(item)]
        if not unused:
            return
        words = ", ".join(f"`{item.word}`" for item in unused)
        message = f"{words} has no finding to suppress here; remove the comment"
        if len(unused) < len(directive.items):
            message = f"{words} has no finding to suppress here; remove it from the comment"
        fix = self._removal(directive, unused)
        yield from self._finding("OTL001", directive.start, directive.end, message, fix)

    def _is_on(self, item: _Item) -> bool:
        """Whether all rules that the word means are on, hints apart: silence of others says nothing."""
        if item.selector is None:
            return False
        meant = [subject for subject in _subjects() if item.selector.matches(subject)]
        if len(meant) > 1:
            meant = [subject for subject in meant if subject.level is not Level.INFO]
        return bool(meant) and all(self.config.selects(*subject, self.source.path) for subject in meant)

    def _correction(self, directive: _Directive, item: _Item, near: list[str]) -> Fix:
        """A misspelt name is corrected; a code that does not exist could mean any rule, so it goes."""
        if near and not near[0].startswith("OTL"):
            edit = Edit(item.start, item.start + len(item.word), near[0])
            return Fix(f"write `{near[0]}`", Safety.UNSAFE, (edit,))
        return self._removal(directive, [item])

    def _removal(self, directive: _Directive, gone: Sequence[_Item]) -> Fix:
        words = ", ".join(f"`{item.word}`" for item in gone)
        kept = [item.word for item in directive.items if not any(item is one for one in gone)]
        if kept:
            return Fix(f"remove {words}", Safety.SAFE, (Edit(*directive.brackets, ", ".join(kept)),))
        safety = Safety.UNSAFE if directive.reason else Safety.SAFE
        return Fix("remove the comment", safety, (Edit(*self._extent(directive), ""),))

    def _extent(self, directive: _Directive) -> tuple[int, int]:
        """What goes with a directive: the blanks before it, its line if it has one for itself."""
        text, start, end = self.source.text, directive.start, directive.end
        row = self.source.location(start).row
        line = self.source.line(row)
        line_start = start - self.source.location(start).column + 1
        before, after = line[: start - line_start], line[end - line_start :]
        if after.strip():
            return start, end + len(after) - len(after.lstrip())
        if before.strip():
            return start - (len(before) - len(before.rstrip())), line_start + len(line)
        line_end = line_start + len(line)
        newline = re.compile(r"\r\n|\n|\r|\Z").match(text, line_end)
        assert newline is not None
        return line_start, newline.end()

    def _finding(self, code: str, start: int, end: int, message: str, fix: Fix | None = None) -> Iterator[Finding]:
        mine, path = own.RULES[code], self.source.path
        if not self.config.selects(code, mine.name, mine.level, path):
            return
        if fix is not None:
            fix = Fix(fix.title, self.config.safety(code, mine.name, fix.safety), fix.edits)
        words = "".join(self.source.text[start:end].split())
        first, last = self.source.location(start), self.source.location(end)
        digest = hashlib.sha256(f"{code}\0{words}".encode()).hexdigest()[:16]
        level = self.config.level(code, mine.name, mine.level)
        yield Finding(path, first, last, message, fix=fix, noqa_row=first.row, fingerprint=digest,
                      code=code, name=mine.name, level=level)  # fmt: skip


def _subjects() -> Iterable[Subject]:
    """Every rule with its level."""
    yield from (Subject(one.code, one.name, one.level) for one in own.RULES.values())
    yield from (Subject(one.code, one.name, one.level) for one in rule.catalogue())
