"""Ends of the current span in code that has not started it: that of a framework, a caller, a decorator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.reason import Reason
from otlint.model.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module


@dataclass(frozen=True, eq=False, slots=True)
class Foreign:
    """`how` says what ends the span, `instead` what to do."""

    node: Node
    how: str
    instead: str = "leave its end to what has started it"


def foreign(module: Module) -> Iterator[Foreign]:
    """In source order of what ends it; not where the function itself has made a span current around that."""
    for call in module.walk.all(cst.Call):
        found = _ends(module, call)
        if found is not None and module.span_around(call) is None:
            yield found
    for item in module.walk.all(cst.WithItem):
        if module.helpers.is_current(item.item) and module.span_around(item) is None:
            yield Foreign(item.item, "`with` ends", "call its methods without `with`")


def _ends(module: Module, call: cst.Call) -> Foreign | None:
    func = call.func
    if isinstance(func, cst.Attribute) and func.attr.value == "end" and module.helpers.is_current(func.value):
        return Foreign(call, "this ends")
    api = module.api(func)
    if api == otel.USE_SPAN:
        span, ends = module.argument(call, "span"), module.argument(call, "end_on_exit")
        given = span is not None and module.helpers.is_current(span)
        says = isinstance(ends, cst.Name) and ends.value == "True"
        return Foreign(call, "`end_on_exit` ends", "leave that argument out") if given and says else None
    for arg in call.args:
        if module.helpers.is_current(arg.value) and not otel.is_otel(api):
            facts = module.helper(call)
            if facts is not None and not facts.generator and "end" in (module.helpers.on(call, arg.value) or ()):
                return Foreign(call, f"`{facts.name.rpartition('.')[2]}` ends")
    return None


def by_hand(module: Module) -> Reason | None:
    """What the file makes current by hand, so that the current span may be its own."""
    attach = next(iter(module.calls(otel.ATTACH)), None)
    if attach is not None:
        return Reason("the file attaches contexts, so the span may be its own", attach)
    for span in module.spans:
        if span.manner == "entered" or (span.manner == "with" and not span.ends):
            return Reason("the file makes a span current that it does not end there, so that may be meant", span.start)
    entered = next((each for each in module.walk.named("__enter__", module.tree)), None)
    return Reason("the file enters managers by hand, so the span may be its own", entered) if entered else None
