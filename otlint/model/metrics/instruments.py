"""The instruments that a file makes, also through a function of the file that passes on what it is given.

    orders = meter.create_counter("shop.orders", unit="{order}")
    def counter(name): return meter.create_counter(name)
    mails = counter("shop.mails")

The last two lines make one instrument, which is called "shop.mails".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import argument, is_hidden, parameters
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module


@dataclass(frozen=True, eq=False, slots=True)
class Instrument:
    """One instrument. `call` is what the file calls for it, `made` the call of the meter's method `api`.

    `name`, `unit` and `buckets` are the expressions that are given for it, None when there is none; `hidden`: some of
    them may be given in a way that is not known.
    """

    call: cst.Call
    made: cst.Call
    api: str
    name: cst.BaseExpression | None
    unit: cst.BaseExpression | None
    buckets: cst.BaseExpression | None
    hidden: bool


def instruments(module: Module) -> Iterator[Instrument]:
    """Every instrument whose name is given in the file, in source order."""
    for call in module.calls(*otel.INSTRUMENTS):
        name = module.argument(call, "name")
        function = _passed_on(module, name)
        if function is None:
            yield _made(module, call, call, None)
            continue
        for site in module.values.call_sites(function):
            yield _made(module, site, call, function)


def _made(module: Module, call: cst.Call, made: cst.Call, function: cst.FunctionDef | None) -> Instrument:
    name, unit, buckets = (
        _given(module, call, function, module.argument(made, each)) for each in ("name", "unit", otel.BUCKETS)
    )
    hidden = is_hidden(call) or is_hidden(made)
    return Instrument(call, made, module.api(made.func) or "", name, unit, buckets, hidden)


def _parameter(module: Module, expression: Node | None) -> cst.Param | None:
    if not isinstance(expression, cst.Name):
        return None
    bindings = module.names.reaching(expression.value, expression)
    node = bindings[0].node if len(bindings) == 1 and bindings[0].kind == "param" else None
    return node if isinstance(node, cst.Param) else None


def _passed_on(module: Module, name: Node | None) -> cst.FunctionDef | None:
    """The function whose parameter the name of an instrument is."""
    parameter = _parameter(module, name)
    function = module.walk.parent[module.walk.parent[parameter]] if parameter is not None else None
    return function if isinstance(function, cst.FunctionDef) else None


def _given(
    module: Module, site: cst.Call, function: cst.FunctionDef | None, expression: cst.BaseExpression | None
) -> cst.BaseExpression | None:
    """What a call of the function gives for an expression in it: the argument of a parameter, or its default."""
    parameter = _parameter(module, expression) if function is not None else None
    if parameter is None or function is None:
        return expression
    return argument(site, parameter.name.value, parameters(function)) or parameter.default
