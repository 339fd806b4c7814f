"""How many values a text can take: bounded (few, by construction), from an unbounded source, or unknown.

Only a *source* that is certainly unbounded counts: an id, a raw path or URL, the time, a random value, user input.
Text of unknown origin stays unknown, and a rule that needs to know stays silent.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from otlint import known
from otlint.model.code.names import Binding, Names
from otlint.model.code.once import is_made_once
from otlint.model.code.partials import is_partial
from otlint.model.code.values import Values, argument, is_hidden, parameters
from otlint.model.code.walk import Node, Walk
from otlint.model.flow.ways import Flow
from otlint.model.text.pieces import last_name, parts, side_of, sides, stands_in
from otlint.model.text.wording import is_identity, says_few, says_unbounded, tokens, words


class Bound(enum.Enum):
    """The verdict on a text."""

    BOUNDED = "bounded"
    UNBOUNDED = "unbounded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False, slots=True)
class Text:
    """A verdict; `source` is the unbounded expression as near to the use as can be, `origin` where it comes from."""

    bound: Bound
    source: cst.BaseExpression | None = None
    origin: Node | None = None

    @property
    def is_unbounded(self) -> bool:
        """Whether the text certainly has no bound."""
        return self.bound is Bound.UNBOUNDED

    @property
    def words(self) -> str | None:
        """The verdict for people; None for a literal, of which there is nothing to say."""
        return _WORDS[self.bound] if self is not _LITERAL else None


_WORDS = {
    Bound.BOUNDED: "the text has few values",
    Bound.UNBOUNDED: "the text has countless values",
    Bound.UNKNOWN: "whether the text has few values is not known",
}
_BOUNDED = Text(Bound.BOUNDED)
_LITERAL = Text(Bound.BOUNDED)
_UNKNOWN = Text(Bound.UNKNOWN)
_DEPTH = 12
_DICE = frozenset({"random.randint", "random.randrange", "secrets.randbelow"})
_FEW = 100
_COUNTS = frozenset({"builtins.len", "builtins.range", "builtins.enumerate"})


class Texts:
    """Verdicts on the texts of one file.

    `allowed` are identifiers and expressions, written without blanks, whose values are known to be few.
    """

    def __init__(
        self,
        walk: Walk,
        names: Names,
        values: Values,
        flow: Callable[[cst.FunctionDef], Flow],
        allowed: frozenset[str] = frozenset(),
    ) -> None:
        self.walk = walk
        self.names = names
        self.values = values
        self.flow = flow
        self.allowed = allowed
        self._given: list[tuple[cst.FunctionDef, set[str]]] = []
        self._returned: dict[Node, tuple[str, ...] | None] = {}

    def allowing(self, allowed: object) -> Texts:
        """The same, where a list of identifiers and expressions, taken from an option, is known to be bounded."""
        words = frozenset("".join(str(each).split()) for each in allowed) if isinstance(allowed, list) else frozenset()
        return Texts(self.walk, self.names, self.values, self.flow, words) if words else self

    def is_count(self, text: Text) -> bool:
        """Whether an unbounded text counts things of the program, mostly few: the turn of a loop, a length."""
        call = text.origin.iter if isinstance(text.origin, cst.For | cst.CompFor) else text.origin
        return isinstance(call, cst.Call) and self.values.api(call.func) in _COUNTS

    def of(self, expression: Node, depth: int = 0) -> Text:
        """The verdict on an expression that is used as text."""
        if depth > _DEPTH:
            return _UNKNOWN
        if self.allowed and self._is_allowed(expression):
            return _BOUNDED
        if isinstance(expression, cst.SimpleString | cst.Integer | cst.Float | cst.Comparison):
            return _LITERAL
        if isinstance(expression, cst.Call):
            return self._call(expression, depth)
        if isinstance(expression, cst.Subscript):
            return self._subscript(expression, depth)
        if isinstance(expression, cst.Attribute):
            return self._attribute(expression, depth)
        if isinstance(expression, cst.Name):
            return self._name(expression, depth)
        if isinstance(expression, cst.BinaryOperation):
            return self._operation(expression, depth)
        if isinstance(expression, cst.UnaryOperation):
            return _BOUNDED if isinstance(expression.operator, cst.Not) else self.of(expression.expression, depth + 1)
        if isinstance(expression, cst.BooleanOperation) and stands_in(expression):
            return self._joined([expression.left], depth)
        return self._joined(parts(expression), depth)

    def has_body(self, expression: Node) -> bool:
        """Whether a text holds the body of an answer, or all headers of a request."""
        attributes = self.walk.all(cst.Attribute, within=expression)
        return any(self._is_body(each.value, each.attr.value) for each in attributes)

    def _is_body(self, owner: Node, name: str) -> bool:
        if name == "headers":
            return "_".join(tokens(last_name(owner))) in words("attributes", "request_owner")
        if name not in words("attributes", "response"):
            return False
        return last_name(owner) in words("attributes", "response_owner") or self._is_answer(owner)

    def _is_answer(self, value: Node) -> bool:
        """Whether the value is what a call of an HTTP client returns."""
        kind = self.values.type(value) or ""
        operation = known.clients().operation(kind.removesuffix("()")) if kind.endswith("()") else None
        return operation is not None and operation.role == "http"

    def returned(self, function: cst.FunctionDef) -> tuple[str, ...] | None:
        """The parameters that a function joins into the text it returns, () for bounded text, None when unknown.

        Text that is unbounded whatever is given is `("*",)`.
        """
        if len(self._given) > _DEPTH or any(function is each for each, _ in self._given):
            return None
        if is_made_once(self.walk, self.names, self.values, function):
            return None
        if function not in self._returned:
            joined: set[str] = set()
            self._given.append((function, joined))
            bound = self._joined(self._returns(function), 1).bound
            self._given.pop()
            given = tuple(sorted(joined)) if bound is Bound.BOUNDED else ("*",)
            self._returned[function] = given if bound is not Bound.UNKNOWN else None
        return self._returned[function]

    def _returns(self, function: cst.FunctionDef) -> list[cst.BaseExpression]:
        return [node.value for node in self.values.own(function, cst.Return) if node.value is not None]

    def _is_allowed(self, expression: Node) -> bool:
        written = self.walk.tree.code_for_node(expression) if isinstance(expression, cst.BaseExpression) else ""
        return "".join(written.split()) in self.allowed or last_name(expression) in self.allowed

    def _joined(self, parts: Iterable[Node], depth: int) -> Text:
        """One unbounded part makes the whole unbounded; one unknown part, or none at all, makes it unknown."""
        verdicts = [self.of(part, depth + 1) for part in parts]
        for verdict in verdicts:
            if verdict.bound is Bound.UNBOUNDED:
                return verdict
        return _BOUNDED if verdicts and all(each.bound is Bound.BOUNDED for each in verdicts) else _UNKNOWN

    def _operation(self, operation: cst.BinaryOperation, depth: int) -> Text:
        parts = [operation.left, operation.right]
        is_text = isinstance(operation.operator, cst.Add | cst.Divide)
        if is_text or (
            isinstance(operation.operator, cst.Modulo) and self.values.type(operation.left) == "builtins.str"
        ):
            return self._joined(parts, depth)
        verdict = self._joined(parts, depth)
        return verdict if verdict.bound is Bound.UNBOUNDED else _UNKNOWN

    def _at(self, verdict: Text, expression: cst.BaseExpression) -> Text:
        return Text(verdict.bound, expression, verdict.origin) if verdict.bound is Bound.UNBOUNDED else verdict

    # -- calls ----------------------------------------------------------------------------------------------

    def _call(self, call: cst.Call, depth: int) -> Text:
        called = self.values.api(call.func) or ""
        if called in words("calls", "unbounded"):
            if called in _DICE and _is_small(call):
                return _BOUNDED
            written = self._elements(call.args[0].value, depth) if called == "builtins.len" and call.args else None
            return _BOUNDED if written is not None else Text(Bound.UNBOUNDED, call, call)
        if called in words("calls", "bounded"):
            return _BOUNDED
        if called in words("calls", "transparent") and call.args:
            given = call.args[-1] if called == "typing.cast" else call.args[0]
            return self._at(self.of(given.value, depth + 1), call)
        if called == "builtins.getattr" and len(call.args) > 1:
            return self._named_attribute(call, depth)
        if called == "random.choice" and call.args:
            return self._elements(call.args[0].value, depth) or _UNKNOWN
        if isinstance(call.func, cst.Attribute):
            found = self._method(call, call.func, depth)
            if found is not None:
                return found
        return self._function(call, called, depth)

    def _method(self, call: cst.Call, method: cst.Attribute, depth: int) -> Text | None:
        """Methods of strings and the like, which hand on what they are called on; None for other methods."""
        name, arguments = method.attr.value, [arg.value for arg in call.args]
        owner = last_name(method.value)
        if name in words("attributes", "request_methods") and owner in words("attributes", "request_owner"):
            return Text(Bound.UNBOUNDED, call, call)
        if name in words("calls", "transparent_methods"):
            return self._at(self.of(method.value, depth + 1), call)
        if name == "format" and isinstance(method.value, cst.SimpleString | cst.ConcatenatedString | cst.Name):
            return self._joined([method.value, *arguments], depth)
        if name == "join" and len(arguments) == 1:
            return self._joined([method.value, *arguments], depth)
        if name in {"get", "getlist"} and arguments:
            return self._item(method.value, arguments[0], call)
        if name == "replace" and all(
            isinstance(each, cst.SimpleString) and "{" not in each.value for each in arguments
        ):
            return self._at(self.of(method.value, depth + 1), call)
        return None

    def _named_attribute(self, call: cst.Call, depth: int) -> Text:
        """`getattr(request, "path", "")` is `request.path`."""
        name = call.args[1].value
        if not isinstance(name, cst.SimpleString) or not isinstance(name.evaluated_value, str):
            return _UNKNOWN
        verdict = self._member(call, call.args[0].value, name.evaluated_value, depth)
        others = [arg.value for arg in call.args[2:]]
        return verdict if verdict.bound is not Bound.BOUNDED or not others else self._joined(others, depth)

    def _function(self, call: cst.Call, called: str, depth: int) -> Text:
        """What a project function returns, with the arguments of this call."""
        function = self.values.function(called)
        if function is not None:
            joined, positions = self.returned(function), parameters(function)
        else:
            symbol = self.values.symbol(called)
            if symbol is None or symbol.function is None or symbol.function.text is None:
                return _UNKNOWN
            joined, positions = symbol.function.text, symbol.function.parameters
        if joined is None:
            return _UNKNOWN
        if joined == ("*",):
            if function is None:
                return Text(Bound.UNBOUNDED, call, call)
            return self._at(self._joined(self._returns(function), depth), call)
        given = [argument(call, name, positions) for name in joined]
        if is_hidden(call) or is_partial(self.values, call.func):
            return _UNKNOWN
        verdict = self._joined([each for each in given if each is not None], depth) if any(given) else _BOUNDED
        return self._at(verdict, call)

    # -- items and attributes -------------------------------------------------------------------------------

    def _subscript(self, subscript: cst.Subscript, depth: int) -> Text:
        item = subscript.slice[0].slice
        if isinstance(item, cst.Slice):
            return self._at(self.of(subscript.value, depth + 1), subscript)
        if self.values.api(subscript.value) == "os.environ":
            return _BOUNDED
        return self._item(subscript.value, item.value, subscript) if isinstance(item, cst.Index) else _UNKNOWN

    def _item(self, owner: cst.BaseExpression, key: cst.BaseExpression, whole: cst.BaseExpression) -> Text:
        """`scope["path"]`, `event["user_id"]`, `environ.get("PATH_INFO")`."""
        if not isinstance(key, cst.SimpleString) or not isinstance(key.evaluated_value, str):
            return _UNKNOWN
        text = key.evaluated_value
        holder = tokens(last_name(owner))[-1:]
        if text in words("attributes", "keys") and holder and holder[0] in words("attributes", "holders"):
            return Text(Bound.UNBOUNDED, whole, whole)
        text = text.replace("-", "_")  # `headers["x-request-id"]`
        says = says_unbounded(text) and (is_identity(text) or holder == ("headers",))
        return Text(Bound.UNBOUNDED, whole, whole) if says else _UNKNOWN

    def _attribute(self, attribute: cst.Attribute, depth: int) -> Text:
        return self._member(attribute, attribute.value, attribute.attr.value, depth)

    def _member(self, whole: cst.BaseExpression, value: cst.BaseExpression, name: str, depth: int) -> Text:
        """`value.name`, written as `whole`."""
        owner = last_name(value)
        if name in words("attributes", "request") and "_".join(tokens(owner)) in words("attributes", "request_owner"):
            return Text(Bound.UNBOUNDED, whole, whole)
        if self._is_body(value, name):
            return Text(Bound.UNBOUNDED, whole, whole)
        if name in words("attributes", "url") and (owner == "url" or self._is_url(value)):
            return Text(Bound.UNBOUNDED, whole, whole)
        if name == "path" and self._is_http_handler(value):
            return Text(Bound.UNBOUNDED, whole, whole)
        if name in {"hex", "int", "bytes", "name", "value"}:
            verdict = self._at(self.of(value, depth + 1), whole)
            if verdict.bound is Bound.UNBOUNDED and name in {"name", "value"}:
                return verdict if name == "name" and tokens(owner)[-1:] == ("path",) else _UNKNOWN
            return _BOUNDED if name in {"name", "value"} and self._is_enum(value) else verdict
        if name in words("attributes", "bounded") or (name.isupper() and len(name) > 1):
            return _BOUNDED
        stored = self._stored(whole, value, name, depth)
        if stored is not None and stored.bound is not Bound.UNKNOWN:
            # self.worker_id = uuid4(): of workers there are few, however they are numbered
            return stored if not stored.is_unbounded or not says_few(name) else _UNKNOWN
        if says_unbounded(name, owner) and (owner or is_identity(name)):
            return Text(Bound.UNBOUNDED, whole, whole)
        return _BOUNDED if self._is_enum(whole) else _UNKNOWN

    def _is_enum(self, value: Node) -> bool:
        """Whether the value is one of an enum's: `mode: Mode`, `Mode.FAST`."""
        if isinstance(value, cst.Attribute) and self.values.is_enum(self.values.api(value.value)):
            return True
        return self.values.is_enum(self.values.type(value))

    def _is_url(self, value: Node) -> bool:
        return self.values.type(value) in words("attributes", "url_types")

    def _is_http_handler(self, owner: Node) -> bool:
        cls = self.names.owner_class(owner) if isinstance(owner, cst.Name) else None
        return cls is not None and "http.server.BaseHTTPRequestHandler" in self.values.bases(cls)

    def _stored(self, whole: cst.BaseExpression, value: Node, name: str, depth: int) -> Text | None:
        """What the methods of the class put into `self.x`."""
        owner = self.names.owner_class(value) if isinstance(value, cst.Name) else None
        if owner is None:
            return None
        bindings = [*self.names.attributes.get((owner, name), []), *self.names.in_class(owner, name)]
        values = [each.value for each in bindings if each.kind == "assign" and each.value is not None]
        if not values or len(values) != len(bindings):
            return None
        return self._at(self._joined(values, depth + 1), whole)

    # -- names ----------------------------------------------------------------------------------------------

    def _name(self, name: cst.Name, depth: int) -> Text:
        if name.value in {"None", "True", "False"}:
            return _BOUNDED
        bindings = self.names.reaching(name.value, name)
        if name.value.isupper() and bindings and all(each.kind in {"import", "assign"} for each in bindings):
            return self._constant(name, bindings, depth)
        if not bindings:
            return _BOUNDED if name.value in {"__name__", "__file__", "__qualname__", "__module__"} else _UNKNOWN
        verdicts = [self._bound(binding, name, depth) for binding in bindings]
        for binding, verdict in zip(bindings, verdicts, strict=True):
            if verdict.is_unbounded and self._arrives(binding, bindings, name):
                return self._at(verdict, name)
        few = all(each.bound is Bound.BOUNDED for each in verdicts) or self._is_enum(name)
        return _BOUNDED if few else _UNKNOWN

    def _arrives(self, binding: Binding, bindings: list[Binding], name: cst.Name) -> bool:
        """Whether no other binding stands on every way from this one to the use."""
        function = self.walk.function_of(name)
        others = [each.node for each in bindings if each is not binding and each.kind != "param"]
        if not others or not isinstance(function, cst.FunctionDef):
            return True
        start = function if binding.kind == "param" else binding.node
        flow = self.flow(function)
        return flow.reaches(start, name, others) or name not in flow or (start is not function and start not in flow)

    def _constant(self, name: cst.Name, bindings: list[Binding], depth: int) -> Text:
        values = [each.value for each in bindings if each.value is not None]
        verdict = self._joined(values, depth + 1) if values else _BOUNDED
        return _BOUNDED if verdict.bound is Bound.UNKNOWN else self._at(verdict, name)

    def _bound(self, binding: Binding, name: cst.Name, depth: int) -> Text:
        says = says_unbounded(name.value) or name.value in words("words", "variable")
        named = Text(Bound.UNBOUNDED, name, binding.node) if says else _UNKNOWN
        if binding.kind == "assign" and binding.value is not None:
            verdict = self.of(binding.value, depth + 1)
            return named if verdict.bound is Bound.UNKNOWN else verdict
        if binding.kind == "aug" and isinstance(binding.node, cst.AugAssign):
            verdict = self.of(binding.node.value, depth + 1)
            return verdict if verdict.bound is Bound.UNBOUNDED else named
        if binding.kind == "for" and binding.value is not None:
            elements = self._elements(binding.value, depth, side_of(binding, name))
            return elements if elements is not None and elements.bound is not Bound.UNKNOWN else named
        if binding.kind == "param":
            return self._parameter(binding, name, named, depth)
        if binding.kind == "except":
            return Text(Bound.UNBOUNDED, name, binding.node)
        return named if binding.kind in {"unpack", "with", "match"} else _UNKNOWN

    def _elements(self, iterable: Node, depth: int, side: str = "items") -> Text | None:
        """The verdict on what a loop takes out of something that is written down, None when it is not.

        `side`: what of a mapping it is: "keys", "values", or both with "items".
        """
        if isinstance(iterable, cst.Dict):
            return self._joined(sides(iterable, side), depth)
        if isinstance(iterable, cst.List | cst.Tuple | cst.Set):
            inner = [each.value for each in iterable.elements]
            return self._joined(inner, depth) if inner else None
        if isinstance(iterable, cst.Call):
            called = self.values.api(iterable.func)
            if called == "builtins.range":
                return self._joined([arg.value for arg in iterable.args], depth)
            if called in words("calls", "collections") and iterable.args:
                found = [self._elements(arg.value, depth + 1) for arg in iterable.args if arg.keyword is None]
                bounded = all(each is not None and each.bound is Bound.BOUNDED for each in found)
                return _BOUNDED if bounded else None
            if isinstance(iterable.func, cst.Attribute) and iterable.func.attr.value in {"items", "keys", "values"}:
                called = iterable.func.attr.value
                if self._is_input(iterable.func.value):
                    return Text(Bound.UNBOUNDED, iterable, iterable)
                return self._elements(iterable.func.value, depth + 1, side if called == "items" else called)
        if isinstance(iterable, cst.Name) and depth < _DEPTH:
            bindings = self.names.reaching(iterable.value, iterable)
            if len(bindings) == 1 and bindings[0].kind == "assign" and bindings[0].value is not None:
                return self._elements(bindings[0].value, depth + 1, side)
        return None

    def _is_input(self, mapping: Node) -> bool:
        """`request.args`: whoever sends the request chooses the names in it as well."""
        owner = mapping.value if isinstance(mapping, cst.Attribute) else None
        return (
            isinstance(mapping, cst.Attribute)
            and mapping.attr.value in words("attributes", "input")
            and owner is not None
            and last_name(owner) in words("attributes", "request_owner")
        )

    def _parameter(self, binding: Binding, name: cst.Name, named: Text, depth: int) -> Text:
        """A parameter is what its callers in this file pass, or else what its name says."""
        function = next(up for up in self.walk.ancestors(binding.node) if isinstance(up, cst.FunctionDef | cst.Lambda))
        if not isinstance(function, cst.FunctionDef):
            return named
        if self._given and self._given[-1][0] is function:
            self._given[-1][1].add(name.value)
            return _BOUNDED
        if self._makes_functions(function, name):
            return _UNKNOWN
        sites = [*self.values.call_sites(function), *self._on_objects(function)]
        if named.is_unbounded:  # a try-out at the end of a module says nothing of what others pass
            sites = [call for call in sites if not self._is_try_out(call)]
        passed = [argument(call, name.value, parameters(function)) or binding.value for call in sites]
        expressions = [each for each in passed if each is not None]
        if expressions and len(expressions) == len(sites) and not any(map(is_hidden, sites)):
            verdict = self._joined(expressions, depth + 2)
            if verdict.bound is not Bound.UNKNOWN:
                return self._at(verdict, name)
        return named

    def _on_objects(self, method: cst.FunctionDef) -> Iterator[cst.Call]:
        """The calls in this file of a method on what is known to be an object of its class, `self` aside."""
        owner = self.walk.class_of(method)
        called = f"{self.names.qualified(owner)}.{method.name.value}" if owner is not None else None
        for call in self.walk.all(cst.Call) if called is not None else ():
            if isinstance(call.func, cst.Attribute) and call.func.attr.value == method.name.value:
                own = isinstance(call.func.value, cst.Name) and self.names.owner_class(call.func.value) is not None
                if not own and self.values.api(call.func) == called:
                    yield call

    def _is_try_out(self, call: Node) -> bool:
        """Whether the call stands below `if __name__ == "__main__":`."""
        guards = (up.test for up in self.walk.ancestors(call) if isinstance(up, cst.If))
        return any(isinstance(test, cst.Comparison) and last_name(test.left) == "__name__" for test in guards)

    def _makes_functions(self, function: cst.FunctionDef, use: Node) -> bool:
        """Whether the parameter is set once, when a decorator is applied: the function returns the one that uses it."""
        if self.walk.function_of(use) is function:
            return False
        returned = [node.value for node in self.values.own(function, cst.Return) if node.value is not None]
        made = [self.names.definition(value) for value in returned]
        return any(each is not None and self.walk.inside(use, each) for each in made)


def _is_small(call: cst.Call) -> bool:
    """`randint(1, 6)`: a number of which the source says that there are few."""
    limits = [arg.value for arg in call.args]
    return bool(limits) and all(isinstance(each, cst.Integer) and each.evaluated_value <= _FEW for each in limits)
