"""Functions that make a value once and give the same one to all that ask later.

def install_id():
    global _install_id
    if _install_id is None:
        _install_id = str(uuid.uuid4())
    return _install_id
"""

from __future__ import annotations

import libcst as cst

from otlint.model.code.conditions import Conditions, is_unset
from otlint.model.code.names import Binding, Names
from otlint.model.code.values import Values
from otlint.model.code.walk import Walk

_CACHES = frozenset({"functools.cache", "functools.lru_cache"})


def is_made_once(walk: Walk, names: Names, values: Values, function: cst.FunctionDef) -> bool:
    """Whether all calls of a function in a process give the same value."""
    if values.own(function, cst.Yield):
        return False
    takes = walk.all(cst.Param, within=function.params)
    if not takes and any(_is_cache(values, each.decorator) for each in function.decorators):
        return True
    returned = [each.value for each in values.own(function, cst.Return)]
    return bool(returned) and all(
        isinstance(each, cst.Name) and _is_kept(walk, names, function, each) for each in returned
    )


def _is_cache(values: Values, decorator: cst.BaseExpression) -> bool:
    return values.api(decorator.func if isinstance(decorator, cst.Call) else decorator) in _CACHES


def _is_kept(walk: Walk, names: Names, function: cst.FunctionDef, name: cst.Name) -> bool:
    """Whether it is a global that the function sets only where it finds it not set."""
    if not names.is_elsewhere(name.value, name):
        return False
    here = [each for each in names.bindings(name.value, name) if walk.function_of(each.node) is function]
    return bool(here) and all(_fills(walk, names, name.value, each) for each in here)


def _fills(walk: Walk, names: Names, name: str, binding: Binding) -> bool:
    before = Conditions(walk, names, binding.node, ()).leading()
    return any(is_unset(name, test, truth) for test, truth in before)
