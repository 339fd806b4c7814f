"""`functools.partial`: a name that stands for a function of which some arguments are given already.

start = partial(tracer.start_as_current_span, kind=SpanKind.CLIENT)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.code.values import Values


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


def filled(values: Values, call: cst.Call) -> cst.Call:
    """The call with the keywords that partials behind its function's name have given; hidden ones where they differ."""
    if not isinstance(call.func, cst.Name):
        return call
    bindings = values.names.reaching(call.func.value, call.func)
    made = [each.value for each in bindings if each.value is not None and called(values, each.value) is not each.value]
    if not made:
        return call
    if len(bindings) > 1 or not isinstance(made[0], cst.Call):
        return call.with_changes(args=[*call.args, cst.Arg(cst.Name("unknown"), star="**")])
    own = {arg.keyword.value for arg in call.args if arg.keyword is not None}
    given = [arg for arg in made[0].args[1:] if arg.keyword is None or arg.keyword.value not in own]
    return call.with_changes(args=[*call.args, *given])
