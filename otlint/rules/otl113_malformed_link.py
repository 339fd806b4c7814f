"""OTL113: something else than links given as links, or a parent where links belong."""

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

_WORDS = {
    otel.LINK: "a link",
    otel.SPAN: "a span",
    otel.SPAN_CONTEXT: "a span context",
    otel.CONTEXT: "a context",
    otel.SPAN_MANAGER: "what starts a span",
    "builtins.tuple": "a tuple",
    "builtins.dict": "a dict",
    "builtins.str": "a text",
}
_SPAN_CONTEXT = frozenset({otel.LINK, otel.SPAN, otel.CONTEXT, otel.SPAN_MANAGER, "builtins.dict", "builtins.str"})


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    yield from _missing(module)
    for call in module.calls(*otel.STARTS):
        given = module.argument(call, "links")
        if given is not None:
            yield from _links(module, given)
    for call in module.calls(otel.LINK, otel.ADD_LINK):
        given = module.argument(call, "context")
        kind = module.type(given) if given is not None else None
        if given is None or kind not in _SPAN_CONTEXT:
            continue
        yield module.finding(
            given,
            f"{_WORDS[kind]} is no span context, so the link raises; give `span.get_span_context()`",
            fix=_context_of(module, given, kind),
        )


def _missing(module: Module) -> Iterator[Finding]:
    """One context of many as the parent, where links should name them all."""
    from otlint.model.context.fanin import spans_of_many

    for span, given in spans_of_many(module) if not module.is_test else ():
        yield module.finding(
            given,
            "the span works on many messages and has the context of one as parent; give `links` to all of them",
            related=[(span.start, "the span starts here")],
            hint=True,
        )


def _links(module: Module, given: cst.BaseExpression) -> Iterator[Finding]:
    from otlint.model.code.elements import given_elements

    kind = module.type(given)
    if kind in {otel.LINK, otel.SPAN, otel.SPAN_CONTEXT}:
        yield module.finding(
            given,
            f"{_WORDS[kind]} is no list of links, so the start of the span raises; give `links=[Link(…)]`",
            fix=_listed(module, given, kind),
        )
        return
    for each in given_elements(module, given):
        found = module.type(each)
        if module.silenced(given, found == otel.LINK and "they are links") or not _is_wrong(module, each, found):
            continue
        assert found is not None
        yield module.finding(
            each,
            f"{_WORDS[found]} is no link, so the start of the span raises; wrap its span context in `Link`",
            fix=_wrapped(module, each, found),
        )


def _is_wrong(module: Module, given: cst.BaseExpression, kind: str | None) -> bool:
    """A span of the SDK passes, as it has a `context` too; one that stands for a remote span does not."""
    import libcst as cst

    if kind == otel.SPAN:
        return isinstance(given, cst.Call) and module.api(given.func) == otel.NON_RECORDING_SPAN
    return kind in _WORDS and kind != otel.LINK


def _listed(module: Module, given: cst.BaseExpression, kind: str) -> Fix | None:
    if kind == otel.LINK:
        return Fix("make it a list", Safety.SAFE, edits.surround(module, given, "[", "]"))
    if kind == otel.SPAN_CONTEXT:
        made, imports = edits.reference(module, otel.LINK, given)
        return Fix("make a link of it", Safety.SAFE, (*edits.surround(module, given, f"[{made}(", ")]"), *imports))
    return None


def _wrapped(module: Module, given: cst.BaseExpression, kind: str) -> Fix | None:
    if kind != otel.SPAN_CONTEXT:
        return None
    made, imports = edits.reference(module, otel.LINK, given)
    return Fix("make a link of it", Safety.SAFE, (*edits.surround(module, given, f"{made}(", ")"), *imports))


def _context_of(module: Module, given: cst.BaseExpression, kind: str) -> Fix | None:
    import libcst as cst

    if kind != otel.SPAN or not isinstance(given, cst.Name | cst.Attribute | cst.Call):
        return None
    changes = edits.replace(module, given, f"{module.code(given)}.get_span_context()")
    return Fix("give its span context", Safety.SAFE, changes)
