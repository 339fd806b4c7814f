"""What people write beside code for each other: comments and docstrings, which may say that something is meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module


def remarks(module: Module, node: Node) -> Iterator[str]:
    """The comments above and behind the statements around a node, and what its function says of itself.

    A function says by its docstring what it does, and by its name and those of its parameters.
    """
    for up in module.walk.ancestors(node):
        if isinstance(up, cst.FunctionDef):
            yield up.get_docstring() or ""
            yield up.name.value
            yield from (each.name.value for each in module.walk.all(cst.Param, within=up.params))
            return
        if isinstance(up, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            lines = (*getattr(up, "leading_lines", ()), *_behind(up))
            yield from (line.comment.value for line in lines if line.comment is not None)


def _behind(statement: cst.SimpleStatementLine | cst.BaseCompoundStatement) -> Iterator[cst.TrailingWhitespace]:
    if isinstance(statement, cst.SimpleStatementLine):
        yield statement.trailing_whitespace
    elif isinstance(statement.body, cst.IndentedBlock):
        yield statement.body.header
