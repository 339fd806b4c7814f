"""OTL305: `record_exception` is given something else than an exception."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.errors.recorded import WrongRecord
    from otlint.model.module import Module


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.errors.recorded import wrong_records

    if module.is_spared_test:
        return
    for wrong in wrong_records(module):
        inside = module.walk.inside(wrong.value, wrong.call)
        yield module.finding(
            wrong.value if inside else wrong.argument,
            _message(wrong),
            related=[] if inside else [(wrong.value, "the value comes from here")],
            fix=_fix(module, wrong),
        )


def _message(wrong: WrongRecord) -> str:
    from otlint.model.code.nature import Nature

    if wrong.nature is Nature.NONE:
        return "`None` is recorded as an exception of type `NoneType`; give the exception, or record nothing"
    return (
        f"{wrong.nature.value} is no exception, and `record_exception` raises an error of its own; "
        "give the exception that was caught"
    )


def _fix(module: Module, wrong: WrongRecord) -> Fix | None:
    """`sys.exc_info()` holds the exception in the middle; any other value does not have it."""
    from otlint.model.code.nature import Nature

    if wrong.nature is not Nature.EXC_INFO or not module.walk.inside(wrong.value, wrong.call):
        return None
    return Fix("take the exception out of it", Safety.SAFE, edits.surround(module, wrong.value, "", "[1]"))
