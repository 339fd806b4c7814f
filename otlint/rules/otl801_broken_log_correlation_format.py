"""OTL801: a log format that asks for the ids of the current span, which nothing puts on log records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.correlation import asking, correlated, switches

    if module.is_spared_test:
        return
    for text, field in asking(module):
        # LoggingInstrumentor().instrument()
        # logging.basicConfig(format="%(otelTraceID)s %(message)s")
        if module.silenced(text, correlated(module)):
            return
        switched = switches(module)
        yield module.finding(
            text,
            f"nothing puts `{field}` on log records, so lines of this format fail or lack it; "
            f"give `{_wanted(module)}` to `LoggingInstrumentor().instrument()`",
            related=[(call, "the instrumentation is switched on here") for call in switched],
            fix=_fix(module) if len(switched) == 1 else None,
        )


def _wanted(module: Module) -> str:
    newer = module.instrumentation.otel_at_least("1.43")
    return f"{'inject_trace_context' if newer else 'set_logging_format'}=True"


def _fix(module: Module) -> Fix:
    from otlint.model.setup.correlation import switches

    wanted = _wanted(module)
    change = edits.set_argument(module, switches(module)[0], wanted.partition("=")[0], "True")
    return Fix(f"give `{wanted}`", Safety.SAFE, change)
