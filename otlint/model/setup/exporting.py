"""The ways that telemetry takes out of a process: a provider, a processor of the SDK, an exporter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.setup.exporters import exporters
from otlint.model.setup.providers import is_global

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.module import Module

_PLAIN = (cst.SimpleString, cst.Name, cst.Integer)
_PROCESSORS = frozenset({*otel.SIMPLE_PROCESSORS, *otel.SIMPLE_PROCESSORS.values(), otel.PERIODIC_READER})


@dataclass(frozen=True, eq=False, slots=True)
class Path:
    """One processor that is added to a provider.

    `add` is what gives it to the provider: a call, or the reader in a list. `provider` is where that comes from.
    `exporter` tells equal exporters: their class and how they are built, as code, or the one that is `made`;
    `name` is the class, `what` says what it sends. `is_by_environment`: nothing in the code says where to.
    """

    add: cst.BaseExpression
    provider: Node
    made: cst.Call
    exporter: tuple[str, str] | None
    name: str
    what: str
    is_by_environment: bool

    def exports_as(self, other: Path) -> bool:
        """Whether both have the same exporter, or equal ones."""
        return self.made is other.made or (self.exporter is not None and self.exporter == other.exporter)


def paths(module: Module) -> Iterator[Path]:
    """The paths that are certain: one provider, one processor or reader of the SDK, one known exporter."""
    known = {each.call: each for each in exporters(module)}
    for add, owner, given in _added(module):
        provider, processor = _provider(module, owner), _only(module, given)
        if provider is None or not isinstance(processor, cst.Call) or not processor.args:
            continue
        call = _only(module, processor.args[0].value) if module.api(processor.func) in _PROCESSORS else None
        exporter = known.get(call) if isinstance(call, cst.Call) else None
        if exporter is not None:
            built = ", ".join(sorted(module.code(arg).rstrip(", ") for arg in exporter.call.args))
            key = (exporter.kind, built) if _is_plain(exporter.call) else None
            what = {"traces": "spans", "logs": "log records"}.get(exporter.signal, exporter.signal)
            remote = exporter.is_remote and not exporter.call.args
            yield Path(add, provider, exporter.call, key, exporter.name, what, remote)


def _added(module: Module) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression, cst.BaseExpression]]:
    """What gives a processor or reader to a provider, the provider and the processor."""
    for apis in otel.ADD_PROCESSOR.values():
        for add in module.calls(*apis):
            if isinstance(add.func, cst.Attribute) and len(add.args) == 1:
                yield add, add.func.value, add.args[0].value
    for call in module.calls(otel.METER_PROVIDER):
        readers = module.argument(call, "metric_readers")
        for element in readers.elements if isinstance(readers, cst.List | cst.Tuple) else ():
            yield element.value, call, element.value


def _provider(module: Module, owner: cst.BaseExpression) -> Node | None:
    """Where a provider comes from; the global one is the only one that the file makes global."""
    found = _only(module, owner)
    if isinstance(found, cst.Attribute) and isinstance(found.value, cst.Name):
        cls = module.names.owner_class(found.value)
        bound = module.names.attributes.get((cls, found.attr.value), []) if cls is not None else []
        found = bound[0].value if len(bound) == 1 else None
    if isinstance(found, cst.Call) and module.api(found.func) in otel.GET_PROVIDER.values():
        own = [each for each in module.providers if is_global(module, each)]
        same = [each.call for each in own if otel.GET_PROVIDER[each.kind] == module.api(found.func)]
        return same[0] if len(same) == 1 else found
    return found


def _only(module: Module, expression: cst.BaseExpression) -> Node | None:
    found = module.origins(expression)
    return found[0] if len(found) == 1 else None


def _is_plain(call: cst.Call) -> bool:
    """Whether every argument is written out, so that equal code is an equal exporter."""
    return all(not arg.star and isinstance(arg.value, _PLAIN) for arg in call.args)
