"""What calls give, and what `with` binds for a context manager of some type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code import stowed

if TYPE_CHECKING:
    from otlint.model.code.values import Values

_BUILTIN_TYPES = frozenset(
    f"builtins.{name}" for name in ("str", "int", "float", "bool", "bytes", "dict", "list", "tuple", "set", "frozenset")
)


def of_call(values: Values, call: cst.Call) -> str | None:
    """The type of what a call gives."""
    called = values.api(call.func)
    if called is None:  # nothing but a span has a method of this name
        method = call.func.attr.value if isinstance(call.func, cst.Attribute) else None
        return otel.SPAN_CONTEXT if method == "get_span_context" and not call.args else None
    if called in otel.RETURNS:
        return otel.RETURNS[called]
    if values.project.wrappers.below_tracer(called) == "":
        return otel.TRACER
    function = values.function(called)
    if function is not None:
        return values.returns(function)
    if values.cls(called) is not None or called in _BUILTIN_TYPES:
        return called
    symbol = values.symbol(called)
    if symbol is not None and symbol.kind == "function":
        return symbol.type
    if symbol is not None and symbol.kind == "class":
        return symbol.dotted
    return _foreign(values, call, called)


def _foreign(values: Values, call: cst.Call, called: str) -> str | None:
    """What a call of an API outside of the project gives; where nothing is known, the call as it is written."""
    owner, _, name = called.rpartition(".")
    literal = call.args[0].value if call.args else None
    first = literal.raw_value if isinstance(literal, cst.SimpleString) else None
    made = known.clients().made_by(called, first) or values.mapped.taken(call, called)
    if made is not None:
        return made
    if name in {"__enter__", "__aenter__"}:
        return entered(values, owner, name)
    if called == "builtins.getattr":
        return stowed.read(values, call) or f"{called}()"
    if called in {"typing.cast", "typing_extensions.cast"} and len(call.args) == 2:
        return values.annotated(call.args[0].value)
    if called in {"contextlib.closing", "contextlib.aclosing"} and call.args:
        return f"~manager({values.type(call.args[0].value) or ''})"
    if name in {"enter_context", "enter_async_context"} and call.args:
        return entered(values, values.type(call.args[0].value), f"__{'a' * ('async' in name)}enter__")
    cls = values.super_of(call)
    if cls is not None:
        return next(iter(values.bases(cls)), None)
    if name[:1].isupper() or (name[:1] == "_" and name[1:2].isupper()):
        return otel.canonical(called)
    return f"{called}()"


def entered(values: Values, kind: str | None, method: str = "__enter__") -> str | None:
    """What `with` binds for a context manager of that type; a foreign class returns itself."""
    if kind == otel.SPAN_MANAGER:
        return otel.SPAN
    if kind is not None and kind.startswith("~manager("):
        return kind[len("~manager(") : -1] or None
    own = values.cls(kind) is not None
    function = values.function(values.member(kind, method)) if kind is not None and own else None
    if function is not None:
        return values.returns(function)
    symbol = values.symbol(kind)
    found = values.project.member(symbol, method) if symbol is not None and symbol.kind == "class" else None
    return found.type if found is not None and found.kind == "function" else kind
