"""OTL507: a time given to a span or event that is not in whole nanoseconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.metrics.clock import Moment
    from otlint.model.module import Module

_NOW = "time.time_ns"
_LOST = "so the exporter fails on it and loses its whole batch"
_HARM = {"is a float": _LOST, "is a datetime": _LOST}


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.metrics.clock import moment

    for call in module.calls(*otel.TIMESTAMPS):
        for parameter in otel.TIMESTAMPS[module.api(call.func) or ""]:
            given = module.argument(call, parameter)
            when = moment(module, given) if given is not None else None
            if given is None or when is None or module.silenced(given, when.fault is None and "it is in nanoseconds"):
                continue
            if module.silenced(given, when.is_fixed and module.is_test and "tests have times of their own"):
                continue
            harm = _HARM.get(when.fault or "", "so the span is exported with a time decades off")
            far = when.call is not None and not module.walk.inside(when.call, call)
            yield module.finding(
                given,
                f"`{parameter}` {when.fault}, {harm}; give whole nanoseconds since the epoch, as `time.time_ns()` does",
                related=[(when.call, "the time comes from here")] if when.call is not None and far else (),
                fix=_fix(module, given, when),
            )


def _fix(module: Module, given: cst.BaseExpression, when: Moment) -> Fix | None:
    """A clock that is read in the argument itself is read in nanoseconds; what a variable holds is converted."""
    import libcst as cst

    from otlint.model.metrics.clock import is_bare

    if not when.is_epoch or when.call is None:
        return None
    written = module.code(given)
    if when.is_date:
        text = f"int({written}.timestamp() * 1e9)"
        return Fix("convert it to nanoseconds", Safety.DISPLAY, edits.replace(module, given, text))
    if is_bare(module, given, when):
        text, imports = edits.reference(module, _NOW, given)
        return Fix("read the clock in nanoseconds", Safety.SAFE, (*edits.replace(module, given, f"{text}()"), *imports))
    if when.power == 0 and not when.is_whole:
        seconds = f"({written})" if isinstance(given, cst.BinaryOperation) else written
        return Fix("convert it to nanoseconds", Safety.SAFE, edits.replace(module, given, f"int({seconds} * 1e9)"))
    return None
