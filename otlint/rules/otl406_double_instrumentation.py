"""OTL406: a manual CLIENT or SERVER span around what an instrumentor makes one for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.kinds.doubled import doubled

    if module.is_spared_test:
        return
    found = {span: (what, why) for span, what, why in doubled(module)}
    for span in module.spans:
        if span not in found:
            outer = span.kind in {otel.KIND_CLIENT, otel.KIND_SERVER}
            module.silenced(span.start, outer and "nothing is known to make a span of this kind for the same")
            continue
        what, why = found[span]
        kind = (span.kind or "").rpartition(".")[2]
        yield module.finding(
            span.start,
            f"{why.text}, so {what} has a {kind} span already, and this is a second one; leave `kind` out",
            fix=_fix(module, span),
        )


def _fix(module: Module, span: Span) -> Fix | None:
    call = span.start
    given = next((arg for arg in call.args if arg.value is span.kind_argument), None)
    if given is None or given.keyword is None:
        return None
    return Fix("leave `kind` out", Safety.UNSAFE, edits.remove_argument(module, call, given))
