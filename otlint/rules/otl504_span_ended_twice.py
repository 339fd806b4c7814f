"""OTL504: a span that is ended again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.ended import Late


@rule(Level.WARNING, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    import libcst as cst

    from otlint.model.spans.ended import late

    if module.is_spared_test:
        return
    for found in late(module):
        if found.method != "end":
            continue
        inside = module.walk.inside(found.call, found.ended)
        what = "finally" if isinstance(found.ended, cst.Try) else "with"
        where = f"the `{what}` ends the span as well" if inside else "the span has ended before"
        yield module.finding(
            found.call,
            f"{where}, and ending it twice logs a warning; leave this `end` out",
            related=[(found.ended, "this ends it" if inside else "it ends here")],
            fix=_fix(module, found, inside),
        )
    yield from _current(module)


def _current(module: Module) -> Iterator[Finding]:
    """The function's own span, asked for as the current one."""
    from otlint.model.spans.foreign import doubled

    for found, span in doubled(module):
        what = "decorator" if span.manner == "decorator" else "`with` around it"
        instead = "leave this `end` out" if found.instead.startswith("leave its end") else found.instead
        yield module.finding(
            found.node,
            f"{found.how} the current span, which the {what} ends as well, and ending it twice logs a warning; "
            f"{instead}",
            related=[(span.managed_by or span.start, "this ends it as well")],
        )


def _fix(module: Module, found: Late, inside: bool) -> Fix | None:
    """The last statement of the block, behind which nothing else can be dropped."""
    import libcst as cst

    statement = module.walk.parent[found.call]
    func = found.call.func
    if not isinstance(statement, cst.Expr) or not (isinstance(func, cst.Attribute) and func.attr.value == "end"):
        return None
    line = module.walk.parent[statement]
    if isinstance(found.ended, cst.Try):
        block = module.walk.parent[line]
        if not isinstance(block, cst.IndentedBlock) or block.body[-1] is not line or len(block.body) == 1:
            return None
    elif inside and (found.span is None or not _is_last(found.span.managed_by, line)):
        return None
    return Fix("leave it out", Safety.SAFE, edits.delete_statement(module, statement))


def _is_last(block: object, line: object) -> bool:
    import libcst as cst

    return isinstance(block, cst.With) and block.body.body[-1] is line
