"""Contexts that a function makes current by hand: which attach has no detach on some way out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.context.renewed import renewed
from otlint.model.context.tasks import runs_alone
from otlint.model.flow.ways import Exit
from otlint.model.reason import Reason
from otlint.model.spans.keeping import fate
from otlint.model.spans.ownership import Custody

if TYPE_CHECKING:
    from otlint.model.module import Module

# Contexts made of a value: a function that attaches one and returns is a setter for its caller.
_SETTERS = frozenset(
    {
        otel.CONTEXT,
        "opentelemetry.context.set_value",
        "opentelemetry.baggage.set_baggage",
        "opentelemetry.baggage.remove_baggage",
        "opentelemetry.baggage.clear",
    }
)
_ENTERS = frozenset({"__enter__", "__aenter__"})


@dataclass(frozen=True, slots=True)
class Leak:
    """An attached context that stays current: `exits` are the ways out of the function on which it does.

    `covered`: another context is attached on top of it that is to stay, and a detach would take that away as well.
    `kept`: the attribute that the token is stored in, and that nothing reads; then there are no `exits`.
    """

    call: cst.Call
    custody: Custody
    exits: list[Exit]
    covered: bool = False
    kept: cst.Attribute | None = None


@dataclass(frozen=True, slots=True)
class Tangle:
    """A token that is detached while a context attached after it is still current."""

    detach: Node
    first: Custody
    second: Custody


@dataclass(slots=True)
class Attaches:
    """The attach calls of one function, in source order, with what becomes of their tokens."""

    module: Module
    function: cst.FunctionDef
    found: list[Custody] = field(default_factory=list)

    def leaks(self) -> Iterator[Leak]:
        for custody in self.found:
            call = custody.start
            assert isinstance(call, cst.Call)
            kept = self._forgotten(custody)
            if kept is not None:
                yield Leak(call, custody, [], kept=kept)
                continue
            left = custody.handed or self._is_restoring(call) or self._is_put_back()
            exits = [] if left else self._exits(custody)
            if self.module.silenced(call, not exits and partial(self._restored, custody)):
                continue
            setter = self._is_setter(call, custody)
            if not self.module.silenced(call, setter and "the function attaches a value for its caller, and ends"):
                yield Leak(call, custody, exits, self._is_covered(custody))

    def _forgotten(self, custody: Custody) -> cst.Attribute | None:
        """`self._token = attach(…)`, where nothing of the class, nor of one that is derived from it, reads `_token`."""
        module, stored = self.module, custody.handed[0] if len(custody.handed) == 1 else None
        target = stored.targets[0].target if isinstance(stored, cst.Assign) and len(stored.targets) == 1 else None
        cls = module.walk.class_of(self.function)
        if cls is None or not isinstance(target, cst.Attribute) or custody.lent or custody.discharged:
            return None
        name, private = target.attr.value, target.attr.value.startswith("_")
        if not isinstance(target.value, cst.Name) or target.value.value != "self":
            return None
        if not private and self.function.name.value not in _ENTERS:
            return None
        named = [module.walk.parent[each] for each in module.walk.named(name, module.tree)]
        read = any(not isinstance(module.walk.parent[each], cst.AssignTarget) for each in named)
        if read or name in "".join(each.value for each in module.walk.all(cst.SimpleString)) or self._is_base(cls):
            return None
        return target

    def _is_base(self, cls: cst.ClassDef) -> bool:
        """Whether another file derives a class from it."""
        dotted = self.module.names.qualified(cls)
        return any(dotted in each.bases for facts in self.module.project.files.values() for each in facts.classes)

    def _restored(self, custody: Custody) -> Reason:
        """Why nothing stays current behind an attach."""
        if custody.handed or custody.discharged:
            return fate(self.module, custody, "detached")
        span = self.module.span_around(custody.start)
        if span is not None:
            return Reason("the block of the span around it puts the context back", span.start)
        return Reason("another attach or detach puts the context back")

    def _is_covered(self, custody: Custody) -> bool:
        flow = self.module.flow(self.function)
        open_ends = [other for other in self.found if other is not custody and not other.discharged]
        return any(flow.reaches(custody.start, other.start) for other in open_ends)

    def _exits(self, custody: Custody) -> list[Exit]:
        """A detach of an earlier token, and leaving the block of a current span, put everything back as well."""
        module, flow = self.module, self.module.flow(self.function)
        also: list[Node] = [call for call in self._restorers() if call is not custody.start]
        for other in self.found:
            if other is not custody and flow.always_before(other.start, custody.start):
                also.extend(other.discharged)
        exits = module.exits(custody, also)
        if module.span_around(custody.start) is not None:
            exits = [way for way in exits if way.kind == "loop"]
        if module.is_test:  # a test that fails is seen; only a context that is always left behind spoils others
            exits = [] if any(way.kind == "exception" for way in exits) and custody.discharged else exits
        return exits

    def _restorers(self) -> list[cst.Call]:
        calls = [each.start for each in self.found if isinstance(each.start, cst.Call)]
        return [call for call in calls if self._is_restoring(call)]

    def _is_restoring(self, call: cst.Call) -> bool:
        """`attach(previous)` puts back what `previous = get_current()` took down before another attach.

        Also where it was kept in an item of a tuple, or in `self.previous` by another method.
        """
        module, value = self.module, self.module.argument(call, "context")
        if isinstance(value, cst.Attribute):
            return self._is_taken(value)
        place = _place(value) if isinstance(value, cst.Subscript) else None
        name = value.value if isinstance(value, cst.Subscript) and place is not None else value
        if not isinstance(name, cst.Name) or self.found[0].start is call:
            return False
        bindings = module.names.reaching(name.value, name)
        held = [_held(each.value, place) for each in bindings if place is None or not _is_none(each.value)]
        return bool(held) and all(
            each is not None and self._is_current(each) and module.function_of(each) is self.function for each in held
        )

    def _is_taken(self, attribute: cst.Attribute) -> bool:
        """Whether an attribute of `self` is only ever given what is current."""
        cls = self.module.walk.class_of(self.function)
        if not isinstance(attribute.value, cst.Name) or attribute.value.value != "self" or cls is None:
            return False
        given = [each.value for each in self.module.names.attributes.get((cls, attribute.attr.value), [])]
        taken = [each for each in given if each is not None and not _is_none(each)]
        return bool(taken) and all(map(self._is_current, taken))

    def _is_put_back(self) -> bool:
        """Whether a method of the same object attaches what this one took down of the context that was current."""
        module, cls = self.module, self.module.walk.class_of(self.function)
        if cls is None:
            return False
        own = set(module.walk.own(self.function.body, cst.Attribute))
        others = [each for each in module.calls(otel.ATTACH) if module.function_of(each) is not self.function]
        back = [module.argument(each, "context") for each in others if module.walk.inside(each, cls)]
        names = {each.attr.value for each in back if isinstance(each, cst.Attribute) and self._is_taken(each)}
        return any(each.attr.value in names and isinstance(module.walk.parent[each], cst.AssignTarget) for each in own)

    def _is_current(self, value: Node) -> bool:
        return isinstance(value, cst.Call) and self.module.api(value.func) == otel.GET_CURRENT_CONTEXT

    def _is_setter(self, call: cst.Call, custody: Custody) -> bool:
        """The function ends once it has attached a value: it changes the context for its caller on purpose."""
        if custody.discharged or not self._attaches_value(call):
            return False
        after = self.module.flow(self.function).after(call)
        return not any(isinstance(node, cst.Yield) or self._is_work(node) for node in after)

    def _attaches_value(self, call: cst.Call) -> bool:
        module, value = self.module, self.module.argument(call, "context")
        origins = module.origins(value) if value is not None else []
        return any(isinstance(each, cst.Call) and module.api(each.func) in _SETTERS for each in origins)

    def _is_work(self, node: Node) -> bool:
        if not isinstance(node, cst.Call):
            return False
        called = self.module.api(node.func)
        if called == otel.ATTACH:
            return not self._attaches_value(node)
        if called in otel.STARTS:
            return True
        annotates = any(self.module.type(arg.value) == otel.SPAN for arg in node.args)
        return self.module.may_raise(node) and not annotates

    def tangles(self) -> Iterator[Tangle]:
        """A detach that comes too early: the one that should have come first follows it."""
        flow = self.module.flow(self.function)
        for first in self.found:
            for second in self.found:
                if first is second or not first.discharged or not second.discharged or first.handed or second.handed:
                    continue
                if not flow.reaches(first.start, second.start, avoiding=first.discharged):
                    continue
                for detach in first.discharged:
                    early = flow.reaches(second.start, detach, avoiding=second.discharged)
                    if early and flow.reaches(detach, second.discharged, avoiding=second.start):
                        yield Tangle(detach, first, second)


def attaches(module: Module) -> Iterator[Attaches]:
    """The functions that attach contexts and whose context outlives them: not those that run in a task of their own."""
    by_function: dict[cst.FunctionDef, Attaches] = {}
    for call in module.calls(otel.ATTACH):
        function = module.function_of(call)
        if not isinstance(function, cst.FunctionDef):
            continue
        held = _is_held_over_yield(module, function, call)
        if module.silenced(call, held and "it stays attached across a `yield`, of which OTL111 speaks"):
            continue
        if function not in by_function:
            by_function[function] = Attaches(module, function)
        by_function[function].found.append(module.custody(call))
    for function, each in by_function.items():
        alone = runs_alone(module, function) and "the function runs in a context of its own, which ends with it"
        if not module.silenced(each.found[0].start, alone or renewed(module, function)):
            yield each


def _place(subscript: cst.Subscript) -> int | None:
    """The number that an item is asked for by."""
    index = subscript.slice[0].slice if len(subscript.slice) == 1 else None
    number = index.value if isinstance(index, cst.Index) else None
    return int(number.value) if isinstance(number, cst.Integer) and number.value.isdecimal() else None


def _held(value: Node | None, place: int | None) -> Node | None:
    """What a variable is given, or the item of the tuple that it is given."""
    if place is None:
        return value
    return value.elements[place].value if isinstance(value, cst.Tuple) and place < len(value.elements) else None


def _is_none(value: Node | None) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"


def _is_held_over_yield(module: Module, function: cst.FunctionDef, call: cst.Call) -> bool:
    """That is another defect (span-across-yield), except where a context manager yields."""
    flow = module.flow(function)
    if module.values.is_manager(function) or not flow.is_generator:
        return False
    return flow.reaches(call, flow.yields, avoiding=module.custody(call).discharged)
