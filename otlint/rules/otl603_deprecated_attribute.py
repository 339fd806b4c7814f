"""OTL603: an attribute or metric under a name that the semantic conventions have deprecated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.known import semconv
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.attributes.outdated import Outdated
    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.attributes.outdated import outdated

    if module.is_test:
        return
    for found in outdated(module):
        what = f"`{found.old.name}`" if found.write is not None else f"the metric `{found.old.name}`"
        yield module.finding(
            found.place,
            f"{what} is deprecated in the semantic conventions; {_advice(found)}",
            related=[(found.use, "it is written here")] if found.use is not None else (),
            fix=_fix(module, found),
            hint=found.old.doubtful,
        )


def _advice(found: Outdated) -> str:
    if not found.old.new:
        return "it has no successor"
    new = [f"`{name}`" for name in found.old.new]
    if len(new) > 1:
        return f"write {', '.join(new[:-1])} or {new[-1]}, whichever it is"
    return f"write {new[0]}" + (f" and check the value: {found.old.note}" if found.old.note else "")


def _fix(module: Module, found: Outdated) -> Fix | None:
    if len(found.old.new) != 1 or (found.old.doubtful and not found.old.same):
        return None
    import libcst as cst

    key = _renamed(module, found)
    if key is None:
        return None
    new = found.old.new[0]
    if found.old.same or (found.old.stands and not isinstance(found.value, cst.SimpleString)):
        return Fix(f"write `{new}`", Safety.UNSAFE, key)
    value = _mapped(module, found)
    if value is not None:
        return Fix(f"write `{new}`", Safety.UNSAFE, (*key, *value))
    return Fix(f"write `{new}` (check the value)", Safety.DISPLAY, key)


def _renamed(module: Module, found: Outdated) -> tuple[Edit, ...] | None:
    """The edits of a key that stands here, as text or as a constant of OpenTelemetry's."""
    import libcst as cst

    new, place = found.old.new[0], found.place
    if isinstance(place, cst.SimpleString):
        if found.use is not None and not _is_only_key(module, found.use):
            return None
        return edits.replace(module, place, f"{place.prefix}{place.quote}{new}{place.quote}")
    if not isinstance(place, cst.Name | cst.Attribute) or found.use is not None:
        return None
    if not otel.is_otel(module.api(place)):
        return None  # a constant of another file
    constant = semconv.constant(new)
    if constant is None:
        return edits.replace(module, place, f'"{new}"')
    text, imports = edits.reference(module, constant, place)
    return (*edits.replace(module, place, text), *imports)


def _is_only_key(module: Module, use: cst.BaseExpression) -> bool:
    """Whether a constant of this file is nothing but the key of attributes that it writes."""
    import libcst as cst

    if not isinstance(use, cst.Name):
        return False
    keys = {each.key for each in module.attributes}
    bound = {binding.node for binding in module.names.bindings(use.value, use)}
    uses = module.walk.named(use.value, module.tree)
    return all(each in keys or module.walk.statement_of(each) in bound for each in uses)


def _mapped(module: Module, found: Outdated) -> tuple[Edit, ...] | None:
    """The edits of a literal value that the new key calls otherwise, () for one that stays; None when unsure."""
    import libcst as cst

    value, values = found.value, found.old.values
    if not isinstance(value, cst.SimpleString) or not isinstance(value.evaluated_value, str):
        return None
    text = value.evaluated_value
    if values is not None and values.get(text):
        return edits.replace(module, value, f"{value.prefix}{value.quote}{values[text]}{value.quote}")
    allowed = semconv.values(found.old.new[0])
    return () if text in allowed or (found.old.stands and not allowed) else None
