"""`functools.partial`: a name that stands for a function of which some arguments are given already.

start = partial(tracer.start_as_current_span, kind=SpanKind.CLIENT)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.walk import Node

if TYPE_CHECKING:
    from otlint.model.values import Values


def called(values: Values, value: Node) -> Node:
    """What a call of the value calls: behind a partial that only gives keywords, its function; else the value."""
    if not isinstance(value, cst.Call) or values.api(value.func) != "functools.partial":
        return value
    positional = [arg for arg in value.args if arg.keyword is None]
    return positional[0].value if len(positional) == 1 and not positional[0].star else value


def is_partial(values: Values, function: Node) -> bool:
    """Whether a function's name stands for a partial, so that an absent argument is not known to be absent."""
    if not isinstance(function, cst.Name):
        return False
    bindings = values.names.reaching(function.value, function)
    return any(each.value is not None and called(values, each.value) is not each.value for each in bindings)
