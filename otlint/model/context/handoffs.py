"""Work that is handed to another thread: where, how, and by which expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import argument
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.code.values import Values
    from otlint.model.code.walk import Walk
    from otlint.model.module import Module

_THREAD = "threading.Thread"
_POOL = "concurrent.futures.ThreadPoolExecutor"
_THREAD_POOL = "multiprocessing.pool.ThreadPool"
# API → how it takes the work, the parameter that is the work, its position.
_THREADS: dict[str, tuple[str, str, int]] = {
    _THREAD: ("thread", "target", 1),
    "threading.Timer": ("timer", "function", 1),
    f"{_POOL}.submit": ("submit", "", 0),
    f"{_POOL}.map": ("map", "", 0),
    f"{_POOL}.submit().add_done_callback": ("callback", "fn", 0),
    "concurrent.futures.Future.add_done_callback": ("callback", "fn", 0),
    "asyncio.AbstractEventLoop.run_in_executor": ("executor", "func", 1),
    "_thread.start_new_thread": ("raw", "", 0),
    f"{_THREAD_POOL}.apply": ("apply", "func", 0),
    f"{_THREAD_POOL}.apply_async": ("apply", "func", 0),
    **{
        f"{_THREAD_POOL}.{name}": ("map", "func", 0)
        for name in ("map", "map_async", "imap", "imap_unordered", "starmap", "starmap_async")
    },
}
_FIRST = ("", "", "initializer")
_NO_INPUTS = frozenset({"name", "daemon", "group", "interval", "chunksize", "timeout"})


@dataclass(frozen=True, eq=False, slots=True)
class Handoff:
    """One call that lets another thread do work.

    `way`: "thread", "timer", "submit", "map", "executor" (run_in_executor), "callback" (of a pool's future), "apply"
    (multiprocessing's ThreadPool), "raw" (start_new_thread), "helper" (a project function that starts the thread), or
    "subclass" (of Thread, at its start). `target` is the callable, or the thread; `run` the method that a subclass
    runs; `inputs` what the work gets. `place` is where the work is handed over: a thread's start, else the call.
    """

    call: cst.Call
    way: str
    target: cst.BaseExpression
    inputs: tuple[cst.BaseExpression, ...]
    place: cst.Call
    run: str | None = None


def handoffs(module: Module) -> Iterator[Handoff]:
    """Every hand-off to a thread in the file; process pools and unknown executors are none, nor threads not started."""
    for call in module.walk.all(cst.Call):
        api = module.api(call.func)
        if api in _THREADS:
            found = _direct(module, call, *_THREADS[api])
            if found is not None:
                yield found
        elif isinstance(call.func, cst.Attribute) and call.func.attr.value == "start" and not call.args:
            yield from _subclass(module, call, call.func.value)
        elif api is not None and not otel.is_otel(api):
            yield from _through_helper(module, call)


def _direct(module: Module, call: cst.Call, way: str, name: str, position: int) -> Handoff | None:
    target = argument(call, name, ("",) * position + (name,)) if name else _positional(call, position)
    carries = _carries_context(module, call)
    if target is None or module.silenced(call, carries and "`context-executors` says that it takes the context along"):
        return None
    foreign = way == "executor" and not _is_thread_pool(module.values, call)
    if module.silenced(call, foreign and "the executor is not known to be a pool of threads"):
        return None
    if way not in {"thread", "timer", "raw"} and module.silenced(call, _attached_first(module)):
        return None
    place = start_of(module, call) if way in {"thread", "timer"} else call
    module.silenced(call, place is None and "nothing in the function starts the thread")
    return Handoff(call, way, target, _inputs(call, target), place) if place is not None else None


def _subclass(module: Module, start: cst.Call, thread: cst.BaseExpression) -> Iterator[Handoff]:
    """`Worker(queue).start()`, where the class `Worker` of the project is a Thread with a `run` of its own."""
    owner = module.type(thread)
    if owner is None or module.values.member(owner, "start") != f"{_THREAD}.start":
        return
    run = module.values.member(owner, "run")
    if run is None or owner == _THREAD or run.startswith("threading."):
        return
    made = [each for each in module.origins(thread) if isinstance(each, cst.Call)]
    inputs = tuple(arg.value for each in made for arg in each.args)
    yield Handoff(start, "subclass", thread, inputs, start, run)


def _through_helper(module: Module, call: cst.Call) -> Iterator[Handoff]:
    facts = module.helper(call)
    if facts is None or not any("thread" in effects for _, effects in facts.effects):
        return
    for arg in call.args:
        effects = module.helpers.on(call, arg.value)
        if effects is not None and "thread" in effects and not arg.star:
            yield Handoff(call, "helper", arg.value, _inputs(call, arg.value), call)


def start_of(module: Module, thread: cst.Call) -> cst.Call | None:
    """Where the function that makes a thread starts it, None when it does not."""
    up = module.walk.parent[thread]
    if isinstance(up, cst.Attribute):
        above = module.walk.parent[up]
        return above if isinstance(above, cst.Call) and up.attr.value == "start" else None
    function = module.function_of(thread)
    body = function.body if function is not None else module.tree
    starts = [each for each in module.walk.own(body, cst.Call) if _is_start(module, each, thread)]
    target = up.targets[0].target if isinstance(up, cst.Assign) else getattr(up, "target", None)
    same = [
        each
        for each in starts
        if target is not None and isinstance(each.func, cst.Attribute) and each.func.value.deep_equals(target)
    ]
    return next(iter([*same, *starts]), None)


def _is_start(module: Module, call: cst.Call, thread: cst.Call) -> bool:
    if not isinstance(call.func, cst.Attribute) or call.func.attr.value != "start" or call.args:
        return False
    before = module.walk.order[thread] < module.walk.order[call]
    return before and module.type(call.func.value) in {None, _THREAD, "threading.Timer"}


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


def _attached_first(module: Module) -> Reason | None:
    """A function by which a pool of the file attaches a context when a thread starts: `initializer=attach`."""
    for call in module.calls(_POOL, _THREAD_POOL):
        first = argument(call, "initializer", ("", "initializer") if module.api(call.func) == _THREAD_POOL else _FIRST)
        api = module.api(first) if first is not None else None
        if api is not None and otel.ATTACH in module.project.called_by([api]):
            return Reason("a pool of the file attaches a context in its threads", first)
    return None


def _is_thread_pool(values: Values, call: cst.Call) -> bool:
    executor = argument(call, "executor", ("executor",))
    if executor is None:
        return False
    is_default = isinstance(executor, cst.Name) and executor.value == "None"
    return is_default or values.member(values.type(executor) or "", "submit") == f"{_POOL}.submit"


def _inputs(call: cst.Call, target: cst.BaseExpression) -> tuple[cst.BaseExpression, ...]:
    found: list[cst.BaseExpression] = []
    for arg in call.args:
        if arg.value is target or (arg.keyword is not None and arg.keyword.value in _NO_INPUTS):
            continue
        inner = arg.value.elements if isinstance(arg.value, cst.Tuple | cst.List) else ()
        found.extend([each.value for each in inner] if inner else [arg.value])
    return tuple(found)


def runs_work(values: Values, call: cst.Call) -> bool:
    """Whether the call is one of an API that runs a callable in a thread."""
    return values.api(call.func) in _THREADS


def takes_work(values: Values, call: cst.Call, arg: cst.Arg) -> bool:
    """Whether the argument is the callable that a call of an API runs in a thread."""
    api = values.api(call.func)
    if api not in _THREADS:
        return False
    way, name, position = _THREADS[api]
    if way == "executor" and not _is_thread_pool(values, call):
        return False
    if arg.keyword is not None:
        return arg.keyword.value == name
    return position < len(call.args) and call.args[position] is arg


def is_waited_for(module: Module, handoff: Handoff) -> bool:
    """Whether the function that hands the work over also waits for its end."""
    if handoff.way == "map":
        return True
    function = module.function_of(handoff.call)
    if handoff.way == "executor":
        return not isinstance(module.walk.parent[handoff.call], cst.Expr)
    body = function.body if function is not None else module.tree
    calls = module.walk.own(body, cst.Call)
    if handoff.way == "submit" and isinstance(handoff.call.func, cst.Attribute):
        pool = handoff.call.func.value
        managed = isinstance(pool, cst.Name) and any(
            binding.kind == "with" for binding in module.names.reaching(pool.value, pool)
        )
        waits = {"concurrent.futures.as_completed", "concurrent.futures.wait"}
        return managed or any(module.api(each.func) in waits or _method(each) == "result" for each in calls)
    return any(_method(each) == "join" and (not each.args or _is_of_thread(module, each)) for each in calls)


def _is_of_thread(module: Module, call: cst.Call) -> bool:
    return isinstance(call.func, cst.Attribute) and module.type(call.func.value) == _THREAD


def is_endless(walk: Walk, loop: cst.While) -> bool:
    """`while True`, `while not stop.is_set()`, `while self.running`: not a loop over data that is used up."""
    test = loop.test
    if isinstance(test, cst.Comparison):
        return False
    if isinstance(test, cst.Name | cst.Integer) and test.value in {"True", "1"}:
        leaves = any(walk.own(loop.body, cst.Break, cst.Return))
        return not leaves or any(_is_reception(call) for call in walk.own(loop.body, cst.Call))
    changed = {
        target.target.value
        for each in walk.own(loop.body, cst.Assign)
        for target in each.targets
        if isinstance(target.target, cst.Name)
    }
    return changed.isdisjoint(name.value for name in walk.own(test, cst.Name))


def _is_reception(call: cst.Call) -> bool:
    """`queue.get(timeout=1)`, `stop.wait(5)`, `consumer.poll()`: it waits for whatever comes."""
    name = _method(call)
    if name == "get":
        return all(arg.keyword is not None and arg.keyword.value in {"timeout", "block"} for arg in call.args)
    return name in {"wait", "poll", "recv", "receive", "accept", "blpop", "brpop", "readline", "get_message"}


def _method(call: cst.Call) -> str:
    return call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
