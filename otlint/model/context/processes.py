"""Work that is handed to a process of its own: what of its spans is lost at its end, and what loses its parent.

A forked child ends by `os._exit`: nothing that the batch processor it has inherited still holds is ever sent. A spawned
one starts with an empty context.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import argument
from otlint.model.context.background import carries_context, runs
from otlint.model.context.needs import Needs, facts_of
from otlint.model.reason import Reason
from otlint.model.setup.providers import SENDS

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.active import Active

_PROCESS = re.compile(r"multiprocessing\.(?:context\.\w+\.|process\.|get_context\(\)\.)?\w*Process")
_POOL = re.compile(r"multiprocessing\.(?:pool|get_context\(\))\.Pool|concurrent\.futures\.ProcessPoolExecutor")
_WORK = frozenset(
    {"submit", "map", "map_async", "imap", "imap_unordered", "starmap", "starmap_async", "apply", "apply_async"}
)
_EXECUTOR = "run_in_executor"
_CONTEXT = "multiprocessing.get_context"
_EMPTY = frozenset({"spawn", "forkserver"})


@dataclass(frozen=True, eq=False, slots=True)
class Child:
    """One call that has a process do work: `names` are what it runs, `inputs` what that is given.

    `method` is how the process starts: fork, spawn, forkserver, "" for the default, None where nobody can tell.
    """

    call: cst.Call
    names: frozenset[str]
    inputs: tuple[cst.BaseExpression, ...]
    method: str | None


def children(module: Module) -> Iterator[Child]:
    """The processes to which the file hands work that is known."""
    for call in module.walk.all(cst.Call):
        api = module.api(call.func) or ""
        owner, _, name = api.rpartition(".")
        if _PROCESS.fullmatch(api):
            given = argument(call, "target", ("group", "target"))
            more = argument(call, "args", ("group", "target", "name", "args"))
            inputs = tuple(each.value for each in more.elements) if isinstance(more, cst.Tuple | cst.List) else ()
        elif name in _WORK and _POOL.fullmatch(owner) and call.args and call.args[0].keyword is None:
            given, inputs = call.args[0].value, tuple(arg.value for arg in call.args[1:])
        elif _is_executor(module, call):
            given, inputs = call.args[1].value, tuple(arg.value for arg in call.args[2:])
        else:
            yield from _subclass(module, call)
            continue
        names = frozenset(runs(module, given, inputs)) if given is not None else frozenset[str]()
        if not module.silenced(call, not names and "what runs in the process is not known"):
            yield Child(call, names, inputs, _method(module, api))


def _is_executor(module: Module, call: cst.Call) -> bool:
    """`loop.run_in_executor(pool, pack, order)` of any loop, where the pool is one of processes."""
    named = isinstance(call.func, cst.Attribute) and call.func.attr.value == _EXECUTOR
    return named and len(call.args) > 1 and _POOL.fullmatch(module.type(call.args[0].value) or "") is not None


def _subclass(module: Module, call: cst.Call) -> Iterator[Child]:
    """`Packer(order).start()`, where the class `Packer` of the project is a process with a `run` of its own."""
    if not isinstance(call.func, cst.Attribute) or call.func.attr.value != "start" or call.args:
        return
    owner = module.type(call.func.value)
    start = module.values.member(owner, "start") if owner is not None else None
    if owner is None or start is None or _PROCESS.fullmatch(start.removesuffix(".start")) is None:
        return
    run = module.values.member(owner, "run")
    if run is not None and run.removesuffix(".run") != start.removesuffix(".start"):
        made = [each for each in module.origins(call.func.value) if isinstance(each, cst.Call)]
        inputs = tuple(arg.value for each in made for arg in each.args)
        yield Child(call, frozenset({run}), inputs, _method(module, start))


def spans_lost(module: Module, child: Child) -> bool:
    """Whether the process makes spans and ends without sending them."""
    if child.method not in {"", "fork"}:
        return False
    called = module.project.called_by(child.names)
    makes = any((facts := facts_of(module, name)) is not None and facts.telemetry for name in called)
    if module.silenced(child.call, not makes and "nothing that it does is known to make spans"):
        return False
    if module.silenced(child.call, not _holds(module, child) and "no provider is known to keep spans in memory"):
        return False
    return not module.silenced(child.call, _sent(module, called) or _prepared(module))


def _holds(module: Module, child: Child) -> bool:
    """Whether what makes the process keeps spans in memory for a while.

    A project that builds no provider leaves that to whoever runs it, and the usual one keeps them. Then only work
    inside of a span counts: what starts the process is traced, so what the process does should be.
    """
    project = module.project
    if any(otel.SDK_PROVIDER in facts.holding for facts in project.reach.files(module.path)):
        return True
    if project.calls(otel.SDK_PROVIDER) or any(carries_context(module, each) for each in child.inputs):
        return False
    return module.active(child.call) is not None and Needs(module, set(child.names)).starts_spans


def parent_lost(module: Module, child: Child) -> Active | None:
    """The span from which the process should continue and cannot, None when nothing is known to be lost."""
    if child.method not in _EMPTY:
        return None
    active = module.active(child.call)
    carrier = next((each for each in child.inputs if carries_context(module, each)), None)
    if module.silenced(child.call, Reason("the process is given a context or carrier", carrier) if carrier else None):
        return None
    return active if active is not None and Needs(module, set(child.names)).starts_spans else None


def _method(module: Module, api: str) -> str | None:
    """How the processes of a call start: by the context that makes them, or as the whole program says."""
    other = any(arg.keyword is not None and arg.keyword.value == "mp_context" for arg in module.walk.all(cst.Arg))
    chosen = "get_context()" in api or (other and not api.startswith("multiprocessing."))
    found: set[str | None] = set()
    for call in module.calls(_CONTEXT if chosen else "multiprocessing.set_start_method"):
        given = call.args[0].value if call.args else None
        found.add(str(given.evaluated_value) if isinstance(given, cst.SimpleString) else None)
    return found.pop() if len(found) == 1 else None if found else ""


def _sent(module: Module, called: frozenset[str]) -> Reason | None:
    """What flushes in the process, or builds a provider there."""
    if not otel.SDK_PROVIDERS.isdisjoint(called):
        return Reason("the process makes a provider of its own")
    for name in sorted(called):
        if name.rpartition(".")[2] in SENDS:
            return Reason(f"`{name}` may send what it holds")
        function = module.values.function(name)
        if function is not None:
            ends = [each for each in module.walk.own(function.body, cst.Attribute) if each.attr.value in SENDS]
            if ends:
                return Reason("the process flushes at its end", ends[0])
        symbol = module.values.symbol(name)
        if function is None and symbol is not None and module.project.around(symbol).sends:
            return Reason(f"`{symbol.facts.path}` may send what it holds")
    return None


def _prepared(module: Module) -> Reason | None:
    """`Pool(initializer=set_up)`: what that does is done in each process."""
    for arg in module.walk.all(cst.Arg):
        if arg.keyword is not None and arg.keyword.value == "initializer":
            return Reason("an initializer may make a provider in each process", arg)
    return None
