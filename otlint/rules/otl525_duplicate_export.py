"""OTL525: everything is exported twice, by two processors with the same exporter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.setup.exporting import Path

# It sets up an exporter by the environment; what the others set up is not known.
_LAUNCHER = "opentelemetry-instrument"


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.exporting import paths

    if module.is_spared_test:
        return
    found = list(paths(module))
    for late in found:
        first = next((each for each in found if each is not late and _is_same(module, each, late)), None)
        if first is not None:
            message = f"all {late.what} go to this `{late.name}` a second time; leave one of the two out"
            yield module.finding(late.add, message, related=[(first.add, "the first time")])
        elif (launch := _launch(module, late)) is not None:
            message = f"`{launch}` exports all {late.what} there already, so each arrives twice; leave this one out"
            yield module.finding(late.add, message)
        else:
            module.silenced(late.add, "no equal exporter is known to get the same")


def _is_same(module: Module, first: Path, late: Path) -> bool:
    """Whether what passes the later one has certainly passed an equal one of the same provider."""
    if first.provider is not late.provider or not first.exports_as(late):
        return False
    function = module.function_of(late.add)
    if module.function_of(first.add) is not function or first.add is late.add:
        return False
    flow = module.flow(function or module.tree)
    return flow.reaches(first.add, late.add) and flow.always_before(first.add, late.add)


def _launch(module: Module, path: Path) -> str | None:
    """What starts the program with an exporter that sends to the same place, as the environment says."""
    import libcst as cst

    from otlint.model.setup.installing import launcher

    given = path.provider
    asks = isinstance(given, cst.Call) and module.api(given.func) in otel.GET_PROVIDER.values()
    if not asks or not path.is_by_environment:
        return None
    launch = launcher(module)
    return _LAUNCHER if launch is not None and launch.word == _LAUNCHER else None
