"""Handlers of functions that are frozen as soon as they have answered, with spans in memory that nothing sends before.

A batch processor exports in a thread, which stands still as well; the environment may be gone before it goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.deployment.services import Evidence
from otlint.model.code.conditions import Conditions, root
from otlint.model.code.walk import Node
from otlint.model.reason import Elsewhere, Reason
from otlint.model.setup.providers import SENDS, Provider, sending

if TYPE_CHECKING:
    from otlint.model.module import Module

_LAMBDA = "server.lambda"
_WRAPPER = ("EXEC_WRAPPER", "layer:", "otel-instrument")


@dataclass(frozen=True, eq=False, slots=True)
class Frozen:
    """A handler, and the providers of its own file that hold something back; none if they are built elsewhere.

    `kinds` are those of all providers that do. `early`: a flush that comes too early, in the block of a span; `left`: a
    `return` that is not flushed before.
    """

    handler: cst.FunctionDef
    held: tuple[Provider, ...]
    kinds: frozenset[str]
    early: Node | None = None
    left: Node | None = None


def frozen(module: Module) -> Iterator[Frozen]:
    """In source order."""
    handlers = [each for each, entry in module.entries.all() if entry.key == _LAMBDA and _is_outermost(each)]
    if not handlers:
        return
    files = module.project.reach.with_imported(module.path)
    kinds = frozenset[str]().union(*(facts.holding for facts in files))
    if not kinds:
        for each in handlers:
            module.silenced(each, "nothing that it uses is known to keep telemetry in memory")
        return
    held = tuple(each for each in module.providers if each.batch is not None)
    why = _flushed(module)
    for each in handlers:
        early, left = _in_vain(module, each)
        if not module.silenced(each, why if early is None and left is None else None):
            yield Frozen(each, held, kinds, early, left)


def _in_vain(module: Module, handler: cst.FunctionDef) -> tuple[Node | None, Node | None]:
    """A flush of the handler inside of the span that it should send, or a `return` after a span that passes it by.

    Only where nothing else flushes: the handler's own calls are all that there is.
    """
    calls = module.walk.own(handler.body, cst.Call)
    flushes = [call for call in calls if isinstance(call.func, cst.Attribute) and call.func.attr.value in SENDS]
    named = [each for name in sorted(SENDS) for each in module.walk.named(name, module.tree)]
    together = module.project.reach.with_imported(module.path)
    if not flushes or len(named) != len(flushes) or any(each.sends for each in together if each.path != module.path):
        return None, None
    if all(module.span_around(call) is not None for call in flushes):
        return flushes[0], None
    flow = module.flow(handler)
    # `if processor: processor.force_flush()` flushes whenever there is anything to.
    holders = [name for call in flushes if (name := root(call.func)) is not None]
    for span in module.spans:
        if span.function is handler and span.start in flow:
            there = Conditions(module.walk, module.names, span.start, holders)
            for leaves in flow.escapes(span.start, flushes, known=there.known):
                if leaves.kind == "return":
                    return None, leaves.node
    return None, None


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
