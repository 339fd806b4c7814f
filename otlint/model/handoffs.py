"""Work that is handed to another thread: where, how, and what runs there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.values import argument
from otlint.model.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

_POOL = "concurrent.futures.ThreadPoolExecutor"
_THREAD_POOL = "multiprocessing.pool.ThreadPool"
# API → how it takes the work, the parameter that is the work, its position.
_THREADS: dict[str, tuple[str, str, int]] = {
    "threading.Thread": ("thread", "target", 1),
    "threading.Timer": ("timer", "function", 1),
    f"{_POOL}.submit": ("submit", "", 0),
    f"{_POOL}.map": ("map", "", 0),
    "asyncio.AbstractEventLoop.run_in_executor": ("executor", "func", 1),
    "_thread.start_new_thread": ("apply", "", 0),
    **{
        f"{_THREAD_POOL}.{name}": ("apply" if name.startswith("apply") else "map", "func", 0)
        for name in ("apply", "apply_async", "map", "map_async", "imap", "imap_unordered", "starmap", "starmap_async")
    },
}
# A target of such a name lives longer than the request that starts it.
_LONG_LIVED = frozenset(
    {
        "worker", "poll", "poller", "polling", "loop", "daemon", "listen", "listener", "consume", "consumer", "serve",
        "server", "heartbeat", "monitor", "forever", "watch", "watcher", "scheduler", "background", "refresher",
        "reaper", "janitor", "sender", "flusher", "committer", "cleanup", "shutdown", "maintain",
    }
)  # fmt: skip
_CARRIES_CONTEXT = re.compile(
    r"(?i)(?:^|_)(?:ctx|contexts?|carriers?|traceparent|span|links?|(?:trace|otel|propagation)_?headers)$|(?:Span|Context)$"
)


@dataclass(frozen=True, eq=False, slots=True)
class Handoff:
    """One call that lets another thread do work.

    `way`: "thread", "timer", "submit", "map", "executor" (run_in_executor), "apply" (other pools, low-level threads),
    "helper" (a project function that starts the thread). `target` is the callable; `inputs` what it gets.
    """

    call: cst.Call
    way: str
    target: cst.BaseExpression
    inputs: tuple[cst.BaseExpression, ...]


def handoffs(module: Module) -> Iterator[Handoff]:
    """Every hand-off to a thread in the file; process pools and unknown executors are none."""
    for call in module.walk.all(cst.Call):
        api = module.api(call.func)
        if api in _THREADS:
            way, name, position = _THREADS[api]
            target = argument(call, name, ("",) * position + (name,)) if name else _positional(call, position)
            if target is None or _carries_context(module, call):
                continue
            if way != "executor" or _is_thread_pool(module, call):
                yield Handoff(call, way, target, _inputs(call, target))
        elif api is not None and not otel.is_otel(api):
            yield from _through_helper(module, call)


def _through_helper(module: Module, call: cst.Call) -> Iterator[Handoff]:
    facts = module.helper(call)
    if facts is None or not any("thread" in effects for _, effects in facts.effects):
        return
    for arg in call.args:
        effects = module.helpers.on(call, arg.value)
        if effects is not None and "thread" in effects and not arg.star:
            yield Handoff(call, "helper", arg.value, _inputs(call, arg.value))


def takes_work(api: str, arg: cst.Arg, call: cst.Call) -> bool:
    """Whether the argument is the callable that the API runs in a thread."""
    if api not in _THREADS:
        return False
    _, name, position = _THREADS[api]
    if arg.keyword is not None:
        return arg.keyword.value == name
    return position < len(call.args) and call.args[position] is arg


def _positional(call: cst.Call, position: int) -> cst.BaseExpression | None:
    if position >= len(call.args) or any(arg.star or arg.keyword for arg in call.args[: position + 1]):
        return None
    return call.args[position].value


def _carries_context(module: Module, call: cst.Call) -> bool:
    """Whether the configuration says that the executor takes the context along."""
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    executors = (owner, argument(call, "executor", ("executor",)))
    carries = module.project.wrappers.carries_context
    return any(each is not None and carries(module.type(each)) for each in executors)


def _is_thread_pool(module: Module, call: cst.Call) -> bool:
    executor = argument(call, "executor", ("executor",))
    if executor is None:
        return False
    is_default = isinstance(executor, cst.Name) and executor.value == "None"
    return is_default or module.values.member(module.type(executor) or "", "submit") == f"{_POOL}.submit"


def _inputs(call: cst.Call, target: cst.BaseExpression) -> tuple[cst.BaseExpression, ...]:
    found: list[cst.BaseExpression] = []
    for arg in call.args:
        if arg.value is target or (arg.keyword is not None and arg.keyword.value in {"name", "daemon", "group"}):
            continue
        inner = arg.value.elements if isinstance(arg.value, cst.Tuple | cst.List) else ()
        found.extend([each.value for each in inner] if inner else [arg.value])
    return tuple(found)


def makes_telemetry(module: Module, handoff: Handoff) -> str | None:
    """What of the work needs the trace: "starts spans" and the like, None when nothing is known to.

    Also None where the work brings its own context, or lives longer than what starts it.
    """
    if any(_CARRIES_CONTEXT.search(_spelled(each)) or module.type(each) == otel.CONTEXT for each in handoff.inputs):
        return None
    names = list(_run(module, handoff.target, handoff.inputs))
    if not names or any(_lives_long(module, name) for name in names):
        return None
    called = module.project.called_by(names)
    if called & (otel.EXTRACTS | {otel.ATTACH, "contextvars.Context.run", "contextvars.copy_context"}):
        return None
    if called & otel.STARTS or any(name in module.project.telemetry for name in names):
        return "starts spans"
    if called & {otel.GET_CURRENT_SPAN, *otel.INJECTS}:
        return "uses the current span"
    for name in sorted(called):
        operation = known_operation(module, name)
        if operation is not None:
            return f"calls `{operation}`, which is instrumented"
    return None


def known_operation(module: Module, api: str) -> str | None:
    """The name of an instrumented client call, None for any other."""
    from otlint import known

    operation = known.clients().operation(api)
    if operation is None or module.instrumentation.of(operation.instrumentors | operation.beneath) is None:
        return None
    return api


def _run(module: Module, target: Node, inputs: tuple[cst.BaseExpression, ...]) -> Iterator[str]:
    """The dotted names of the functions that the thread runs; none when that is not certain."""
    if isinstance(target, cst.Lambda):
        for call in module.walk.own(target.body, cst.Call):
            api = module.api(call.func)
            if api is not None:
                yield api
        return
    if isinstance(target, cst.Call):
        api = module.api(target.func)
        if api == "functools.partial" and target.args:
            yield from _run(module, target.args[0].value, tuple(arg.value for arg in target.args[1:]))
        return
    api = module.api(target)
    if api in {"asyncio.run", "anyio.run"}:
        coroutine = inputs[0] if inputs else None
        inner = module.api(coroutine.func) if isinstance(coroutine, cst.Call) else None
        if inner is not None:
            yield inner
    elif api is not None:
        yield api


def _lives_long(module: Module, name: str) -> bool:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(".")[2]).lower().split("_")
    if not _LONG_LIVED.isdisjoint(words):
        return True
    function = module.values.function(name)
    if function is not None:
        return any(is_endless(loop) for loop in module.walk.own(function.body, cst.While))
    facts = module.project.function(name)
    return facts is not None and facts.endless


def is_endless(loop: cst.While) -> bool:
    """`while True`, `while not stop.is_set()`, `while self.running`: not a loop over data."""
    return not isinstance(loop.test, cst.Comparison)


def _spelled(expression: Node) -> str:
    if isinstance(expression, cst.Attribute):
        return expression.attr.value
    return expression.value if isinstance(expression, cst.Name) else ""
