"""Boolean arguments of the calls that start spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.values import argument, is_hidden

if TYPE_CHECKING:
    from otlint.model.facts.data import SpanFacts


def flag(call: cst.Call, name: str, positions: tuple[str, ...], default: bool = True) -> bool | None:
    """A flag as it is given or left out; None when that cannot be seen."""
    value = argument(call, name, positions)
    if value is None:
        return None if is_hidden(call) else default
    return _literal(value)


def said(value: cst.BaseExpression | None, default: bool) -> bool:
    """What an argument says where it is a literal, else what holds without it."""
    found = _literal(value)
    return default if found is None else found


def _literal(value: cst.BaseExpression | None) -> bool | None:
    if isinstance(value, cst.Name) and value.value in {"True", "False"}:
        return value.value == "True"
    return None


def forwarded(call: cst.Call, starts: SpanFacts, name: str, known: bool | None) -> bool | None:
    """A flag of a span, where the helper that starts it passes keywords on: the caller's, else the default."""
    return flag(call, name, ()) if starts.forwards and known is None else known
