"""Names that come through `from module import *`: which of them, only the project's files can tell."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel

if TYPE_CHECKING:
    from otlint.model.code.values import Values
    from otlint.model.project import Symbol


def brought(values: Values, name: cst.Name) -> Symbol | None:
    """The symbol that exactly one of the file's star imports brings under a name that nothing else binds."""
    stars = values.names.star_modules
    if not stars or hasattr(builtins, name.value) or values.names.bindings(name.value, name):
        return None
    symbols = [values.symbol(f"{star}.{name.value}") for star in stars]
    found = [each for each in symbols if each is not None and (each.kind != "foreign" or otel.is_otel(each.dotted))]
    return found[0] if len(found) == 1 else None
