"""OTL308: an attribute that says `error`, on a span whose status says that nothing has failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.errors.substitutes import Substitute
    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.errors.substitutes import substitutes

    if module.is_spared_test:
        return
    for found in substitutes(module):
        yield module.finding(
            found.attribute.key,
            f"the attribute `{found.attribute.name}` is no status, and the span stays UNSET; "
            "set the status to ERROR with `set_status`",
            related=[(found.span.start, "this span looks as if nothing had failed")],
            fix=_fix(module, found),
        )


def _fix(module: Module, found: Substitute) -> Fix | None:
    import libcst as cst

    call = found.attribute.call
    if found.attribute.api != otel.SET_ATTRIBUTE or not isinstance(module.walk.parent[call], cst.Expr):
        return None
    code, imports = edits.reference(module, otel.STATUS_ERROR, call)
    name = found.handler.name if found.handler is not None else None
    said = found.attribute.value if found.complaint else None
    told = module.code(said) if said is not None else f"str({name})" if name is not None else ""
    described = f", {told}" if told else ""
    text = f"{module.code(found.receiver)}.set_status({code}{described})"
    return Fix("Set the status instead", Safety.UNSAFE, (*edits.replace(module, call, text), *imports))
