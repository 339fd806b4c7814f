"""OTL306: a span started and ended by hand, on which exceptions leave no trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.errors.missed import Missed
    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.errors.missed import missed_errors

    for missed in missed_errors(module):
        yield module.finding(
            missed.span.start,
            "the span is ended when an exception passes, but does not show it; record it and set the status to ERROR",
            related=[
                (missed.way, "an exception comes from here"),
                (missed.end, "the span is ended here with status UNSET"),
            ],
            fix=_fix(module, missed),
        )


def _fix(module: Module, missed: Missed) -> Fix | None:
    import libcst as cst

    name = missed.span.variable
    tried = next((up for up in module.walk.ancestors(missed.way) if _ends(module, up, missed)), None)
    if name is None or not isinstance(tried, cst.Try) or tried.handlers:
        return None
    bindings = module.names.reaching(name, tried.body.body[0])
    if len(bindings) != 1 or bindings[0].node is not missed.span.binding:
        return None
    return Fix("Record the exception and set the status", Safety.UNSAFE, edits.record_and_raise(module, tried, name))


def _ends(module: Module, node: cst.CSTNode, missed: Missed) -> bool:
    """Whether it is the `try` whose `finally` ends the span."""
    import libcst as cst

    if not isinstance(node, cst.Try) or node.finalbody is None:
        return False
    return module.walk.inside(missed.end, node.finalbody) and module.walk.inside(missed.way, node.body)
