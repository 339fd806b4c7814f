"""Live spans that some way out of their function leaves open, although nobody else is there to end them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.flow.ways import Exit
from otlint.model.reason import Reason
from otlint.model.spans.entering import unentered
from otlint.model.spans.keeping import fate
from otlint.model.spans.ownership import Custody
from otlint.model.spans.span import Span

if TYPE_CHECKING:
    from otlint.model.module import Module


@dataclass(frozen=True, slots=True)
class Unended:
    """A span with the ways out on which it stays open, the most telling one first."""

    span: Span
    custody: Custody
    exits: list[Exit]


def unended(module: Module) -> Iterator[Unended]:
    """The spans of a file that are not always ended. Tests start spans to look at them, and are left alone."""
    if module.is_spared_test:
        return
    managers = left_to_manager(module)
    for span in module.spans:
        manager = managers.get(span)
        if manager is not None and module.silenced(
            span.start, Reason("OTL502 speaks of the `use_span` that should be entered, and can end it", manager)
        ):
            continue
        if not is_live(span) or isinstance(module.walk.parent.get(span.start), cst.Decorator):
            continue
        custody = module.custody(span.start)
        exits = open_exits(module, custody)
        if not module.silenced(span.start, not exits and partial(fate, module, custody)):
            exits.sort(key=lambda way: way.kind in {"exception", "yield"})
            yield Unended(span, custody, exits)


def left_to_manager(module: Module) -> dict[Span, cst.Call]:
    """The spans that nothing ends, and that a `use_span` is given which is not entered: all is well when it is."""
    users = [each for each in module.spans if each.api == otel.USE_SPAN and each.used is not None]
    lost = {each.at for each in unentered(module)} if users else set()
    return {
        each.used: each.start
        for each in users
        if each.start in lost and each.used is not None and is_live(each.used)
        if not (custody := module.custody(each.used.start)).discharged and not custody.handed
        if module.argument(each.start, "end_on_exit") is None
    }


def is_live(span: Span) -> bool:
    """Whether the call leaves an open span behind, to which nothing but the caller holds on."""
    if span.ends or span.api == otel.USE_SPAN or span.manner == "decorator":
        return False
    started = span.helper.span if span.helper is not None else None
    if started is not None:
        return started.form == "live" and not started.kept
    return span.api == otel.START_SPAN or span.manner == "with"


def _is_killed(module: Module, way: Exit) -> bool:
    """Whether the process is gone at once: nothing can end the span then, and OTL511 speaks of what is lost."""
    return isinstance(way.node, cst.Call) and module.api(way.node.func) in {"os._exit", "os.abort"}


def open_exits(module: Module, custody: Custody) -> list[Exit]:
    """The ways out of the function that leave a span open for which nobody else is responsible."""
    if custody.lent and not custody.discharged and not custody.handed:
        return []
    exits = [way for way in module.exits(custody) if not _is_killed(module, way)]
    function = custody.function
    if isinstance(function, cst.Module):  # a script that fails is over, and so is its span
        return [] if custody.discharged else exits
    if isinstance(function, cst.FunctionDef) and module.values.is_manager(function):
        return [way for way in exits if way.kind != "yield"]
    return exits
