"""What a function of the project does for its callers: spans it starts, and what it does to a span it is given.

A wrapper or helper is read once and becomes `FunctionFacts`; callers in this file and in others ask those.
"""

from __future__ import annotations

import libcst as cst

from otlint import otel
from otlint.model.attributes.written import Attributes
from otlint.model.code.names import Names
from otlint.model.code.values import Values, argument, parameters
from otlint.model.code.walk import Node, Walk
from otlint.model.context.handoffs import is_endless, runs_work, takes_work
from otlint.model.facts.data import FunctionFacts, SpanFacts
from otlint.model.flow.shields import is_guard, is_shielded, is_stub
from otlint.model.functions import switched
from otlint.model.functions.callees import Callees
from otlint.model.functions.passing import Passing
from otlint.model.functions.starting import Starting
from otlint.model.spans.ownership import Ownership

_EFFECTS = {otel.END: "end", otel.RECORD_EXCEPTION: "record", otel.SET_STATUS: "status", otel.UPDATE_NAME: "rename"}
_METHODS = {
    "end": "end",
    "__exit__": "end",
    "record_exception": "record",
    "set_status": "status",
    "update_name": "rename",
}
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

# What the place of a value in the source says: it leaves the function, is only looked at, or is what stands there.
_HANDING_OUT = frozenset({cst.Return, cst.Yield, cst.From})
_LOOKING = frozenset(
    {cst.Comparison, cst.ComparisonTarget, cst.If, cst.While, cst.UnaryOperation, cst.Assert, cst.Expr,
     cst.FormattedStringExpression, cst.AssignTarget, cst.Del, cst.AnnAssign}
)  # fmt: skip
_BECOMING = frozenset({cst.BooleanOperation, cst.IfExp, cst.Await, cst.NamedExpr})
_READERS = frozenset(
    f"builtins.{name}"
    for name in ("isinstance", "print", "str", "repr", "type", "id", "hasattr", "getattr", "bool", "callable")
)

# Decorators under which a function still returns what it returns.
_PLAIN = frozenset({"builtins.property", "builtins.staticmethod", "builtins.classmethod", "functools.cached_property"})
_DEPTH = 25  # of functions that call each other: more of them end in a RecursionError


