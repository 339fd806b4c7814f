"""Edits that end what was started by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otlint.edits.reports import recording_handler
from otlint.edits.statements import insert_before, wrap_try_finally
from otlint.fix import Edit
from otlint.model.code.blocks import guarded, is_wrappable
from otlint.model.errors.missed import would_miss

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.unended import Unended

Edits = tuple[Edit, ...]


def end_in_finally(module: Module, found: Unended) -> tuple[str, Edits] | None:
    """`try: … finally: span.end()` around what follows; what passes there is recorded, if nobody does so yet."""
    guard = guarded(module, found.custody)
    if guard is None or not found.custody.names or not is_wrappable(module, guard.inside, yields=True):
        return None
    name = found.custody.names[0]
    ending = guard.ending or f"{name}.end()"
    made: Edits = ()
    lines, handler, test = [ending], list[str](), None
    if guard.branch is not None:
        made = insert_before(module, guard.branch, [f"{name} = None"]) if guard.unset else ()
        test = f"{name} is not None"
        lines = [f"if {test}:", f"\t{ending}"]
    if would_miss(module, found.span):
        handler, imports = recording_handler(module, guard.statement, name, test)
        made = (*made, *imports)
    wrapped = wrap_try_finally(module, guard.inside, lines, handler=handler, without=guard.gone)
    return "end it in a `finally`", (*made, *wrapped)
