"""Types that no name declares: elements of the tuples that functions return, and tracers by what they are given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.mapped import held
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.code.values import Values

_OWN = r"(?i)_*((otel|ot|otlp|opentelemetry|app|service|current)_)?"
_TRACER = re.compile(_OWN + "tracer_?")
_METER = re.compile(_OWN + "meter_?")
_UNKNOWN = frozenset({None, "typing.Any", "builtins.object"})
_STARTS = frozenset(api.rpartition(".")[2] for api in otel.STARTS)


def of_tuples(values: Values, returned: Sequence[Node]) -> str | None:
    """`~tuple(A; B)` where every return gives a tuple of as many elements; unknown ones are empty."""
    tuples = [each for each in returned if isinstance(each, cst.Tuple)]
    if not tuples or len(tuples) < len(returned) or len({len(each.elements) for each in tuples}) > 1:
        return None
    columns = zip(*([element.value for element in each.elements] for each in tuples), strict=True)
    return declared([values.agreed(list(column)) for column in columns])


def declared(elements: Sequence[str | None]) -> str | None:
    """The type of a tuple of these types, None when none of them is known."""
    return f"~tuple({'; '.join(each or '' for each in elements)})" if any(elements) else None


def element(kind: str | None, index: int | None) -> str | None:
    """The type of one element of a tuple."""
    if kind is None or index is None or not kind.startswith("~tuple("):
        return None
    elements = kind[len("~tuple(") : -1].split("; ")
    return elements[index] or None if index < len(elements) else None


def kept(values: Values, item: cst.Subscript) -> str | None:
    """The type of what is kept in a dict: `METRICS = {"orders": meter.create_counter("orders")}`, tracers, spans."""
    key = item.slice[0].slice if len(item.slice) == 1 else None
    made = [each.value for each in held(values, item.value)] if isinstance(key, cst.Index) else []
    found = {_of_key(values, each, key.value) for each in made if isinstance(key, cst.Index)}
    kind = found.pop() if len(found) == 1 else None
    return kind if kind is not None and otel.is_otel(kind) else None


def _of_key(values: Values, made: Node | None, key: cst.BaseExpression) -> str | None:
    if isinstance(made, cst.DictComp):
        return values.type(made.value)
    if not isinstance(made, cst.Dict):
        return None
    elements = [each for each in made.elements if isinstance(each, cst.DictElement)]
    same = [each.value for each in elements if each.key.deep_equals(key)]
    return values.agreed(same or [each.value for each in elements])


def start_by_kind(values: Values, method: Node, found: str | None) -> str | None:
    """The API that starts a span, for a method of its name that is given a SpanKind: nothing else takes one.

    Also by what its object is called. Not for methods of the project, which may hand it on. And other methods that are
    known by what they are given: `channel.basic_publish(…, properties=pika.BasicProperties())`.
    """
    if type(method) is not cst.Attribute:
        return found
    if method.attr.value not in _STARTS:
        if not _is_known(values, found) and _is_of_meter(values, method):
            return f"{otel.METER}.{method.attr.value}"
        return found if found is not None else _by_argument(values, method)
    call = values.walk.parent.get(method)
    if not isinstance(call, cst.Call) or call.func is not method:
        return found
    if _is_known(values, found):
        return found
    kinds = [arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "kind"]
    is_kind = bool(kinds) and values.api(kinds[0]) in otel.KINDS.values()
    if is_kind or _is_of_tracer(values, method):
        return f"{otel.TRACER}.{method.attr.value}"
    return found


def _is_known(values: Values, found: str | None) -> bool:
    return found is not None and bool(otel.is_otel(found) or values.function(found) or values.symbol(found))


def _by_argument(values: Values, method: cst.Attribute) -> str | None:
    named = {kind: api for kind, api in known.takes().items() if api.endswith(f".{method.attr.value}")}
    call = values.walk.parent.get(method) if named else None
    if not isinstance(call, cst.Call) or call.func is not method:
        return None
    return next((named[kind] for arg in call.args if (kind := values.type(arg.value)) in named), None)


def _is_of_tracer(values: Values, method: cst.Attribute) -> bool:
    """`tracer.start_as_current_span(…)` on something of which nothing is known but that it is called a tracer.

    Tracers of other libraries have no such method. `start_span` they have. Not for what is imported from elsewhere.
    """
    return f"{otel.TRACER}.{method.attr.value}" == otel.START_AS_CURRENT_SPAN and _is_called(values, method, _TRACER)


def _is_of_meter(values: Values, method: cst.Attribute) -> bool:
    """`meter.create_histogram(…)`, likewise: no other library's meters make instruments by these names."""
    return f"{otel.METER}.{method.attr.value}" in otel.INSTRUMENTS and _is_called(values, method, _METER)


def _is_called(values: Values, method: cst.Attribute, name: re.Pattern[str]) -> bool:
    if values.type(method.value) not in _UNKNOWN or values.names.dotted(method.value) is not None:
        return False
    return name.fullmatch(_called(method.value) or "") is not None


def _called(owner: Node) -> str | None:
    """What an object is called: `self.tracer` and `services["tracer"]` are tracers."""
    if isinstance(owner, cst.Attribute):
        return owner.attr.value
    if isinstance(owner, cst.Subscript) and len(owner.slice) == 1 and isinstance(owner.slice[0].slice, cst.Index):
        key = owner.slice[0].slice.value
        text = key.evaluated_value if isinstance(key, cst.SimpleString) else None
        return text if isinstance(text, str) else None
    return owner.value if isinstance(owner, cst.Name) else None
