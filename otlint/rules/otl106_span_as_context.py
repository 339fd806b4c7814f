"""OTL106: something else than a context given as one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

_RAISES = "so the call, or the next span, raises"
_ROOT = "so the span starts a trace of its own"
_IN_CONTEXT, _AS_SPAN = otel.SET_SPAN_IN_CONTEXT, otel.NON_RECORDING_SPAN


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.context.contexts import Kind, borrowed, kind_of, mistaken

    for call in module.calls(*otel.CONTEXTS):
        api = module.api(call.func) or ""
        given = module.argument(call, otel.CONTEXTS[api])
        kind = kind_of(module, given, none=api == otel.ATTACH) if given is not None else None
        if given is None or module.silenced(given, kind is Kind.CONTEXT and "it is a context") or kind is None:
            continue
        harm = _ROOT if kind is Kind.CARRIER else _RAISES
        yield module.finding(
            given,
            f"{kind.value} is no context, {harm}; {_advice(kind)}",
            fix=_fix(module, given, kind),
        )
    for call in module.calls(otel.SET_SPAN_IN_CONTEXT, otel.USE_SPAN):
        given = module.argument(call, "span")
        if given is not None and module.type(given) == otel.SPAN_CONTEXT:
            made, imports = edits.reference(module, _AS_SPAN, given)
            yield module.finding(
                given,
                f"a span context is no span, {_ROOT}; wrap it in `NonRecordingSpan`",
                fix=Fix("wrap it", Safety.SAFE, (*edits.surround(module, given, f"{made}(", ")"), *imports)),
            )
    for attribute in borrowed(module):
        yield module.finding(
            attribute,
            f"a context has no `{attribute.attr.value}`, so this raises; "
            "take it from `get_current_span(context).get_span_context()`",
        )
    for given in mistaken(module):
        yield module.finding(
            given,
            "a context is no span context, so the function that gets it raises; "
            "give it `get_current_span(context).get_span_context()`",
        )


def _advice(kind: object) -> str:
    from otlint.model.context.contexts import Kind

    if kind is Kind.SPAN:
        return "put the span into one with `set_span_in_context`"
    if kind is Kind.SPAN_CONTEXT:
        return "wrap it in `NonRecordingSpan` and put that into one with `set_span_in_context`"
    return "extract one from it" if kind is Kind.CARRIER else "give a context"


def _fix(module: Module, given: cst.BaseExpression, kind: object) -> Fix | None:
    from otlint.model.context.contexts import Kind, is_always

    if not isinstance(kind, Kind) or not is_always(module, given, kind):
        return None
    if kind is Kind.CARRIER:
        made, imports = edits.reference(module, otel.EXTRACT, given)
        changes = (*edits.surround(module, given, f"{made}(", ")"), *imports)
        return Fix("extract a context from it", Safety.UNSAFE, changes)
    if kind is Kind.SPAN:
        made, imports = edits.reference(module, _IN_CONTEXT, given)
        return Fix("put it into a context", Safety.SAFE, (*edits.surround(module, given, f"{made}(", ")"), *imports))
    if kind is Kind.SPAN_CONTEXT:
        outer, imports = edits.reference(module, _IN_CONTEXT, given)
        inner, more = edits.reference(module, _AS_SPAN, given)
        changes = (*edits.surround(module, given, f"{outer}({inner}(", "))"), *imports, *more)
        return Fix("put it into a context", Safety.SAFE, changes)
    return None
