"""What a function of the project does for its callers: spans it starts, and what it does to a span it is given.

A wrapper or helper is read once and becomes `FunctionFacts`; callers in this file and in others ask those.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import libcst as cst

from otlint import otel
from otlint.model.callees import Callees
from otlint.model.flags import flag, forwarded
from otlint.model.handoffs import is_endless, takes_work
from otlint.model.names import Names
from otlint.model.ownership import SPAN, Ownership
from otlint.model.project import FunctionFacts, SpanFacts
from otlint.model.shields import is_shielded, is_stub
from otlint.model.values import Values, argument, is_hidden, parameters
from otlint.model.walk import Node, Walk

_EFFECTS = {otel.END: "end", otel.RECORD_EXCEPTION: "record", otel.SET_STATUS: "status", otel.UPDATE_NAME: "rename"}
_METHODS = {"end": "end", "record_exception": "record", "set_status": "status", "update_name": "rename"}
_HARMLESS = frozenset(
    {"set_attribute", "set_attributes", "add_event", "add_link", "is_recording", "get_span_context", "name", "context"}
)
_GIVEN = {
    otel.USE_SPAN: "use",
    otel.SET_SPAN_IN_CONTEXT: "use",
    otel.ATTACH: "attach",
    otel.DETACH: "detach",
    **dict.fromkeys(otel.INJECTS, "inject"),
    **dict.fromkeys(otel.EXTRACTS, "extract"),
}

_DEPTH = 25  # of functions that call each other: more of them end in a RecursionError


class Helpers:
    """The facts of one file's functions, and of the project functions that it calls."""

    def __init__(self, walk: Walk, names: Names, values: Values) -> None:
        self.walk = walk
        self.names = names
        self.values = values
        self._facts: dict[Node, FunctionFacts] = {}
        self._working: list[Node] = []
        self._spans: dict[Node, SpanFacts | None] = {}
        self._effects: dict[tuple[Node, str], frozenset[str]] = {}
        self._ambient: dict[Node, frozenset[str]] = {}
        self.ownership = Ownership(walk, names, values, self)
        self.callees = Callees(walk, values, self)

    # -- questions ------------------------------------------------------------------------------------------

    def called(self, call: cst.Call) -> FunctionFacts | None:
        """The facts of the project function that the call certainly calls; a class stands for its `__init__`."""
        return self.named(call.func)

    def named(self, expression: Node) -> FunctionFacts | None:
        """The facts of the project function that the expression certainly names."""
        dotted = self.values.api(expression)
        if dotted is None or otel.is_otel(dotted):
            return None
        function = self.values.function(dotted)
        if function is None and self.values.cls(dotted) is not None:
            function = self.values.function(self.values.member(dotted, "__init__"))
        if function is not None:
            return self.of(function)
        symbol = self.values.symbol(dotted)
        if symbol is not None and symbol.kind == "class":
            symbol = self.values.project.member(symbol, "__init__")
        found = symbol.function if symbol is not None else None
        if (found is None or found.span is None) and self.values.project.wrappers.starts_span(dotted):
            return _declared_starter(dotted)
        return found

    def of(self, function: cst.FunctionDef) -> FunctionFacts:
        """The facts of a function of this file. In a recursive call the function itself has no effects.

        Functions that call each other know nothing of each other's effects.
        """
        facts = self._facts.get(function)
        if facts is not None:
            return facts
        name = self.names.qualified(function).removeprefix(self.names.module_name + ".")
        every = [*parameters(function), *(each.name.value for each in function.params.kwonly_params)]
        if function in self._working or len(self._working) > _DEPTH:
            itself = self._working[-1] is function
            effects = tuple((each, frozenset[str]()) for each in every) if itself else ()
            return FunctionFacts(name, 0, parameters(function), effects=effects)
        self._working.append(function)
        facts = self._facts[function] = FunctionFacts(
            name=name,
            row=0,
            parameters=parameters(function),
            defaults=self._defaults(function),
            returns=self.values.returns(function),
            span=self.span(function),
            effects=tuple((each, self.effects(function, each)) for each in every if each not in {"self", "cls"}),
            ambient=self.ambient(function),
            calls=self.callees.of(function),
            telemetry=self._makes_spans(function),
            parent=self.callees.parent(function),
            is_async=function.asynchronous is not None,
            endless=any(is_endless(self.walk, loop) for loop in self.walk.own(function.body, cst.While)),
            shielded=is_shielded(function, self.walk, self.values),
            decorated=self.values.decorated(function),
        )
        self._working.pop()
        return facts

    def on(self, call: cst.Call, given: Node) -> frozenset[str] | None:
        """What a call does to the value given as one of its arguments; None when the callee is unknown."""
        called = self.values.api(call.func)
        if called in _GIVEN:
            ends = called == otel.USE_SPAN and self._is_true(argument(call, "end_on_exit", otel.PARAMETERS[called]))
            return frozenset({"use", "end"}) if ends else frozenset({_GIVEN[called]})
        if any(arg.value is given and takes_work(self.values, call, arg) for arg in call.args):
            return frozenset({"thread"})
        if called == "functools.partial" and call.args and call.args[0].value is given:
            return self.use(call)
        facts = self.called(call)
        if facts is None:
            return None
        positions = self._positions(call, facts)
        for i, arg in enumerate(call.args):
            if arg.value is given:
                if arg.star:
                    return None
                name = arg.keyword.value if arg.keyword is not None else (positions[i] if i < len(positions) else None)
                return facts.effect(name) if name is not None else None
            if arg.star:
                positions = ()
        return None

    def given(self, call: cst.Call, facts: FunctionFacts, parameter: str) -> cst.BaseExpression | None:
        """The expression that a call of a project function gives for a parameter, None when left out or hidden."""
        return argument(call, parameter, self._positions(call, facts))

    def _positions(self, call: cst.Call, facts: FunctionFacts) -> tuple[str, ...]:
        """What the call's positional arguments are for: `Base.__init__(self, x)` gives self, `Base(x)` does not."""
        positions = facts.parameters
        if positions[:1] not in {("self",), ("cls",)}:
            return positions
        if not isinstance(call.func, cst.Attribute):
            return positions[1:] if facts.name.endswith("__init__") else positions
        owner = self.values.api(call.func.value) if positions[0] == "self" else None
        symbol = self.values.symbol(owner)
        by_class = self.values.cls(owner) is not None or (symbol is not None and symbol.kind == "class")
        return ("", *positions[1:]) if by_class else positions[1:]

    # -- spans that a function starts -----------------------------------------------------------------------

    def span(self, function: cst.FunctionDef) -> SpanFacts | None:
        """The span that a call of the function (or its use as a decorator) starts, None when there is none for sure."""
        if function not in self._spans:
            self._spans[function] = None
            self._spans[function] = self._span(function)
        return self._spans[function]

    def _span(self, function: cst.FunctionDef) -> SpanFacts | None:
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
            facts = self._started(function, call)
            if facts is not None:
                return dataclasses.replace(facts, kept=True) if self._keeps(facts, call) else facts
        return self._left_open(function, value)

    def _keeps(self, facts: SpanFacts, call: cst.Call) -> bool:
        """Whether the function does more with the live span that it returns than return it."""
        if facts.form != "live":
            return False
        custody = self.ownership.of(call, SPAN)
        return bool(custody.discharged or custody.lent) or any(
            not isinstance(each, cst.Return) for each in custody.handed
        )

    def _left_open(self, function: cst.FunctionDef, value: Node | None) -> SpanFacts | None:
        """`with start_as_current_span(…, end_on_exit=False) as span: return span`: the caller gets a live span."""
        if not isinstance(value, cst.Name):
            return None
        for binding in self.names.reaching(value.value, value):
            for call in self._origins(binding.value if binding.kind == "with" else None, 0):
                facts = self._started(function, call)
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

    def _started(self, function: cst.FunctionDef, call: cst.Call) -> SpanFacts | None:
        """The facts of a span started by a call inside the function, seen from the function's caller."""
        called = self.values.api(call.func)
        if called in otel.STARTS:
            positions = otel.PARAMETERS[called]
            return SpanFacts(
                form="manager" if called == otel.START_AS_CURRENT_SPAN else "live",
                name=self._seen(function, argument(call, "name", positions)),
                kind=self._kind(function, call, argument(call, "kind", positions)),
                current=called == otel.START_AS_CURRENT_SPAN,
                records=flag(call, "record_exception", positions),
                sets_status=flag(call, "set_status_on_exception", positions),
                ends=flag(call, "end_on_exit", positions) is not False,
                forwards=self._passes_on(function, call),
            )
        facts = self.called(call)
        if facts is None or facts.span is None or facts.span.form == "decorator":
            return None
        inner = facts.span
        return SpanFacts(
            inner.form,
            self._through(function, call, facts, inner.name),
            self._through(function, call, facts, inner.kind),
            inner.current,
            forwarded(call, inner, "record_exception", inner.records),
            forwarded(call, inner, "set_status_on_exception", inner.sets_status),
            inner.ends,
            inner.kept,
            inner.forwards and self._passes_on(function, call),
        )

    def _through(self, function: cst.FunctionDef, call: cst.Call, facts: FunctionFacts, what: str | None) -> str | None:
        if what is None or not what.startswith("~parameter:"):
            return what
        parameter = what.removeprefix("~parameter:")
        value = self.given(call, facts, parameter)
        if value is None:
            return None if is_hidden(call) else facts.default(parameter)
        return self._seen(function, value)

    def _seen(self, function: cst.FunctionDef, value: cst.BaseExpression | None) -> str | None:
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
        return self._seen(function, value)

    def _passes_on(self, function: cst.FunctionDef, call: cst.Call) -> bool:
        """Whether the only arguments that are hidden in a call are the keywords that the function itself was given."""
        own = function.params.star_kwarg
        hidden = [arg for arg in call.args if arg.star]
        if own is None or len(hidden) != 1 or hidden[0].star != "**":
            return False
        return isinstance(hidden[0].value, cst.Name) and hidden[0].value.value == own.name.value

    def _is_true(self, value: Node | None) -> bool:
        return isinstance(value, cst.Name) and value.value == "True"

    def _managed(self, function: cst.FunctionDef) -> SpanFacts | None:
        """A generator context manager whose yields all stand inside one span."""
        yields = self.values.own(function, cst.Yield)
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

    def _entered(self, function: cst.FunctionDef, item: cst.WithItem) -> SpanFacts | None:
        for call in self._origins(item.item, 0):
            facts = self._started(function, call)
            if facts is not None:
                records = True if facts.form == "live" else facts.records
                return SpanFacts("manager", facts.name, facts.kind, facts.current, records, facts.sets_status, True)
            if self.values.api(call.func) == otel.USE_SPAN and call.args:
                for origin in self._origins(call.args[0].value, 0):
                    inner = self._started(function, origin)
                    if inner is not None:
                        flags = [
                            flag(call, each, otel.PARAMETERS[otel.USE_SPAN])
                            for each in ("record_exception", "set_status_on_exception")
                        ]
                        return SpanFacts("manager", inner.name, inner.kind, True, flags[0], flags[1], True)
        return None

    def _managed_by_hand(self, function: cst.FunctionDef, yields: list[cst.Yield]) -> SpanFacts | None:
        """A span started without being made current, yielded and ended: `try: yield span`, `finally: span.end()`."""
        for call in self._origins(yields[0].value, 0):
            facts = self._started(function, call)
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

    # -- what a function does to what it is given -----------------------------------------------------------

    def effects(self, function: cst.FunctionDef, parameter: str) -> frozenset[str]:
        """What may happen to the value of a parameter: end, record, status, rename, use, inject, extract or keep."""
        key = (function, parameter)
        if key not in self._effects:
            self._effects[key] = frozenset()
            found: set[str] = {"keep"} if is_stub(function, self.values) else set()
            for node in self.walk.named(parameter, function.body):
                if self._is_parameter(node, function):
                    found |= self.use(node)
                    inner = self.walk.function_of(node)
                    if inner is not function:
                        found.add("capture")
                        if inner is not None and self.callees.runs_away(inner, node, function):
                            found.add("thread")
            self._effects[key] = frozenset(found)
        return self._effects[key]

    def _is_parameter(self, name: cst.Name, function: cst.FunctionDef) -> bool:
        up = self.walk.parent[name]
        if isinstance(up, cst.Attribute) and up.attr is name:
            return False
        if isinstance(up, cst.Arg) and up.keyword is name:
            return False
        bindings = self.names.reaching(name.value, name)
        return any(b.kind == "param" and self.walk.inside(b.node, function.params) for b in bindings)

    def use(self, expression: Node) -> frozenset[str]:
        """What one use of a value does to it, by its place in the source; {"keep"} when it gets an unknown owner."""
        up = self.walk.parent[expression]
        if isinstance(up, cst.Attribute):
            above = self.walk.parent[up]
            name = up.attr.value
            if isinstance(above, cst.Call) and above.func is up:
                return frozenset({_METHODS[name]} if name in _METHODS else ())
            return frozenset({_METHODS[name]} if name in _METHODS else ())
        if isinstance(up, cst.Arg):
            call = self.walk.parent[up]
            known = self.on(call, expression) if isinstance(call, cst.Call) else None
            return known if known is not None else self._passed(call)
        if isinstance(up, cst.WithItem):
            return frozenset({"end", "use"})
        if isinstance(up, cst.Return | cst.Yield | cst.From):
            return frozenset({"return"})
        if isinstance(up, cst.Comparison | cst.ComparisonTarget | cst.If | cst.While | cst.UnaryOperation | cst.Assert):
            return frozenset()
        if isinstance(up, cst.BooleanOperation | cst.IfExp | cst.Await | cst.NamedExpr):
            return self.use(up)
        if isinstance(up, cst.Expr | cst.FormattedStringExpression | cst.AssignTarget | cst.Del | cst.AnnAssign):
            return frozenset()
        if isinstance(up, cst.Assign) and all(isinstance(each.target, cst.Name) for each in up.targets):
            return frozenset({"alias"})
        return frozenset({"keep"})

    def _passed(self, call: Node) -> frozenset[str]:
        called = self.values.api(call.func) if isinstance(call, cst.Call) else None
        harmless = {
            "builtins.isinstance",
            "builtins.print",
            "builtins.str",
            "builtins.repr",
            "builtins.type",
            "builtins.id",
            "builtins.hasattr",
            "builtins.getattr",
            "builtins.bool",
            "builtins.callable",
        }
        return frozenset() if called in harmless else frozenset({"keep"})

    def ambient(self, function: cst.FunctionDef) -> frozenset[str]:
        """What the function does to the span that is current when it is called."""
        if function not in self._ambient:
            self._ambient[function] = frozenset()
            found: set[str] = set()
            for call in self.walk.own(function.body, cst.Call):
                found |= self._ambient_effect(call)
            self._ambient[function] = frozenset(found)
        return self._ambient[function]

    def _ambient_effect(self, call: cst.Call) -> frozenset[str]:
        called = self.values.api(call.func)
        if called in _EFFECTS and isinstance(call.func, cst.Attribute) and self.is_current(call.func.value, 0):
            return frozenset({_EFFECTS[called]})
        facts = self.called(call)
        return facts.ambient if facts is not None else frozenset()

    def is_current(self, expression: Node, depth: int = 0) -> bool:
        """Whether the expression is `get_current_span()`, directly or through a name."""
        if isinstance(expression, cst.Call):
            return self.values.api(expression.func) == otel.GET_CURRENT_SPAN and not expression.args
        if isinstance(expression, cst.Name) and depth < 5:
            bindings = self.names.reaching(expression.value, expression)
            return bool(bindings) and all(
                b.kind == "assign" and b.value is not None and self.is_current(b.value, depth + 1) for b in bindings
            )
        return False

    # -- the rest -------------------------------------------------------------------------------------------

    def _makes_spans(self, function: cst.FunctionDef) -> bool:
        return any(self.values.api(call.func) in otel.STARTS for call in self.walk.all(cst.Call, within=function))

    def _defaults(self, function: cst.FunctionDef) -> tuple[tuple[str, str], ...]:
        """Defaults that are span kinds or literal text, as dotted name or text."""
        found = []
        for each in [*function.params.posonly_params, *function.params.params, *function.params.kwonly_params]:
            if each.default is not None:
                dotted = self.values.api(each.default)
                if dotted is not None and dotted in otel.KINDS.values():
                    found.append((each.name.value, dotted))
                elif isinstance(each.default, cst.SimpleString) and isinstance(each.default.evaluated_value, str):
                    found.append((each.name.value, each.default.evaluated_value))
        return tuple(found)


def _declared_starter(dotted: str) -> FunctionFacts:
    """A function that the configuration says starts a span: its name is the first argument, all else is unknown."""
    starts = SpanFacts("manager", name="~parameter:name", kind=None, records=None, sets_status=None)
    return FunctionFacts(dotted.rpartition(".")[2], 0, parameters=("name",), span=starts)


def _branches(expressions: Iterable[cst.BaseExpression | None]) -> Iterator[cst.BaseExpression]:
    """The expressions, with `a` and `b` in place of `a if c else b`."""
    for each in expressions:
        if isinstance(each, cst.IfExp):
            yield from _branches([each.body, each.orelse])
        elif each is not None:
            yield each


def _every(function: cst.FunctionDef) -> tuple[str, ...]:
    return (*parameters(function), *(each.name.value for each in function.params.kwonly_params))
