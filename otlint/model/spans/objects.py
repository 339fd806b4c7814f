"""Classes whose objects are context managers of a span: `with Operation("charge card") as span:`.

class Operation:
    def __init__(self, name): self.name = name
    def __enter__(self):
        self.manager = tracer.start_as_current_span(self.name)
        return self.manager.__enter__()
    def __exit__(self, *raised): return self.manager.__exit__(*raised)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.managers import ENTERS, LEAVES_OF, hands_on, leaves
from otlint.model.code.values import argument, parameters
from otlint.model.code.walk import Node, Walk
from otlint.model.facts.data import FunctionFacts, SpanFacts

if TYPE_CHECKING:
    from otlint.model.functions.starting import Starting


def of_object(starting: Starting, constructor: cst.FunctionDef) -> SpanFacts | None:
    """The span that an object of the constructor's class starts where a `with` enters it, as who makes it sees it.

    None where it is not certainly the one span that the class starts, or is not made current.
    """
    owner = starting.walk.class_of(constructor)
    enter, leave = (_method(starting, owner, names) for names in (LEAVES_OF, LEAVES_OF.values()))
    if owner is None or enter is None or leave is None:
        return None
    starts = [
        (function, call)
        for function in (constructor, enter)
        for call in starting.walk.own(function.body, cst.Call)
        if starting.values.api(call.func) in otel.STARTS
    ]
    if len(starts) != 1 or not _is_entered(starting, enter):
        return None
    function, call = starts[0]
    found = starting.started(function, call)
    if found is None or found.form != "manager":
        return None
    hears = _hands_on(starting, leave)
    said = starting.statuses(enter) | starting.statuses(leave)
    return dataclasses.replace(
        found,
        name=found.name if function is constructor else _kept(starting, owner, constructor, call, "name", found.name),
        kind=found.kind if function is constructor else _kept(starting, owner, constructor, call, "kind", found.kind),
        records=found.records if hears else False,
        sets_status=found.sets_status if hears else None,
        ends_by=None,
        forwards=False,
        judges=otel.STATUS_ERROR in said,
        approves=otel.STATUS_OK in said,
    )


def entered(walk: Walk, call: cst.Call, facts: FunctionFacts) -> bool:
    """Whether a call that makes an object stands where its span starts at once; other calls that start spans do."""
    return not makes_object(facts) or isinstance(walk.parent.get(call), cst.WithItem)


def makes_object(facts: FunctionFacts) -> bool:
    """Whether the facts are those of a constructor."""
    return facts.name.rpartition(".")[2] == "__init__"


def _method(starting: Starting, owner: cst.ClassDef | None, names: Iterable[str]) -> cst.FunctionDef | None:
    dotted = starting.names.qualified(owner) if owner is not None else None
    return next((found for name in names if (found := starting.values.function(f"{dotted}.{name}")) is not None), None)


def _is_entered(starting: Starting, enter: cst.FunctionDef) -> bool:
    """Whether `__enter__` enters the manager of the span, on every way."""
    for call in starting.walk.own(enter.body, cst.Call):
        owner = call.func.value if isinstance(call.func, cst.Attribute) and call.func.attr.value in ENTERS else None
        if owner is not None and starting.values.type(owner) == otel.SPAN_MANAGER:
            around = (up for up in starting.walk.ancestors(call) if isinstance(up, cst.If | cst.Try | cst.FunctionDef))
            return next(around, None) is enter
    return False


def _hands_on(starting: Starting, leave: cst.FunctionDef) -> bool:
    """Whether `__exit__` tells the manager of the span of the exception: `self.manager.__exit__(*raised)`."""
    given = [*parameters(leave)[1:]]
    star = leave.params.star_arg
    if isinstance(star, cst.Param):
        given.append(star.name.value)
    left = next(filter(leaves, starting.walk.own(leave.body, cst.Call)), None)
    return left is not None and hands_on(left, given)


def _kept(
    starting: Starting, owner: cst.ClassDef, constructor: cst.FunctionDef, call: cst.Call, what: str, found: str | None
) -> str | None:
    """The same for what `__enter__` takes from the object: `self.name`, which the constructor has set."""
    given = argument(call, what, otel.PARAMETERS[starting.values.api(call.func) or ""])
    if not isinstance(given, cst.Attribute) or not isinstance(given.value, cst.Name):
        return None if isinstance(given, cst.Name) else found
    if starting.names.owner_class(given.value) is not owner:
        return found
    set_by = [each.value for each in starting.names.attributes.get((owner, given.attr.value), [])]
    inside = len(set_by) == 1 and _inside(starting, set_by[0], constructor)
    return starting.seen(constructor, set_by[0]) if inside else None


def _inside(starting: Starting, value: Node | None, function: cst.FunctionDef) -> bool:
    return value is not None and starting.walk.function_of(value) is function
