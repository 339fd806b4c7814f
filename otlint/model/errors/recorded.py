"""What is given to `record_exception` and certainly is no exception."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.nature import Nature, nature
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.functions.passing import Given
    from otlint.model.module import Module


@dataclass(frozen=True, eq=False, slots=True)
class WrongRecord:
    """`value` is no exception, as it is written; `argument` is what the call gives, which may hold or name it."""

    call: cst.Call
    value: cst.BaseExpression
    argument: cst.BaseExpression
    nature: Nature


def wrong_records(module: Module) -> Iterator[WrongRecord]:
    """At most one for each call, in source order."""
    for given in module.told:
        found = wrong_record(module, given)
        if found is not None:
            yield found


def wrong_record(module: Module, given: Given) -> WrongRecord | None:
    """What is wrong with one value that is to be recorded."""
    if given.api != otel.RECORD_EXCEPTION:
        return None
    for value in module.origins(given.value):
        kind = nature(module, value)
        module.silenced(given.call, kind is None and Reason("what it gives is not known", value))
        if kind is Nature.NONE and (given.helper or value is not given.value):
            continue  # there may have been no exception, and the code may know
        if kind not in {None, Nature.EXCEPTION}:
            return WrongRecord(given.call, value, given.value, kind)
    return None
