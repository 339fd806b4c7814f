"""What a helper does to a span only where its caller asks for it.

    def failed(span, error, record=False):
        if record:
            span.record_exception(error)

The effects on `span` are `record` and `record?record`; at a call that leaves `record` out, there are none.
"""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from otlint.model.code.walk import Node, Walk
from otlint.model.spans.flags import flag


def of(walk: Walk, function: cst.FunctionDef, uses: Iterable[tuple[Node, frozenset[str]]]) -> frozenset[str]:
    """`effect?parameter` for the effects that stand, at each use, below a test of the same parameter."""
    off = {each.name.value for each in _parameters(function) if _is_false(each.default)}
    off -= {name for name in off if any(_is_set(walk, each) for each in walk.named(name, function.body))}
    switches: dict[str, set[str]] = {}
    for node, effects in uses if off else ():
        tested = _tested(walk, function, node) & off
        for effect in effects:
            switches[effect] = switches.get(effect, tested) & tested
    return frozenset(f"{effect}?{name}" for effect, names in switches.items() for name in names)


def at(call: cst.Call, effects: frozenset[str], positions: tuple[str, ...]) -> frozenset[str]:
    """The effects of one call, without those that its arguments switch off."""
    pairs = [each.partition("?") for each in effects if "?" in each]
    off = {effect for effect, _, name in pairs if flag(call, name, positions, default=False) is False}
    return frozenset(each for each in effects if "?" not in each and each not in off)


def _parameters(function: cst.FunctionDef) -> list[cst.Param]:
    return [*function.params.posonly_params, *function.params.params, *function.params.kwonly_params]


def _is_false(default: Node | None) -> bool:
    return isinstance(default, cst.Name) and default.value == "False"


def _is_set(walk: Walk, name: Node) -> bool:
    return isinstance(walk.parent[name], cst.AssignTarget | cst.AnnAssign | cst.AugAssign | cst.NamedExpr)


def _tested(walk: Walk, function: cst.FunctionDef, node: Node) -> set[str]:
    """The names that are certainly true where a node stands: `if record:`, `if record and span:`."""
    found: set[str] = set()
    for up in walk.ancestors(node):
        if up is function:
            break
        if isinstance(up, cst.If) and walk.inside(node, up.body):
            found |= _names(up.test)
    return found


def _names(test: Node) -> set[str]:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return _names(test.left) | _names(test.right)
    return {test.value} if isinstance(test, cst.Name) else set()
