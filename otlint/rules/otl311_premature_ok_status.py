"""OTL311: OK, which is final, on a span whose operation may still fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.errors.premature import oks

    if module.is_spared_test:
        return
    for ok in oks(module):
        early = ok.work is not None
        message = (
            "the status is OK before the work is done and stays OK when that fails; leave it UNSET or set it later"
            if early
            else "a span that has not failed needs no status; leave it UNSET"
        )
        yield module.finding(
            ok.call,
            message,
            related=[(ok.work, "this may still fail")] if ok.work is not None else (),
            fix=_fix(module, ok.call),
            hint=not early,
        )


def _fix(module: Module, call: cst.Call) -> Fix | None:
    import libcst as cst

    statement = module.walk.parent[call]
    if not isinstance(statement, cst.Expr):
        return None
    return Fix("leave the status UNSET", Safety.UNSAFE, edits.delete_statement(module, statement))
