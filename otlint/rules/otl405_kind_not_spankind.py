"""OTL405: something else than a SpanKind given as a span's kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.kinds import WrongKind
    from otlint.model.spans.span import Span


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.spans.kinds import wrong_kinds

    for span in module.spans:
        for wrong in wrong_kinds(module, span):
            inside = module.walk.inside(wrong.value, span.start)
            advice = f"give `{_short(wrong.meant)}`" if wrong.meant and wrong.sure else "give a member of `SpanKind`"
            yield module.finding(
                wrong.value if inside or span.kind_argument is None else span.kind_argument,
                f"{wrong.what}, no SpanKind: the exporter fails on it and loses its whole batch; {advice}",
                related=() if inside else [(wrong.value, "the kind comes from here")],
                fix=_fix(module, span, wrong),
            )


def _fix(module: Module, span: Span, wrong: WrongKind) -> Fix | None:
    from otlint.model.code.optional import is_available

    if not wrong.free or wrong.meant is None:
        return None
    if wrong.argument is not None and wrong.is_none and span.helper is None:
        return Fix("leave the kind out", Safety.SAFE, edits.remove_argument(module, span.start, wrong.argument))
    if not is_available(module, wrong.value):
        return None
    text, imports = edits.reference(module, wrong.meant, wrong.value)
    safety = Safety.SAFE if wrong.sure else Safety.DISPLAY
    return Fix(f"give `{_short(wrong.meant)}`", safety, (*edits.replace(module, wrong.value, text), *imports))


def _short(kind: str) -> str:
    """The last two parts of a dotted kind."""
    return ".".join(kind.split(".")[-2:])
