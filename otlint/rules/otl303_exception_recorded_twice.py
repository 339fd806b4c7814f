"""OTL303: an exception recorded by hand and once more by the span that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.code.walk import Node
    from otlint.model.errors.doubles import Double
    from otlint.model.module import Module

    Related = list[tuple[Node, str]]

_TITLE = "Delete what the span does by itself"


@rule(Level.WARNING, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.errors.doubles import doubles, entered_twice, single

    if module.is_spared_test:
        return
    for handler in module.handlers:
        found = list(doubles(handler))
        module.silenced(handler.node, not found and partial(single, handler))
        for double in found:
            yield module.finding(
                double.mark.call,
                "the exception is recorded here and again by the span when it is re-raised; delete this call",
                related=[
                    (double.block.start, "this span records what leaves its block"),
                    (double.way.node, "the exception is raised again here"),
                ],
                fix=_fix(module, double),
            )
    for node, what, related in _elsewhere(module):
        yield module.finding(node, f"the exception is recorded here and {what}; delete this call", related=related)
    for block, span in entered_twice(module):
        yield module.finding(
            block.start,
            "an exception that leaves this block is recorded twice, by `use_span` and by the span's own `with`; "
            "pass `record_exception=False`",
            related=[(span.start, "the span is started and entered here")],
            fix=_left_to(module, "span", block.start, 2),
        )


def _elsewhere(module: Module) -> Iterator[tuple[Node, str, Related]]:
    """What is recorded twice in other ways than by a handler inside of the span's block."""
    from otlint.model.errors.doubles import recorded_before, repeats
    from otlint.model.errors.exits import handed_on

    for mark, block in (pair for handler in module.handlers for pair in recorded_before(handler)):
        yield (
            mark.call,
            "before by `use_span`, whose block it has left",
            [(block.start, "this records what leaves its block")],
        )
    for each in repeats(module):
        places: Related = [
            (each.block.start, "this span records what leaves its block"),
            (each.raised, "the exception is raised here"),
        ]
        yield each.mark.call, "again by the span when it is raised", places
    for call, span, leave in handed_on(module):
        places = [(span.start, "the span is started here"), (leave, "the exception is handed on here")]
        yield call, "again by what `__exit__` is called on", places


def _fix(module: Module, double: Double) -> Fix | None:
    """Only where the exception always leaves the block does the span replace what the handler does."""
    import libcst as cst

    call = double.mark.call
    if not double.always or double.mark.span is None or module.api(call.func) != otel.RECORD_EXCEPTION:
        return None
    if len(call.args) != 1 or call.args[0].star:
        return _switched_off(module, double)
    gone = [module.walk.statement_of(call), *_statuses(module, double)]
    if not all(isinstance(each, cst.Expr) for each in gone):
        return None
    first, *more = [each for each in gone if isinstance(each, cst.Expr)]
    return Fix(_TITLE, Safety.SAFE, edits.delete_statement(module, first, *more))


def _statuses(module: Module, double: Double) -> list[cst.BaseSmallStatement | cst.BaseCompoundStatement | None]:
    """The calls whose ERROR status the span overwrites with its own."""
    if double.block.sets_status is not True:
        return []
    return [
        module.walk.statement_of(mark.call)
        for mark in double.handler.marks
        if mark.span is double.mark.span and mark.does == {"status"} and double.handler.is_plain_error(mark)
    ]


def _switched_off(module: Module, double: Double) -> Fix | None:
    """`record_exception(exc, attributes=…)` says more than the span would: the span has to leave it to the handler."""
    start = double.block.start
    if double.block.helper is not None or not double.covers_block or any(arg.star for arg in start.args):
        return None
    position = otel.PARAMETERS[double.block.api].index("record_exception")
    return _left_to(module, "handler", start, position)


def _left_to(module: Module, who: str, start: cst.Call, position: int) -> Fix:
    """What starts the block does not record any more; `position` is that of its parameter for that."""
    off = edits.set_argument(module, start, "record_exception", "False", position=position)
    return Fix(f"Let only the {who} record", Safety.SAFE, off)
