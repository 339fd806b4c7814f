"""Edits of the call that starts a span: its attributes and its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.edits.expressions import append_element, replace, set_argument
from otlint.edits.imports import reference
from otlint.edits.statements import insert_after, prepend
from otlint.fix import Edit
from otlint.model.code.optional import is_available, is_tested
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

Edits = tuple[Edit, ...]
Pair = tuple[str, str]


def add_attributes(module: Module, span: Span, pairs: Sequence[Pair]) -> Edits | None:
    """Give a span attributes (key, code): where it starts, else first thing in its block; None when neither can be."""
    missing = [pair for pair in pairs if not _holds(module, span, pair[1])]
    if not missing:
        return ()
    body = span.regions[0] if span.regions else None
    if span.helper is None and span.start in module.walk.parent:
        given = module.argument(span.start, "attributes")
        text = ", ".join(f'"{key}": {code}' for key, code in missing)
        if isinstance(given, cst.Dict):
            return append_element(module, given, text)
        if given is None and not any(arg.star for arg in span.start.args):
            return set_argument(module, span.start, "attributes", f"{{{text}}}")
    if span.manner != "with" or span.variable is None or not isinstance(body, cst.BaseSuite):
        return None
    if is_tested(module, span.variable, span.start):  # it may be None
        return None
    return prepend(module, body, [_set(span.variable, pair) for pair in missing])


def set_attributes_after(module: Module, call: cst.Call, pairs: Sequence[Pair]) -> Edits | None:
    """Set attributes (key, code) on the span that a method is called on, behind that statement."""
    statement = module.walk.statement_of(call)
    if not isinstance(call.func, cst.Attribute) or not isinstance(statement, cst.Expr):
        return None
    owner = module.code(call.func.value)
    return insert_after(module, statement, [_set(owner, pair) for pair in pairs])


def set_kind(module: Module, span: Span, kind: str) -> Edits | None:
    """Give a span this kind (a dotted SpanKind); None when the call has no place for it, or may run without the API."""
    start: Node = span.start  # a decorator without arguments is no call
    if not isinstance(start, cst.Call) or start not in module.walk.parent:
        return None
    if span.kind_argument is None and not is_available(module, span.start):
        return None
    text, imports = reference(module, kind, span.start)
    if span.kind_argument is not None:
        if not module.walk.inside(span.kind_argument, span.start):
            return None
        return (*replace(module, span.kind_argument, text), *imports)
    if any(arg.star for arg in span.start.args):
        return None
    if span.helper is None:
        return (*set_argument(module, span.start, "kind", text, position=2), *imports)
    starts = span.helper.span
    if starts is None or starts.kind is None or not starts.kind.startswith("~parameter:"):
        return None
    return (*set_argument(module, span.start, starts.kind.removeprefix("~parameter:"), text), *imports)


def _set(owner: str, pair: Pair) -> str:
    return f'{owner}.set_attribute("{pair[0]}", {pair[1]})'


def _holds(module: Module, span: Span, code: str) -> bool:
    """Whether an attribute of the span holds this value already."""
    plain = {code, code.removeprefix("str(").removesuffix(")") if code.startswith("str(") else code}
    given = module.argument(span.start, "attributes") if span.helper is None else None
    values = [each.value for each in given.elements] if isinstance(given, cst.Dict) else []
    calls = [each for region in span.regions for each in module.walk.below(region) if isinstance(each, cst.Call)]
    set_later = [module.argument(call, "value") for call in calls if module.api(call.func) == otel.SET_ATTRIBUTE]
    values += [value for value in set_later if value is not None]
    return any(module.code(value) in plain for value in values if value in module.walk.parent)
