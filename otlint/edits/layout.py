"""Lines, indentation and the extent of statements: what the makers of edits need to know about the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint.fix import Edit

if TYPE_CHECKING:
    from otlint.model.module import Module

Statement = cst.BaseSmallStatement | cst.BaseStatement
Line = cst.SimpleStatementLine | cst.SimpleStatementSuite | cst.BaseCompoundStatement

_LINE_END = re.compile(r"\r\n|\n|\r")
_BLANKS = re.compile(r"[ \t\f]*")
_STRINGS: tuple[type[cst.CSTNode], ...] = (
    cst.SimpleString,
    cst.FormattedString,
    getattr(cst, "TemplatedString", cst.FormattedString),  # LibCST 1.8.0 has none
)


def line_of(module: Module, statement: Statement | Line) -> Line:
    """The line, one-line suite or compound statement that a statement is written as."""
    parent = module.walk.parent.get(statement)
    if isinstance(parent, cst.SimpleStatementLine | cst.SimpleStatementSuite):
        return parent
    assert isinstance(statement, cst.SimpleStatementLine | cst.SimpleStatementSuite | cst.BaseCompoundStatement)
    return statement


def smalls(line: Line) -> Sequence[cst.BaseSmallStatement]:
    """The small statements of a line, none for a compound statement."""
    return () if isinstance(line, cst.BaseCompoundStatement) else line.body


def indent_of(module: Module, node: cst.CSTNode) -> str:
    """The indentation of the lines of the block that holds the node."""
    return "".join(reversed(_indents(module, node)))


def unit_of(module: Module, node: cst.CSTNode) -> str:
    """One more level of indentation, as the nearest block does it."""
    return next(iter(_indents(module, node)), _clean(module.tree.default_indent))


def _indents(module: Module, node: cst.CSTNode) -> list[str]:
    """One indentation per level, from the inside."""
    return [
        _clean(up.indent if up.indent is not None else module.tree.default_indent)
        for up in module.walk.ancestors(node)
        if isinstance(up, cst.IndentedBlock | cst.Match)
    ]


def _clean(indent: str) -> str:
    return indent.rpartition("\f")[2] or "    "


def rendered(module: Module, lines: Sequence[str], indent: str, unit: str) -> str:
    """Lines in the file's own layout, without the last line end; a leading tab stands for one level."""
    written = []
    for line in lines:
        code = line.lstrip("\t")
        written.append(indent + unit * (len(line) - len(code)) + code if code else "")
    return module.source.newline.join(written)


def start_of(module: Module, line: Line) -> int:
    """Where the first token of a line is, decorators included."""
    if isinstance(line, cst.FunctionDef | cst.ClassDef) and line.decorators:
        return module.range(line.decorators[0])[0]
    return module.range(line)[0]


def line_start(text: str, offset: int) -> int:
    """The start of the logical line whose first token is at the offset."""
    while True:
        start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
        before = text[:start].rstrip("\r\n")
        if not (start and before.endswith("\\") and len(text[:start]) - len(before) <= 2):
            return start
        offset = len(before)


def line_end(text: str, offset: int) -> int:
    """The offset behind the next line end, or the end of the text."""
    found = _LINE_END.search(text, offset)
    return found.end() if found else len(text)


def top_of(module: Module, line: Line) -> int:
    """The start of a line together with the comment lines directly above it, behind a form feed."""
    text = module.source.text
    first = start_of(module, line)
    top = line_start(text, first)
    if "\f" in text[top:first]:
        return behind_form_feed(text, top)
    column = len(indent_of(module, line))
    for above in reversed(getattr(line, "leading_lines", ())):
        if above.comment is None or module.range(above.comment)[0] - module.range(above)[0] != column:
            break
        top = module.range(above)[0]
    return behind_form_feed(text, top)


def bottom_of(module: Module, node: cst.CSTNode) -> int:
    """The offset behind the last line of a statement or clause; comments that end its last block belong to it."""
    text = module.source.text
    module.range(node)  # with it come the ranges of its layout
    if isinstance(node, cst.SimpleStatementLine | cst.SimpleStatementSuite):
        return _behind(text, module.range(node.trailing_whitespace)[1])
    footer = [line for line in getattr(node, "footer", ()) if line.comment is not None]
    if footer:
        return _behind(text, module.range(footer[-1])[1])
    if isinstance(node, cst.IndentedBlock):
        return bottom_of(module, node.body[-1])
    return bottom_of(module, last_part(node))


def _behind(text: str, end: int) -> int:
    r"""LibCST counts a line end too many in a file without a last one, and too few behind a last lone `\r`."""
    return len(text) if end > len(text) or text[end:] == "\r" else end


def last_part(node: cst.CSTNode) -> cst.CSTNode:
    """The clause or block with which a compound statement or clause ends."""
    if isinstance(node, cst.Match):
        return node.cases[-1]
    if isinstance(node, cst.Try | cst.TryStar):
        return node.finalbody or node.orelse or (node.handlers[-1] if node.handlers else node.body)
    return getattr(node, "orelse", None) or node.body  # type: ignore[attr-defined,no-any-return]


def below(module: Module, line: Line, code: str) -> Edit:
    """Code below a line, also where the file's last line has no end."""
    newline = module.source.newline
    end = bottom_of(module, line)
    unended = end == len(module.source.text) and not module.source.text.endswith(("\n", "\r"))
    return Edit(end, end, newline + code if unended else code + newline)


def own_line(module: Module, start: int) -> str | None:
    """The indentation of an item that begins its line, None for others."""
    before = module.source.text[:start].rpartition("\n")[2].rpartition("\r")[2]
    return None if before.strip() else before


def after_colon(module: Module, block: cst.BaseSuite) -> int:
    """The offset behind the colon that opens a block."""
    if isinstance(block, cst.SimpleStatementSuite):
        return module.range(block)[0] - len(block.leading_whitespace.value)  # spaces are shared: they have no place
    assert isinstance(block, cst.IndentedBlock)
    return module.range(block.header)[0]


def physical_lines(module: Module, start: int, end: int) -> Iterator[int]:
    """The starts of lines in a range, behind form feeds, without blank lines and lines that begin inside a string."""
    text = module.source.text
    inside = _string_ranges(module, start, end)
    at = start
    while at < end:
        stop = line_end(text, at)
        if text[at:stop].strip() and not any(first < at < last for first, last in inside):
            yield behind_form_feed(text, at)
        at = stop


def behind_form_feed(text: str, start: int) -> int:
    """Indentation counts from the last form feed of a line's leading blanks."""
    found = _BLANKS.match(text, start)
    return start + found.group().rfind("\f") + 1 if found else start


def _string_ranges(module: Module, start: int, end: int) -> list[tuple[int, int]]:
    text = module.source.text
    ranges = (module.range(node) for node in module.walk.all(*_STRINGS))
    return [found for found in ranges if found[0] < end and found[1] > start and _LINE_END.search(text, *found)]
