"""From text to a LibCST tree, guarded: LibCST's parser can end the process on input nested too deeply."""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from otlint.spared import emptied

if TYPE_CHECKING:
    import libcst as cst

    from otlint.source import Source

# CPython's own limit on nested brackets (MAXLEVEL in its tokenizer).
_MAX_BRACKETS = 200
# Of operators, calls and attributes in each other: LibCST takes minutes for some thousands, and crashes on more.
_MAX_DEPTH = 1000
_TOO_DEEP = "nested too deeply"
_LINE_END = re.compile(r"\r\n|\r|\n")
_NESTING = re.compile(r"[-+*/%@&|^~.(\[]|\b(?:and|or|not|if|lambda|await)\b")
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
    return _parsed(source.text, screened if isinstance(screened, ParseError) else None)


def parse_test(source: Source, also: Sequence[bytes] = ()) -> tuple[cst.Module, str]:
    """The same for a test, and the text that the tree is of: tests that no rule looks at are empty in it.

    `also`: words of interest, see `otlint.spared`.
    """
    screened = _screen(source.text)
    if isinstance(screened, ParseError):
        return _parsed(source.text, screened), source.text
    text = emptied(source.text, screened, also)
    return _parsed(text, None), text


def _parsed(text: str, screened: ParseError | None) -> cst.Module:
    if screened is not None and not _is_shallow(text):
        raise screened
    import libcst as cst

    from otlint.quick import unchecked

    try:
        return unchecked(text)
    except cst.ParserSyntaxError as error:
        if screened is not None:
            raise screened from None
        raise ParseError(f"LibCST cannot read it: {error.message}", error.raw_line, error.raw_column + 1) from None
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None


def _screen(text: str) -> ast.Module | ParseError:
    """What `ast` makes of it, or the error that it finds; raises ParseError when the nesting is too deep."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            _refuse_depth(tree, text)
    except SyntaxError as error:
        if "too many nested parentheses" in error.msg or "too complex" in error.msg:
            raise ParseError(_TOO_DEEP, error.lineno or 1, error.offset or 1) from None
        return ParseError(error.msg, error.lineno or 1, max(1, error.offset or 1))
    except (RecursionError, MemoryError):
        raise ParseError(_TOO_DEEP) from None
    except ValueError as error:
        return ParseError(str(error))
    return tree


def _refuse_depth(tree: ast.Module, text: str) -> None:
    """Raise ParseError for nesting that no bracket shows: `a.b.b…`, `a + a + …`, `x and x and …`, `elif` on `elif`."""
    ends = [0, *itertools.accumulate(len(line) + 1 for line in _LINE_END.split(text))]
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, ast.BoolOp | ast.MatchOr):
            depth += len(node.values if isinstance(node, ast.BoolOp) else node.patterns)
        if depth > _MAX_DEPTH:
            raise ParseError(_TOO_DEEP, getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1)
        waiting.extend((child, depth + 1) for child in ast.iter_child_nodes(node) if not _is_short(child, ends))


def _is_short(node: ast.AST, ends: list[int]) -> bool:
    """Whether a node is too short to be nested deeply: the walk need not go there. `ends`: where each line ends."""
    if not isinstance(node, ast.stmt | ast.expr) or node.end_lineno is None or node.end_lineno >= len(ends):
        return False
    if node.end_lineno == node.lineno:
        return (node.end_col_offset or 0) - node.col_offset < _MAX_DEPTH
    return ends[node.end_lineno] - ends[node.lineno - 1] < _MAX_DEPTH


def _is_shallow(text: str) -> bool:
    """The same for text that `ast` cannot read, by counting: no bracket and no line has too much in it."""
    depth = nested = 0
    for line in _STRING.sub("''", text).splitlines():
        nested = len(_NESTING.findall(line)) + (nested if depth > 0 else 0)
        for char in line:
            depth += (char in "([{") - (char in ")]}")
            if depth > _MAX_BRACKETS:
                return False
        if nested > _MAX_DEPTH:
            return False
    return True
