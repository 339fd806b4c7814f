"""OTL114: a carrier that cannot be read or written, or in which nothing is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.context.carriers import Wrong
    from otlint.model.module import Module

_METHODS = frozenset({"__setitem__", "setdefault", "__getitem__"})


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.context.carriers import wrong

    if module.is_spared_test:
        return
    for call in module.calls(*otel.EXTRACTS, *otel.INJECTS):
        helper = "getter" if module.api(call.func) in otel.EXTRACTS else "setter"
        plain = [arg for arg in call.args if arg.keyword is None and not arg.star]
        place = next((at for at, arg in enumerate(plain[:2]) if _is_helper(module, arg.value)), None)
        if place is not None and len(call.args) == len(plain) == 2:
            yield module.finding(
                plain[place].value,
                f"the {helper} is taken for the {('carrier', 'context')[place]}; give the carrier first "
                f"and the {helper} as `{helper}=`",
                fix=_named(module, call, place, helper),
            )
            continue
        given = module.argument(call, "carrier")
        made = module.silenced(call, module.argument(call, helper) is not None and f"a {helper} is given")
        found = wrong(module, call, given) if given is not None and not made else None
        if found is not None and given is not None:
            yield module.finding(given, found.text, fix=_fix(module, given, found))


def _is_helper(module: Module, given: cst.BaseExpression) -> bool:
    """Whether it is a getter or setter: an object of today, or a function of the first versions."""
    import libcst as cst

    if isinstance(given, cst.Lambda) or (isinstance(given, cst.Attribute) and given.attr.value in _METHODS):
        return True
    if module.values.function(module.api(given)) is not None:
        return True
    kind = module.type(given)
    if kind is None:
        return False
    definition = module.values.cls(kind)
    lineage = module.values.lineage(definition) if definition is not None else [kind]
    return any(otel.is_otel(each) and each.endswith(("Getter", "Setter", "_getter", "_setter")) for each in lineage)


def _named(module: Module, call: cst.Call, place: int, helper: str) -> Fix:
    import libcst as cst

    given, carrier = call.args[place].value, call.args[1 - place].value
    function = module.values.function(module.api(given)) is not None
    old = function or isinstance(given, cst.Lambda | cst.Attribute)  # a function, which is no getter and no setter
    text = module.code(carrier) + ("" if old else f", {helper}={module.code(given)}")
    first, last = edits.replace(module, call.args[0].value, text), edits.remove_argument(module, call, call.args[1])
    return Fix("give the carrier first", Safety.SAFE, (*first, *last))


def _fix(module: Module, given: cst.BaseExpression, found: Wrong) -> Fix | None:
    better = found.better
    if better is None or not module.walk.inside(better, given):
        return None
    if found.as_dict:
        return Fix("make a dict of it", Safety.SAFE, edits.surround(module, given, "dict(", ")"))
    return Fix("give the headers themselves", Safety.SAFE, edits.replace(module, given, module.code(better)))
