"""OTL802: what is logged is exported twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.setup.exported_logs import Handler


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.exported_logs import exporting_handlers, stays, switch, switched_elsewhere, switched_off

    if module.is_spared_test:
        return
    found = [each for each in exporting_handlers(module) if not stays(module, each.logger)]
    switched = switch(module)
    elsewhere = switched_elsewhere(module) if found and switched is None else None
    for handler in found:
        first = next((each for each in found if _gets_the_same(module, each, handler)), None)
        if switched is not None and _shares_provider(module, handler):
            yield module.finding(
                handler.add,
                "`LoggingInstrumentor` exports what is logged as well, so every record arrives twice; "
                "leave this handler out",
                related=[(switched, "its own handler is put on the root logger here")],
            )
        elif elsewhere is not None and _shares_provider(module, handler):
            yield module.finding(
                handler.add,
                f"`LoggingInstrumentor` in `{elsewhere}` exports what is logged as well, so each record arrives twice; "
                "leave this handler out",
            )
        elif first is not None:
            yield module.finding(
                handler.add,
                "what this logger gets reaches the handler of the other one as well and is exported twice; keep one",
                related=[(first.add, "the other handler")],
            )
        else:
            off = next(
                (reason for call in module.calls(otel.INSTRUMENT_LOGGING) if (reason := switched_off(module, call))),
                None,
            )
            module.silenced(handler.add, off or "no other handler is known to export the same")


def _gets_the_same(module: Module, first: Handler, late: Handler) -> bool:
    """Whether the root has an exporting handler besides the one of a logger, or one logger two."""
    if first is late or first.add is late.add:
        return False
    if first.logger == late.logger:
        flow = module.flow(module.function_of(late.add) or module.tree)
        together = module.function_of(first.add) is module.function_of(late.add)
        return together and first.call is not late.call and flow.reaches(first.add, late.add)
    return not first.logger


def _shares_provider(module: Module, handler: Handler) -> bool:
    """Whether the handler exports through the global provider, as the instrumentation does."""
    given = any(arg.keyword is not None and arg.keyword.value == "logger_provider" for arg in handler.call.args)
    return not given or any(
        otel.SET_PROVIDER[otel.LOGGER_PROVIDER] in facts.calls for facts in module.project.reach.around(module.path)
    )
