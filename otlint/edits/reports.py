"""What a handler tells a span: the exception, and that the operation has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.edits import layout
from otlint.edits.expressions import bind_exception, fresh_exception
from otlint.edits.imports import reference
from otlint.edits.statements import insert_after, prepend
from otlint.fix import Edit
from otlint.model.code.optional import is_available, is_tested

if TYPE_CHECKING:
    from otlint.model.errors.handlers import Except
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

Edits = tuple[Edit, ...]


def report_failure(module: Module, handler: Except, span: Span, *, record: bool, status: bool) -> Edits | None:
    """Calls at the start of a handler that record its exception and set ERROR.

    None where the span has no name, and where OpenTelemetry may be missing at run time and nothing asks for the span.
    """
    found = holder(module, handler, span)
    asks = span.variable is not None and is_tested(module, span.variable, span.start)
    if found is None or not (asks or is_available(module, handler)):
        return None
    (text, edits), (name, bound) = found, bind_exception(module, handler)
    lines = [f"{text}.record_exception({name})"] if record else []
    if status:
        owner = text.rpartition(".")[0] if edits else ""
        code, imports = set_error(module, handler, text, f"str({name})", owner)
        lines.append(code)
        edits += imports
    if asks and text == span.variable:
        lines = [f"if {text} is not None:", *(f"\t{line}" for line in lines)]
    return (*prepend(module, handler.body, lines), *bound, *edits)


def recording_handler(module: Module, at: cst.CSTNode, span: str, test: str | None = None) -> tuple[list[str], Edits]:
    """The lines of a handler that puts any exception on the span and raises it again; `test`: if that is so."""
    name = fresh_exception(module, at)
    code, imports = set_error(module, at, span, f"str({name})")
    told = [f"{span}.record_exception({name})", code]
    told = [f"if {test}:", *("\t" + line for line in told)] if test is not None else told
    return [f"except Exception as {name}:", *("\t" + line for line in told), "\traise"], imports


def record_and_raise(module: Module, tried: cst.Try, span: str) -> Edits:
    """Such a handler for a `try` that has none."""
    clause = tried.orelse or tried.finalbody
    assert clause is not None and not tried.handlers
    lines, imports = recording_handler(module, tried, span)
    at = layout.line_start(module.source.text, module.range(clause)[0])
    text = layout.rendered(module, lines, layout.indent_of(module, tried), layout.unit_of(module, tried))
    return (Edit(at, at, text + module.source.newline), *imports)


def set_error_after(module: Module, call: cst.Call, exception: str) -> Edits | None:
    """A `set_status` behind a `record_exception`, on the same span."""
    statement = module.walk.statement_of(call)
    if not isinstance(statement, cst.Expr) or not isinstance(call.func, cst.Attribute):
        return None
    if not is_available(module, call):
        return None
    code, imports = set_error(module, call, module.code(call.func.value), f"str({exception})")
    return (*insert_after(module, statement, [code]), *imports)


def set_error(module: Module, at: cst.CSTNode, span: str, description: str, owner: str = "") -> tuple[str, Edits]:
    """`span.set_status(Status(StatusCode.ERROR, description))`, without `Status` where only the code is at hand.

    `owner`: what `opentelemetry.trace` is called in the import that is on its way already.
    """
    status, code = module.names.local(otel.STATUS, at), module.names.local(otel.STATUS_CODE, at)
    if code is not None and (status is None or status.count(".") > code.count(".")):
        return f"{span}.set_status({code}.ERROR, {description})", ()
    if code is None and owner:
        return f"{span}.set_status({owner}.Status({owner}.StatusCode.ERROR, {description}))", ()
    status, first = reference(module, otel.STATUS, at)
    code, second = reference(module, otel.STATUS_CODE, at)
    return f"{span}.set_status({status}({code}.ERROR, {description}))", (*first, *second)


def holder(module: Module, handler: Except, span: Span) -> tuple[str, Edits] | None:
    """How a span can be written in a handler: its variable, or the current span."""
    from otlint.model.errors.handlers import real

    at = handler.body.body[0]
    if span.variable is not None:
        bindings = module.names.reaching(span.variable, at)
        if len(bindings) == 1 and bindings[0].node is span.binding:
            return span.variable, ()
    around = module.span_around(at)
    if around is None or real(around) is not span:
        return None
    text, edits = reference(module, otel.GET_CURRENT_SPAN, at)
    return f"{text}()", edits
