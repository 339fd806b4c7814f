"""OTL703: an instrument whose name or unit the SDK refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

# opentelemetry-api, metrics/_internal/instrument.py
_NAME = re.compile(r"[a-zA-Z][-_./a-zA-Z0-9]{0,254}")
_PART = re.compile(r"[-_./a-zA-Z0-9]*")
_NAME_LENGTH = 255
_UNIT_LENGTH = 63


@rule(Level.ERROR)
def check(module: Module) -> Iterator[Finding]:
    if module.is_spared_test:
        return
    seen: set[cst.CSTNode] = set()
    for each in module.instruments:
        # meter.create_counter("orders sold")
        for given, fault in ((each.name, _of_name), (each.unit, _of_unit)):
            what = fault(module, given) if given is not None and given not in seen else None
            if given is None or what is None:
                continue
            seen.add(given)
            yield module.finding(given, f"{what}, so the SDK raises an exception where metrics are switched on")
        unknown = each.name is not None and module.helpers.attributes.text(each.name) is None
        module.silenced(each.call, unknown and each.name not in seen and "its name is not known")
        if each.name is not None and each.name not in seen and module.text(each.name).is_unbounded:
            seen.add(each.name)
            yield module.finding(
                each.name,
                "the name of the instrument has no bound on its values, and each is an instrument that is kept for "
                "ever; put what varies into an attribute",
                hint=True,
            )


def _of_name(module: Module, given: cst.BaseExpression) -> str | None:
    import libcst as cst

    if isinstance(given, cst.Integer) or _is_none(given):
        return "the name of the instrument is no text"
    name = module.helpers.attributes.text(given)
    if name is None:
        return _of_parts(given) if isinstance(given, cst.FormattedString) else None
    if not name:
        return "the name of the instrument is empty"
    if len(name) > _NAME_LENGTH:
        return f"the name of the instrument is longer than {_NAME_LENGTH} characters"
    if _NAME.fullmatch(name) is None:
        return f"`{name}` is no name for an instrument: a letter first, then letters, digits and `_ . - /`"
    return None


def _of_parts(given: cst.FormattedString) -> str | None:
    """What is wrong with the parts of an f-string that are written down."""
    import libcst as cst

    for i, part in enumerate(given.parts):
        text = part.value if isinstance(part, cst.FormattedStringText) else ""
        if "\\" in text or "{" in text or "}" in text:
            return None
        if _PART.fullmatch(text) is None or (i == 0 and text and not text[0].isalpha()):
            return f"`{text}` cannot be part of the name of an instrument: only letters, digits and `_ . - /`"
    return None


def _of_unit(module: Module, given: cst.BaseExpression) -> str | None:
    if _is_none(given):
        return "the unit is None"
    unit = module.helpers.attributes.text(given)
    if unit is None:
        return None
    if len(unit) > _UNIT_LENGTH:
        return f"the unit is longer than {_UNIT_LENGTH} characters"
    return None if unit.isascii() else f"the unit `{unit}` has characters that are not ASCII"


def _is_none(given: cst.BaseExpression) -> bool:
    import libcst as cst

    return isinstance(given, cst.Name) and given.value == "None"
