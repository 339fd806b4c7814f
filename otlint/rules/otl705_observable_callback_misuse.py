"""OTL705: an observable instrument whose callback is missing, cannot be called, or gives no list of observations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.metrics.observing import Misuse
    from otlint.model.module import Module


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    import libcst as cst

    from otlint.model.metrics.observing import misuses

    if module.is_spared_test:
        return
    yield from _foreign(module)
    measured = set()
    for call in module.walk.all(cst.Call):
        # gauge = meter.create_observable_gauge("queue.size")
        # gauge.set(3)
        owner, _, method = (module.api(call.func) or "").rpartition(".")
        if owner in otel.OBSERVABLES and not method.startswith("_"):
            measured.add(_named(call.func.value) if isinstance(call.func, cst.Attribute) else None)
            name = owner.rpartition(".")[2]
            yield module.finding(
                call, f"`{name}` has no `{method}`, so this raises AttributeError; observe the value in a callback"
            )
    seen: set[cst.CSTNode] = set()
    for call in module.calls(*otel.OBSERVING):
        for each in misuses(module, call):
            if each.node in seen or (each.node is call and _target(module, call) in measured):
                continue
            seen.add(each.node)
            yield module.finding(
                each.node,
                each.what,
                related=() if module.walk.inside(each.node, call) else [(call, "it is a callback of this instrument")],
                fix=_fix(module, each),
            )


def _target(module: Module, call: object) -> str | None:
    """The name under which an instrument is kept."""
    import libcst as cst

    up = module.walk.parent[call] if isinstance(call, cst.Call) else None
    return _named(up.targets[0].target) if isinstance(up, cst.Assign) else None


def _named(expression: object) -> str | None:
    import libcst as cst

    if isinstance(expression, cst.Attribute):
        return expression.attr.value
    return expression.value if isinstance(expression, cst.Name) else None


def _foreign(module: Module) -> Iterator[Finding]:
    """`orders.inc()`, `orders.add(1, labels={…})`: what the instruments of other libraries have."""
    import libcst as cst

    for call in module.walk.all(cst.Call):
        owner, _, method = (module.api(call.func) or "").rpartition(".")
        right = otel.MEASURED_BY.get(owner)
        if right is None or method.startswith("_"):
            continue
        if method != right:
            name = owner.rpartition(".")[2]
            yield module.finding(call, f"`{name}` has no `{method}`, so this raises AttributeError; call `{right}`")
        for arg in call.args if method == right else ():
            if arg.keyword is not None and arg.keyword.value not in otel.PARAMETERS[f"{owner}.{method}"]:
                given = arg.keyword.value
                yield module.finding(
                    arg,
                    f"`{right}` has no parameter `{given}`, so this raises TypeError; give a mapping as `attributes`",
                )


def _fix(module: Module, misuse: Misuse) -> Fix | None:
    import libcst as cst

    if not misuse.lone or not isinstance(misuse.node, cst.BaseExpression):
        return None
    return Fix("make it a list", Safety.SAFE, edits.surround(module, misuse.node, "[", "]"))
