"""OTL101: work handed to a thread that does not see the caller's trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.active import Active
    from otlint.model.handoffs import Handoff
    from otlint.model.module import Module

_WAYS = {
    "thread": "a thread",
    "timer": "a timer's thread",
    "submit": "a thread pool",
    "map": "a thread pool",
    "executor": "a thread pool",
    "apply": "a thread pool",
    "helper": "a thread",
}


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.handoffs import handoffs, makes_telemetry

    found = None
    for handoff in handoffs(module):
        if found is None:
            found = module.instrumentation.possible({"threading"})
        if found:
            return
        active = module.active(handoff.call)
        telemetry = makes_telemetry(module, handoff) if active is not None else None
        if active is None or telemetry is None:
            continue
        yield module.finding(
            handoff.call,
            f"`{_short(module.code(handoff.target))}` {telemetry}, but in {_WAYS[handoff.way]} it is outside of the "
            "caller's trace; run it in a copy of the current context",
            related=[(active.node, active.why)] if active.node is not None else (),
            fix=_fix(module, handoff, active),
        )


def _fix(module: Module, handoff: Handoff, active: Active) -> Fix | None:
    """The context is copied where the call stands, so only a call inside the span itself is repaired."""
    if not active.here:
        return None
    copy, imports = edits.reference(module, "contextvars.copy_context", handoff.call)
    work, call = module.code(handoff.target), handoff.call
    if handoff.way == "map":  # a context runs one thing at a time, so each item gets its own copy
        statement = module.walk.statement_of(call)
        if statement is None or not module.names.is_free("caller_context", call):
            return None
        made = edits.replace(module, handoff.target, f"lambda *args: caller_context.copy().run({work}, *args)")
        made = (*edits.insert_before(module, statement, [f"caller_context = {copy}()"]), *made)
    elif handoff.way in {"submit", "executor"}:
        position = next((i for i, arg in enumerate(call.args) if arg.value is handoff.target and not arg.keyword), None)
        if position is None:
            return None
        made = edits.insert_argument(module, call, f"{copy}().run", position)
    else:
        partial, more = edits.reference(module, "functools.partial", call)
        made = (*edits.replace(module, handoff.target, f"{partial}({copy}().run, {work})"), *more)
    return Fix("run it in a copy of the current context", Safety.UNSAFE, (*made, *imports))


def _short(text: str) -> str:
    first = text.splitlines()[0]
    return first if first == text and len(first) <= 40 else f"{first[:37]}…"
