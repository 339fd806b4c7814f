"""OTL116: a new context, baggage or resource that nobody takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module


@rule(Level.ERROR)
def check(module: Module) -> Iterator[Finding]:
    import libcst as cst

    for statement in module.walk.all(cst.Expr):
        # baggage.set_baggage("tenant", tenant)
        call = statement.value
        if isinstance(call, cst.Await):
            call = call.expression
        if not isinstance(call, cst.Call):
            continue
        api = module.api(call.func) or ""
        made = otel.MAKES.get(api) or _through_helper(module, call)
        if made is None:
            continue
        use = "use the one that it returns" if made == "resource" else "attach it, or pass it on"
        yield module.finding(
            call,
            f"`{api.rpartition('.')[2]}` changes nothing but returns a new {made}, and that is dropped here; {use}",
        )


def _through_helper(module: Module, call: cst.Call) -> str | None:
    """What a function of the project returns and, as it attaches nothing, does not put to use itself."""
    facts = module.helper(call)
    if facts is None or facts.returns != otel.CONTEXT or not facts.calls & otel.MAKES.keys():
        return None
    attaches = otel.ATTACH in facts.calls and "it attaches a context itself"
    return None if module.silenced(call, attaches) else "context"
