"""OTL504: a span that is ended again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.ended import Late
    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.ended import late

    if module.is_spared_test:
        return
    for found in late(module):
        if found.method != "end":
            continue
        inside = module.walk.inside(found.call, found.ended)
        where = "the `with` ends the span as well" if inside else "the span has ended before"
        yield module.finding(
            found.call,
            f"{where}, and ending it twice logs a warning; leave this `end` out",
            related=[(found.ended, "this ends it" if inside else "it ends here")],
            fix=_fix(module, found, inside),
        )


def _fix(module: Module, found: Late, inside: bool) -> Fix | None:
    """The last statement of the block, behind which nothing else can be dropped."""
    import libcst as cst

    statement = module.walk.parent[found.call]
    if not isinstance(statement, cst.Expr):
        return None
    block = found.span.managed_by
    if inside and (block is None or not _is_last(block, module.walk.parent[statement])):
        return None
    return Fix("leave it out", Safety.SAFE, edits.delete_statement(module, statement))


def _is_last(block: object, line: object) -> bool:
    import libcst as cst

    return isinstance(block, cst.With) and block.body.body[-1] is line
