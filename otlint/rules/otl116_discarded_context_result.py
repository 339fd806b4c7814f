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
        yield module.finding(call, f"{_changes(api, made)} that is dropped here; {_use(made)}")
    yield from _unread(module)


def _unread(module: Module) -> Iterator[Finding]:
    """`ctx = baggage.set_baggage("tenant", tenant)`, and nothing reads `ctx`."""
    from otlint.model.context.extracts import is_dropped
    from otlint.model.spans.ownership import TOKEN

    for call in module.calls(*otel.MAKES) if not module.is_spared_test else ():
        custody = module.helpers.ownership.of(call, TOKEN)
        if custody.names and "_" not in custody.names and is_dropped(module, custody):
            api = module.api(call.func) or ""
            made = otel.MAKES[api]
            yield module.finding(call, f"{_changes(api, made)} nothing reads `{custody.names[-1]}`; {_use(made)}")


def _changes(api: str, made: str) -> str:
    return f"`{api.rpartition('.')[2]}` changes nothing but returns a new {made}, and"


def _use(made: str) -> str:
    return "use the one that it returns" if made == "resource" else "attach it, or pass it on"


def _through_helper(module: Module, call: cst.Call) -> str | None:
    """What a function of the project returns and, as it attaches nothing, does not put to use itself."""
    facts = module.helper(call)
    if facts is None or facts.returns != otel.CONTEXT or not facts.calls & otel.MAKES.keys():
        return None
    if module.silenced(call, otel.ATTACH in facts.calls and "it attaches a context itself"):
        return None
    uses = next((each for each in sorted(facts.calls) if not _is_harmless(each)), None)
    return None if module.silenced(call, uses and f"it may use the context itself, as it calls `{uses}`") else "context"


def _is_harmless(called: str) -> bool:
    """Whether a call does nothing with a context that lasts."""
    return otel.is_otel(called) or called.partition(".")[0] in {"builtins", "logging", "os", "time", "uuid"}
