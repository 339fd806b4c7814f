"""Text of a file and places in it: the one module that knows encodings, byte order marks and line ends."""

from __future__ import annotations

import bisect
import codecs
import re
from dataclasses import dataclass
from functools import cached_property

from otlint.finding import Location

_LINE_END = re.compile(r"\r\n|\n|\r")
_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_BLANK = re.compile(rb"[ \t\f]*(?:#.*)?\Z", re.DOTALL)
_FIRST_LINES = re.compile(rb"([^\r\n]*)(?:\r\n|\n|\r|\Z)([^\r\n]*)")


class SourceError(Exception):
    """A file whose bytes are not Python text; `row` and `column` are 1-based."""

    def __init__(self, message: str, row: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.row = row
        self.column = column


@dataclass(frozen=True)
class Source:
    r"""The text of one file. Offsets are 0-based code points of `text`; line ends are `\r\n`, `\n` and `\r` only.

    `path` is the path as reported, `text` has no byte order mark and keeps its line ends,
    `encoding` is the codec's name, `exact` says that encoding the text gives back the file's bytes.
    """

    path: str
    text: str
    encoding: str = "utf-8"
    bom: bool = False
    exact: bool = True

    @staticmethod
    def decode(data: bytes, path: str) -> Source:
        """Read bytes as Python does (PEP 263); raises SourceError where Python would refuse them."""
        bom = data.startswith(codecs.BOM_UTF8)
        body = data.removeprefix(codecs.BOM_UTF8)
        encoding = _encoding(body, bom=bom)
        text = _decode(body, encoding)
        if (at := text.find("\0")) >= 0:
            raise SourceError("source contains a null byte", *_row_column(text[:at]))
        if text.startswith("\ufeff"):
            raise SourceError("second byte order mark")
        exact = encoding == "utf-8" or _encodes_to(text, encoding, body)
        return Source(path, text, encoding, bom, exact)

    def encode(self, text: str) -> bytes:
        """The bytes of a changed text in the file's encoding; raises SourceError if it cannot hold the text."""
        if not self.exact:
            raise SourceError(f"cannot write the file back unchanged in codec `{self.encoding}`")
        try:
            body = text.encode(self.encoding)
        except UnicodeError as error:
            raise SourceError(f"cannot write the text in codec `{self.encoding}`: {error}") from error
        return codecs.BOM_UTF8 + body if self.bom else body

    @cached_property
    def newline(self) -> str:
        r"""The most frequent line end, `\n` in a text without one."""
        windows = self.text.count("\r\n")
        counts = {"\n": self.text.count("\n") - windows, "\r\n": windows, "\r": self.text.count("\r") - windows}
        return max(counts, key=counts.__getitem__)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @property
    def rows(self) -> int:
        """How many lines the text has, the empty one after the last line end included."""
        return len(self._starts)

    def location(self, offset: int) -> Location:
        """The row and column of an offset; an offset beyond the text is its end."""
        offset = min(max(offset, 0), len(self.text))
        row = bisect.bisect_right(self._starts, offset)
        return Location(row, offset - self._starts[row - 1] + 1)

    def offset(self, location: Location) -> int:
        """The offset of a location; a column beyond its line is the line's end."""
        row = min(max(location.row, 1), self.rows)
        return self._starts[row - 1] + min(max(location.column - 1, 0), len(self.line(row)))

    def line(self, row: int) -> str:
        """A line's text without its line end; rows that do not exist are empty."""
        if not 1 <= row <= self.rows:
            return ""
        end = self._starts[row] if row < self.rows else len(self.text)
        return self.text[self._starts[row - 1] : end].rstrip("\r\n")


def _encoding(body: bytes, *, bom: bool) -> str:
    """The codec that the first two lines name; the second counts only after a blank or comment line."""
    lines = _FIRST_LINES.match(body)
    assert lines is not None
    first, second = lines.groups()
    row = 1
    found = _CODING.match(first)
    if found is None and _BLANK.match(first):
        row = 2
        found = _CODING.match(second)
    if found is None:
        return "utf-8"
    written = found.group(1).decode("ascii")
    name = _known_codec(written, row)
    if bom and name != "utf-8":
        raise SourceError(f"encoding `{written}` contradicts the UTF-8 byte order mark", row)
    return name


def _known_codec(written: str, row: int) -> str:
    normal = written.lower().replace("_", "-")
    if normal == "utf-8" or normal.startswith("utf-8-"):
        return "utf-8"
    try:
        name = codecs.lookup(written).name
        b"x".decode(name)  # refuses codecs that do not make text, or not from ASCII
    except (LookupError, ValueError):
        raise SourceError(f"unknown encoding `{written}`", row) from None
    return name


def _decode(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        row, column = _row_column(body[: error.start].decode(encoding, "replace"))
        shown = body[error.start]
        message = f"cannot decode byte 0x{shown:02x} at row {row}, column {column} as {encoding}: {error.reason}"
        raise SourceError(message, row, column) from None
    except ValueError as error:
        raise SourceError(f"cannot decode the file as {encoding}: {error}") from None


def _encodes_to(text: str, encoding: str, body: bytes) -> bool:
    try:
        return text.encode(encoding) == body
    except UnicodeError:
        return False


def _row_column(before: str) -> tuple[int, int]:
    ends = [match.end() for match in _LINE_END.finditer(before)]
    return len(ends) + 1, len(before) - (ends[-1] if ends else 0) + 1