class Helpers:
    """The facts of one file's functions, and of the project functions that it calls."""

    def __init__(self, walk: Walk, names: Names, values: Values) -> None:
        self.walk = walk
        self.names = names
        self.values = values
        self._facts: dict[Node, FunctionFacts] = {}
        self._foreign: set[str] = set()  # names that are known to be no function of the project
        self._working: list[Node] = []
        self._effects: dict[tuple[Node, str], frozenset[str]] = {}
        self._ambient: dict[Node, frozenset[str]] = {}
        self.ownership = Ownership(walk, names, values, self)
        self.starting = Starting(walk, names, values, self)
        self.callees = Callees(walk, values, self)
        self.attributes = Attributes(walk, names, values, self)
        self.passing = Passing(walk, names, values, self)

    # -- questions ------------------------------------------------------------------------------------------

    def called(self, call: cst.Call) -> FunctionFacts | None:
        """The facts of the project function that the call certainly calls; a class stands for its `__init__`."""
        return self.named(call.func)

    def named(self, expression: Node) -> FunctionFacts | None:
        """The facts of the project function that the expression certainly names."""
        dotted = self.values.api(expression)
        if dotted is None or dotted in self._foreign:
            return None
        if otel.is_otel(dotted):
            self._foreign.add(dotted)
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
        if found is None:
            self._foreign.add(dotted)
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
            return FunctionFacts(name, parameters(function), effects=effects)
        self._working.append(function)
        facts = self._facts[function] = FunctionFacts(
            name=name,
            parameters=parameters(function),
            defaults=self._defaults(function),
            returns=self.values.returns(function),
            span=self.starting.span(function),
            effects=tuple((each, self.effects(function, each)) for each in every if each not in {"self", "cls"}),
            ambient=self.ambient(function),
            calls=self.callees.of(function),
            telemetry=self.callees.makes_spans(function),
            parent=self.callees.parent(function),
            is_async=function.asynchronous is not None,
            endless=any(is_endless(self.walk, loop) for loop in self.walk.own(function.body, cst.While)),
            loops=any(self.walk.own(function.body, cst.While, cst.For)),
            shielded=is_shielded(function, self.walk, self.values),
            guards=is_guard(function, self.walk, self.values, self.starting.calls_parameter),
            decorated=self.values.decorated(function),
            writes=self.attributes.written_by(function),
            passes=self.passing.by(function),
            generator=bool(self.values.own(function, cst.Yield)) and not self.values.is_manager(function),
            hands_out=len(every) == 1 and self.starting.hands_out(function),
            gives_current=self._returns_current(function),
        )
        self._working.pop()
        return facts

    def on(self, call: cst.Call, given: Node) -> frozenset[str] | None:
        """What a call does to the value given as one of its arguments; None when the callee is unknown."""
        called = self.values.api(call.func)
        if called in _GIVEN:
            ends = called == otel.USE_SPAN and self._is_true(argument(call, "end_on_exit", otel.PARAMETERS[called]))
            return frozenset({"use", "end"}) if ends else frozenset({_GIVEN[called]})
        if runs_work(self.values, call) and any(
            arg.value is given and takes_work(self.values, call, arg) for arg in call.args
        ):
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
                effects = facts.effect(name) if name is not None else None
                return switched.at(call, effects, self._positions(call, facts)) if effects is not None else None
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

    def _is_true(self, value: Node | None) -> bool:
        return isinstance(value, cst.Name) and value.value == "True"

    # -- what a function does to what it is given -----------------------------------------------------------

    def effects(self, function: cst.FunctionDef, parameter: str) -> frozenset[str]:
        """What may happen to the value of a parameter: end, record, status, rename, use, inject, extract or keep.

        `record?loud`: it is recorded only where the parameter `loud`, which is False by default, is true.
        """
        key = (function, parameter)
        if key not in self._effects:
            self._effects[key] = frozenset()
            found: set[str] = {"keep"} if is_stub(function, self.values) else set()
            uses = []
            for node in self.walk.named(parameter, function.body):
                if self._is_parameter(node, function):
                    uses.append((node, self.use(node)))
                    found |= uses[-1][1]
                    inner = self.walk.function_of(node)
                    if inner is not function:
                        found.add("capture")
                        if inner is not None and self.callees.runs_away(inner, node, function):
                            found.add("thread")
            self._effects[key] = frozenset(found) | switched.of(self.walk, function, uses)
        return self._effects[key]

    def _is_parameter(self, name: cst.Name, function: cst.FunctionDef) -> bool:
        up = self.walk.parent[name]
        if type(up) is cst.Attribute and up.attr is name:
            return False
        if type(up) is cst.Arg and up.keyword is name:
            return False
        bindings = self.names.reaching(name.value, name)
        return any(b.kind == "param" and self.walk.inside(b.node, function.params) for b in bindings)

    def use(self, expression: Node) -> frozenset[str]:
        """What one use of a value does to it, by its place in the source; {"keep"} when it gets an unknown owner."""
        up = self.walk.parent[expression]
        if type(up) is cst.Attribute:
            name = up.attr.value
            return frozenset({_METHODS[name]} if name in _METHODS else ())
        if type(up) is cst.Arg:
            call = self.walk.parent[up]
            known = self.on(call, expression) if isinstance(call, cst.Call) else None
            return known if known is not None else self._passed(call)
        if type(up) is cst.WithItem:
            return frozenset({"end", "use"})
        if type(up) in _HANDING_OUT:
            return frozenset({"return"})
        if type(up) is cst.AnnAssign and up.value is expression:
            return frozenset({"alias" if isinstance(up.target, cst.Name) else "keep"})
        if type(up) in _LOOKING:
            return frozenset()
        if type(up) in _BECOMING:
            return self.use(up)
        if type(up) is cst.Assign and all(isinstance(each.target, cst.Name) for each in up.targets):
            return frozenset({"alias"})
        return frozenset({"keep"})

    def _passed(self, call: Node) -> frozenset[str]:
        called = self.values.api(call.func) if isinstance(call, cst.Call) else None
        return frozenset() if called in _READERS else frozenset({"keep"})

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
        facts = self.called(call) if called is not None and called not in self._foreign else None
        if facts is None:
            return frozenset()
        given = [arg.value for arg in call.args if self.is_current(arg.value)]
        return facts.ambient.union(*(self.on(call, each) or () for each in given)) & frozenset(_EFFECTS.values())

    def is_current(self, expression: Node, depth: int = 0) -> bool:
        """Whether the expression is `get_current_span()`: directly, through a name, a function or a property."""
        if isinstance(expression, cst.Call):
            api = self.values.api(expression.func)
            if api is None or expression.args:
                return False
            return api == otel.GET_CURRENT_SPAN or self._gives_current(api, depth)
        if isinstance(expression, cst.Attribute) and isinstance(expression.value, cst.Name):
            owner = self.names.owner_class(expression.value)
            name = f"{self.names.qualified(owner)}.{expression.attr.value}" if owner is not None else None
            function = self.values.function(name)
            return function is not None and self.values.is_property(function) and self._gives_current(name, depth)
        if isinstance(expression, cst.Name) and depth < 5:
            bindings = self.names.reaching(expression.value, expression)
            return bool(bindings) and all(
                b.kind == "assign" and b.value is not None and self.is_current(b.value, depth + 1) for b in bindings
            )
        return False

    def _gives_current(self, dotted: str | None, depth: int) -> bool:
        """Whether a function of the project does nothing but return the current span."""
        function = self.values.function(dotted)
        if function is None:
            symbol = self.values.symbol(dotted)
            return symbol is not None and symbol.function is not None and symbol.function.gives_current
        return depth < 5 and self._returns_current(function, depth + 1)

    def _returns_current(self, function: cst.FunctionDef, depth: int = 0) -> bool:
        """A decorator of the project or a library may start a span around it, which its caller has to end."""
        if any(self.values.api(each.decorator) not in _PLAIN for each in function.decorators):
            return False
        returned = self.values.own(function, cst.Return)
        values = [each.value for each in returned if each.value is not None]
        return (
            bool(values)
            and len(values) == len(returned)
            and not self.values.own(function, cst.Yield)
            and all(self.is_current(value, depth) for value in values)
        )

    # -- the rest -------------------------------------------------------------------------------------------

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
    return FunctionFacts(dotted.rpartition(".")[2], parameters=("name",), span=starts)
