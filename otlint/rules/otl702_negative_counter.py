"""OTL702: a measurement that the SDK drops or refuses: a negative one of a counter or histogram, or no number."""

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


@rule(Level.ERROR, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.metrics.measured import amounts, creation, is_negative, refused, takes_minus

    if module.is_spared_test:
        return
    for call in module.calls(*otel.MEASURES):
        # orders.add(-1)
        owner = (module.api(call.func) or "").rpartition(".")[0]
        for value in amounts(module, call):
            what = refused(module, value)
            negative = owner in otel.MONOTONIC and is_negative(module, value)
            if not negative and what is None:
                odd = owner in otel.MONOTONIC and takes_minus(value)
                module.silenced(value, odd and "what is negated may be negative itself, so its sign is not known")
                continue
            kind = owner.rpartition(".")[2]
            related = [] if module.walk.inside(value, call) else [(call, "it is measured here")]
            made = creation(module, call)
            if negative:
                advice = "use an `UpDownCounter`" if kind == "Counter" else "measure what is not negative"
                message = f"a `{kind}` takes no negative number, so this measurement is dropped; {advice}"
                fix = _fix(module, made) if made is not None and kind == "Counter" else None
            else:
                raises = "dropped" if what == "not a finite number" else "a TypeError where metrics are switched on"
                message, fix = f"the value is {what}, so this measurement is {raises}; give a number", None
            yield module.finding(value, message, related=related, fix=fix)


def _fix(module: Module, made: cst.Call) -> Fix:
    change = edits.rename_function(module, made, otel.UP_DOWN.rpartition(".")[2])
    return Fix("make it an `UpDownCounter`", Safety.UNSAFE, change)
