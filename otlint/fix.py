"""Repairs as text edits: what they are, how safe they are, and how they are applied, written and shown."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from otlint.settings.level import Safety

if TYPE_CHECKING:
    from otlint.source import Source

__all__ = [
    "Edit",
    "Fix",
    "Leftover",
    "Safety",
    "apply",
    "diff",
    "downgrade",
    "ordered",
    "replaces_hash",
    "touches_comment",
    "write",
]

_IMPORT_LINE = re.compile(r"(?P<head>[ \t]*from \S+ import )(?P<names>\w[\w., ]*\w)(?P<tail>[ \t]*(?:#.*)?)")
_WIDTHS = 88, 120  # of lines, where a file has none that are longer, and where it has
_NEW_IMPORT = re.compile(r"(?P<head>\s*from \S+ import )(?P<names>[\w., ]+)(?P<tail>\s*)")


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replaces `text[start:end]`, offsets 0-based in code points of `Source.text`; made by `otlint.edits` only.

    `shared` edits make an import: several fixes may hold the same one, and different ones may stand at one place.
    """

    start: int
    end: int
    text: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Leftover:
    """What nothing needs any more once there are edits at all these places: those of several fixes, together."""

    edits: tuple[Edit, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair: all of its edits are applied, or none. `title` completes "Fix: …".

    The edits are kept in order of place and must not overlap (ValueError). A leftover goes with the last of them.
    """

    title: str
    safety: Safety
    edits: tuple[Edit, ...]
    leftovers: tuple[Leftover, ...] = ()

    def __post_init__(self) -> None:
        edits = ordered(self.edits)
        for edit, following in itertools.pairwise(edits):
            if following.start < edit.end:
                raise ValueError(f"edits of the fix “{self.title}” overlap: {edit} and {following}")
        object.__setattr__(self, "edits", edits)

    @property
    def own(self) -> tuple[Edit, ...]:
        """The edits that are not imports."""
        return tuple(edit for edit in self.edits if not edit.shared)

    @property
    def range(self) -> tuple[int, int]:
        """From the first to the last own edit: while the fix is applied, all of this text is the fix's."""
        edits = self.own or self.edits
        return (edits[0].start, max(edit.end for edit in edits)) if edits else (0, 0)


def ordered(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Edits of one fix by place, each import once; own insertions at one offset become one, as they were given."""
    found: list[Edit] = []
    for edit in sorted(edits, key=_place):
        last = found[-1] if found else None
        if last and last.start == last.end == edit.start == edit.end and not (last.shared or edit.shared):
            found[-1] = Edit(edit.start, edit.end, last.text + edit.text)
        elif edit != last:
            found.append(edit)
    return tuple(found)


def apply(text: str, fixes: Iterable[Fix], *, parses: Callable[[str], bool] | None = None) -> tuple[str, list[Fix]]:
    """The text after as many fixes as go together, and which ones; those left out may fit in another round.

    Fixes are taken by the place of their first own edit. If the result of all does not satisfy `parses`
    (two fixes may each leave a block with one statement), they are added one by one as long as it does.
    """
    taken = _Taken()
    for fix in sorted(fixes, key=lambda fix: (fix.range, fix.title, fix.edits)):
        if fix.edits and fix.safety is not Safety.DISPLAY and taken.fits(fix):
            taken.add(fix)
    after = _rendered(text, taken.fixes)
    if parses is None or not taken.fixes or parses(after):
        return after, taken.fixes
    after = text
    chosen: list[Fix] = []
    for fix in taken.fixes:
        tried = _rendered(text, [*chosen, fix])
        if parses(tried):
            after = tried
            chosen.append(fix)
    return after, chosen


@dataclass(slots=True)
class _Taken:
    """The fixes taken so far, in order of place, and the text that is theirs."""

    fixes: list[Fix] = field(default_factory=list)
    last: tuple[int, int] = (0, 0)
    replaced: list[Edit] = field(default_factory=list)
    inserted: set[int] = field(default_factory=set)
    imports: set[int] = field(default_factory=set)
    known: set[tuple[Edit, ...]] = field(default_factory=set)

    def fits(self, fix: Fix) -> bool:
        if fix.edits in self.known:
            return True
        own, (start, end) = fix.own, fix.range
        if own and start < self.last[1] and self.last[0] < end:
            return False
        if any(edit.start == edit.end and edit.start in self.inserted for edit in own):
            return False
        imports = {edit.start for edit in fix.edits if edit.shared}
        return not _splits(imports, self.replaced) and not _splits(self.imports, own)

    def add(self, fix: Fix) -> None:
        self.fixes.append(fix)
        self.known.add(fix.edits)
        if fix.own and fix.range[1] >= self.last[1]:
            self.last = fix.range
        self.replaced += [edit for edit in fix.own if edit.start < edit.end]
        self.inserted |= {edit.start for edit in fix.own if edit.start == edit.end}
        self.imports |= {edit.start for edit in fix.edits if edit.shared}


def _splits(imports: Iterable[int], replaced: Sequence[Edit]) -> bool:
    """Whether an import goes into text that another fix replaces."""
    return any(edit.start < at < edit.end for at in imports for edit in replaced)


def _place(edit: Edit) -> tuple[int, int, bool, bool, str]:
    """Imports come first at their offset: more names for a line, then more lines."""
    text = edit.text if edit.shared else ""
    return (edit.start, edit.end, not edit.shared, text.startswith(("\r", "\n")), text)


def _rendered(text: str, fixes: Sequence[Fix]) -> str:
    edits = {edit: None for fix in fixes for edit in fix.edits}
    edits |= dict.fromkeys(_left_over(fixes, list(edits)))
    parts: list[str] = []
    at = length = 0
    added: list[int] = []  # where names were added to imports, in the new text
    for edit in _joined(sorted(edits, key=_place)):
        parts += [text[at : edit.start], edit.text]
        length += edit.start - at + len(edit.text)
        at = edit.end
        if edit.shared and edit.text.strip():
            added.append(length - len(edit.text) + len(edit.text.rstrip()) - 1)
    return _wrapped("".join([*parts, text[at:]]), added, _width(text))


def _left_over(fixes: Sequence[Fix], edits: Sequence[Edit]) -> Iterator[Edit]:
    """The edits that take away what nothing needs any more, where no other edit is in their way."""
    places = {edit.start for edit in edits}
    for leftover in dict.fromkeys(each for fix in fixes for each in fix.leftovers):
        free = not any(edit.start < each.end and each.start < edit.end for edit in leftover.edits for each in edits)
        if free and places.issuperset(leftover.places):
            yield from leftover.edits


def _width(text: str) -> int:
    """How long the lines of a file may be, by how long they are."""
    usual, most = _WIDTHS
    return max(usual, min(most, max(map(len, text.splitlines()), default=0)))


def _wrapped(text: str, added: Sequence[int], width: int) -> str:
    """The text with the imports that have become too long, one name a line in parentheses."""
    for place in reversed(added):
        start = text.rfind("\n", 0, place) + 1
        end = text.find("\n", place)
        line = text[start : end if end >= 0 else len(text)].rstrip("\r")
        found = _IMPORT_LINE.fullmatch(line) if len(line) > width else None
        if found is not None:
            newline = "\r\n" if text.startswith("\r", start + len(line)) else "\n"
            indent = line[: len(line) - len(line.lstrip())]
            names = "".join(f"{indent}    {name.strip()},{newline}" for name in found["names"].split(","))
            head = f"{found['head']}({found['tail']}".rstrip()
            text = f"{text[:start]}{head}{newline}{names}{indent}){text[start + len(line) :]}"
    return text


def _joined(edits: Iterable[Edit]) -> Iterator[Edit]:
    """New imports from one module at one place become one line."""
    pending: Edit | None = None
    for edit in edits:
        joined = _join(pending, edit) if pending else None
        if pending and joined is None:
            yield pending
        pending = joined or edit
    if pending:
        yield pending


def _join(edit: Edit, following: Edit) -> Edit | None:
    if not (edit.shared and following.shared and edit.start == following.start):
        return None
    first, second = _NEW_IMPORT.fullmatch(edit.text), _NEW_IMPORT.fullmatch(following.text)
    if first is None or second is None or first["head"] != second["head"]:
        return None
    return replace(edit, text=f"{first['head']}{first['names']}, {second['names']}{first['tail']}")


def touches_comment(edit: Edit, text: str, comments: Sequence[tuple[int, int]]) -> bool:
    """Whether a comment in the replaced text is missing from the replacement."""
    return any(edit.start < end and start < edit.end and text[start:end] not in edit.text for start, end in comments)


def replaces_hash(fix: Fix, text: str) -> bool:
    """Whether an edit changes a line up to or after a `#`: no other edit can touch a comment."""
    return any("#" in text[text.rfind("\n", 0, edit.start) + 1 : edit.end] for edit in fix.edits)


def downgrade(fix: Fix, text: str, comments: Sequence[tuple[int, int]]) -> Fix:
    """The same fix, unsafe if it would lose a comment. `comments` are ranges in the text."""
    if fix.safety is Safety.SAFE and any(touches_comment(edit, text, comments) for edit in fix.edits):
        return replace(fix, safety=Safety.UNSAFE)
    return fix


def write(path: Path, data: bytes) -> bool:
    """Replace a file's content in one step and keep its mode; False if it already is that. Raises OSError.

    The target of a symbolic link is replaced, not the link. Nothing is left behind on failure.
    """
    import tempfile

    target = path.resolve(strict=True)
    if target.read_bytes() == data:
        return False
    if not os.access(target, os.W_OK):
        raise PermissionError(f"{path} is read-only")
    before = target.stat()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".otlint-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(stat.S_IMODE(before.st_mode))
        with contextlib.suppress(OSError, AttributeError):  # no such call on Windows, no right to it elsewhere
            os.chown(name, before.st_uid, before.st_gid)
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    return True


def diff(before: Source, after: str, shown: str) -> str:
    """A unified diff that `patch -p1` and `git apply` take, when it is written in the file's encoding."""
    import difflib

    mark = "\ufeff" if before.bom else ""
    old, new = ((mark + text).split("\n") for text in (before.text, after))
    name = shown.lstrip("/")
    names = _name(f"a/{name}", before.encoding), _name(f"b/{name}", before.encoding)
    lines = difflib.unified_diff(_ended(old), _ended(new), *names)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def _ended(lines: Sequence[str]) -> list[str]:
    ended = [line + "\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def _name(path: str, encoding: str) -> str:
    """A path as git writes it in a diff: quoted if need be, a tab behind one with blanks."""
    odd = r'[\x00-\x1f"\\\x7f]' if encoding == "utf-8" else r'[\x00-\x1f"\\\x7f-\U0010ffff]'
    if re.search(odd, path) is None:
        return path + "\t" if " " in path else path
    return '"' + re.sub(odd, _escaped, path) + '"'


def _escaped(character: re.Match[str]) -> str:
    found = character.group()
    return "\\" + found if found in '"\\' else "".join(f"\\{byte:03o}" for byte in found.encode())
