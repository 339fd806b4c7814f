"""OTL205: a tracer or meter without a name, or with one of countless names."""

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


@rule(Level.WARNING, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    if module.is_spared_test:
        return
    for api, what in otel.SCOPES.items():
        for call in module.calls(api):
            name = module.argument(call, otel.PARAMETERS[api][0])
            if name is not None:
                yield from _judge(module, what, name)


def _judge(module: Module, what: str, name: cst.BaseExpression) -> Iterator[Finding]:
    ways = module.origins(name)
    if ways and all(map(_is_missing, ways)):
        message = f"the {what} has no name, so nobody sees which code made its telemetry; give `__name__`"
        fix = Fix("name it after the module", Safety.SAFE, edits.replace(module, name, "__name__"))
        yield module.finding(name, message, fix=fix)
        return
    text = module.texts.of(name)
    if module.silenced(name, not text.is_unbounded and text.words) or text.source is None:
        return
    holds = module.quoted(text.source)
    message = f"the name holds {holds}, and each of its countless values is a {what} kept for ever; use a constant"
    yield module.finding(name, message)


def _is_missing(name: cst.BaseExpression) -> bool:
    import libcst as cst

    if isinstance(name, cst.Name):
        return name.value == "None"
    return isinstance(name, cst.SimpleString) and name.evaluated_value == ""
