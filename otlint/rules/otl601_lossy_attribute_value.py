"""OTL601: a value of a type that an attribute does not take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.attributes.lossy import Lossy
    from otlint.model.module import Module

_FATES = {
    "text": "it is exported as the text that `str()` makes of it, with a warning",
    "nothing": "it has no text of its own and is exported empty, with a warning",
    "dropped": "the attribute is left out, with a warning",
    "raises": "the measurement raises a TypeError",
}


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.attributes.lossy import lossy

    if module.is_test:
        return
    for found in lossy(module):
        name = f"`{found.attribute.name}`" if found.attribute.name else "the attribute"
        advice = _advice(module, found)
        yield module.finding(
            found.attribute.value or found.attribute.key,
            f"{name} is set to {found.what}, which attributes do not take: {_FATES[found.fate]}; {advice}",
            fix=_fix(module, found),
        )


def _code(module: Module, value: cst.BaseExpression) -> str:
    """The value as it is written, in parentheses where a method call needs them."""
    import libcst as cst

    code = module.code(value)
    return code if isinstance(value, cst.Name | cst.Attribute | cst.Call | cst.Subscript) else f"({code})"


def _advice(module: Module, found: Lossy) -> str:
    if not found.write:
        return "give a text, a number or a list of them"
    write = found.write
    if found.value is None or "\n" in module.code(found.value) or len(module.code(found.value)) > 40:
        return f"write `{write.format('…')}`"
    return f"write `{write.format(_code(module, found.value) if write.startswith('{}') else module.code(found.value))}`"


def _fix(module: Module, found: Lossy) -> Fix | None:
    value, write = found.value, found.write
    if not write or value is None:
        return None
    imports: tuple[Edit, ...] = ()
    if write.startswith("{}"):
        made = edits.replace(module, value, write.format(_code(module, value)))
    else:
        before = write[: write.index("{}")]
        if before.startswith("json."):
            text, imports = edits.reference(module, "json.dumps", value)
            before = f"{text}("
        made = edits.surround(module, value, before, ")")
    return Fix(f"write `{write.format('…')}`", Safety.UNSAFE, (*made, *imports))
