"""The ways that telemetry takes out of a process: a provider, a processor of the SDK, an exporter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.exporters import exporters

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.walk import Node

_PLAIN = (cst.SimpleString, cst.Name, cst.Integer)
_PROCESSORS = frozenset({*otel.SIMPLE_PROCESSORS, *otel.SIMPLE_PROCESSORS.values()})


@dataclass(frozen=True, eq=False, slots=True)
class Path:
    """One processor that is added to a provider.

    `provider` is where the provider comes from. `exporter` tells equal exporters: their class and how they are built,
    as code; `name` is the class, `what` says what it sends. `is_by_environment`: nothing in the code says where to.
    """

    add: cst.Call
    provider: Node
    exporter: tuple[str, str]
    name: str
    what: str
    is_by_environment: bool


def paths(module: Module) -> Iterator[Path]:
    """The paths that are certain: one provider, one processor of the SDK, one known exporter."""
    known = {each.call: each for each in exporters(module)}
    for apis in otel.ADD_PROCESSOR.values():
        for add in module.calls(*apis):
            provider = _only(module, add.func.value) if isinstance(add.func, cst.Attribute) else None
            processor = _only(module, add.args[0].value) if len(add.args) == 1 else None
            if provider is None or not isinstance(processor, cst.Call) or not processor.args:
                continue
            call = _only(module, processor.args[0].value) if module.api(processor.func) in _PROCESSORS else None
            exporter = known.get(call) if isinstance(call, cst.Call) else None
            if exporter is not None and _is_plain(exporter.call):
                built = ", ".join(sorted(module.code(arg).rstrip(", ") for arg in exporter.call.args))
                what = {"traces": "spans", "logs": "log records"}.get(exporter.signal, exporter.signal)
                remote = exporter.is_remote and not exporter.call.args
                yield Path(add, provider, (exporter.kind, built), exporter.name, what, remote)


def _only(module: Module, expression: cst.BaseExpression) -> Node | None:
    found = module.origins(expression)
    return found[0] if len(found) == 1 else None


def _is_plain(call: cst.Call) -> bool:
    """Whether every argument is written out, so that equal code is an equal exporter."""
    return all(not arg.star and isinstance(arg.value, _PLAIN) for arg in call.args)
