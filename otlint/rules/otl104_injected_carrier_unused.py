"""OTL104: a carrier that is injected into and goes nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

_LOOKS_AT_NAMES = frozenset({"builtins.locals", "builtins.eval", "builtins.exec", "builtins.vars"})
_SENDS = frozenset({"http", "rpc", "send"})


@rule(Level.ERROR)
def check(module: Module) -> Iterator[Finding]:
    import libcst as cst

    if module.is_spared_test:
        return
    for call in module.calls(*otel.INJECTS):
        given = module.argument(call, "carrier")
        if isinstance(given, cst.Dict) and not given.elements:
            yield module.finding(
                given, "the carrier is gone when `inject` returns, so nobody gets the context; keep it and send it"
            )
        elif isinstance(given, cst.Name) and not _LOOKS_AT_NAMES & module.apis_called:
            yield from _named(module, call, given)


def _named(module: Module, call: cst.Call, given: cst.Name) -> Iterator[Finding]:
    """A dict that the function makes, and what it does with it."""
    import libcst as cst

    function = module.function_of(call)
    if not isinstance(function, cst.FunctionDef) or not _is_made_here(module, given, function):
        return
    uses = [
        each
        for each in module.walk.named(given.value, function)
        if each is not given and not _is_written(module, each) and not _is_injected(module, each)
    ]
    flow = module.flow(function)
    after = set(flow.after(call))
    later = [each for each in uses if each in after or module.function_of(each) is not function]
    if module.silenced(call, bool(later) and "the carrier is used afterwards"):
        return
    sent = [_sent_by(module, each) for each in uses]
    if not uses:
        yield module.finding(
            given, f"nothing reads the carrier `{given.value}`, so nobody gets the context; send it with the request"
        )
    elif all(each is not None for each in sent):
        yield module.finding(
            given,
            f"the carrier `{given.value}` is sent before the context is injected; inject first",
            related=[(each, "it is sent here") for each in sent if each is not None],
        )


def _is_made_here(module: Module, given: cst.Name, function: cst.FunctionDef) -> bool:
    """Whether the name always holds a dict that this function makes for itself."""
    import libcst as cst

    bindings = module.names.bindings(given.value, given)
    if not bindings or any(module.function_of(each.node) is not function for each in bindings):
        return False
    for each in bindings:
        value = each.value
        made = isinstance(value, cst.Dict) or (
            isinstance(value, cst.Call) and module.api(value.func) == "builtins.dict" and not value.args
        )
        alone = isinstance(each.node, cst.AnnAssign) or (
            isinstance(each.node, cst.Assign) and len(each.node.targets) == 1
        )
        if each.kind != "assign" or not made or not alone:
            return False
    return True


def _is_written(module: Module, name: cst.Name) -> bool:
    """`headers = {}`, `headers["accept"] = …`, and names that are no variables."""
    import libcst as cst

    up = module.walk.parent[name]
    if isinstance(up, cst.Attribute):
        return up.value is not name
    if isinstance(up, cst.Arg | cst.Param):
        return isinstance(up, cst.Param) or up.keyword is name
    if isinstance(up, cst.AssignTarget) or (isinstance(up, cst.AnnAssign) and up.target is name):
        return True
    return isinstance(up, cst.Subscript) and isinstance(module.walk.parent[up], cst.AssignTarget)


def _is_injected(module: Module, name: cst.Name) -> bool:
    import libcst as cst

    up = module.walk.parent[name]
    above = module.walk.parent[up]
    return isinstance(up, cst.Arg) and isinstance(above, cst.Call) and module.api(above.func) in otel.INJECTS


def _sent_by(module: Module, name: cst.Name) -> cst.Call | None:
    """The request or message that the name is given to as it is."""
    import libcst as cst

    up = module.walk.parent[name]
    call = module.walk.parent[up]
    if not isinstance(up, cst.Arg) or not isinstance(call, cst.Call):
        return None
    operation = module.operation(call)
    return call if operation is not None and operation.role in _SENDS else None
