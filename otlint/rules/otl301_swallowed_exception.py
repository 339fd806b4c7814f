"""OTL301: a handler after which an operation has failed, and nothing of the exception is on its span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.errors.failures import Failure
    from otlint.model.module import Module

_LACKS = {
    "told": "the status of its span stays UNSET, although an attribute or event tells of it; record the exception and "
    "set the status to ERROR",
    "either": "its span shows nothing of the exception; record it and set the status to ERROR",
    "span-event": "the exception is not recorded on its span; record it",
    "log": "no log record carries the exception; log it with `exc_info=True`",
}


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.errors.failures import EITHER, failures

    if module.is_spared_test:
        return
    signal = str(module.options.get("exception-signal", EITHER))
    for failure in failures(module, signal):
        if failure.lacks == "exception":
            what = "one of the things to do" if failure.is_one_of_many else "the operation"
            yield module.finding(
                failure.handler.node,
                f"{what} fails in this handler and {_LACKS['told' if failure.told and signal == EITHER else signal]}",
                related=failure.places,
                fix=_fix(module, failure, signal),
            )


def _fix(module: Module, failure: Failure, signal: str) -> Fix | None:
    if not failure.is_whole or failure.is_overruled or signal == "log" or failure.span is None:
        return None
    made = edits.report_failure(module, failure.handler.node, failure.span, record=True, status=not failure.status)
    return Fix("Record the exception and set the status", Safety.UNSAFE, made) if made is not None else None
