"""OTL309: a wrapper that traces something and does not let its exceptions through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.errors.handlers import Handler
    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    import libcst as cst

    from otlint.model.errors.wrapping import swallowed

    if module.is_spared_test:
        return
    for found in swallowed(module):
        words = "the exception comes from here"
        if isinstance(found.node, cst.Return):
            message = "`return True` keeps every exception of the block that is traced; return nothing"
            words = "the span of the block"
        elif isinstance(found.node, cst.Decorator):
            message = "this guard keeps the exceptions of what is traced as well; put it around telemetry alone"
        else:
            message = "what is traced fails here, and its caller never hears of it; raise the exception again"
        fix = _fix(module, found.handler) if found.handler is not None else None
        yield module.finding(found.node, message, related=[(found.inner, words)], fix=fix)


def _fix(module: Module, handler: Handler) -> Fix | None:
    """`raise` at the end; what the span does by itself goes."""
    import libcst as cst

    from otlint.model.errors.doubles import recording_block

    if any(way.kind == "return" for way in handler.goes_out):
        return None
    double = any("record" in mark.does and recording_block(handler, mark) is not None for mark in handler.marks)
    gone = [module.walk.parent[mark.call] for mark in handler.marks] if double else []
    if not all(isinstance(each, cst.Expr) for each in gone):
        return None
    lines = list(handler.node.body.body)
    kept = [line for line in lines if not any(module.walk.inside(each, line) for each in gone)]
    title = "Raise the exception again"
    if gone and (not kept or kept[-1] is not lines[-1]):
        last, *others = reversed([each for each in gone if isinstance(each, cst.Expr)])
        deleted = edits.delete_statement(module, *others) if others else ()
        return Fix(title, Safety.UNSAFE, (*edits.replace(module, last, "raise"), *deleted))
    deleted = edits.delete_statement(module, *[each for each in gone if isinstance(each, cst.Expr)]) if gone else ()
    return Fix(title, Safety.UNSAFE, (*edits.append(module, handler.node.body, ["raise"]), *deleted))
