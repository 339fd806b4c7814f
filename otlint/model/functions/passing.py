"""What is told to a span about how its operation ended: to the API itself, or through functions of the project.

    span.record_exception(error)
    Status(StatusCode.ERROR, description)
    fail(span, "no stock")              # def fail(span, error): span.record_exception(error)

A parameter called `span` is a span wherever nothing else is said of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import argument

if TYPE_CHECKING:
    from otlint.model.code.names import Names
    from otlint.model.code.values import Values
    from otlint.model.code.walk import Walk
    from otlint.model.functions.helpers import Helpers

_FOLLOWED = {
    otel.RECORD_EXCEPTION: ("exception",),
    otel.SET_STATUS: ("status", "description"),
    otel.STATUS: ("status_code", "description"),
}
_SPANS = frozenset({"span", "otel_span", "current_span", "parent_span"})


@dataclass(frozen=True, eq=False, slots=True)
class Given:
    """A value that a call gives for a parameter of one of these APIs; `helper`: a project function stands between."""

    call: cst.Call
    value: cst.BaseExpression
    api: str
    parameter: str
    helper: bool


class Passing:
    """The answers for one file."""

    def __init__(self, walk: Walk, names: Names, values: Values, helpers: Helpers) -> None:
        self.walk = walk
        self.names = names
        self.values = values
        self.helpers = helpers

    def of(self, call: cst.Call) -> Iterator[Given]:
        """What a call gives."""
        api = span_method(self.values, self.names, call)
        for parameter in _FOLLOWED.get(api or "", ()):
            value = argument(call, parameter, otel.PARAMETERS[api or ""])
            if value is not None:
                yield Given(call, value, api or "", parameter, helper=False)
        facts = self.helpers.called(call) if api not in _FOLLOWED else None
        for name, api, parameter in facts.passes if facts is not None else ():
            assert facts is not None
            value = self.helpers.given(call, facts, name)
            if value is not None:
                yield Given(call, value, api, parameter, helper=True)

    def by(self, function: cst.FunctionDef) -> tuple[tuple[str, str, str], ...]:
        """The parameters that a function passes on as they are: their names, the API, and its parameter."""
        found: dict[tuple[str, str, str], None] = {}
        for call in self.walk.own(function.body, cst.Call):
            for given in self.of(call):
                if isinstance(given.value, cst.Name) and self._is_parameter(given.value, function):
                    found[given.value.value, given.api, given.parameter] = None
        return tuple(found)

    def _is_parameter(self, name: cst.Name, function: cst.FunctionDef) -> bool:
        """Whether a name always holds what the caller gave, and the function does not look at its type."""
        bindings = self.names.reaching(name.value, name)
        param = bindings[0].node if len(bindings) == 1 and bindings[0].kind == "param" else None
        if param is None or self.walk.parent[param] is not function.params:
            return False
        params = function.params
        if param in (params.star_arg, params.star_kwarg):
            return False
        uses = (self.walk.parent[each] for each in self.walk.named(name.value, function.body))
        calls = [self.walk.parent[use] for use in uses if isinstance(use, cst.Arg)]
        return not any(
            isinstance(call, cst.Call) and self.values.api(call.func) in {"builtins.isinstance", "builtins.type"}
            for call in calls
        )


def span_method(values: Values, names: Names, call: cst.Call) -> str | None:
    """What is called; a parameter called `span` is one wherever nothing else is said of it."""
    api = values.api(call.func)
    if api is not None or not isinstance(call.func, cst.Attribute) or not isinstance(call.func.value, cst.Name):
        return api
    method, name = call.func.attr.value, call.func.value
    if name.value not in _SPANS or method not in otel.SPAN_METHODS:
        return None
    bindings = names.reaching(name.value, name)
    is_plain = len(bindings) == 1 and bindings[0].kind == "param" and not bindings[0].annotation
    return f"{otel.SPAN}.{method}" if is_plain else None
