"""OTL508: a span decorator above one that keeps the function it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    for span in module.spans:
        if span.manner != "decorator":
            continue
        # @tracer.start_as_current_span("cart")
        # @app.get("/cart")
        function, place = module.entries.decorated(span.start)
        keeper = module.entries.keeper_below(function, place) if function is not None else None
        if function is None or module.silenced(span.start, keeper is None and "no decorator below keeps the function"):
            continue
        assert keeper is not None
        below = function.decorators[keeper].decorator
        name = module.code(below).partition("(")[0]
        yield module.finding(
            span.start,
            f"`{name}` below keeps the function without this span, so its calls have none; swap the two",
            related=[(below, "what is registered here has no span")],
            fix=Fix("put the span below", Safety.SAFE, _moved(module, function, place, keeper)),
        )


def _moved(module: Module, function: cst.FunctionDef, start: int, end: int) -> tuple[Edit, ...]:
    """The decorators from `start` to `end` with the first one behind the others."""
    block = [each.decorator for each in function.decorators[start : end + 1]]
    turned = [*block[1:], block[0]]
    changes = [edits.replace(module, old, module.code(new)) for old, new in zip(block, turned, strict=True)]
    return tuple(edit for change in changes for edit in change)
