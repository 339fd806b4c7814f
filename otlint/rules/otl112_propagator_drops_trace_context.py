"""OTL112: a global propagator that does not carry the W3C trace context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.context.propagators import carries, is_estate, made

    if module.is_spared_test:
        return
    for call in module.calls(otel.SET_GLOBAL_TEXTMAP):
        given = module.argument(call, "http_text_format")
        names = made(module, given) if given is not None else None
        if given is None or names is None:
            continue
        carried = carries(names)
        if "trace" in carried:
            if "baggage" not in carried and _uses_baggage(module):
                yield _without_baggage(module, given)
            continue
        if module.silenced(call, is_estate(module, names) and "the project speaks that format elsewhere as well"):
            continue
        what = "carries nothing" if not names else f"is {' and '.join(f'`{name}`' for name in names)} only"
        yield module.finding(
            given,
            f"the global propagator {what}, so `traceparent` is neither read nor sent, and a trace that comes with it "
            "ends here; add `TraceContextTextMapPropagator`",
            fix=_fix(module, given, _missing(carried)),
        )


def _uses_baggage(module: Module) -> bool:
    calls = module.apis_called.union(*(each.calls for each in module.project.files.values()))
    return otel.SET_BAGGAGE in calls


def _missing(carried: set[str | None]) -> tuple[str, ...]:
    needed = {"trace": otel.TRACE_CONTEXT_PROPAGATOR, "baggage": otel.BAGGAGE_PROPAGATOR}
    return tuple(dotted for what, dotted in needed.items() if what not in carried)


def _without_baggage(module: Module, given: cst.BaseExpression) -> Finding:
    return module.finding(
        given,
        "the project sets baggage, and the global propagator does not carry it; add `W3CBaggagePropagator`",
        fix=_fix(module, given, (otel.BAGGAGE_PROPAGATOR,)),
        hint=True,
    )


def _fix(module: Module, given: cst.BaseExpression, missing: tuple[str, ...]) -> Fix:
    import libcst as cst

    from otlint.model.context.propagators import parts

    made: list[str] = []
    imports: list[Edit] = []
    for dotted in missing:
        name, edit = edits.reference(module, dotted, given)
        made.append(f"{name}()")
        imports += edit
    listed = parts(given) if isinstance(given, cst.Call) else None
    if listed is not None:
        changes = edits.append_element(module, listed, ", ".join(made))
    else:
        name, edit = edits.reference(module, otel.COMPOSITE_PROPAGATOR, given)
        changes = edits.surround(module, given, f"{name}([{', '.join(made)}, ", "])")
        imports += edit
    return Fix("carry it as well", Safety.UNSAFE, (*changes, *dict.fromkeys(imports)))
