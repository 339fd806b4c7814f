"""What the calls of a file give for the parameters of its functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.values import argument, parameters

if TYPE_CHECKING:
    from otlint.model.module import Module


def given(module: Module, expression: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The arguments that are passed for a parameter which the function does not bind to anything else."""
    function = module.function_of(expression)
    if not isinstance(expression, cst.Name) or not isinstance(function, cst.FunctionDef):
        return
    bindings = module.names.reaching(expression.value, expression)
    if len(bindings) != 1 or not module.walk.inside(bindings[0].node, function.params):
        return
    for call in module.values.call_sites(function):
        value = argument(call, expression.value, parameters(function))
        if value is not None:
            yield value
