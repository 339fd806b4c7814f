"""Whether a span can be the current one when a line runs: in its own function, or in a caller's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

_DEPTH = 4


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
    return _active(module, node, 0)


def _active(module: Module, node: Node, depth: int) -> Active | None:
    span = module.span_around(node)
    if span is not None:
        return Active(span.start, "the span starts here", here=depth == 0)
    function = module.function_of(node)
    if isinstance(function, cst.Lambda) or function is None or depth > _DEPTH:
        return None
    entry = module.entry(function)
    if entry is not None:
        return Active(function.name, entry)
    for call in module.values.call_sites(function):
        found = _active(module, call, depth + 1)
        if found is not None:
            return Active(found.node, found.why)
    elsewhere = module.project.under_span.get(module.names.qualified(function))
    return Active(None, f"`{elsewhere}` calls it inside a span") if elsewhere is not None else None
