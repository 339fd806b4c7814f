"""OTL201: a span name that is built from something without bound."""

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
    from otlint.model.spans.span import Span
    from otlint.model.text.bounds import Texts


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    if module.is_spared_test:
        return
    texts = module.texts.allowing(module.options.get("allow-values"))
    for span in module.spans:
        callers = module.spans.names_for_callers(span) and "the callers of the helper give the name, and are judged"
        if span.name is not None and not module.silenced(span.start, callers):
            yield from _judge(module, texts, span.start, span.name, span)
    for call in module.calls(otel.UPDATE_NAME):
        name = module.argument(call, "name")
        if name is not None:
            yield from _judge(module, texts, call, name, None)


def _judge(
    module: Module, texts: Texts, call: cst.Call, name: cst.BaseExpression, span: Span | None
) -> Iterator[Finding]:
    text = texts.of(name)
    if module.silenced(name, not text.is_unbounded and text.words) or text.source is None:
        return
    if module.silenced(name, _is_drawn(module, text.source) and "the program makes spans up, and draws their names"):
        return
    far = text.origin is not None and module.row(text.origin) != module.row(name)
    yield module.finding(
        name,
        f"the span name holds {module.quoted(text.source)}, and each of its countless values makes a name of its own; "
        "use a constant name and put the value into an attribute",
        related=[(text.origin, "the value comes from here")] if far and text.origin is not None else (),
        fix=_fix(module, texts, call, name, span),
    )


def _is_drawn(module: Module, source: cst.CSTNode) -> bool:
    """Whether a program that only makes spans up, to fill a back end for a demonstration, draws the name."""
    import libcst as cst

    from otlint.model.setup.endings import ends_by_itself

    api = module.api(source.func) if isinstance(source, cst.Call) else None
    return api is not None and api.startswith(("secrets.", "random.")) and ends_by_itself(module)


def _fix(module: Module, texts: Texts, call: cst.Call, name: cst.BaseExpression, span: Span | None) -> Fix | None:
    from otlint.model.text.template import without

    renamed = without(module, name, lambda part: texts.of(part).is_unbounded)
    if renamed is None:
        return None
    if span is None:
        kept = edits.set_attributes_after(module, call, renamed.attributes)
    else:
        kept = edits.add_attributes(module, span, renamed.attributes)
    if kept is None:
        return None
    return Fix(
        f"name the span `{renamed.code}`", Safety.UNSAFE, (*edits.replace(module, renamed.place, renamed.code), *kept)
    )
