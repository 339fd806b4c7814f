"""OTL524: a provider is shut down while a span that it has to export is open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

_SHUTDOWN = frozenset({f"{otel.SDK_PROVIDER}.shutdown", f"{otel.PROVIDER}.shutdown"})


@rule(Level.ERROR)
def check(module: Module) -> Iterator[Finding]:
    import libcst as cst

    from otlint.model.flow.during import extent

    if module.is_spared_test:
        return
    several = len(module.calls(otel.SDK_PROVIDER)) > 1
    found: set[cst.Call] = set()
    for span in module.spans:
        if span.api not in otel.STARTS or span.start not in module.walk.parent:
            continue
        for part in extent(module, span):
            for call in module.walk.own(part, cst.Call):
                if call in found or not _shuts_down(module, call):
                    continue
                if module.silenced(call, several and "the span may be of another provider"):
                    continue
                found.add(call)
                yield module.finding(
                    call,
                    "the provider is shut down while a span is open, so that span is never exported; end it before",
                    related=[(span.start, "this span is still open")],
                )


def _shuts_down(module: Module, call: cst.Call) -> bool:
    """`provider.shutdown()`, `shut_down_telemetry()`; not what makes a provider of its own for a while."""
    if module.api(call.func) in _SHUTDOWN:
        return True
    helper = module.helper(call)
    if helper is None or (helper.is_async and not _is_awaited(module, call)):
        return False
    reached = module.project.called_by(helper.calls)
    return not reached.isdisjoint(_SHUTDOWN) and otel.SDK_PROVIDER not in reached


def _is_awaited(module: Module, call: cst.Call) -> bool:
    import libcst as cst

    return isinstance(module.walk.parent.get(call), cst.Await)
