"""OTL103: an extracted context that reaches no span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.context.extracts import Unused
    from otlint.model.module import Module

_ADVICE = "give it to the span as `context=`, or `attach` it"


@rule(Level.ERROR, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.context.extracts import unused_extracts

    for found in unused_extracts(module):
        yield module.finding(
            found.call,
            _message(found),
            related=[(found.span.start, "this span begins a trace of its own")] if found.span is not None else (),
            fix=_fix(module, found),
        )


def _message(found: Unused) -> str:
    if not found.names:
        return f"the extracted context is dropped, and extracting makes nothing current; {_ADVICE}"
    fate = "is overwritten before anything uses it" if found.overwritten else "is never used"
    return f"the extracted context `{found.names[-1]}` {fate}, so the caller's trace ends here; {_ADVICE}"


def _fix(module: Module, found: Unused) -> Fix | None:
    """`ctx = extract(…)` and `start_span(…, context=ctx)`."""
    from otlint.model.code.blocks import plain_statement

    statement = plain_statement(module, found.call)
    if found.span is None or found.overwritten or not (found.names or statement):
        return None
    name, bound = _bind(module, statement) if statement is not None and not found.names else (found.names[0], ())
    return Fix(
        f"start the span with `context={name}`",
        Safety.UNSAFE,
        (*bound, *edits.set_argument(module, found.span.start, "context", name)),
    )


def _bind(module: Module, statement: Node) -> tuple[str, tuple[Edit, ...]]:
    """A name for the context of a statement that drops it, and the edits that bind it."""
    names = ("ctx", "parent_context", "remote_context", "extracted_context")
    free = next((name for name in names if module.names.is_free(name, statement)), "otel_extracted_context")
    return free, edits.replace(module, statement, f"{free} = {module.code(statement)}")
