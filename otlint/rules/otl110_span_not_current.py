"""OTL110: an open span that is not the current one while its work runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

_BETWEEN = "enter `use_span` in `__enter__` and leave it in `__exit__`"


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.spans.managed import left_aside
    from otlint.model.spans.outside import outside

    if module.is_spared_test:
        return
    for span in module.spans:
        if span.manner not in {"with", "assigned", "stored"} or (span.current and span.ends):
            continue
        if left_aside(module, span):
            yield module.finding(span.start, _message("the caller's block runs", _BETWEEN))
        if span.manner == "stored" or span.current or _is_managed_elsewhere(span):
            continue
        found = outside(module, span)
        if found is None:
            continue
        missed = span.manner == "assigned" and not _is_looked_after(module, span)
        if module.silenced(span.start, missed and "its end or its exceptions are missed, which is the worse defect"):
            continue
        node, words = found
        yield module.finding(
            span.start,
            _message(words),
            related=[(node, "this has another parent")],
            fix=_fix(module, span),
        )


def _message(words: str, advice: str = "start it with `start_as_current_span`") -> str:
    return f"the span is open but not current while {words}, so that is no part of it; {advice}"


def _is_managed_elsewhere(span: Span) -> bool:
    """Whether a context manager of the project starts it: that is where it has to be made current, for all callers."""
    starts = span.helper.span if span.helper is not None else None
    return starts is not None and starts.form == "manager"


def _is_looked_after(module: Module, span: Span) -> bool:
    """A span started by hand that is ended on every way out, exceptions recorded: its parent is all that is wrong.

    Where an end or the exceptions are missed, that is the defect to speak of.
    """
    if module.exits(module.custody(span.start)):
        return False
    return any(mark.span is span and mark.does & {"record", "status"} for mark in module.marks)


def _fix(module: Module, span: Span) -> Fix | None:
    if span.manner != "with" or span.helper is not None:
        return None
    return Fix(
        "start it with `start_as_current_span`",
        Safety.UNSAFE,
        edits.rename_function(module, span.start, "start_as_current_span"),
    )
