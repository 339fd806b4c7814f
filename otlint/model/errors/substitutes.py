"""Attributes that say that a span has failed, where its status does not.

span.set_attribute("error", True)       # OpenTracing's way
span.set_attribute("status", "failed")
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.attributes.written import Attribute
from otlint.model.code.logs import words
from otlint.model.code.walk import Node
from otlint.model.errors.failures import failures, unmarked
from otlint.model.errors.handlers import Handler, real
from otlint.model.errors.refusals import told_after
from otlint.model.flow.ways import Exit
from otlint.model.reason import Reason
from otlint.model.spans.span import Span

if TYPE_CHECKING:
    from otlint.model.module import Module


# Texts that say no more than whether something has failed.
_NO_ERROR = frozenset({"", "true", "false", "no", "none", "null", "0", "ok", "unset"})


@dataclass(frozen=True, eq=False, slots=True)
class Substitute:
    """`attribute` says that `span` has failed, and nothing else does. `handler` is the innermost one around it.

    `complaint`: its value is a text that says what is wrong.
    """

    attribute: Attribute
    receiver: cst.BaseExpression
    span: Span
    handler: Handler | None
    complaint: bool


def substitutes(module: Module) -> Iterator[Substitute]:
    """In source order."""
    found = [each for each in module.attributes if says_error(module, each)]
    if not found:
        return
    seen: set[tuple[Span, Node | None]] = set()
    spoken = {failure.handler.node: failure.lacks for failure in failures(module)}
    recorded = {each.span for each in unmarked(module)}
    for attribute in found:
        func = attribute.call.func
        receiver = func.value if isinstance(func, cst.Attribute) else None
        span = module.spans.of(receiver) if receiver is not None else None
        if module.silenced(attribute.call, span is None and "what becomes of its span is not known here"):
            continue
        assert receiver is not None and span is not None
        span, handler = real(span), _handler(module, attribute.call)
        lacks = spoken.get(handler.node) if handler is not None else None
        if module.silenced(attribute.call, (lacks == "status" or span in recorded) and "OTL302 speaks of its status"):
            continue
        if module.silenced(attribute.call, _is_refused(module, attribute.call)):
            continue
        place = (span, _block(module, attribute.call))
        if place not in seen and not module.silenced(attribute.call, _is_shown(module, attribute.call, span)):
            seen.add(place)
            complaint = attribute.name == "error" and _is_complaint(module, attribute)
            yield Substitute(attribute, receiver, span, handler, complaint)


def says_error(module: Module, attribute: Attribute) -> bool:
    """Whether an attribute is one that is taken for the status of a failed span."""
    if attribute.helper or attribute.value is None or attribute.api not in {otel.SET_ATTRIBUTE, otel.SET_ATTRIBUTES}:
        return False
    value = attribute.value
    text = value.evaluated_value if isinstance(value, cst.SimpleString) else None
    word = text.lower() if isinstance(text, str) else ""
    if attribute.name == "error":
        handler = _handler(module, attribute.call)
        is_true = (isinstance(value, cst.Name) and value.value == "True") or word == "true"
        return is_true or (handler is not None and handler.mentions(value)) or _is_complaint(module, attribute)
    return attribute.name in words("status", "keys") and word in words("status", "error")


def _is_complaint(module: Module, attribute: Attribute) -> bool:
    """Whether it is set to a text that is written here: `span.set_attribute("error", f"no {item}")`."""
    origins = module.origins(attribute.value) if attribute.value is not None else []
    written = [each for each in origins if isinstance(each, cst.FormattedString | cst.SimpleString)]
    texts = {str(each.evaluated_value).lower() for each in written if isinstance(each, cst.SimpleString)}
    return bool(written) and len(written) == len(origins) and texts.isdisjoint(_NO_ERROR)


def _handler(module: Module, node: Node) -> Handler | None:
    inside = [each for each in module.handlers if module.walk.inside(node, each.node.body)]
    return inside[-1] if inside and inside[-1].function is module.function_of(node) else None


def _is_refused(module: Module, call: cst.Call) -> Reason | None:
    told = told_after(module, call)
    return Reason("its client is told that it was wrong, which is no failure here", told) if told is not None else None


def _block(module: Module, node: Node) -> Node | None:
    return next((up for up in module.walk.ancestors(node) if isinstance(up, cst.BaseSuite)), None)


def _is_shown(module: Module, call: cst.Call, span: Span) -> Reason | None:
    """Why the status of the span shows the failure, or may do so."""
    function = module.function_of(call)
    if function is not span.function:
        return Reason("its span is started elsewhere, where its status may be set", span.start)
    flow = module.flow(function if function is not None else module.tree)
    for mark in module.marks:
        if mark.span not in {span, None} or not mark.does & {"status", "unknown"}:
            continue
        if mark.span is None and not module.walk.inside(mark.call, span.function or module.tree):
            continue  # a call of that function is a mark of its own
        if mark.call not in flow or flow.reaches(call, mark.call) or flow.reaches(mark.call, call):
            return Reason("this call sets the status, or may do so", mark.call)
    ways = flow.escapes(call, (), every=True)
    if any(_is_green(module, way, span) for way in ways):
        return None
    return Reason("an exception leaves the block of the span afterwards, which sets its status", span.start)


def _is_green(module: Module, way: Exit, span: Span) -> bool:
    """Whether the span is not told of an exception when the function is left this way."""
    if way.kind in {"return", "end", "loop"}:
        return True
    if way.kind not in {"raise", "exception"}:
        return False
    block = span.managed_by is not None or span.manner == "decorator"
    blocks = module.spans.enclosing(way.node)
    told = block or any(real(each) is span for each in blocks)
    if not told:
        return way.kind == "raise"
    if span.sets_status is False:
        return True
    return way.kind == "raise" and _ends_process(way.node) and span.api != otel.START_SPAN


def _ends_process(node: Node) -> bool:
    """`sys.exit(1)` and `raise SystemExit(1)` are no `Exception`, which is all that a current span looks at."""
    if isinstance(node, cst.Raise):
        node = node.exc.func if isinstance(node.exc, cst.Call) else node.exc or node
        return isinstance(node, cst.Name) and node.value == "SystemExit"
    return isinstance(node, cst.Call)
