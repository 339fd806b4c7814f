"""Edits of whole statements and blocks: insert, delete, wrap, unwrap.

`lines` are written without indentation and line ends; a leading tab stands for one more level of indentation.
A one-line suite (`if a: b`) and `a; b` are opened up into lines where an edit needs it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.edits import layout
from otlint.edits.layout import Line, Statement
from otlint.fix import Edit, ordered

if TYPE_CHECKING:
    from otlint.model.module import Module

Edits = tuple[Edit, ...]


def insert_before(module: Module, statement: Statement, lines: Sequence[str]) -> Edits:
    """Lines in front of a statement and of the comment lines directly above it."""
    line = layout.line_of(module, statement)
    indent, unit = _levels(module, line)
    newline = module.source.newline
    code = layout.rendered(module, lines, indent, unit) + newline
    small = _index(line, statement)
    if small == 0 and not isinstance(line, cst.SimpleStatementSuite):
        top = layout.top_of(module, line)
        return (Edit(top, top, code),)
    edits = [] if small == 0 else [_cut(module, line, small, newline + code + indent)]
    if isinstance(line, cst.SimpleStatementSuite):
        edits.append(_open(module, line, newline + (code if small == 0 else "") + indent))
    return ordered(edits)


def insert_after(module: Module, statement: Statement, lines: Sequence[str]) -> Edits:
    """Lines behind a statement and the comment that ends its line."""
    line = layout.line_of(module, statement)
    indent, unit = _levels(module, line)
    code = layout.rendered(module, lines, indent, unit)
    newline = module.source.newline
    edits = []
    if isinstance(line, cst.SimpleStatementSuite):
        edits.append(_open(module, line, newline + indent))
    small = _index(line, statement)
    if small < len(layout.smalls(line)) - 1:
        edits.append(_cut(module, line, small + 1, newline + code + newline + indent))
    else:
        edits.append(layout.below(module, line, code))
    return ordered(edits)


def prepend(module: Module, block: cst.BaseSuite | cst.Module, lines: Sequence[str]) -> Edits:
    """Lines at the start of a block, behind its docstring."""
    first = block.body[0]
    owner = module.walk.parent.get(block) or block
    if isinstance(owner, cst.FunctionDef | cst.ClassDef | cst.Module) and _is_docstring(first):
        return insert_after(module, _first_small(first), lines)
    return insert_before(module, first, lines)


def append(module: Module, block: cst.BaseSuite | cst.Module, lines: Sequence[str]) -> Edits:
    """Lines at the end of a block."""
    last = block.body[-1]
    return insert_after(module, last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last, lines)


def delete_statement(module: Module, statement: Statement, *more: Statement) -> Edits:
    """Remove statements with their lines; comments above and behind them stay, an emptied block gets `pass`.

    An `if` that would be empty goes as well, where its test does nothing and it holds no comment.
    """
    return _ended_as_before(_deletions(module, (statement, *more)), module.source.text)


def _deletions(module: Module, statements: Sequence[Statement]) -> Edits:
    gone: dict[Line, set[int]] = {}
    for each in statements:
        line = layout.line_of(module, each)
        gone.setdefault(line, set()).update(range(len(layout.smalls(line))) if each is line else {_index(line, each)})
    for line in list(gone):
        _take_branch(module, line, gone)
    edits: list[Edit] = []
    emptied: set[cst.CSTNode] = set()
    for line, indexes in gone.items():
        if len(indexes) < len(layout.smalls(line)):
            edits += _delete_smalls(module, line, indexes)
            continue
        block = module.walk.parent[line]
        if block not in emptied and _is_emptied(line, block, gone):
            emptied.add(block)
            edits.append(_pass(module, line))
        else:
            edits.append(_delete_line(module, line))
    return ordered(edits)


def _ended_as_before(edits: Edits, text: str) -> Edits:
    """The edits such that a text without a line end at its end still has none when its last line goes."""
    if not edits or edits[-1].text or edits[-1].end < len(text) or text.endswith(("\n", "\r")):
        return edits
    *others, last = edits
    start = len(_without_end(text[: last.start]))
    if not others or others[-1].end <= start:
        return (*others, Edit(start, last.end, ""))
    before = others[-1]
    if before.end == last.start:  # what comes in front of it is the last line now
        others[-1] = dataclasses.replace(before, text=_without_end(before.text))
    return (*others, last)


def _without_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def wrap_try_finally(
    module: Module,
    statements: Sequence[Statement],
    finally_lines: Sequence[str],
    *,
    handler: Sequence[str] = (),
    without: Sequence[Statement] = (),
) -> Edits:
    """Put consecutive statements of a block into `try: … finally:`; those `without` (nested ones too) are deleted.

    `handler`: an `except` clause that stands between.
    """
    below = [*handler, "finally:", *("\t" + line for line in finally_lines)]
    return _wrap(module, statements, ["try:"], below, without)


def wrap_with(
    module: Module, statements: Sequence[Statement], header: str, *, without: Sequence[Statement] = ()
) -> Edits:
    """Put consecutive statements of a block under a header such as `with span:`; those `without` are deleted."""
    return _wrap(module, statements, [header], [], without)


def replace_header(module: Module, compound: cst.BaseCompoundStatement, header: str) -> Edits:
    """Another header, colon included, for a compound statement; decorators stay."""
    return (Edit(module.range(compound)[0], layout.after_colon(module, compound.body), header),)


def delete_clause(module: Module, clause: cst.Else | cst.Finally | cst.ExceptHandler) -> Edits:
    """Remove an `else`, `finally` or `except` clause with its lines."""
    start = layout.line_start(module.source.text, module.range(clause)[0])
    return (Edit(start, layout.bottom_of(module, clause), ""),)


def unwrap(module: Module, compound: cst.With) -> Edits:
    """Remove the header of a `with` statement and move its body one level out."""
    text = module.source.text
    start, body = module.range(compound)[0], compound.body
    if isinstance(body, cst.SimpleStatementSuite):
        return (Edit(start, module.range(body)[0], ""),)
    assert isinstance(body, cst.IndentedBlock)
    opened = module.range(body.header)[1]
    comment = body.header.comment
    if comment is None:
        edits = [Edit(layout.line_start(text, start), opened, "")]
    else:
        edits = [Edit(start, module.range(comment)[0], "")]
    outer = layout.indent_of(module, compound)
    unit = layout.unit_of(module, body.body[0])
    for at in layout.physical_lines(module, opened, layout.bottom_of(module, compound)):
        if text.startswith(outer + unit, at):
            edits.append(Edit(at + len(outer), at + len(outer + unit), ""))
    return ordered(edits)


def make_sync(module: Module, compound: cst.With | cst.For) -> Edits:
    """`async with` becomes `with`."""
    assert compound.asynchronous is not None
    start = module.range(compound.asynchronous)[0]
    rest = module.source.text[start:].removeprefix("async").lstrip(" \t\f\\\r\n")
    return (Edit(start, len(module.source.text) - len(rest), ""),)


def _wrap(
    module: Module,
    statements: Sequence[Statement],
    above: Sequence[str],
    below: Sequence[str],
    without: Sequence[Statement],
) -> Edits:
    first, last = layout.line_of(module, statements[0]), layout.line_of(module, statements[-1])
    indent, unit = _levels(module, first)
    newline = module.source.newline
    code = layout.rendered(module, above, indent, unit) + newline
    head = _index(first, statements[0])
    tail = _index(last, statements[-1]) if _is_small(statements[-1]) else len(layout.smalls(last)) - 1
    deleted = _deleted_within(module, _each(statements), _each(without))
    edits = list(deleted)
    whole = head == 0 and not isinstance(first, cst.SimpleStatementSuite)
    start = layout.top_of(module, first) if whole else layout.line_end(module.source.text, _start(module, first, head))
    if whole:
        edits.append(Edit(start, start, code))
    elif head:
        edits.append(_cut(module, first, head, newline + code + indent + unit))
    if isinstance(first, cst.SimpleStatementSuite):
        edits.append(_open(module, first, newline + (indent if head else code + indent + unit)))
    end = layout.bottom_of(module, last)
    if tail < len(layout.smalls(last)) - 1:
        end = module.range(layout.smalls(last)[tail])[1]
        after = layout.rendered(module, below, indent, unit) + newline if below else ""
        edits.append(_cut(module, last, tail + 1, newline + after + indent))
    elif below:
        edits.append(layout.below(module, last, layout.rendered(module, below, indent, unit)))
    edits += _deeper(module, start, end, indent, unit, deleted)
    return _ended_as_before(ordered(edits), module.source.text)


def _deleted_within(module: Module, statements: Sequence[Statement], without: Sequence[Statement]) -> list[Edit]:
    """Delete lines; what shares its line, or is all that there is to wrap, becomes `pass`."""
    kept = statements[-1] if all(each in without for each in statements) else None
    passed = [each for each in without if each is kept or len(layout.smalls(layout.line_of(module, each))) > 1]
    lines = [each for each in without if each not in passed]
    return [*_deletions(module, lines)] + [Edit(*module.range(each), "pass") for each in passed]


def _each(statements: Sequence[Statement]) -> list[Statement]:
    """Small and compound statements for lines."""
    return [
        each for found in statements for each in (found.body if isinstance(found, cst.SimpleStatementLine) else [found])
    ]


def _deeper(module: Module, start: int, end: int, indent: str, unit: str, deleted: Sequence[Edit]) -> list[Edit]:
    """One level more for the lines of a range; not for those that are deleted."""
    text = module.source.text
    edits = []
    for at in layout.physical_lines(module, start, end):
        stop = layout.line_end(text, at)
        if any(
            edit.start < at < edit.end or (edit.start == at and stop <= edit.end and not edit.text) for edit in deleted
        ):
            continue
        at += len(indent) if text.startswith(indent, at) else 0
        edits.append(Edit(at, at, unit))
    return edits


def _levels(module: Module, line: Line) -> tuple[str, str]:
    """The indentation for new lines beside a line, and one level of it; a one-line suite is opened up."""
    indent, unit = layout.indent_of(module, line), layout.unit_of(module, line)
    return (indent + unit, unit) if isinstance(line, cst.SimpleStatementSuite) else (indent, unit)


def _index(line: Line, statement: Statement | Line) -> int:
    """Which small statement of a line; a whole line or compound counts as its first."""
    return next((at for at, small in enumerate(layout.smalls(line)) if small is statement), 0)


def _is_small(statement: Statement) -> bool:
    return isinstance(statement, cst.BaseSmallStatement)


def _start(module: Module, line: Line, small: int) -> int:
    body = layout.smalls(line)
    return module.range(body[small])[0] if body else layout.start_of(module, line)


def _cut(module: Module, line: Line, small: int, text: str) -> Edit:
    """Replace the semicolon in front of a small statement."""
    body = layout.smalls(line)
    return Edit(module.range(body[small - 1])[1], module.range(body[small])[0], text)


def _open(module: Module, suite: cst.SimpleStatementSuite, text: str) -> Edit:
    """Replace what stands between the colon of a one-line suite and its first statement."""
    return Edit(layout.after_colon(module, suite), module.range(suite.body[0])[0], text)


def _is_docstring(first: cst.CSTNode) -> bool:
    small = _first_small(first)
    return isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString | cst.ConcatenatedString)


def _first_small(first: cst.CSTNode) -> Statement:
    return first.body[0] if isinstance(first, cst.SimpleStatementLine) else first  # type: ignore[return-value]


def _is_emptied(line: Line, block: cst.CSTNode, gone: dict[Line, set[int]]) -> bool:
    if isinstance(line, cst.SimpleStatementSuite):
        return True
    if not isinstance(block, cst.IndentedBlock):
        return False
    return all(
        other in gone and len(gone[other]) >= len(layout.smalls(other))  # type: ignore[index,arg-type]
        for other in block.body
    )


def _take_branch(module: Module, line: Line, gone: dict[Line, set[int]]) -> None:
    """Let the `if` around a line go in place of all that is in it."""
    block = line if isinstance(line, cst.SimpleStatementSuite) else module.walk.parent[line]
    branch = module.walk.parent.get(block)
    if (
        line in gone
        and isinstance(branch, cst.If)
        and branch.orelse is None
        and not isinstance(module.walk.parent[branch], cst.If)
        and _is_idle(branch.test)
        and _is_emptied(line, block, gone)
        and len(gone[line]) >= len(layout.smalls(line))
        and "#" not in module.source.text[layout.start_of(module, branch) : layout.bottom_of(module, branch)]
    ):
        for each in [each for each in gone if module.walk.inside(each, branch)]:
            del gone[each]
        gone[branch] = {0}
        _take_branch(module, branch, gone)


def _is_idle(test: cst.BaseExpression) -> bool:
    """Whether a test only looks at variables: `x`, `not x`, `x is not None`, `x and y`, `x.is_recording()`."""
    if isinstance(test, cst.BooleanOperation):
        return _is_idle(test.left) and _is_idle(test.right)
    if isinstance(test, cst.UnaryOperation):
        return isinstance(test.operator, cst.Not) and _is_idle(test.expression)
    if isinstance(test, cst.Comparison):
        operators = [each.operator for each in test.comparisons]
        return isinstance(test.left, cst.Name) and all(isinstance(each, cst.Is | cst.IsNot) for each in operators)
    if isinstance(test, cst.Call) and isinstance(test.func, cst.Attribute):
        return test.func.attr.value == otel.IS_RECORDING.rpartition(".")[2] and _is_idle(test.func.value)
    return isinstance(test, cst.Name)


def _pass(module: Module, line: Line) -> Edit:
    start, end = layout.start_of(module, line), module.range(line)[1]
    return Edit(start, end, "pass")


def _delete_line(module: Module, line: Line) -> Edit:
    text = module.source.text
    start = layout.start_of(module, line)
    if not isinstance(line, cst.BaseCompoundStatement) and line.trailing_whitespace.comment is not None:
        return Edit(start, module.range(line.trailing_whitespace.comment)[0], "")
    first = layout.behind_form_feed(text, layout.line_start(text, start))
    return Edit(first, layout.bottom_of(module, line), "")


def _delete_smalls(module: Module, line: Line, indexes: set[int]) -> list[Edit]:
    """Some statements of `a; b; c`, each with one semicolon."""
    body = layout.smalls(line)
    edits = []
    for at in sorted(indexes):
        if any(later not in indexes for later in range(at + 1, len(body))):
            edits.append(Edit(module.range(body[at])[0], module.range(body[at + 1])[0], ""))
        else:
            edits.append(Edit(module.range(body[at - 1])[1], module.range(body[at])[1], ""))
    return edits
