"""The spans that a project function starts for its callers: as a factory, a context manager or a decorator."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.managers import LEAVES
from otlint.model.code.names import Names
from otlint.model.code.values import Values, argument, is_hidden, parameters, stands_in
from otlint.model.code.walk import Node, Walk
from otlint.model.facts.data import FunctionFacts, SpanFacts
from otlint.model.spans.flags import flag, forwarded, said
from otlint.model.spans.objects import entered, of_object
from otlint.model.spans.ownership import SPAN

if TYPE_CHECKING:
    from otlint.model.functions.helpers import Helpers

_ASKS = frozenset(
    f"inspect.{name}" for name in ("isgeneratorfunction", "isasyncgenfunction", "isgenerator", "isasyncgen")
)
_DEPTH = 3
# `isinstance(result, AsyncGenerator)`, `hasattr(result, "__aiter__")`: a wrapper that minds generators.
_OF_NO_TRACE = frozenset({otel.INVALID_SPAN, otel.NON_RECORDING_SPAN})
_AROUND = (cst.If, cst.With, cst.ExceptHandler, cst.FunctionDef)
_ITERATES = re.compile(r"(?i)^(?:async)?(?:generator|iterator)(?:type)?$|^__a?(?:iter|next)__$")


class Starting:
    """The spans of one file's functions."""

    def __init__(self, walk: Walk, names: Names, values: Values, helpers: Helpers) -> None:
        self.walk = walk
        self.names = names
        self.values = values
        self.helpers = helpers
        self._spans: dict[Node, SpanFacts | None] = {}

    def span(self, function: cst.FunctionDef) -> SpanFacts | None:
        """The span that a call of the function (or its use as a decorator) starts, None when there is none for sure."""
        if function not in self._spans:
            self._spans[function] = None
            found = self._span(function)
            self._spans[function] = self._with_manners(function, found) if found is not None else None
        return self._spans[function]

    def _with_manners(self, function: cst.FunctionDef, found: SpanFacts) -> SpanFacts:
        said = self.statuses(function)
        found = dataclasses.replace(
            found,
            judges=found.judges or otel.STATUS_ERROR in said,
            approves=found.approves or otel.STATUS_OK in said,
        )
        if found.form != "decorator":
            return found
        nested = self.walk.all(cst.FunctionDef, within=function)
        return dataclasses.replace(
            found,
            awaits=any(each.asynchronous is not None for each in nested),
            iterates=bool(self.walk.all(cst.Yield, within=function)),
            hands_out=self.hands_out(function),
        )

    def hands_out(self, function: cst.FunctionDef) -> bool:
        """Whether a decorator returns what the decorated function gives, whatever kind of function that is."""
        if self.walk.all(cst.Yield, within=function) or not _ASKS.isdisjoint(self.helpers.callees.of(function)):
            return False
        words = [each.value for each in self.walk.all(cst.Name, within=function)]
        words += [each.raw_value for each in self.walk.all(cst.SimpleString, within=function)]
        if any(_ITERATES.search(word) for word in words):
            return False
        return any(
            self.calls_parameter(call) and self.walk.function_of(call) is not function
            for each in self.walk.all(cst.Return, within=function)
            if not isinstance(each.value, cst.Await)
            for call in self._handed(each.value)
        )

    def _handed(self, value: Node | None) -> Iterator[cst.Call]:
        """The calls whose very result is returned, not awaited before."""
        for call in self._origins(value, 0):
            if not isinstance(self.walk.parent[call], cst.Await):
                yield call

    def statuses(self, function: cst.FunctionDef, depth: int = 0) -> set[str | None]:
        """The statuses that the function may set where no exception has come: by what its caller returns or says."""
        found: set[str | None] = set()
        for call in self.walk.all(cst.Call, within=function):
            if any(isinstance(up, cst.ExceptHandler | cst.ExceptStarHandler) for up in self.walk.ancestors(call)):
                continue
            said: set[str | None] = set()
            if isinstance(call.func, cst.Attribute) and call.func.attr.value == "set_status":
                said = {self.values.api(each) for each in self.walk.all(cst.Attribute, within=call)}
            elif call.args:
                said = self._said_by(call, depth)
            # `__exit__` hears of exceptions only
            found |= said - {otel.STATUS_ERROR} if said and self._leaves(call) else said
        return found

    def _leaves(self, node: Node) -> bool:
        around = (up.name.value for up in self.walk.ancestors(node) if isinstance(up, cst.FunctionDef))
        return not LEAVES.isdisjoint(around)

    def _said_by(self, call: cst.Call, depth: int) -> set[str | None]:
        """The same for what a function of the project does to its arguments; which status it is, one file knows."""
        function = self.values.function(self.values.api(call.func))
        if function is not None:
            return self.statuses(function, depth + 1) if depth < _DEPTH else set()
        facts = self.helpers.called(call)
        tells = facts is not None and any({"status"} <= does and "record" not in does for _, does in facts.effects)
        return {otel.STATUS_ERROR} if tells else set()

    def _span(self, function: cst.FunctionDef) -> SpanFacts | None:
        if function.name.value == "__init__":
            return of_object(self, function)
        if self.values.is_manager(function):
            return self._managed(function)
        if self.values.own(function, cst.Yield):
            return None
        returned = [each.value for each in self._returns(function)]
        found = [spans for value in returned if (spans := self._returned(function, value)) is not None]
        if found:
            return found[0] if all(each == found[0] for each in found) else None
        return self._wrapping(function, returned)

    def _returns(self, function: cst.FunctionDef) -> list[cst.Return]:
        return [each for each in self.walk.own(function.body, cst.Return) if each.value is not None]

    def _returned(self, function: cst.FunctionDef, value: Node | None) -> SpanFacts | None:
        for call in self._origins(value, 0):
            facts = self.started(function, call)
            if facts is not None:
                return dataclasses.replace(facts, kept=True) if self._keeps(facts, call) else facts
        return self._left_open(function, value)

    def _keeps(self, facts: SpanFacts, call: cst.Call) -> bool:
        """Whether the function does more with the live span that it returns than return it."""
        if facts.form != "live":
            return False
        custody = self.helpers.ownership.of(call, SPAN)
        return bool(custody.discharged or custody.lent) or any(
            not isinstance(each, cst.Return) for each in custody.handed
        )

    def _left_open(self, function: cst.FunctionDef, value: Node | None) -> SpanFacts | None:
        """`with start_as_current_span(…, end_on_exit=False) as span: return span`: the caller gets a live span."""
        if not isinstance(value, cst.Name):
            return None
        for binding in self.names.reaching(value.value, value):
            for call in self._origins(binding.value if binding.kind == "with" else None, 0):
                facts = self.started(function, call)
                if facts is not None and facts.form == "manager" and not facts.ends:
                    live = dataclasses.replace(facts, form="live", current=False, records=None, sets_status=None)
                    return dataclasses.replace(live, kept=self._keeps(live, call))
        return None

    def _origins(self, value: Node | None, depth: int) -> Iterator[cst.Call]:
        """The calls whose result the expression is."""
        if isinstance(value, cst.Call):
            yield value
        elif isinstance(value, cst.Await | cst.NamedExpr):
            yield from self._origins(value.expression if isinstance(value, cst.Await) else value.value, depth)
        elif isinstance(value, cst.IfExp):
            yield from self._origins(value.body, depth)
            yield from self._origins(value.orelse, depth)
        elif isinstance(value, cst.Name) and depth < 5:
            for binding in self.names.reaching(value.value, value):
                if binding.kind == "assign":
                    yield from self._origins(binding.value, depth + 1)

    def started(self, function: cst.FunctionDef, call: cst.Call) -> SpanFacts | None:
        """The facts of a span started by a call inside the function, seen from the function's caller."""
        called = self.values.api(call.func)
        if called in otel.STARTS:
            positions = otel.PARAMETERS[called]
            ends = flag(call, "end_on_exit", positions)
            ends_by = self._parameter(function, argument(call, "end_on_exit", positions)) if ends is None else None
            return SpanFacts(
                form="manager" if called == otel.START_AS_CURRENT_SPAN else "live",
                name=self.seen(function, argument(call, "name", positions)),
                kind=self._kind(function, call, argument(call, "kind", positions)),
                current=called == otel.START_AS_CURRENT_SPAN,
                records=flag(call, "record_exception", positions),
                sets_status=flag(call, "set_status_on_exception", positions),
                ends=said(_default(function, ends_by), ends is not False),
                ends_by=ends_by,
                forwards=self._passes_on(function, call),
            )
        facts = self.helpers.called(call)
        if facts is None or facts.span is None or facts.span.form == "decorator" or not entered(self.walk, call, facts):
            return None
        inner = facts.span
        given = self.helpers.given(call, facts, inner.ends_by) if inner.ends_by is not None else None
        return SpanFacts(
            inner.form,
            self._through(function, call, facts, inner.name),
            self._through(function, call, facts, inner.kind),
            inner.current,
            forwarded(call, inner, "record_exception", inner.records),
            forwarded(call, inner, "set_status_on_exception", inner.sets_status),
            said(given, inner.ends),
            self._parameter(function, given),
            inner.kept,
            inner.forwards and self._passes_on(function, call),
        )

    def _through(self, function: cst.FunctionDef, call: cst.Call, facts: FunctionFacts, what: str | None) -> str | None:
        if what is None or not what.startswith("~parameter:"):
            return what
        parameter = what.removeprefix("~parameter:")
        value = self.helpers.given(call, facts, parameter)
        if value is None:
            return None if is_hidden(call) else facts.default(parameter)
        return self.seen(function, value)

    def _parameter(self, function: cst.FunctionDef, value: cst.BaseExpression | None) -> str | None:
        """The function's own parameter that an argument is."""
        seen = self.seen(function, value)
        return seen.removeprefix("~parameter:") if seen is not None and seen.startswith("~parameter:") else None

    def seen(self, function: cst.FunctionDef, value: cst.BaseExpression | None) -> str | None:
        """An argument as the function's caller can know it: its own parameter, a literal, a dotted constant."""
        if isinstance(value, cst.Name):
            bindings = self.names.reaching(value.value, value)
            if len(bindings) == 1 and bindings[0].kind == "param" and value.value in _every(function):
                return f"~parameter:{value.value}"
        if isinstance(value, cst.SimpleString):
            text = value.evaluated_value
            return text if isinstance(text, str) else None
        dotted = self.values.api(value) if value is not None else None
        return dotted if dotted in otel.KINDS.values() else None

    def _kind(self, function: cst.FunctionDef, call: cst.Call, value: cst.BaseExpression | None) -> str | None:
        if value is None:
            return None if is_hidden(call) else otel.KIND_INTERNAL
        return self.seen(function, value)

    def _passes_on(self, function: cst.FunctionDef, call: cst.Call) -> bool:
        """Whether the only arguments that are hidden in a call are the keywords that the function itself was given."""
        own = function.params.star_kwarg
        hidden = [arg for arg in call.args if arg.star]
        if own is None or len(hidden) != 1 or hidden[0].star != "**":
            return False
        return isinstance(hidden[0].value, cst.Name) and hidden[0].value.value == own.name.value

    def _managed(self, function: cst.FunctionDef) -> SpanFacts | None:
        """A generator context manager whose yields all stand inside one span."""
        yields = [each for each in self.values.own(function, cst.Yield) if not self._yields_nothing(each)]
        if not yields:
            return None
        for up in self.walk.ancestors(yields[0]):
            if up is function:
                break
            if isinstance(up, cst.With) and all(self.walk.inside(each, up.body) for each in yields):
                for item in reversed(up.items):
                    facts = self._entered(function, item)
                    if facts is not None:
                        return facts
        return self._managed_by_hand(function, yields)

    def _yields_nothing(self, node: cst.Yield) -> bool:
        """`if not enabled: yield None`, `yield NoOpSpan()`: what happens where there is no tracing."""
        if not isinstance(self.walk.parent[node], cst.Expr):
            return False
        around = next(up for up in self.walk.ancestors(node) if isinstance(up, _AROUND))
        if isinstance(around, cst.ExceptHandler):  # `except ImportError: yield None`
            tried = self.walk.parent[around]
            if isinstance(tried, cst.Try) and self.walk.own(tried.body, cst.Yield):
                return False
        elif not isinstance(around, cst.If):
            return False
        return node.value is None or self._stands_in(node.value)

    def _stands_in(self, value: Node) -> bool:
        if isinstance(value, cst.Name) and (value.value == "None" or stands_in(value.value)):
            return True
        if self.values.api(value.func if isinstance(value, cst.Call) else value) in _OF_NO_TRACE:
            return True
        return stands_in(self.values.type(value) or "")

    def _entered(self, function: cst.FunctionDef, item: cst.WithItem) -> SpanFacts | None:
        for call in self._origins(item.item, 0):
            facts = self.started(function, call)
            if facts is not None:
                records = True if facts.form == "live" else facts.records
                ends = facts.form == "live" or facts.ends or self._ends(function)
                facts = dataclasses.replace(facts, form="manager", records=records, ends=ends)
                return dataclasses.replace(facts, kept=False, forwards=False)
            if self.values.api(call.func) == otel.USE_SPAN and call.args:
                for origin in self._origins(call.args[0].value, 0):
                    inner = self.started(function, origin)
                    if inner is not None:
                        flags = [
                            flag(call, each, otel.PARAMETERS[otel.USE_SPAN])
                            for each in ("record_exception", "set_status_on_exception")
                        ]
                        return SpanFacts("manager", inner.name, inner.kind, True, flags[0], flags[1], True)
        return None

    def _ends(self, function: cst.FunctionDef) -> bool:
        calls = self.walk.all(cst.Call, within=function)
        return any(isinstance(call.func, cst.Attribute) and call.func.attr.value == "end" for call in calls)

    def _managed_by_hand(self, function: cst.FunctionDef, yields: list[cst.Yield]) -> SpanFacts | None:
        """A span started without being made current, yielded and ended: `try: yield span`, `finally: span.end()`."""
        for call in self._origins(yields[0].value, 0):
            facts = self.started(function, call)
            if facts is not None and facts.form == "live":
                return SpanFacts("manager", facts.name, facts.kind, False, None, None, True)
        return None

    def _wrapping(self, function: cst.FunctionDef, returned: list[cst.BaseExpression | None]) -> SpanFacts | None:
        """A decorator, or a factory of one: a nested function runs the decorated function inside a span."""
        for value in _branches(returned):
            inner = self.names.definition(value)
            if not isinstance(inner, cst.FunctionDef) or self.walk.function_of(inner) is not function:
                continue
            facts = self._around_call(function, inner) or self._nested(function, inner)
            if facts is not None:
                return facts
        return None

    def _nested(self, function: cst.FunctionDef, inner: cst.FunctionDef) -> SpanFacts | None:
        for value in _branches([each.value for each in self._returns(inner)]):
            wrapper = self.names.definition(value)
            if isinstance(wrapper, cst.FunctionDef) and self.walk.function_of(wrapper) is inner:
                facts = self._around_call(function, wrapper)
                if facts is not None:
                    return facts
        return None

    def _around_call(self, function: cst.FunctionDef, wrapper: cst.FunctionDef) -> SpanFacts | None:
        """The span in which a wrapper calls a function that an enclosing function was given."""
        for item in self.walk.own(wrapper.body, cst.WithItem):
            body = self.walk.parent[item].body  # type: ignore[attr-defined]
            if not any(self.calls_parameter(call) for call in self.walk.own(body, cst.Call)):
                continue
            facts = self._entered(function, item)
            if facts is not None:
                return SpanFacts(
                    "decorator", facts.name, facts.kind, facts.current, facts.records, facts.sets_status, True
                )
        return self._in_local(function, wrapper)

    def _in_local(self, function: cst.FunctionDef, wrapper: cst.FunctionDef) -> SpanFacts | None:
        """The same where the wrapper has a function of its own to do it."""
        for call in self.walk.own(wrapper.body, cst.Call):
            local = self.names.definition(call.func)
            if isinstance(local, cst.FunctionDef) and self.walk.function_of(local) is wrapper:
                facts = self._around_call(function, local)
                if facts is not None:
                    return facts
        return None

    def calls_parameter(self, call: cst.Call) -> bool:
        """Whether a wrapper calls the function that a function around it was given."""
        if not isinstance(call.func, cst.Name):
            return False
        bindings = self.names.bindings(call.func.value, call.func)
        own = self.walk.function_of(call)
        return (
            len(bindings) == 1
            and bindings[0].kind == "param"
            and own is not None
            and not self.walk.inside(bindings[0].node, own)
        )


def _branches(expressions: Iterable[cst.BaseExpression | None]) -> Iterator[cst.BaseExpression]:
    """The expressions, with `a` and `b` in place of `a if c else b`."""
    for each in expressions:
        if isinstance(each, cst.IfExp):
            yield from _branches([each.body, each.orelse])
        elif each is not None:
            yield each


def _default(function: cst.FunctionDef, parameter: str | None) -> cst.BaseExpression | None:
    every = [*function.params.posonly_params, *function.params.params, *function.params.kwonly_params]
    return next((each.default for each in every if each.name.value == parameter), None)


def _every(function: cst.FunctionDef) -> tuple[str, ...]:
    return (*parameters(function), *(each.name.value for each in function.params.kwonly_params))
