"""How long what a histogram measures takes: a request, or a job of an agent.

meter.create_histogram("shop.agent.duration", unit="s")
meter.create_histogram("shop.call.duration", unit="s", description="Length of a voice call")
duration.record(90)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.metrics.measured import creation

if TYPE_CHECKING:
    from otlint.model.metrics.instruments import Instrument
    from otlint.model.module import Module

_SLOW = 10.0  # seconds: the third boundary of the SDK


def takes_long(module: Module, each: Instrument) -> str | None:
    """What shows that most of what an instrument measures takes many seconds, None when nothing does."""
    table = known.table("metrics")["seconds"]
    description = module.argument(each.call, "description") if each.call is each.made else None
    name, described = _words(module, each.name), _words(module, description)
    is_whole = name[:2] != ["gen", "ai"] and set(name).isdisjoint(table["parts"])
    if is_whole and (_has(name, table["operations"]) or _has(described, table["described"])):
        return "what is measured takes many seconds, which the boundaries tell apart"
    if any(_is_slow(module, call) for call in module.calls(*otel.MEASURES) if creation(module, call) is each.made):
        return "a value is recorded that the boundaries tell apart"
    return None


def is_idle(module: Module, each: Instrument) -> bool:
    """Whether the only place that has the instrument is the one where it is made, and other files do not look there."""
    place = module.walk.parent[each.call]
    target = place.targets[0].target if isinstance(place, cst.Assign) and len(place.targets) == 1 else None
    holder = target.attr if isinstance(target, cst.Attribute) else target
    if not isinstance(holder, cst.Name):
        return False
    is_local = isinstance(target, cst.Name) and module.function_of(place) is not None
    return (is_local or holder.value.startswith("_")) and len(module.walk.named(holder.value, module.tree)) == 1


def _words(module: Module, text: cst.BaseExpression | None) -> list[str]:
    written = module.helpers.attributes.text(text) if text is not None else None
    return [word for word in re.split(r"[^a-z0-9]+", (written or "").lower()) if word]


def _has(words: list[str], phrases: list[str]) -> bool:
    text = f" {' '.join(words)} "
    return any(f" {phrase} " in text for phrase in phrases)


def _is_slow(module: Module, call: cst.Call) -> bool:
    given = module.argument(call, "amount")
    numbers = module.origins(given) if given is not None else []
    return any(isinstance(each, cst.Integer | cst.Float) and each.evaluated_value > _SLOW for each in numbers)
