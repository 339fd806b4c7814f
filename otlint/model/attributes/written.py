"""The attributes that a file writes: on spans, events, links, measurements, resources, scopes, log records, baggage.

    span.set_attribute("user.id", user.id)
    attrs = {"http.route": route}
    counter.add(1, attributes=attrs)
    tag(span, **{"order.items": 3})         # a helper of the project that sets what it is given

Mappings are followed through variables, conditionals, `dict(…)`, unpacking, item assignments and `update`, and through
the functions of the project that build them or pass on what they are given. An entry whose key cannot be read has
no name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.values import argument
from otlint.model.code.walk import Node
from otlint.model.facts.data import Writes
from otlint.model.functions.passing import span_method

if TYPE_CHECKING:
    from otlint.model.code.names import Names
    from otlint.model.code.values import Values
    from otlint.model.code.walk import Walk
    from otlint.model.functions.helpers import Helpers

_DEPTH = 10
_WRITTEN = (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString, cst.BinaryOperation, cst.Subscript)
Entry = tuple[cst.BaseExpression, cst.BaseExpression | None]


@dataclass(frozen=True, eq=False, slots=True)
class Attribute:
    """One attribute that the source writes.

    `signal` says what it is put on: span, event, link, metric, resource, scope, log or baggage; `call` is what puts it
    there. `key` is the expression of its key, `name` the text of it, None when unknown. `value` is None when it is
    not an expression of this file. `api` is the OpenTelemetry API that takes it in the end, and `helper` whether a
    function of the project stands between; `converted`: it makes something else of the value first.
    """

    signal: str
    call: cst.Call
    key: cst.BaseExpression
    name: str | None
    value: cst.BaseExpression | None
    api: str
    helper: bool = False
    converted: bool = False


class Attributes:
    """The attribute writes of one file."""

    def __init__(self, walk: Walk, names: Names, values: Values, helpers: Helpers) -> None:
        self.walk = walk
        self.names = names
        self.values = values
        self.helpers = helpers
        self._sinks: dict[Node | None, list[cst.Call]] | None = None
        self._working: set[Node] = set()

    def all(self) -> list[Attribute]:
        """Everything that the file certainly writes, in the order of the calls that do it."""
        return [found for call in self.walk.all(cst.Call) for found in self.of(call)]

    def of(self, call: cst.Call) -> Iterator[Attribute]:
        """The attributes that one call writes."""
        for written in self._writes(call):
            for key, value in self._given(call, written):
                helper = self._positions(call) is None
                yield Attribute(
                    written.signal, call, key, self.text(key), value, written.api, helper, written.converted
                )

    # -- what a call takes ----------------------------------------------------------------------------------

    def _writes(self, call: cst.Call) -> tuple[Writes, ...]:
        api = span_method(self.values, self.names, call)
        if api in otel.ATTRIBUTES:
            signal, parameter = otel.ATTRIBUTES[api]
            return (Writes(signal, api, "mapping", parameter),)
        if api in otel.ATTRIBUTE:
            signal, key, value = otel.ATTRIBUTE[api]
            return (Writes(signal, api, "pair", key, value),)
        facts = self.helpers.called(call)
        return facts.writes if facts is not None else ()

    def _positions(self, call: cst.Call) -> tuple[str, ...] | None:
        api = span_method(self.values, self.names, call)
        return otel.PARAMETERS.get(api, ()) if api in otel.ATTRIBUTES or api in otel.ATTRIBUTE else None

    def _argument(self, call: cst.Call, name: str) -> cst.BaseExpression | None:
        positions = self._positions(call)
        if positions is not None:
            return argument(call, name, positions)
        facts = self.helpers.called(call)
        return self.helpers.given(call, facts, name) if facts is not None else None

    def _given(self, call: cst.Call, written: Writes) -> Iterator[Entry]:
        if written.form == "keywords":
            yield from self._keywords(call)
            return
        given = self._argument(call, written.parameter)
        if given is None:
            return
        if written.form == "mapping":
            yield from self.entries(given)
        elif written.form == "pair":
            yield given, self._argument(call, written.value)

    def _keywords(self, call: cst.Call) -> Iterator[Entry]:
        """What `**attributes` of the callee gets."""
        facts = self.helpers.called(call)
        own = {name for name, _ in facts.effects} | set(facts.parameters) if facts is not None else set()
        for arg in call.args:
            if arg.keyword is not None and arg.keyword.value not in own:
                yield arg.keyword, arg.value
            elif arg.star == "**":
                yield from self.entries(arg.value)

    # -- mappings -------------------------------------------------------------------------------------------

    def entries(self, mapping: Node, depth: int = 0) -> Iterator[Entry]:
        """The keys and values that a mapping is certainly built with on some way."""
        if depth > _DEPTH:
            return
        if isinstance(mapping, cst.Dict):
            for element in mapping.elements:
                if isinstance(element, cst.DictElement):
                    yield element.key, element.value
                else:
                    yield from self.entries(element.value, depth + 1)
        elif isinstance(mapping, cst.DictComp):
            yield from self._filtered(mapping, depth)
        elif isinstance(mapping, cst.IfExp):
            yield from self.entries(mapping.body, depth + 1)
            yield from self.entries(mapping.orelse, depth + 1)
        elif isinstance(mapping, cst.BooleanOperation | cst.BinaryOperation):
            yield from self.entries(mapping.left, depth + 1)
            yield from self.entries(mapping.right, depth + 1)
        elif isinstance(mapping, cst.NamedExpr):
            yield from self.entries(mapping.value, depth + 1)
        elif isinstance(mapping, cst.Call):
            yield from self._built(mapping, depth)
        elif isinstance(mapping, cst.Name):
            yield from self._named(mapping, depth)
        elif isinstance(mapping, cst.Attribute):
            yield from self._stored(mapping, depth)

    def _filtered(self, made: cst.DictComp, depth: int) -> Iterator[Entry]:
        """`{k: v for k, v in attrs.items() if v is not None}` has the keys of `attrs`."""
        source, target = made.for_in.iter, made.for_in.target
        names = [each.value for each in target.elements] if isinstance(target, cst.Tuple) else []
        func = source.func if isinstance(source, cst.Call) else None
        if not isinstance(func, cst.Attribute) or func.attr.value != "items" or len(names) != 2:
            yield made.key, made.value
            return
        found = list(self.entries(func.value, depth + 1)) if made.key.deep_equals(names[0]) else []
        same = made.value.deep_equals(names[1])
        yield from ((key, value if same else made.value) for key, value in found or [(made.key, made.value)])

    def _built(self, call: cst.Call, depth: int) -> Iterator[Entry]:
        """`dict(a=1, **more)`, `base.copy()`, or a function of this file that returns a mapping."""
        api = self.values.api(call.func)
        if api in {"builtins.dict", "types.MappingProxyType", "copy.copy", "copy.deepcopy"}:
            for arg in call.args:
                if arg.keyword is not None:
                    yield arg.keyword, arg.value
                else:
                    yield from self.entries(arg.value, depth + 1)
        elif isinstance(call.func, cst.Attribute) and call.func.attr.value == "copy" and not call.args:
            yield from self.entries(call.func.value, depth + 1)
        function = self.values.function(api)
        if function is not None and function not in self._working:
            self._working.add(function)
            for each in self.walk.own(function.body, cst.Return):
                if each.value is not None:
                    yield from self.entries(each.value, depth + 1)
            self._working.discard(function)

    def _named(self, name: cst.Name, depth: int) -> Iterator[Entry]:
        bindings = self.names.reaching(name.value, name)
        for binding in bindings:
            if binding.kind == "assign" and binding.value is not None:
                yield from self.entries(binding.value, depth + 1)
        if any(binding.kind in {"assign", "param"} for binding in bindings):
            function = self.walk.function_of(name)
            if function is not None and self.walk.function_of(bindings[0].node) is function:
                yield from self._added(name.value, function.body, self.walk.order[name], depth)

    def _added(self, name: str, body: Node, before: int, depth: int) -> Iterator[Entry]:
        """`attrs["k"] = v`, `attrs.update(…)` and `attrs.setdefault("k", v)` before a use."""
        for each in self.walk.named(name, body):
            up = self.walk.parent[each]
            if self.walk.order[each] >= before:
                return
            if isinstance(up, cst.Subscript) and up.value is each:
                yield from self._item(up)
            elif isinstance(up, cst.Attribute) and up.value is each:
                call = self.walk.parent[up]
                if isinstance(call, cst.Call) and call.func is up:
                    yield from self._method(call, up.attr.value, depth)

    def _item(self, subscript: cst.Subscript) -> Iterator[Entry]:
        target = self.walk.parent[subscript]
        statement = self.walk.parent[target] if isinstance(target, cst.AssignTarget) else None
        item = subscript.slice[0].slice
        if isinstance(statement, cst.Assign) and isinstance(item, cst.Index):
            yield item.value, statement.value

    def _method(self, call: cst.Call, name: str, depth: int) -> Iterator[Entry]:
        given = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
        if name == "update":
            for arg in call.args:
                if arg.keyword is not None:
                    yield arg.keyword, arg.value
                else:
                    yield from self.entries(arg.value, depth + 1)
        elif name == "setdefault" and len(given) == 2:
            yield given[0], given[1]

    def _stored(self, attribute: cst.Attribute, depth: int) -> Iterator[Entry]:
        """What the methods of the class put into `self.x`, or the class itself."""
        owner = self.names.owner_class(attribute.value) if isinstance(attribute.value, cst.Name) else None
        if owner is None:
            return
        name = attribute.attr.value
        for binding in [*self.names.attributes.get((owner, name), []), *self.names.in_class(owner, name)]:
            if binding.kind == "assign" and binding.value is not None:
                yield from self.entries(binding.value, depth + 1)

    # -- keys -----------------------------------------------------------------------------------------------

    def text(self, key: Node) -> str | None:
        """The text of a key that is a literal, a constant of the project or one of OpenTelemetry's; None if unknown."""
        written = self.literal(key)
        if isinstance(written, cst.SimpleString):
            return written.evaluated_value if isinstance(written.evaluated_value, str) else None
        if isinstance(written, _WRITTEN):
            return self._joined_text(written)
        if isinstance(written, cst.Name) and self._is_keyword(written):
            return written.value
        api = self.values.api(written or key)
        if api is None or otel.is_otel(api):
            return known.constant(api) if api is not None else None
        return self.values.project.constant(api, self.values.path)

    def _joined_text(self, written: cst.BaseExpression) -> str | None:
        """The text of what is put together, or looked up, from constants."""
        if written in self._working:
            return None
        self._working.add(written)
        found = None
        if isinstance(written, cst.FormattedString):
            found = _joined([self._of_part(part) for part in written.parts])
        elif isinstance(written, cst.Subscript):
            found = self._item_text(written)
        elif isinstance(written, cst.ConcatenatedString | cst.BinaryOperation):
            plus = isinstance(written, cst.ConcatenatedString) or isinstance(written.operator, cst.Add)
            found = _joined([self.text(written.left), self.text(written.right)]) if plus else None
        self._working.discard(written)
        return found

    def _of_part(self, part: cst.BaseFormattedStringContent) -> str | None:
        if isinstance(part, cst.FormattedStringExpression):
            return self.text(part.expression) if part.format_spec is None and part.conversion is None else None
        assert isinstance(part, cst.FormattedStringText)
        return part.value.replace("{{", "{").replace("}}", "}") if "\\" not in part.value else None

    def _item_text(self, item: cst.Subscript) -> str | None:
        """`KEYS["order"]` of a mapping that is written out."""
        index = item.slice[0].slice if len(item.slice) == 1 else None
        wanted = self.text(index.value) if isinstance(index, cst.Index) else None
        found = [value for key, value in self.entries(item.value) if wanted is not None and self.text(key) == wanted]
        return self.text(found[0]) if len(found) == 1 and found[0] is not None else None

    def literal(self, key: Node, depth: int = 0) -> cst.BaseExpression | None:
        """Where the text of a key is written: itself, a constant of this file or a name of OpenTelemetry's; or None."""
        if isinstance(key, _WRITTEN):
            return key
        if not isinstance(key, cst.Name | cst.Attribute) or depth > _DEPTH:
            return None
        if isinstance(key, cst.Name) and self._is_keyword(key):
            return key
        api = self.values.api(key)
        return key if api is not None and otel.is_otel(api) else self._constant(key, depth)

    def _is_keyword(self, name: cst.Name) -> bool:
        above = self.walk.parent.get(name)
        return isinstance(above, cst.Arg) and above.keyword is name

    def _constant(self, key: cst.Name | cst.Attribute, depth: int) -> cst.BaseExpression | None:
        """`KEY`, `Keys.USER` and `Keys.USER.value` of this file."""
        if isinstance(key, cst.Name):
            bindings = self.names.reaching(key.value, key)
        elif key.attr.value == "value":
            return self.literal(key.value, depth + 1)
        else:
            owner = self.values.cls(self.values.api(key.value)) or self.values.cls(self.values.type(key.value))
            if owner is None and isinstance(key.value, cst.Name):
                owner = self.names.owner_class(key.value)
            bindings = self.names.in_class(owner, key.attr.value) if owner is not None else []
        if len(bindings) != 1 or bindings[0].kind != "assign" or bindings[0].value is None:
            return None
        return self.literal(bindings[0].value, depth + 1)

    # -- helpers --------------------------------------------------------------------------------------------

    def written_by(self, function: cst.FunctionDef) -> tuple[Writes, ...]:
        """The parameters of a function that it writes as attributes: a mapping, a key and its value, or keywords."""
        found: dict[Writes, None] = {}
        for call in self._calls_in(function):
            for written in self._writes(call):
                given = self._argument(call, written.parameter) if written.form != "keywords" else None
                if written.form == "mapping" and given is not None:
                    found.update(dict.fromkeys(self._mapping(function, given, written)))
                    for key, value in self.entries(given):
                        found.update(dict.fromkeys(self._pair(function, key, value, written)))
                elif written.form == "pair" and given is not None:
                    value = self._argument(call, written.value)
                    found.update(dict.fromkeys(self._pair(function, given, value, written)))
                elif written.form == "keywords":
                    for arg in call.args:
                        if arg.star == "**":
                            found.update(dict.fromkeys(self._mapping(function, arg.value, written)))
        return tuple(found)

    def _calls_in(self, function: cst.FunctionDef) -> list[cst.Call]:
        if self._sinks is None:
            self._sinks = {}
            for call in self.walk.all(cst.Call):
                owner = self.walk.function_of(call)
                if owner is not None:
                    self._sinks.setdefault(owner, []).append(call)
        return self._sinks.get(function, [])

    def _mapping(self, function: cst.FunctionDef, given: Node, written: Writes) -> Iterator[Writes]:
        """`span.set_attributes(attributes)`, `attributes=attributes or {}`, `{**attributes}`, `**attributes`."""
        for each in self._parts(given):
            form = self._parameter(function, each)
            if form is not None:
                yield replace(written, form=form, parameter=each.value, value="")

    def _parts(self, given: Node) -> Iterator[cst.Name]:
        if isinstance(given, cst.Name):
            yield given
        elif isinstance(given, cst.BooleanOperation | cst.BinaryOperation):
            yield from self._parts(given.left)
            yield from self._parts(given.right)
        elif isinstance(given, cst.IfExp):
            yield from self._parts(given.body)
            yield from self._parts(given.orelse)
        elif isinstance(given, cst.Dict):
            for element in given.elements:
                if isinstance(element, cst.StarredDictElement):
                    yield from self._parts(element.value)

    def _pair(self, function: cst.FunctionDef, key: Node, value: Node | None, written: Writes) -> Iterator[Writes]:
        """`span.set_attribute(key, value)` with two parameters, or for each item of one."""
        if not isinstance(key, cst.Name):
            return
        if self._parameter(function, key) == "mapping" and isinstance(value, cst.BaseExpression):
            named = [each for each in self.walk.all(cst.Name, within=value) if self._parameter(function, each)]
            if len(named) == 1:
                pair = replace(written, form="pair", parameter=key.value, value=named[0].value)
                yield replace(pair, converted=written.converted or value is not named[0])
            return
        for binding in self.names.reaching(key.value, key):
            items = binding.value if binding.kind == "for" else None
            if (
                isinstance(items, cst.Call)
                and isinstance(items.func, cst.Attribute)
                and items.func.attr.value == "items"
            ):
                converted = written.converted or not _is_value(binding.node, value)
                yield from self._mapping(function, _default(items.func.value), replace(written, converted=converted))

    def _parameter(self, function: cst.FunctionDef, name: cst.Name) -> str | None:
        """How callers give what a name holds: "mapping" for a parameter's own value, "keywords" for `**x`."""
        bindings = self.names.reaching(name.value, name)
        param = bindings[0].node if len(bindings) == 1 and bindings[0].kind == "param" else None
        if not isinstance(param, cst.Param) or self.walk.parent[param] is not function.params:
            return None
        if param is function.params.star_arg:
            return None
        return "keywords" if param is function.params.star_kwarg else "mapping"


def _is_value(loop: Node, value: Node | None) -> bool:
    """Whether a loop over items writes their values as they are."""
    target = loop.target if isinstance(loop, cst.For | cst.CompFor) else None
    names = [each.value for each in target.elements] if isinstance(target, cst.Tuple) else []
    return len(names) == 2 and value is not None and value.deep_equals(names[1])


def _default(expression: cst.BaseExpression) -> cst.BaseExpression:
    """`x` of `(x or {})`."""
    return expression.left if isinstance(expression, cst.BooleanOperation) else expression


def _joined(parts: Sequence[str | None]) -> str | None:
    known = [each for each in parts if each is not None]
    return "".join(known) if len(known) == len(parts) else None
