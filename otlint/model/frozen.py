"""Handlers of functions that are frozen as soon as they have answered, with spans in memory that nothing sends before.

A batch processor exports in a thread, which stands still as well; the environment may be gone before it goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.deployment import Evidence
from otlint.model.providers import Provider, sending
from otlint.model.reason import Elsewhere, Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

_LAMBDA = "server.lambda"
_WRAPPER = ("EXEC_WRAPPER", "layer:", "otel-instrument")


@dataclass(frozen=True, eq=False, slots=True)
class Frozen:
    """A handler, and the providers of its own file that hold something back; none if they are built elsewhere."""

    handler: cst.FunctionDef
    held: tuple[Provider, ...]


def frozen(module: Module) -> Iterator[Frozen]:
    """In source order."""
    handlers = [each for each, entry in module.entries.all() if entry.key == _LAMBDA and _is_outermost(each)]
    if not handlers:
        return
    files = module.project.reach.with_imported(module.path)
    if not any(facts.holding - {otel.METER_PROVIDER} for facts in files):
        for each in handlers:
            module.silenced(each, "nothing that it uses is known to keep spans in memory")
        return
    held = tuple(each for each in module.providers if each.batch is not None)
    why = _flushed(module)
    for each in handlers:
        if not module.silenced(each, why):
            yield Frozen(each, held)


def _is_outermost(function: cst.FunctionDef) -> bool:
    """What the platform calls gets the event and the context; a route of a resolver gets neither."""
    return len(function.params.params) == 2


def _flushed(module: Module) -> Reason | None:
    """What sends the spans, or may do so, before the function is frozen."""
    if module.declared.shutdown_handled:
        return Reason("`shutdown-handled` of the configuration says that it is flushed")
    if module.sends:
        path = module.project.reach.sender(module.path)
        where = sending(module) or (Elsewhere(path, sending) if path is not None else None)
        return Reason("something flushes or shuts down what may be the provider", where)
    instrumented = module.instrumentation.possible(["aws-lambda"])
    if instrumented is not None:
        return instrumented
    vendors = {name.partition(".")[0] for each in known.distros().values() for name in (*each.calls, *each.imports)}
    for facts in module.project.reach.with_imported(module.path):
        if any(name.partition(".")[0] in vendors - {"opentelemetry"} for name in facts.imports):
            return Reason(f"a distribution, which {facts.path} imports, may flush what it has set up")
    launch = _wrapped(module)
    return Reason(f"`{launch.word}` in {launch.path} flushes it", launch) if launch is not None else None


def _wrapped(module: Module) -> Evidence | None:
    """The layer or wrapper that some service of the project is launched with."""
    deployments = module.project.deployments
    units = deployments.units.values() if deployments is not None else ()
    found = [each for unit in units for each in (*unit.launches, *unit.hints)]
    return next((each for each in found if any(word in each.word for word in _WRAPPER)), None)
