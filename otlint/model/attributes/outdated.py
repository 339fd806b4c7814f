"""Writes of names that the semantic conventions have deprecated, on attributes and metrics.

    span.set_attribute("http.status_code", 200)
    meter.create_histogram("http.server.duration")

A span that carries the successor as well is in the middle of a migration and has none. What is read, filtered or
renamed is not written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.known import semconv
from otlint.known.semconv import Old
from otlint.model.attributes.written import Attribute
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

# Who reads this variable, by itself or by this module, emits the old names, the new ones or both, as its user wants.
_OPT_IN = ("OTEL_SEMCONV_STABILITY_OPT_IN", "opentelemetry.instrumentation._semconv")


@dataclass(frozen=True, eq=False, slots=True)
class Outdated:
    """A deprecated name where it is written; `write` is None for the name of a metric.

    `use` is the key as it is given to the API, if that is another place. `value` is what it is set to.
    """

    old: Old
    place: cst.BaseExpression
    use: cst.BaseExpression | None
    write: Attribute | None

    @property
    def value(self) -> cst.BaseExpression | None:
        return self.write.value if self.write is not None else None


def outdated(module: Module) -> Iterator[Outdated]:
    """Every deprecated name once, in source order of the uses."""
    if opts_in(module):
        return
    seen: set[Node] = set()
    for found in (*_attributes(module), *_metrics(module)):
        if found.place not in seen:
            seen.add(found.place)
            yield found


def opts_in(module: Module) -> bool:
    """Whether the user of the file chooses between old names and new ones."""
    return any(each in module.source.text for each in _OPT_IN)


def _attributes(module: Module) -> Iterator[Outdated]:
    for each in module.attributes:
        name = each.name or _start(each.key)
        old = semconv.old(name, each.signal) if name is not None and each.signal != "baggage" else None
        place = module.helpers.attributes.literal(each.key) or each.key
        if old is None or module.silenced(each.key, _is_doubled(module, each, old) and "the successor is set as well"):
            continue
        yield Outdated(old, place, each.key if place is not each.key else None, each)


def _start(key: cst.BaseExpression) -> str | None:
    """The constant start of an f-string."""
    first = key.parts[0] if isinstance(key, cst.FormattedString) and key.parts else None
    return first.value if isinstance(first, cst.FormattedStringText) and first.value.endswith(".") else None


def _metrics(module: Module) -> Iterator[Outdated]:
    for call in module.calls(*otel.INSTRUMENTS):
        name = module.argument(call, "name")
        text = module.helpers.attributes.text(name) if name is not None else None
        old = semconv.old_metric(text) if text is not None else None
        if name is None or old is None or _is_made(module, old):
            continue
        place = module.helpers.attributes.literal(name) or name
        yield Outdated(old, place, name if place is not name else None, None)


def _is_made(module: Module, old: Old) -> bool:
    """Whether the file makes the successor of a metric too."""
    names = (module.argument(call, "name") for call in module.calls(*otel.INSTRUMENTS))
    return any(name is not None and module.helpers.attributes.text(name) in old.new for name in names)


def _is_doubled(module: Module, write: Attribute, old: Old) -> bool:
    """Whether a successor is set too: in the same function, or in one that the same functions call."""
    around = _around(module, write)
    return any(
        each.signal == write.signal and each.name in old.new and not around.isdisjoint(_around(module, each))
        for each in module.attributes
    )


def _around(module: Module, write: Attribute) -> set[Node | None]:
    """The function that writes, the ones around it, and those that call it."""
    function = module.function_of(write.call)
    found: set[Node | None] = {function}
    while isinstance(function, cst.FunctionDef | cst.Lambda):
        if isinstance(function, cst.FunctionDef):
            found.update(filter(None, map(module.function_of, module.values.call_sites(function))))
        function = module.function_of(function)
        found.update(filter(None, [function]))
    return found
