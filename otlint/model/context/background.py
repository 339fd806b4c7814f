"""What a thread runs, and whether it misses the trace of the code that hands it over."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.walk import Node
from otlint.model.context.handoffs import Handoff, is_waited_for
from otlint.model.context.needs import Needs, facts_of
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

# A target of such a name lives longer than the request that starts it.
_LONG_LIVED = frozenset(
    {
        "worker", "poll", "poller", "polling", "loop", "daemon", "listen", "listener", "consume", "consumer", "serve",
        "server", "heartbeat", "monitor", "forever", "watch", "watcher", "scheduler", "background", "refresher",
        "reaper", "janitor", "sender", "flusher", "committer", "cleanup", "shutdown", "maintain",
    }
)  # fmt: skip
_ENDLESS = frozenset({"serve_forever", "run_forever", "start_consuming", "wait_for_termination"})
_CARRIES_CONTEXT = re.compile(
    r"(?i)(?:^|_)(?:ctx|contexts?|carriers?|traceparent|span|links?|(?:trace|otel|propagation)_?headers)$|(?:Span|Context)$"
)
_CURRENT_SPAN = frozenset({otel.GET_CURRENT_SPAN, *otel.INJECTS})
_LOGS = frozenset(
    f"{owner}.{method}"
    for owner in ("logging", "logging.Logger")
    for method in ("debug", "info", "warning", "error", "exception", "critical", "log")
)


def missed(module: Module, handoff: Handoff) -> str | None:
    """What of the work needs the trace: "starts spans" and the like, None when nothing is known to.

    Also None where the work brings its own context, or lives longer than what starts it.
    """
    carrier = next((each for each in handoff.inputs if carries_context(module, each)), None)
    if module.silenced(
        handoff.call, Reason("the work is given a context, a span or a carrier", carrier) if carrier else None
    ):
        return None
    names = {handoff.run} if handoff.run is not None else set(runs(module, handoff.target, handoff.inputs))
    if module.silenced(handoff.call, not names and "what runs in the thread is not known"):
        return None
    if module.silenced(handoff.call, _lives_long(module, handoff, names) and "it lives longer than what starts it"):
        return None
    work = Needs(module, names)
    if work.starts_spans:
        return "starts spans"
    if work.called & _CURRENT_SPAN:
        return "uses the current span"
    instrumented = work.instrumented()
    if instrumented is not None:
        return f"calls `{instrumented}`, which is instrumented"
    reports = handoff.way == "callback"  # on work of the pool, and that is what should be in the trace
    if not reports and work.called & _LOGS and module.instrumentation.of({"logging"}):
        return "logs with trace ids"
    module.silenced(handoff.call, "nothing that it does is known to need the trace")
    return None


def carries_context(module: Module, given: cst.BaseExpression) -> bool:
    """Whether an argument is a context, a span or a carrier, by its type or else by its name."""
    kind = module.type(given)
    if kind in {otel.CONTEXT, otel.SPAN, otel.SPAN_CONTEXT, otel.LINK}:
        return True
    spelled = given.attr.value if isinstance(given, cst.Attribute) else getattr(given, "value", "")
    return isinstance(spelled, str) and _CARRIES_CONTEXT.search(spelled) is not None


def runs(module: Module, target: Node, inputs: tuple[cst.BaseExpression, ...]) -> Iterator[str]:
    """The dotted names of the functions that the thread runs; none when that is not certain."""
    if isinstance(target, cst.Lambda):
        for call in module.walk.own(target.body, cst.Call):
            yield from _called(module, call)
    elif isinstance(target, cst.Call):
        if module.api(target.func) == "functools.partial" and target.args:
            yield from runs(module, target.args[0].value, tuple(arg.value for arg in target.args[1:]))
    else:
        api = module.api(target)
        if api in {"asyncio.run", "anyio.run", "asyncio.AbstractEventLoop.run_until_complete"}:
            coroutine = inputs[0] if inputs else None
            api = module.api(coroutine.func) if isinstance(coroutine, cst.Call) else None
        if api is not None:
            yield api
        elif isinstance(target, cst.Name):
            yield from _assigned(module, target, inputs)
        elif isinstance(target, cst.Attribute):
            owner = module.type(target.value)
            method = module.values.member(owner, target.attr.value) if owner is not None else None
            if method is not None:
                yield method


def _called(module: Module, call: cst.Call) -> Iterator[str]:
    """What a call calls; a copy of the context that the thread makes itself is a copy of nothing."""
    api, owner = module.api(call.func), call.func.value if isinstance(call.func, cst.Attribute) else None
    if isinstance(owner, cst.Call) and module.api(owner.func) == "contextvars.copy_context" and call.args:
        yield from runs(module, call.args[0].value, ())
    elif api is not None and api != "contextvars.copy_context":
        yield api


def _assigned(module: Module, name: cst.Name, inputs: tuple[cst.BaseExpression, ...]) -> Iterator[str]:
    bindings = module.names.reaching(name.value, name)
    value = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assign" else None
    if isinstance(value, cst.Lambda | cst.Call):
        yield from runs(module, value, inputs)


def _lives_long(module: Module, handoff: Handoff, names: set[str]) -> bool:
    facts = [found for name in names if (found := facts_of(module, name)) is not None]
    inner = [found for each in facts for name in each.calls if (found := facts_of(module, name)) is not None]
    if any(each.endless for each in (*facts, *inner)):
        return True
    called = names.union(*(each.calls for each in facts))
    if any(name in known.runs() or name.rpartition(".")[2] in _ENDLESS for name in called):
        return True
    if is_waited_for(module, handoff) or not any(map(_sounds_long, names)):
        return False
    # What is given its work, is known all through and repeats nothing is done when that work is.
    return not (_is_given_work(module, handoff) and len(facts) == len(names)) or any(
        each.loops for each in (*facts, *inner)
    )


def _is_given_work(module: Module, handoff: Handoff) -> bool:
    if isinstance(handoff.target, cst.Lambda):
        return any(call.args for call in module.walk.own(handoff.target.body, cst.Call))
    return bool(handoff.inputs)


@functools.lru_cache(maxsize=512)
def _sounds_long(name: str) -> bool:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(".")[2]).lower().split("_")
    return not _LONG_LIVED.isdisjoint(words)
