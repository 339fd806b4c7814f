"""From text to a LibCST tree, guarded: LibCST's parser can end the process on input nested too deeply."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst as cst

    from otlint.source import Source

# CPython's own limit on nested brackets (MAXLEVEL in its tokenizer).
_MAX_BRACKETS = 200
_TOO_DEEP = "nested too deeply"
_STRING = re.compile(r"(?s)('''|\"\"\")(?:\\.|.)*?\1|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|#[^\n]*")


class ParseError(Exception):
    """A file that is not Python; `row` and `column` are 1-based, columns in code points."""

    def __init__(self, message: str, row: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.row = row
        self.column = column


def parse(source: Source) -> cst.Module:
    """Parse with LibCST; raises ParseError on a syntax error or on code nested too deeply.

    `ast` goes first because it fails cleanly where LibCST would crash the process. A syntax error of `ast` alone may
    be grammar newer than the interpreter's, so then LibCST decides, once the brackets are known to be shallow.
    """
    screened = _screen(source.text)
    if screened is not None and _bracket_depth(source.text) > _MAX_BRACKETS:
        raise ParseError(_TOO_DEEP)
    import libcst as cst

    try:
        return cst.parse_module(source.text)
    except cst.ParserSyntaxError as error:
        if screened is not None:
            raise screened from None
        raise ParseError(error.message, error.raw_line, error.raw_column + 1) from None
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None


def _screen(text: str) -> ParseError | None:
    """The error that `ast` finds, None when it is content; raises ParseError when the nesting is too deep."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        if "too many nested parentheses" in error.msg or "too complex" in error.msg:
            raise ParseError(_TOO_DEEP, error.lineno or 1, error.offset or 1) from None
        return ParseError(error.msg, error.lineno or 1, max(1, error.offset or 1))
    except (RecursionError, MemoryError):
        raise ParseError(_TOO_DEEP) from None
    except ValueError as error:
        return ParseError(str(error))
    return None


def _bracket_depth(text: str) -> int:
    depth = deepest = 0
    for char in _STRING.sub("", text):
        if char in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in ")]}":
            depth -= 1
    return deepest
