"""Functions that run in a context of their own: what they attach is gone when they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

_STARTERS = frozenset(
    {"create_task", "ensure_future", "gather", "start_soon", "run_coroutine_threadsafe", "run_until_complete", "Task"}
)
_THREADS = frozenset({"threading.Thread", "threading.Timer", "multiprocessing.Process"})


def runs_alone(module: Module, function: cst.FunctionDef) -> bool:
    """Whether everything this file does with the function gives it a task, thread or process of its own.

    `asyncio.create_task(poll())`, `Thread(target=work)`, `copy_context().run(work)`; not `await poll()`, not a pool.
    """
    uses = [use for use in mentions(module, function) if not module.walk.inside(use, function)]
    return bool(uses) and all(_is_alone(module, use) for use in uses)


def mentions(module: Module, function: cst.FunctionDef) -> list[Node]:
    """The expressions that name the function: `poll`, `self.poll`."""
    found: list[Node] = []
    for name in module.walk.named(function.name.value, module.tree):
        up = module.walk.parent[name]
        if isinstance(up, cst.Attribute) and up.attr is name:
            if module.values.function(module.api(up)) is function:
                found.append(up)
        elif isinstance(up, cst.Arg) and up.keyword is name:
            continue
        elif module.names.definition(name) is function and name is not function.name:
            found.append(name)
    return found


def _is_alone(module: Module, use: Node) -> bool:
    up = module.walk.parent[use]
    if isinstance(up, cst.Call) and up.func is use:
        return _starts(module, up)
    if isinstance(up, cst.Arg):
        call = module.walk.parent[up]
        assert isinstance(call, cst.Call)
        if module.api(call.func) in _THREADS:
            return up is call.args[-1] or (up.keyword is not None and up.keyword.value in {"target", "function"})
        return isinstance(call.func, cst.Attribute) and module.type(call.func.value) == "contextvars.Context"
    return False


def _starts(module: Module, coroutine: cst.Call) -> bool:
    """`asyncio.create_task(poll())`, `asyncio.run(main())`, `gather(*(poll(each) for each in shops))`."""
    up = module.walk.parent[coroutine]
    if isinstance(up, cst.ListComp | cst.GeneratorExp) and up.elt is coroutine:
        up = module.walk.parent[up]
    call = module.walk.parent[up] if isinstance(up, cst.Arg) else None
    if not isinstance(call, cst.Call):
        return False
    name = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    return isinstance(name, cst.Name) and (name.value in _STARTERS or module.api(call.func) == "asyncio.run")
