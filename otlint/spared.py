"""What no rule looks at in tests: whole files, and single tests. There is no need to parse them.

Most rules leave tests alone, and nothing calls a test but its runner. What the others may speak of has to be named in
it: a test that only reads what a span holds, say, is as good as empty.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Sequence

from otlint.paths import is_test_name

_WORD = b"opentelemetry"
# Spans and links, and comments that speak of rules; this in all tests.
_ALWAYS = (
    b"start_span", b"start_as_current_span", b"use_span", b"span_in_context", b"Link(", b"add_link", b"otlint", b"OTL",
)  # fmt: skip
# Contexts and times, in tests that name OpenTelemetry: elsewhere the words mean something else.
_THERE = (
    b"attach(", b"extract(", b"inject(", b"baggage", b"timestamp", b"end_time", b"get_value(", b"set_value(",
)  # fmt: skip
# Of these a rule speaks in some forms only, which take longer to look for: instrumentors that are not called first.
_IN_FORM = (b"get_current_span(", b"instrument(")
_FORM = r"get_current_span\([^)]|[^)\s]\s*\.(?:un)?instrument\("
_LINE_END = re.compile(r"\r\n|\r|\n")
_NO_LINE_END = re.compile(r"[^\r\n]")
_QUOTES = '"""'


def is_spared(path: str, data: bytes, also: Sequence[bytes] = ()) -> bool:
    """Whether a file is a test, and nothing stands in it that a rule looks at in tests, nor one of the words `also`.

    Only another file that imports from it has a reason to look into it.
    """
    if not is_test_name(path) or any(word in data for word in also):
        return False
    if any(word in data for word in _ALWAYS):
        return False
    if _WORD not in data:
        return True
    if any(word in data for word in _THERE):
        return False
    return not any(word in data for word in _IN_FORM) or _in_bytes().search(data) is None


def emptied(text: str, tree: ast.Module, also: Sequence[bytes] = ()) -> str:
    """The text of a test file with a string of the same length for the body of each test that no rule looks at.

    `tree` is what `ast` makes of the text, `also` as above. All else stays at its place.
    """
    words = [word.decode() for word in (*_ALWAYS, *_THERE, *also)]
    lines = [0, *(match.end() for match in _LINE_END.finditer(text))]
    parts, at = [], 0
    for test in _tests(tree):
        first, last = test.body[0], test.body[-1]
        if getattr(first, "decorator_list", None):
            continue  # `ast` does not say where the `@` is
        start = _offset(text, lines, first.lineno, first.col_offset)
        end = _offset(text, lines, last.end_lineno or 0, last.end_col_offset or 0)
        body = text[start:end]
        if len(body) > 2 * len(_QUOTES) and not _is_of_interest(body, words):
            inside = _NO_LINE_END.sub(" ", body[len(_QUOTES) : -len(_QUOTES)])
            parts += [text[at:start], _QUOTES, inside, _QUOTES]
            at = end
    return "".join([*parts, text[at:]])


def _tests(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions and methods of a file that a test runner calls, in source order."""
    for each in tree.body:
        if isinstance(each, ast.ClassDef):
            yield from _tests(each)
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test"):
            yield each


def _offset(text: str, lines: Sequence[int], row: int, column: int) -> int:
    """Where in the text a place of `ast` is: row 1-based, column 0-based in bytes of UTF-8."""
    start = lines[row - 1]
    line = text[start : start + column]
    return start + (column if line.isascii() else len(text[start:].encode()[:column].decode()))


def _is_of_interest(body: str, words: Sequence[str]) -> bool:
    if any(word in body for word in words) or "global " in body:  # what is bound there counts elsewhere
        return True
    return _in_text().search(body) is not None


@functools.cache
def _in_bytes() -> re.Pattern[bytes]:
    return re.compile(_FORM.encode())


@functools.cache
def _in_text() -> re.Pattern[str]:
    return re.compile(_FORM)
