"""Lines that make providers send what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.edits.imports import reference
from otlint.fix import Edit

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.providers import Provider

_VARIABLES = {
    otel.SDK_PROVIDER: "tracer_provider",
    otel.METER_PROVIDER: "meter_provider",
    otel.LOGGER_PROVIDER: "logger_provider",
}


def sending(
    module: Module, providers: Iterable[Provider], at: cst.CSTNode, method: str
) -> tuple[list[str], tuple[Edit, ...]] | None:
    """Lines that call `shutdown` or `force_flush` of providers at a node, and the imports that they need.

    A provider is named by its variable, else fetched as the global one; None when one of them is neither.
    """
    from otlint.model.providers import is_global, variable

    lines: list[str] = []
    imports: list[Edit] = []
    for each in providers:
        name = variable(module, each, at)
        if name is not None:
            lines.append(f"{name}.{method}()")
        elif is_global(module, each):
            more, needed = sending_global(module, each.kind, at, method)
            lines += more
            imports += needed
        else:
            return None
    return lines, tuple(imports)


def sending_global(module: Module, kind: str, at: cst.CSTNode, method: str) -> tuple[list[str], tuple[Edit, ...]]:
    """The same for the global provider, which has no such method as long as none of the SDK is installed."""
    get, imports = reference(module, otel.GET_PROVIDER[kind], at)
    wanted = _VARIABLES[kind]
    name = wanted if module.names.is_free(wanted, at) else f"sdk_{wanted}"
    return [f"{name} = {get}()", f'if hasattr({name}, "{method}"):', f"\t{name}.{method}()"], imports
