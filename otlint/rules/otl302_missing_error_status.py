"""OTL302: an exception that is recorded or logged while the status of the failed span stays UNSET."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.errors.failures import Failure
    from otlint.model.errors.handlers import Mark
    from otlint.model.module import Module

_TITLE = "Set the status to ERROR"
_UNSET = "but the status of the span stays UNSET; set it to ERROR"
_OVERRULED = "but what starts the span sets its status to OK in the end; let the exception leave its block"


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.errors.failures import failures, unmarked

    if module.is_spared_test:
        return
    for failure in failures(module, str(module.options.get("exception-signal", "either"))):
        if failure.lacks == "status":
            yield module.finding(
                failure.handler.node,
                f"{_what(failure)}, {_OVERRULED if failure.is_overruled else _UNSET}",
                related=failure.places,
                fix=_fix(module, failure),
                hint=failure.is_one_of_many and (failure.log is None or failure.below is not None),
            )
    for each in unmarked(module):
        yield module.finding(
            each.mark.call,
            f"the exception is recorded, {_UNSET}",
            related=[(each.source, "this span looks as if nothing had failed")],
            fix=_behind(module, each.mark, None),
        )


def _what(failure: Failure) -> str:
    if failure.mark is not None:
        return "the exception is recorded"
    what = "one of the things to do" if failure.is_one_of_many else "the operation"
    if failure.below is not None:
        return f"{what} fails and an inner span has the exception"
    return f"{what} fails and the log has the exception"


def _fix(module: Module, failure: Failure) -> Fix | None:
    if failure.is_overruled:
        return None
    if failure.mark is not None:
        return _behind(module, failure.mark, failure.handler.name)
    if not failure.is_whole or failure.span is None:
        return None
    made = edits.report_failure(module, failure.handler.node, failure.span, record=False, status=True)
    return Fix(_TITLE, Safety.UNSAFE, made) if made is not None else None


def _behind(module: Module, mark: Mark, name: str | None) -> Fix | None:
    """Behind the call that records, with the text of what it records."""
    import libcst as cst

    given = module.argument(mark.call, "exception")
    if isinstance(given, cst.Name):
        name = given.value
    made = edits.set_error_after(module, mark.call, name) if name is not None else None
    return Fix(_TITLE, Safety.UNSAFE, made) if made is not None else None
