"""OTL501: a span that some way out of the function leaves open, so that it is never exported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.unended import Unended

_EXITS = {
    "exception": "when an exception leaves the function",
    "raise": "when the function raises here",
    "return": "when the function returns here",
    "end": "when the function ends",
    "loop": "when the loop starts the next one",
    "yield": "when the generator is closed at this `yield`",
}


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.spans.streams import is_stream
    from otlint.model.spans.unended import unended

    for found in unended(module):
        if is_stream(found):
            continue  # OTL506
        way = found.exits[0]
        yield module.finding(
            found.span.start,
            _message(found),
            related=[(way.node, f"still open {_EXITS[way.kind]}")] if way.kind not in {"end", "loop"} else (),
            fix=_fix(module, found),
        )


def _message(found: Unended) -> str:
    custody, way = found.custody, found.exits[0]
    if not custody.names:
        return "nothing holds on to this span, so it can never be ended and is not exported; use it in `with`"
    name = custody.names[0]
    if not custody.discharged and not custody.handed:
        return f"`{name}` is never ended, so it is not exported; call `{name}.end()` in a `finally`"
    return f"`{name}` is not ended {_EXITS[way.kind]}, and then it is not exported; call `end()` in a `finally`"


def _fix(module: Module, found: Unended) -> Fix | None:
    made = _left_open(module, found) or _dropped(module, found) or edits.end_in_finally(module, found)
    return Fix(made[0], Safety.UNSAFE, made[1]) if made is not None else None


def _left_open(module: Module, found: Unended) -> tuple[str, tuple[Edit, ...]] | None:
    """`with start_as_current_span(…, end_on_exit=False)`, and nothing ends the span."""
    if found.custody.discharged or found.custody.handed:
        return None
    for arg in found.span.start.args:
        if arg.keyword is not None and arg.keyword.value == "end_on_exit":
            return "let `with` end it", edits.remove_argument(module, found.span.start, arg)
    return None


def _dropped(module: Module, found: Unended) -> tuple[str, tuple[Edit, ...]] | None:
    """A call that is a statement of its own: `with` around what follows ends the span."""
    from otlint.model.code.blocks import following, is_wrappable, plain_statement

    call = found.span.start
    statement = plain_statement(module, call) if found.custody.dropped else None
    if statement is None or module.walk.parent[call] is not statement:
        return None
    rest = following(module, statement)
    if not rest or not is_wrappable(module, rest):
        return None
    return "put what follows into `with`", edits.wrap_with(
        module, rest, f"with {module.code(call)}:", without=[statement]
    )
