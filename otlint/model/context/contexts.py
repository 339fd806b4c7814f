"""What is given where a context belongs: a context, or something that only looks like one."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import argument, parameters
from otlint.model.code.walk import Node
from otlint.model.text.pieces import last_name

if TYPE_CHECKING:
    from otlint.model.module import Module

_OF_SPAN_CONTEXT = frozenset({"trace_id", "span_id", "trace_flags", "trace_state", "is_remote"})

_ASKS = frozenset({"isinstance", "hasattr", "getattr", "type"})


class Kind(enum.Enum):
    """What a value is, in words."""

    CONTEXT = "a context"
    SPAN = "a span"
    SPAN_CONTEXT = "a span context"
    MANAGER = "what starts a span"
    INTERPRETER = "the interpreter's own context"
    TEXT = "a text"
    NONE = "`None`"
    CARRIER = "a carrier"
    OTHER = "an object of the project"


_KINDS = {
    otel.CONTEXT: Kind.CONTEXT,
    otel.SPAN: Kind.SPAN,
    otel.SPAN_CONTEXT: Kind.SPAN_CONTEXT,
    otel.SPAN_MANAGER: Kind.MANAGER,
    "contextvars.Context": Kind.INTERPRETER,
    "builtins.str": Kind.TEXT,
}


def kind_of(module: Module, given: cst.BaseExpression, *, none: bool = False) -> Kind | None:
    """What a value certainly is on some way; None when unknown. `none`: None is as wrong as the rest."""
    found = _kind(module, given, none)
    if found is not None or _is_spare(module, given):
        return found
    others = (_kind(module, each, none) for each in module.origins(given) if each is not given)
    return next((kind for kind in others if kind not in {None, Kind.CONTEXT}), None)


def is_always(module: Module, given: cst.BaseExpression, kind: Kind) -> bool:
    """Whether a value is of that kind on every way, so that it can be made into a context where it is given."""
    none = any(isinstance(each, cst.Name) and each.value == "None" for each in module.origins(given))
    return _kind(module, given, none=False) is kind and not none


def _is_spare(module: Module, given: cst.BaseExpression) -> bool:
    """Whether a variable holds a context, and something else where it holds None, which a context never is.

    context = extract(headers) / if context is None: context = span
    """
    if not isinstance(given, cst.Name):
        return False
    bindings = module.names.reaching(given.value, given)
    tests = [up.test for each in bindings for up in module.walk.ancestors(each.node) if isinstance(up, cst.If)]
    asked = any(next(iter(module.walk.named(given.value, test)), None) is not None for test in tests)
    return asked and any(each.value is not None and module.type(each.value) == otel.CONTEXT for each in bindings)


def _kind(module: Module, given: cst.BaseExpression, none: bool) -> Kind | None:
    if isinstance(given, cst.Name) and given.value == "None":
        return Kind.NONE if none else None
    kind = module.type(given)
    if kind in _KINDS:
        return None if _is_made_up(module, given) else _KINDS[kind]
    if _is_carrier(module, given, kind):
        return Kind.CARRIER
    return Kind.OTHER if _is_own(module, kind) else None


def _is_made_up(module: Module, given: cst.BaseExpression) -> bool:
    """Whether it is part of a span that the code has put together: `ReadableSpan("order", parent=extracted).parent`."""
    if not isinstance(given, cst.Attribute):
        return False
    made = (each for each in module.origins(given.value) if isinstance(each, cst.Call))
    return any(module.api(each.func) == otel.SPAN for each in made)


def _is_carrier(module: Module, given: cst.BaseExpression, kind: str | None) -> bool:
    """`request.headers`, or a dict that something was put into, by hand or by `inject`."""
    if isinstance(given, cst.Attribute) and given.attr.value == "headers" and kind is None:
        return True
    if kind != "builtins.dict":
        return False
    if next(module.helpers.attributes.entries(given), None) is not None:
        return True
    if not isinstance(given, cst.Name):
        return False
    injected = (module.argument(call, "carrier") for call in module.calls(*otel.INJECTS))
    return any(
        isinstance(each, cst.Name)
        and each.value == given.value
        and module.function_of(each) is module.function_of(given)
        for each in injected
    )


def _is_own(module: Module, kind: str | None) -> bool:
    """Whether a type is a class of the project that is derived from nothing."""
    definition, symbol = module.values.cls(kind), module.values.symbol(kind)
    if definition is not None:
        return not definition.bases
    return symbol is not None and symbol.kind == "class" and symbol.cls is not None and not symbol.cls.bases


def borrowed(module: Module) -> Iterator[cst.Attribute]:
    """Attributes of a span context that are read from a context: `extract(headers).trace_id`."""
    for each in module.walk.all(cst.Attribute):
        is_read = each.attr.value in _OF_SPAN_CONTEXT and module.type(each.value) == otel.CONTEXT
        if is_read and not _asks(module, module.function_of(each), each.value):
            yield each


def mistaken(module: Module) -> Iterator[cst.BaseExpression]:
    """Contexts that a function of the file gets which takes them for span contexts: `name_of(extract(headers))`."""
    readers = dict(_readers(module))
    if not readers:
        return
    for call in module.walk.all(cst.Call):
        function = module.values.function(module.api(call.func))
        name = readers.get(function) if function is not None else None
        given = argument(call, name, parameters(function)) if function is not None and name is not None else None
        if given is not None and module.type(given) == otel.CONTEXT:
            yield given


def _readers(module: Module) -> Iterator[tuple[cst.FunctionDef, str]]:
    """Functions that read the ids of a parameter without a look at what it is, and others give them span contexts."""
    for each in module.walk.all(cst.Attribute):
        function = module.function_of(each)
        if each.attr.value not in _OF_SPAN_CONTEXT or not isinstance(function, cst.FunctionDef):
            continue
        name = each.value.value if isinstance(each.value, cst.Name) else ""
        bindings = module.names.reaching(name, each) if name in parameters(function) else ()
        if len(bindings) != 1 or bindings[0].kind != "param" or module.type(each.value) == otel.CONTEXT:
            continue
        if not _asks(module, function, each.value):
            yield function, name


def _asks(module: Module, function: Node | None, value: Node) -> bool:
    """Whether a function looks at what a value is: `isinstance(remote, SpanContext)`."""
    if not isinstance(function, cst.FunctionDef):
        return False
    calls = (call for call in module.walk.all(cst.Call, within=function) if last_name(call.func) in _ASKS)
    return any(call.args and call.args[0].value.deep_equals(value) for call in calls)
