"""Make providers send what they hold, where the program ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.edits.imports import reference
from otlint.edits.statements import append, insert_before, wrap_try_finally
from otlint.fix import Edit
from otlint.model.code.optional import is_available

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.setup.providers import Provider

Edits = tuple[Edit, ...]

_VARIABLES = {
    otel.SDK_PROVIDER: "tracer_provider",
    otel.METER_PROVIDER: "meter_provider",
    otel.LOGGER_PROVIDER: "logger_provider",
}


def shut_down_in(module: Module, function: cst.FunctionDef, providers: Sequence[Provider]) -> Edits | None:
    """Shut providers down at the end of a function; None when one cannot be named there, or no SDK may be installed."""
    if not is_available(module, function.body.body[-1]):
        return None
    made = _sending(module, providers, function.body.body[-1], "shutdown")
    return None if made is None else (*append(module, function.body, made[0]), *made[1])


def flush_before(module: Module, statement: cst.BaseSmallStatement, providers: Sequence[Provider]) -> Edits | None:
    """Flush providers, without any the global tracer provider, in front of a statement; None as above."""
    if not is_available(module, statement):
        return None
    if providers:
        made = _sending(module, providers, statement, "force_flush")
    else:
        made = _sending_global(module, otel.SDK_PROVIDER, statement, "force_flush")
    return None if made is None else (*insert_before(module, statement, made[0]), *made[1])


def flush_in_finally(module: Module, function: cst.FunctionDef, providers: Sequence[Provider]) -> Edits | None:
    """Put the body of a function into a `try` whose `finally` flushes; None as above."""
    body = function.body.body if isinstance(function.body, cst.IndentedBlock) else []
    statements = [
        each for line in body for each in (line.body if isinstance(line, cst.SimpleStatementLine) else [line])
    ]
    statements = statements[1 if function.get_docstring() is not None else 0 :]
    if not statements or not is_available(module, statements[0]):
        return None
    if providers:
        made = _sending(module, providers, statements[0], "force_flush")
    else:
        made = _sending_global(module, otel.SDK_PROVIDER, statements[0], "force_flush")
    return None if made is None else (*wrap_try_finally(module, statements, made[0]), *made[1])


def _sending(
    module: Module, providers: Sequence[Provider], at: cst.CSTNode, method: str
) -> tuple[list[str], Edits] | None:
    """Lines that call a method of each provider, by its variable or as the global one, and the imports they need."""
    from otlint.model.setup.providers import is_global, variable

    lines: list[str] = []
    imports: list[Edit] = []
    for each in providers:
        name = variable(module, each, at)
        if name is not None:
            lines.append(f"{name}.{method}()")
        elif is_global(module, each):
            more, needed = _sending_global(module, each.kind, at, method)
            lines += more
            imports += needed
        else:
            return None
    return lines, tuple(imports)


def _sending_global(module: Module, kind: str, at: cst.CSTNode, method: str) -> tuple[list[str], Edits]:
    """The same for the global provider, which has no such method as long as none of the SDK is installed."""
    get, imports = reference(module, otel.GET_PROVIDER[kind], at)
    wanted = _VARIABLES[kind]
    name = wanted if module.names.is_free(wanted, at) else f"sdk_{wanted}"
    return [f"{name} = {get}()", f'if hasattr({name}, "{method}"):', f"\t{name}.{method}()"], imports
