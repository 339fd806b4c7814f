"""Which expressions a value can come from: through conditionals, assignments and parameter defaults of one function.

    kind = None
    if remote: kind = SpanKind.CLIENT
    start_span("a", kind=kind)          origins(kind) → None, SpanKind.CLIENT

An origin is given only if some way through the function certainly leads from it to the use; what comes from callers,
loops, other functions or behind a test that nobody can decide is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst

from otlint import otel
from otlint.model.code.names import Binding, Names
from otlint.model.code.values import Values, argument, is_hidden, parameters
from otlint.model.code.walk import Node, Walk
from otlint.model.flow.ways import Flow

_DEPTH = 6
_MEMBERS = frozenset({*otel.KINDS.values(), *otel.STATUS_CODES.values()})


class Origins:
    """The origins of one file's expressions."""

    def __init__(self, walk: Walk, names: Names, values: Values, flow: Callable[[cst.FunctionDef], Flow]) -> None:
        self.walk = walk
        self.names = names
        self.values = values
        self.flow = flow

    def of(self, expression: cst.BaseExpression, depth: int = 0) -> Iterator[cst.BaseExpression]:
        """The expressions, as they are written, whose value the expression has on some way."""
        if isinstance(expression, cst.IfExp):
            yield from self.of(expression.body, depth)
            yield from self.of(expression.orelse, depth)
        elif isinstance(expression, cst.BooleanOperation):
            yield from self._either(expression, depth)
        elif isinstance(expression, cst.NamedExpr):
            yield from self.of(expression.value, depth)
        elif isinstance(expression, cst.Name) and depth < _DEPTH and not _is_constant(expression):
            yield from self._named(expression, depth)
        else:
            yield expression

    def _either(self, operation: cst.BooleanOperation, depth: int) -> Iterator[cst.BaseExpression]:
        """`a or b`: a literal or a member of an enum on the left decides, anything else leaves both open."""
        wanted = isinstance(operation.operator, cst.Or)
        lefts = [(left, self._truth(left)) for left in self.of(operation.left, depth)]
        yield from (left for left, truth in lefts if truth in {None, wanted})
        if not lefts or any(truth is not wanted for _, truth in lefts):
            yield from self.of(operation.right, depth)

    def _truth(self, value: Node) -> bool | None:
        """Whether a value is certainly true or false; members of the plain enums of OpenTelemetry are true."""
        if isinstance(value, cst.Attribute) and self.values.api(value) in _MEMBERS:
            return True
        return _truth(value)

    def _named(self, name: cst.Name, depth: int) -> Iterator[cst.BaseExpression]:
        bindings = self.names.reaching(name.value, name)
        if not bindings:
            yield name  # a name of Python's own
            return
        function = self.walk.function_of(name)
        own = bool(bindings) and self._is_own(bindings[0], function)
        for binding in bindings if own or len(bindings) == 1 else ():
            value = self._value(binding, function if own else None)
            if value is None:
                yield name
            elif self._arrives(binding, bindings, value, name):
                yield from self.of(value, depth + 1)

    def _is_own(self, binding: Binding, function: Node | None) -> bool:
        """Whether the function itself binds the name."""
        if binding.kind == "param":
            return function is not None and self.walk.inside(binding.node, function)
        return self.walk.function_of(binding.node) is function

    def _value(self, binding: Binding, function: Node | None) -> cst.BaseExpression | None:
        """What a binding gives: the assigned expression, or a default that some caller may leave in force."""
        if binding.kind == "assign":
            return binding.value
        if binding.kind != "param" or not isinstance(function, cst.FunctionDef):
            return None
        assert isinstance(binding.node, cst.Param)
        sites = self.values.call_sites(function)
        given = [argument(call, binding.node.name.value, parameters(function)) for call in sites]
        if sites and all(value is not None or is_hidden(call) for call, value in zip(sites, given, strict=True)):
            return None
        return binding.value

    def _arrives(self, binding: Binding, bindings: list[Binding], value: Node, name: cst.Name) -> bool:
        """Whether a way without another binding leads to the use, past tests of the name that can be decided."""
        function = self.walk.function_of(name)
        if not isinstance(function, cst.FunctionDef) or not self._is_own(binding, function):
            return len(bindings) == 1
        if len(bindings) == 1:
            return self._is_let_through(binding, value, name, function)
        unsure: list[Node] = []

        def known(test: Node) -> bool | None:
            decided = _decide(test, name.value, value)
            if decided is None and _mentions(test, name.value, self.walk):
                unsure.append(test)
            return decided

        start = function if binding.kind == "param" else binding.node
        others = [each.node for each in bindings if each is not binding and each.kind != "param"]
        return self.flow(function).reaches(start, name, others, known=known) and not unsure

    def _is_let_through(self, binding: Binding, value: Node, name: cst.Name, function: cst.FunctionDef) -> bool:
        """Whether no test of the name keeps its one value from the use: `if kind is not None: use(kind)`."""
        if not _is_none(value) and _truth(value) is None:
            return True
        for up in self.walk.ancestors(name):
            if up is function:
                break
            if isinstance(up, cst.IfExp) and not self.walk.inside(name, up.test):
                decided = _decide(up.test, name.value, value)
                if decided is not None and decided is not self.walk.inside(name, up.body):
                    return False
        start = function if binding.kind == "param" else binding.node
        return self.flow(function).reaches(start, name, known=lambda test: _decide(test, name.value, value))


def _is_constant(name: cst.Name) -> bool:
    return name.value in {"None", "True", "False"}


def _truth(value: Node) -> bool | None:
    """Whether a literal is true."""
    if isinstance(value, cst.Name) and _is_constant(value):
        return value.value == "True"
    if isinstance(value, cst.SimpleString):
        return bool(value.evaluated_value)
    if isinstance(value, cst.Integer):
        return value.evaluated_value != 0
    return None


def _decide(test: Node, name: str, value: Node) -> bool | None:
    """What a test of the name gives where the name holds the value: `kind`, `kind is None`, `kind is not None`."""
    if isinstance(test, cst.Name) and test.value == name:
        return _truth(value)
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    target = test.comparisons[0]
    if not (isinstance(test.left, cst.Name) and test.left.value == name and _is_none(target.comparator)):
        return None
    literal = _is_none(value) or _truth(value) is not None
    if isinstance(target.operator, cst.Is | cst.Equal):
        return _is_none(value) if literal else None
    if isinstance(target.operator, cst.IsNot | cst.NotEqual):
        return not _is_none(value) if literal else None
    return None


def _is_none(value: Node) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"


def _mentions(test: Node, name: str, walk: Walk) -> bool:
    return any(isinstance(each, cst.Name) and each.value == name for each in walk.below(test))
