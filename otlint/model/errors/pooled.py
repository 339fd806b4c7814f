"""Handlers around the result of work that a pool does, where that work has spans of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.logs import last_name
from otlint.model.code.walk import Node
from otlint.model.context.background import runs
from otlint.model.context.handoffs import handoffs
from otlint.model.context.needs import facts_of
from otlint.model.errors.handlers import Handler

if TYPE_CHECKING:
    from otlint.model.module import Module


def pooled(handler: Handler) -> Node | None:
    """Where a pool is given the work whose result the `try` asks for, None unless all of it certainly makes spans."""
    module = handler.module
    asked = any(last_name(call.func) == "result" for call in module.walk.own(handler.tried.body, cst.Call))
    given = [each for each in handoffs(module) if module.function_of(each.call) is handler.function] if asked else []
    pools = [each for each in given if each.way in {"submit", "executor"}]
    names = [name for each in pools for name in runs(module, each.target, each.inputs)]
    return pools[0].call if names and all(_makes_spans(module, name) for name in names) else None


def _makes_spans(module: Module, name: str) -> bool:
    facts = facts_of(module, name)
    if facts is None:
        return False
    inner = (facts_of(module, each) for each in facts.calls)
    return facts.telemetry or any(each is not None and each.span is not None for each in inner)
