"""OTL104: a carrier that is injected into and goes nowhere, or that gets another context than it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.code.walk import Node
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

_LOOKS_AT_NAMES = frozenset({"builtins.locals", "builtins.eval", "builtins.exec", "builtins.vars"})


@rule(Level.ERROR, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    import libcst as cst

    from otlint.model.context.injected import early_helpers, injections, is_new

    if module.is_spared_test:
        return
    for made, name, span in early_helpers(module):
        yield _before(module, made, name, span, None)
    for call, given in injections(module):
        if is_new(module, given):
            yield module.finding(
                given, "the carrier is gone when `inject` returns, so nobody gets the context; keep it and send it"
            )
        elif isinstance(given, cst.Name) and not _LOOKS_AT_NAMES & module.apis_called:
            yield from _named(module, call, given)


def _named(module: Module, call: cst.Call, given: cst.Name) -> Iterator[Finding]:
    """A dict that the function makes, and what it does with it."""
    import libcst as cst

    from otlint.model.context.injected import early, is_injected, is_made_here, is_written, left_by

    function = module.function_of(call)
    if not isinstance(function, cst.FunctionDef) or not is_made_here(module, given, function):
        return
    uses = [
        each
        for each in module.walk.named(given.value, function)
        if each is not given and not is_written(module, each) and not is_injected(module, each, call)
    ]
    flow = module.flow(function)
    after = set(flow.after(call))
    later = [each for each in uses if each in after or module.function_of(each) is not function]
    span = early(module, call, given) if later else None
    if span is not None:
        inside = edits.inject_inside(module, call, later, span)
        yield _before(module, given, given, span, _fix("inject inside of the span", inside))
        return
    if module.silenced(call, bool(later) and "the carrier is used afterwards"):
        return
    sent = [left_by(module, each) for each in uses]
    if not uses:
        yield module.finding(
            given, f"nothing reads the carrier `{given.value}`, so nobody gets the context; send it with the request"
        )
    elif all(each is not None for each in sent):
        yield module.finding(
            given,
            f"the carrier `{given.value}` is {_taken(module, sent)} before the context is injected; inject first",
            related=[(each, "it is taken here") for each in sent if each is not None],
            fix=_fix("inject first", edits.inject_first(module, call, [each for each in sent if each is not None])),
        )


def _taken(module: Module, places: list[Node | None]) -> str:
    import libcst as cst

    sent = any(isinstance(each, cst.Call) and module.operation(each) is not None for each in places)
    return "sent" if sent else "copied"


def _before(module: Module, at: cst.BaseExpression, name: cst.Name, span: Span, fix: Fix | None) -> Finding:
    """`inject(headers)`, and then the span of the request that takes the headers along."""
    return module.finding(
        at,
        f"the context is injected before the span that sends `{name.value}` starts, so the receiver's span is "
        "no child of that one; inject inside of it",
        related=[(span.start, "the span that sends it starts here")],
        fix=fix,
    )


def _fix(title: str, made: tuple[Edit, ...] | None) -> Fix | None:
    return Fix(title, Safety.UNSAFE, made) if made is not None else None
