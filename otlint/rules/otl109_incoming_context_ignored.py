"""OTL109: the span of what comes in, without the context that came with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.kinds.incoming import incoming, taken

    if module.is_spared_test:
        return
    for span in module.spans:
        if span.api not in otel.STARTS or _is_given(module, span):
            continue
        purpose = incoming(module, span)
        if purpose is None or module.silenced(span.start, purpose.excused or taken(module, span)):
            continue
        active = module.active(span.start)
        if module.silenced(span.start, active is not None and active.why):
            continue
        yield module.finding(
            span.start,
            f"the span is {purpose.why}, and the context that came with it is ignored: the caller's trace ends here; "
            "`extract` it and give it as `context=`",
        )


def _is_given(module: Module, span: Span) -> bool:
    """Whether the span may get its parent or links where it starts, or from the helper that starts it."""
    from otlint.model.code.values import is_hidden

    if span.helper is not None:
        return span.helper.parent != "current"
    given = (module.argument(span.start, name) for name in ("context", "links"))
    return is_hidden(span.start) or any(each is not None for each in given)
