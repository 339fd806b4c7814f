"""Endless workers that are started while a span is current, and take the context of that one along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.context.background import runs
from otlint.model.context.handoffs import handoffs
from otlint.model.context.needs import Needs, facts_of
from otlint.model.reason import Reason
from otlint.model.spans.active import Active

if TYPE_CHECKING:
    from otlint.model.module import Module

# They start a task in a copy of the current context.
_TASKS = frozenset(
    {
        "asyncio.create_task",
        "asyncio.ensure_future",
        "asyncio.AbstractEventLoop.create_task",
        "asyncio.AbstractEventLoop.ensure_future",
    }
)


@dataclass(frozen=True, eq=False, slots=True)
class Worker:
    """One call that starts a worker: `name` is what that runs, `active` why a span is current."""

    call: cst.Call
    name: str
    active: Active


def workers(module: Module) -> Iterator[Worker]:
    """The workers of a file that keep the context of a request: tasks, and threads that are handed it.

    That is done by an instrumentor, or by hand.
    """
    for call, names in (*_tasks(module), *_threads(module)):
        endless = [name for name in sorted(names) if (facts := facts_of(module, name)) is not None and facts.endless]
        active = module.active(call) if endless else None
        if active is None or module.silenced(call, _own(module, set(endless))):
            continue
        yield Worker(call, endless[0].rpartition(".")[2], active)


def _own(module: Module, names: set[str]) -> Reason | None:
    if Needs(module, names).starts_spans:
        return None
    return Reason("what it does starts no span in the context that it has")


def _tasks(module: Module) -> Iterator[tuple[cst.Call, frozenset[str]]]:
    for call in module.calls(*_TASKS):
        given = call.args[0].value if call.args else None
        alone = any(arg.keyword is not None and arg.keyword.value == "context" for arg in call.args)
        api = module.api(given.func) if isinstance(given, cst.Call) else None
        if api is not None and not module.silenced(call, alone and "it is given a context"):
            yield call, frozenset({api})


def _threads(module: Module) -> Iterator[tuple[cst.Call, frozenset[str]]]:
    for found in handoffs(module):
        if found.way not in {"thread", "submit", "executor"}:
            continue
        if module.api(found.target) == "contextvars.Context.run" and found.inputs:
            # Thread(target=contextvars.copy_context().run, args=(refresh,))
            yield found.call, frozenset(runs(module, found.inputs[0], found.inputs[1:]))
        elif module.instrumentation.of({"threading"}) is not None:
            yield found.call, frozenset(runs(module, found.target, found.inputs))
