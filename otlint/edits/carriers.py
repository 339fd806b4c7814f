"""Edits that inject a context where it reaches what is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint.edits.statements import delete_statement, insert_before, prepend
from otlint.fix import Edit
from otlint.model.code.blocks import following

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

Edits = tuple[Edit, ...]


def inject_inside(module: Module, call: cst.Call, uses: Sequence[cst.Name], span: Span) -> Edits | None:
    """`inject(headers)` becomes the first statement of the span's block; not where something reads them before."""
    statement, block = module.walk.parent[call], span.managed_by
    if not isinstance(statement, cst.Expr) or block is None or block not in following(module, statement):
        return None
    if not isinstance(block.body, cst.IndentedBlock) or not all(module.walk.inside(each, block.body) for each in uses):
        return None
    return (*delete_statement(module, statement), *prepend(module, block.body, [module.code(call)]))


def inject_first(module: Module, call: cst.Call, takers: Sequence[cst.CSTNode]) -> Edits | None:
    """`inject(headers)` moves in front of what takes the headers along, where that is a statement of its block."""
    statement = module.walk.parent[call]
    taking = [each for taker in takers if (each := module.walk.statement_of(taker)) is not None]
    first = min(taking, key=module.walk.order.__getitem__, default=None)
    if not isinstance(statement, cst.Expr) or not isinstance(first, cst.BaseSmallStatement):
        return None
    if statement not in following(module, first):
        return None
    return (*insert_before(module, first, [module.code(call)]), *delete_statement(module, statement))
