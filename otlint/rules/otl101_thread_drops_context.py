"""OTL101: work handed to a thread that does not see the caller's trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.context.handoffs import Handoff
    from otlint.model.module import Module

_POOLS = frozenset({"submit", "map", "executor", "apply", "callback"})
# What the instrumentor of threads does not reach, and where one that replaces `submit` alone is at work as well.
_UNPATCHED = frozenset({"raw", "subclass"})
_RUNNERS = frozenset({"asyncio.run", "anyio.run"})
_SUBMITTED = frozenset({"submit", "map", "executor", "helper"})


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.context.background import missed
    from otlint.model.context.handoffs import handoffs

    if module.is_spared_test:
        return
    found = list(handoffs(module))
    carried = module.instrumentation.possible({"threading"}) if found else None
    submitted = carried or (module.instrumentation.possible({"logfire-executors"}) if found else None)
    for handoff in found:
        carries = submitted if handoff.way in _SUBMITTED else carried
        if handoff.way not in _UNPATCHED and module.silenced(handoff.call, carries):
            continue
        active = module.active(handoff.place)
        module.silenced(handoff.call, active is None and "no span is known to be current where the work is handed over")
        telemetry = missed(module, handoff) if active is not None else None
        if active is None or telemetry is None:
            continue
        yield module.finding(
            handoff.call,
            f"`{_named(module, handoff)}` {telemetry}, but in {_where(handoff)} it is outside of the caller's trace; "
            + ("run it in a copy of the current context" if handoff.run is None else "give it the current context"),
            related=[(active.node, active.why)] if active.node is not None else (),
            fix=_fix(module, handoff),
        )


def _fix(module: Module, handoff: Handoff) -> Fix | None:
    """The context is copied where the call stands, so a thread that is made elsewhere than it is started is left."""
    if handoff.place is not handoff.call and module.active(handoff.call) is None:
        return None
    made = edits.carry_context(module, handoff)
    return Fix("run it in a copy of the current context", Safety.UNSAFE, made) if made is not None else None


def _where(handoff: Handoff) -> str:
    if handoff.way in _POOLS:
        return "a thread pool"
    return "a timer's thread" if handoff.way == "timer" else "a thread"


def _named(module: Module, handoff: Handoff) -> str:
    """What runs in the thread, shortened to one line; `asyncio.run` stands for its coroutine."""
    if handoff.run is not None:
        return ".".join(handoff.run.split(".")[-2:])
    text = module.code(handoff.target)
    runs = text.endswith(".run_until_complete") or module.api(handoff.target) in _RUNNERS
    if runs and handoff.inputs:
        text = module.code(handoff.inputs[0])
    first = text.splitlines()[0]
    return first if first == text and len(first) <= 40 else f"{first[:37]}…"
