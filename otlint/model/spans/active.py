"""Whether a span can be the current one when a line runs: in its own function, or in a caller's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module


@dataclass(frozen=True, eq=False, slots=True)
class Active:
    """Why a span can be current at a place: `node` shows it in this file, None when another file does; `why` says it.

    `here` is true when the place itself stands inside the span's block.
    """

    node: Node | None
    why: str
    here: bool = False


def active_at(module: Module, node: Node) -> Active | None:
    """The evidence that a span can be current at the node, None when there is none: never a guess from silence."""
    found = _by_text(module, node)
    if found is not None:
        return found
    callers: list[cst.FunctionDef | cst.Lambda] = []
    waiting = [module.function_of(node)]
    while waiting:
        function = waiting.pop(0)
        if function is None or function in callers:
            continue
        callers.append(function)
        entry = module.entry(function)
        if entry is not None and isinstance(function, cst.FunctionDef):
            return Active(function.name, entry.text)
        for call in module.helpers.callees.sites(function):
            found = _by_text(module, call)
            if found is not None:
                return Active(found.node, found.why)
            waiting.append(module.function_of(call))
    named = [module.names.qualified(each) for each in callers if isinstance(each, cst.FunctionDef)]
    why = _elsewhere(module, named)
    return Active(None, why) if why is not None else None


def _by_text(module: Module, node: Node) -> Active | None:
    """What the text of the node's own function says."""
    span = module.span_around(node)
    if span is not None:
        return Active(span.start, "the span starts here", here=True)
    attach = _attached(module, node)
    return Active(attach, "the context is attached here", here=True) if attach is not None else None


def _attached(module: Module, node: Node) -> cst.Call | None:
    """The last `attach()` before the node in the same function, None when a `detach()` stands between them."""
    order, function = module.walk.order, module.function_of(node)
    before = [
        call
        for call in module.calls(otel.ATTACH, otel.DETACH)
        if order[call] < order[node] and module.function_of(call) is function
    ]
    return before[-1] if before and module.api(before[-1].func) == otel.ATTACH else None


def _elsewhere(module: Module, names: list[str]) -> str | None:
    """Why a span can be current when one of these functions is called, by what the files of the project say."""
    project = module.project
    for caller in project.above(names):
        path = project.under_span.get(caller)
        if path is not None:
            return f"`{path}` calls it inside a span"
        for key, path in project.handled.get(caller, ()):
            entry = known.entries()[key]
            why = module.instrumentation.at(path).of(entry.instrumentors, entry.native)
            if why is not None:
                return f"`{path}` calls it for what enters through {key.partition('.')[2]}, and {why}"
    return None
