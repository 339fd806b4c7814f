"""Contexts that are extracted from a carrier: which of them nothing ever uses, and which span should have got it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import argument, is_hidden
from otlint.model.code.walk import Node
from otlint.model.reason import Reason
from otlint.model.spans.keeping import keeper
from otlint.model.spans.ownership import TOKEN, Custody
from otlint.model.spans.span import Span

if TYPE_CHECKING:
    from otlint.model.module import Module

# A value stays unused where it is only bound to a name, or chosen.
_PASSIVE = (
    cst.Assign,
    cst.AnnAssign,
    cst.Await,
    cst.BooleanOperation,
    cst.Del,
    cst.Expr,
    cst.IfExp,
    cst.NamedExpr,
)
# … or only looked at: the span that follows has no more of it for that.
_TESTS = (cst.If, cst.Comparison, cst.UnaryOperation)
# OpenTelemetry's calls that change nothing: a function that makes others is called for what they do.
_PURE = otel.EXTRACTS | {
    otel.PROPAGATOR,
    otel.GET_CURRENT_CONTEXT,
    otel.GET_CURRENT_SPAN,
    otel.SET_SPAN_IN_CONTEXT,
    "opentelemetry.propagate.get_global_textmap",
    "opentelemetry.context.Context",
}
_LOOKS_AT_NAMES = frozenset({"builtins.locals", "builtins.eval", "builtins.exec", "builtins.vars"})
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Unused:
    """An extracted context that goes nowhere. `names` are the variables that hold it; `overwritten` if one is reused.

    `span` is the only one that the function starts afterwards, outside of others, in the context of its caller.
    """

    call: cst.Call
    names: tuple[str, ...]
    overwritten: bool
    span: Span | None


def unused_extracts(module: Module) -> Iterator[Unused]:
    """The extracted contexts of a file that nothing uses; none in tests, nor where an instrumentor extracts as well."""
    if module.is_spared_test:
        return
    for call in module.walk.all(cst.Call):
        if not extracts(module, call):
            continue
        custody = module.helpers.ownership.of(call, TOKEN)
        function = module.function_of(call)
        if module.silenced(call, not _is_unused(module, custody) and partial(_use, module, custody)):
            continue
        if function is not None and module.silenced(call, module.entry(function)):
            continue
        names = tuple(custody.names)
        yield Unused(call, names, _is_rebound(module, custody), _span_for(module, _bound(module, custody)))


def extracts(module: Module, call: cst.Call, depth: int = 0) -> bool:
    """Whether the call gives an extracted context and does nothing else: `extract`, or a function around it."""
    called = module.api(call.func)
    if called in otel.EXTRACTS:
        return True
    function = module.values.function(called)
    if function is None:
        return _extracts_elsewhere(module, call)
    return depth < _DEPTH and _only_extracts(module, function, depth + 1)


def _extracts_elsewhere(module: Module, call: cst.Call) -> bool:
    """The same of a function of another file, where the caller names what it gets: it is called for the context."""
    facts = module.helper(call)
    if facts is None or facts.returns != otel.CONTEXT or isinstance(module.walk.parent[call], cst.Expr):
        return False
    return _calls_only_extract(module, facts.calls)


def _only_extracts(module: Module, function: cst.FunctionDef, depth: int) -> bool:
    if module.values.returns(function) != otel.CONTEXT or module.walk.own(function.body, cst.Yield):
        return False
    if not _calls_only_extract(module, module.helpers.of(function).calls):
        return False
    inner = [each for each in module.walk.own(function.body, cst.Call) if extracts(module, each, depth)]
    return bool(inner) and all(_is_only_returned(module, each) for each in inner)


def _calls_only_extract(module: Module, called: frozenset[str]) -> bool:
    """Whether these calls, and those below, extract a context and do nothing else to OpenTelemetry's state."""
    called |= module.project.called_by(called)
    return not called.isdisjoint(otel.EXTRACTS) and all(not otel.is_otel(each) or each in _PURE for each in called)


def _is_only_returned(module: Module, call: cst.Call) -> bool:
    custody = module.helpers.ownership.of(call, TOKEN)
    places = [module.walk.parent[use] for use in custody.uses]
    returned = all(isinstance(each, cst.Return) for each in custody.handed)
    return returned and not custody.lent and all(isinstance(each, (*_PASSIVE, cst.Return)) for each in places)


def is_dropped(module: Module, custody: Custody) -> bool:
    """Whether the value is at most bound to names, none of which anything reads."""
    if _may_be_read(module, custody):
        return False
    return all(isinstance(module.walk.parent[use], _PASSIVE) for use in custody.uses)


def _is_unused(module: Module, custody: Custody) -> bool:
    if is_dropped(module, custody) and "_" not in custody.names:
        return True
    places = [module.walk.parent[use] for use in custody.uses]
    looked_at = all(isinstance(each, (*_PASSIVE, *_TESTS)) for each in places)
    return looked_at and not _may_be_read(module, custody) and _span_for(module, _bound(module, custody)) is not None


def _may_be_read(module: Module, custody: Custody) -> bool:
    """Whether others than the uses that are known can see the value."""
    if custody.handed or custody.lent or custody.discharged:
        return True
    return bool(custody.names) and (not _is_local(module, custody) or bool(_LOOKS_AT_NAMES & module.apis_called))


def _use(module: Module, custody: Custody) -> Reason:
    """What uses the context, as far as anybody can tell."""
    use = next((use for use in custody.uses if not isinstance(module.walk.parent[use], _PASSIVE)), None)
    done = next(iter(custody.discharged), use)
    return keeper(module, custody) or Reason("it is used" if done else "others may see the name that holds it", done)


def _is_local(module: Module, custody: Custody) -> bool:
    """Whether only the function can see the names: not those of a module or class."""
    scope = module.names.scope_of(custody.start)
    return not isinstance(custody.function, cst.Module) and not isinstance(scope, cst.ClassDef)


def _is_rebound(module: Module, custody: Custody) -> bool:
    own = set(custody.bindings)
    bound = [each for name in custody.names for each in module.names.bindings(name, custody.start)]
    order = module.walk.order
    return any(each.node not in own and order[each.node] > order[custody.start] for each in bound)


def _bound(module: Module, custody: Custody) -> Node:
    """The statement that puts the context, or None in place of it, into a variable; else the call."""
    node: Node = custody.start
    for up in module.walk.ancestors(custody.start):
        if up in custody.bindings:
            return up
        other = up.orelse if isinstance(up, cst.IfExp) and node is up.body else None
        if not isinstance(up, cst.Await) and not (isinstance(other, cst.Name) and other.value == "None"):
            break
        node = up
    return custody.start


def _span_for(module: Module, bound: Node) -> Span | None:
    """The span that certainly follows, that holds all others that do, and that has no context yet."""
    function = module.function_of(bound)
    if not isinstance(function, cst.FunctionDef) or module.span_around(bound) is not None:
        return None
    flow = module.flow(function)
    after = set(flow.after(bound))
    following = [each for each in module.spans if each.api in otel.STARTS and each.start in after]
    if not following:
        return None
    first, *others = following
    inside = all(any(module.walk.inside(each.start, region) for region in first.regions) for each in others)
    if not inside or first.helper is not None or is_hidden(first.start) or not flow.always_before(bound, first.start):
        return None
    given = argument(first.start, "context", otel.PARAMETERS[first.api])
    return first if given is None and module.span_around(first.start) is None else None
