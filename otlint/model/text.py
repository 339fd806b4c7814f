"""How many values a text can take: bounded (few, by construction), from an unbounded source, or unknown.

Only a *source* that is certainly unbounded counts: an id, a raw path or URL, the time, a random value, user input.
Text of unknown origin stays unknown, and a rule that needs to know stays silent.
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

import libcst as cst

from otlint import known
from otlint.model.names import Binding, Names
from otlint.model.values import Values, argument, parameters
from otlint.model.walk import Node, Walk


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


_BOUNDED = Text(Bound.BOUNDED)
_UNKNOWN = Text(Bound.UNKNOWN)
_DEPTH = 12


@dataclass(frozen=True, slots=True)
class _Words:
    unbounded: frozenset[str]
    identifier: frozenset[str]
    bounded_owner: frozenset[str]
    whole: frozenset[str]
    request: frozenset[str]
    request_owner: frozenset[str]
    url: frozenset[str]
    keys: frozenset[str]
    calls: frozenset[str]
    transparent: frozenset[str]
    transparent_methods: frozenset[str]
    bounded_attributes: frozenset[str]


@functools.cache
def _words() -> _Words:
    table = known.table("text")
    words, attributes, calls = table["words"], table["attributes"], table["calls"]
    return _Words(
        frozenset(words["unbounded"]),
        frozenset(words["identifier"]),
        frozenset(words["bounded_owner"]),
        frozenset(words["whole"]),
        frozenset(attributes["request"]),
        frozenset(attributes["request_owner"]),
        frozenset(attributes["url"]),
        frozenset(attributes["keys"]),
        frozenset(calls["unbounded"]),
        frozenset(calls["transparent"]),
        frozenset(calls["transparent_methods"]),
        frozenset(calls["bounded_attributes"]),
    )


class Texts:
    """Verdicts on the texts of one file."""

    def __init__(self, walk: Walk, names: Names, values: Values) -> None:
        self.walk = walk
        self.names = names
        self.values = values

    def of(self, expression: Node, depth: int = 0) -> Text:
        """The verdict on an expression that is used as text."""
        if depth > _DEPTH:
            return _UNKNOWN
        if isinstance(expression, cst.SimpleString | cst.Integer | cst.Float):
            return _BOUNDED
        if isinstance(expression, cst.FormattedString):
            return self._formatted(expression, depth)
        if isinstance(expression, cst.ConcatenatedString):
            return self._joined([expression.left, expression.right], depth)
        if isinstance(expression, cst.BinaryOperation):
            return self._operation(expression, depth)
        if isinstance(expression, cst.IfExp):
            return self._joined([expression.body, expression.orelse], depth)
        if isinstance(expression, cst.BooleanOperation):
            return self._joined([expression.left, expression.right], depth)
        if isinstance(expression, cst.Await | cst.NamedExpr):
            inner = expression.expression if isinstance(expression, cst.Await) else expression.value
            return self.of(inner, depth + 1)
        if isinstance(expression, cst.Tuple | cst.List):
            return self._joined([each.value for each in expression.elements], depth)
        if isinstance(expression, cst.Call):
            return self._call(expression, depth)
        if isinstance(expression, cst.Subscript):
            return self._subscript(expression, depth)
        if isinstance(expression, cst.Attribute):
            return self._attribute(expression, depth)
        if isinstance(expression, cst.Name):
            return self._name(expression, depth)
        return _UNKNOWN

    def _joined(self, parts: Iterable[Node], depth: int) -> Text:
        """One unbounded part makes the whole unbounded; one unknown part makes it unknown."""
        verdicts = [self.of(part, depth + 1) for part in parts]
        for verdict in verdicts:
            if verdict.bound is Bound.UNBOUNDED:
                return verdict
        return _BOUNDED if all(each.bound is Bound.BOUNDED for each in verdicts) else _UNKNOWN

    def _formatted(self, text: cst.FormattedString, depth: int) -> Text:
        parts = [part.expression for part in text.parts if isinstance(part, cst.FormattedStringExpression)]
        return self._joined(parts, depth)

    def _operation(self, operation: cst.BinaryOperation, depth: int) -> Text:
        if isinstance(operation.operator, cst.Add | cst.Divide):
            return self._joined([operation.left, operation.right], depth)
        if isinstance(operation.operator, cst.Modulo) and self.values.type(operation.left) == "builtins.str":
            return self._joined([operation.left, operation.right], depth)
        return _UNKNOWN

    def _call(self, call: cst.Call, depth: int) -> Text:
        words = _words()
        called = self.values.api(call.func)
        if called in words.calls:
            return Text(Bound.UNBOUNDED, call, call)
        if called in words.transparent and call.args:
            return self._at(self.of(call.args[0].value, depth + 1), call)
        if isinstance(call.func, cst.Attribute):
            method = call.func.attr.value
            if method in words.transparent_methods:
                return self._at(self.of(call.func.value, depth + 1), call)
            if method == "format":
                return self._joined([call.func.value, *(arg.value for arg in call.args)], depth)
            if method == "join" and call.args:
                return self._joined([call.func.value, call.args[0].value], depth)
            if method == "get" and call.args:
                return self._item(call.func.value, call.args[0].value, call)
        function = self.values.function(called)
        return self._returned(function, call, depth) if function is not None else _UNKNOWN

    def _at(self, verdict: Text, expression: cst.BaseExpression) -> Text:
        return Text(verdict.bound, expression, verdict.origin) if verdict.bound is Bound.UNBOUNDED else verdict

    def _returned(self, function: cst.FunctionDef, call: cst.Call, depth: int) -> Text:
        """What a function of this file returns; unbounded counts only where the function itself shows the source."""
        returned = [node.value for node in self.values.own(function, cst.Return) if node.value is not None]
        if not returned:
            return _UNKNOWN
        return self._at(self._joined(returned, depth + 1), call)

    def _subscript(self, subscript: cst.Subscript, depth: int) -> Text:
        item = subscript.slice[0].slice
        if isinstance(item, cst.Slice):
            if isinstance(subscript.value, cst.Name | cst.Attribute | cst.Call):
                return self._at(self.of(subscript.value, depth + 1), subscript)
            return _UNKNOWN
        if isinstance(item, cst.Index):
            return self._item(subscript.value, item.value, subscript)
        return _UNKNOWN

    def _item(self, owner: cst.BaseExpression, key: cst.BaseExpression, whole: cst.BaseExpression) -> Text:
        """`scope["path"]`, `event["user_id"]`, `environ.get("PATH_INFO")`."""
        if not isinstance(key, cst.SimpleString) or not isinstance(key.evaluated_value, str):
            return _UNKNOWN
        text = key.evaluated_value
        if text in _words().keys and _last_name(owner) in {"scope", "environ", "event", "request"}:
            return Text(Bound.UNBOUNDED, whole, whole)
        return Text(Bound.UNBOUNDED, whole, whole) if self._says_unbounded(text) and "id" in _tokens(text) else _UNKNOWN

    def _attribute(self, attribute: cst.Attribute, depth: int) -> Text:
        words = _words()
        name = attribute.attr.value
        owner = _last_name(attribute.value)
        if name in words.request and owner.lower().lstrip("_") in words.request_owner:
            return Text(Bound.UNBOUNDED, attribute, attribute)
        if name in words.url and owner == "url":
            return Text(Bound.UNBOUNDED, attribute, attribute)
        if name == "hex" or name in {"int", "bytes"}:
            return self._at(self.of(attribute.value, depth + 1), attribute)
        if name in words.bounded_attributes:
            return _BOUNDED if name.startswith("__") or name == "method" else _UNKNOWN
        if name == "path" and self._is_http_handler(attribute.value):
            return Text(Bound.UNBOUNDED, attribute, attribute)
        if self._is_class_constant(attribute):
            return _BOUNDED
        stored = self._stored(attribute, depth)
        if stored is not None and stored.bound is not Bound.UNKNOWN:
            return stored
        if self._says_unbounded(name) and not self._owned_bounded(name, owner):
            return Text(Bound.UNBOUNDED, attribute, attribute)
        return _UNKNOWN

    def _is_http_handler(self, owner: cst.BaseExpression) -> bool:
        cls = self.names.owner_class(owner) if isinstance(owner, cst.Name) else None
        return cls is not None and "http.server.BaseHTTPRequestHandler" in self.values.bases(cls)

    def _is_class_constant(self, attribute: cst.Attribute) -> bool:
        """`Color.RED`, `settings.SERVICE_ID`: written in capitals, set once."""
        return attribute.attr.value.isupper() and len(attribute.attr.value) > 1

    def _stored(self, attribute: cst.Attribute, depth: int) -> Text | None:
        """What the methods of the class put into `self.x`."""
        owner = self.names.owner_class(attribute.value) if isinstance(attribute.value, cst.Name) else None
        if owner is None:
            return None
        bindings = self.names.attributes.get((owner, attribute.attr.value), [])
        values = [each.value for each in bindings if each.kind == "assign" and each.value is not None]
        if not values or len(values) != len(bindings):
            return None
        verdict = self._joined(values, depth + 1)
        return self._at(verdict, attribute)

    def _name(self, name: cst.Name, depth: int) -> Text:
        bindings = self.names.reaching(name.value, name)
        if name.value.isupper() and bindings and all(each.kind in {"import", "assign"} for each in bindings):
            return self._constant(name, bindings, depth)
        verdicts = [self._bound(binding, name, depth) for binding in bindings]
        for verdict in verdicts:
            if verdict.bound is Bound.UNBOUNDED:
                return self._at(verdict, name)
        if verdicts and all(each.bound is Bound.BOUNDED for each in verdicts):
            return _BOUNDED
        return _UNKNOWN

    def _constant(self, name: cst.Name, bindings: list[Binding], depth: int) -> Text:
        values = [each.value for each in bindings if each.value is not None]
        verdict = self._joined(values, depth + 1) if values else _BOUNDED
        return _BOUNDED if verdict.bound is Bound.UNKNOWN else self._at(verdict, name)

    def _bound(self, binding: Binding, name: cst.Name, depth: int) -> Text:
        if binding.kind == "assign" and binding.value is not None:
            verdict = self.of(binding.value, depth + 1)
            if verdict.bound is Bound.UNKNOWN and self._says_unbounded(name.value) and not _is_literal(binding.value):
                return Text(Bound.UNBOUNDED, name, binding.node)
            return verdict
        if binding.kind == "for":
            return self._looped(binding, name)
        if binding.kind == "param":
            return self._parameter(binding, name, depth)
        if binding.kind in {"unpack", "with", "match"} and self._says_unbounded(name.value):
            return Text(Bound.UNBOUNDED, name, binding.node)
        return _UNKNOWN

    def _looped(self, binding: Binding, name: cst.Name) -> Text:
        """A loop over literals is bounded; a loop whose variable is an id is not."""
        if isinstance(binding.value, cst.List | cst.Tuple | cst.Set):
            return _BOUNDED
        if self._says_unbounded(name.value):
            return Text(Bound.UNBOUNDED, name, binding.node)
        return _UNKNOWN

    def _parameter(self, binding: Binding, name: cst.Name, depth: int) -> Text:
        """A parameter is what its callers in this file pass, or else what its name says."""
        function = next(up for up in self.walk.ancestors(binding.node) if isinstance(up, cst.FunctionDef | cst.Lambda))
        if isinstance(function, cst.FunctionDef):
            sites = self.values.call_sites(function)
            passed = [argument(call, name.value, parameters(function)) for call in sites]
            known = [each for each in passed if each is not None]
            if known and len(known) == len(sites):
                verdict = self._joined(known, depth + 2)
                if verdict.bound is not Bound.UNKNOWN:
                    return self._at(verdict, name)
        if self._says_unbounded(name.value):
            return Text(Bound.UNBOUNDED, name, binding.node)
        return _UNKNOWN

    def _says_unbounded(self, identifier: str) -> bool:
        """Whether a name itself says that every thing has its own value: `user_id`, `raw_path`, `orderUuid`."""
        words = _words()
        tokens = _tokens(identifier)
        if not tokens:
            return False
        if "_".join(tokens) in words.whole:
            return True
        last = tokens[-1]
        if last in words.identifier:
            return len(tokens) == 1 or tokens[-2] not in words.bounded_owner
        return last in words.unbounded and (len(tokens) == 1 or tokens[-2] not in words.bounded_owner)

    def _owned_bounded(self, name: str, owner: str) -> bool:
        """`model.id`, `self.agent.id`: the owner is one of a fixed few."""
        tokens = _tokens(owner)
        return len(_tokens(name)) == 1 and bool(tokens) and tokens[-1] in _words().bounded_owner


@functools.lru_cache(maxsize=4096)
def _tokens(identifier: str) -> tuple[str, ...]:
    """`orderId`, `ORDER_ID` and `_order_id` → (`order`, `id`)."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier)
    return tuple(part for part in snake.lower().split("_") if part)


def _last_name(expression: Node) -> str:
    """`self.request` → `request`; "" for anything else."""
    if isinstance(expression, cst.Attribute):
        return expression.attr.value
    if isinstance(expression, cst.Name):
        return expression.value
    return ""


def _is_literal(value: Node) -> bool:
    return isinstance(value, cst.SimpleString | cst.Integer | cst.Float)
