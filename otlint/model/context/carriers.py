"""What is wrong with a carrier: a thing that has no `get`, or in which nobody finds the names of headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libcst as cst

from otlint import known, otel
from otlint.model.code.values import argument, parameters
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

_TYPES = {
    "builtins.list": "a list",
    "builtins.tuple": "a tuple",
    "builtins.str": "a text",
    "builtins.set": "a set",
    "~generator": "a generator",
}
_RAISES, _SILENT = "so the call raises", "so the trace of the caller is not found"
_HEADERS = frozenset({"traceparent", "tracestate", "baggage"})
_ENVIRONMENTS = frozenset({"environ", "META"})


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a carrier is none, in words. `better`: the expression in it that would be one; `as_dict`: as a dict of it."""

    text: str
    better: cst.BaseExpression | None = None
    as_dict: bool = False


def wrong(module: Module, call: cst.Call, given: cst.BaseExpression) -> Wrong | None:
    """What is certainly wrong with the carrier of a call without getter or setter, None when nothing is known to be."""
    if isinstance(given, cst.Name) and given.value == "None":
        return Wrong(f"`None` is no carrier, {_RAISES}")
    kind = module.type(given)
    if kind in _TYPES:
        return Wrong(f"{_TYPES[kind]} is no carrier, {_RAISES}; give a dict")
    if module.api(call.func) not in otel.EXTRACTS:
        return _sent(module, call, given) if isinstance(given, cst.Name) else None
    for each in module.origins(given):
        found = (
            _pairs(module, each)
            or _attributes(each)
            or _environment(module, each)
            or _literal(each)
            or _copy(module, each)
        )
        if found is not None:
            return found
    return None


def _pairs(module: Module, given: cst.BaseExpression) -> Wrong | None:
    """Headers as a list of pairs: of ASGI, gRPC, Kafka."""
    if isinstance(given, cst.Call) and _last(given.func) == "invocation_metadata":
        return Wrong(f"the metadata of gRPC are pairs, {_RAISES}; make a dict of them", given, as_dict=True)
    if _is_scope(given):
        return Wrong(f"the headers of an ASGI scope are pairs of bytes, {_RAISES}; give a dict of text")
    if isinstance(given, cst.Attribute) and given.attr.value == "raw" and _last(given.value) == "headers":
        return Wrong(f"raw headers are pairs of bytes, {_RAISES}; give `headers`", given.value)
    if _is_message(module, given):
        return Wrong(f"the headers of a Kafka message are pairs of text and bytes, {_RAISES}; give a dict of text")
    return None


def _attributes(given: cst.BaseExpression) -> Wrong | None:
    """`message["MessageAttributes"]`, `record.get("messageAttributes", {})`: of SQS and SNS."""
    key = _key(given)
    if key is None or key.lower() != "messageattributes":
        return None
    return Wrong(f"each message attribute is a dict of its own, {_SILENT}; give a dict of their `StringValue`")


def _sent(module: Module, call: cst.Call, given: cst.Name) -> Wrong | None:
    """A carrier that is sent as it is by a client that takes something else than a dict of text."""
    function = module.function_of(call)
    for use in module.walk.named(given.value, function) if function is not None else ():
        arg, items = module.walk.parent[use], isinstance(module.walk.parent[use], cst.Attribute)
        if items:  # list(headers.items())
            arg = next((up for up in module.walk.ancestors(use) if isinstance(up, cst.Arg) and up.keyword), arg)
        client = module.walk.parent[arg]
        if not isinstance(arg, cst.Arg) or arg.keyword is None or not isinstance(client, cst.Call):
            continue
        operation = module.operation(client)
        if arg.keyword.value == "MessageAttributes" and not items:
            return Wrong("message attributes are dicts with a `DataType` each, so sending raises; make such ones of it")
        bare = module.code(arg.value).replace(" ", "") in {f"list({given.value}.items())", given.value}
        if arg.keyword.value == "headers" and bare and operation is not None and operation.client in _table()["bytes"]:
            return Wrong("the values of a Kafka message's headers are bytes, so sending raises; encode them")
    return None


def _environment(module: Module, given: cst.BaseExpression) -> Wrong | None:
    """`os.environ`, `request.environ` and that of WSGI name headers in capitals: HTTP_TRACEPARENT."""
    if isinstance(given, cst.Name) and given.value == "environ" and _is_wsgi(module.function_of(given)):
        return Wrong(
            f"`environ` has no `traceparent` but `HTTP_TRACEPARENT`, {_SILENT}; give a dict with lower-case names"
        )
    if isinstance(given, cst.Attribute) and given.attr.value in _ENVIRONMENTS:
        process = module.names.dotted(given) == "os.environ"
        if process and module.silenced(given, _hands_down(module)):
            return None
        better = "a dict with lower-case names" if process else "`request.headers`"
        return Wrong(f"`{module.code(given)}` has no `traceparent`, {_SILENT}; give {better}")
    return None


def _hands_down(module: Module) -> Reason | None:
    """A project that injects where it starts processes, whose environment then has the names in lower case."""
    for path, facts in module.project.files.items():
        if facts.calls.isdisjoint(otel.INJECTS):
            continue
        starts = any(name.partition(".")[0] == "subprocess" for name in facts.imports)
        if starts or any("os.environ.copy" in each.calls for each in module.project.definitions(facts)):
            return Reason(f"`{path}` injects, and may do so into the environment of the processes that it starts")
    return None


def _is_wsgi(function: cst.FunctionDef | cst.Lambda | None) -> bool:
    """Whether a function is an application of WSGI, whose parameters have these names."""
    names = [each.name.value for each in function.params.params] if function is not None else []
    return names[-2:] == ["environ", "start_response"]


def _literal(given: cst.BaseExpression) -> Wrong | None:
    """`{"Traceparent": …}`, `{b"traceparent": …}`."""
    for element in given.elements if isinstance(given, cst.Dict) else ():
        if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
            continue
        name = element.key.evaluated_value
        if isinstance(name, bytes) and name.decode(errors="replace").lower() in _HEADERS:
            return Wrong(f"the name of the header is bytes, {_SILENT}; give text")
        if isinstance(name, str) and name.lower() in _HEADERS and name != name.lower():
            return Wrong(f"the name `{name}` is not in lower case, {_SILENT}; write `{name.lower()}`")
    return None


def _copy(module: Module, given: cst.BaseExpression) -> Wrong | None:
    """`dict(request.headers)`, `{k: v for k, v in request.headers.items()}`, `dict(message.headers or [])`."""
    inner = _copied(module, given)
    for copied in module.origins(inner) if inner is not None else ():
        if _is_scope(copied):
            return Wrong(f"the headers of an ASGI scope are bytes, {_SILENT}; give a dict of text")
        if _is_message(module, copied):
            return Wrong(f"the values of a Kafka message's headers are bytes, {_RAISES}; decode them")
        if _is_capital(module, copied):
            better = copied if module.walk.inside(copied, given) else None
            return Wrong(f"a dict of the headers looks for `traceparent` in its own case, {_SILENT}; give them", better)
    return None


def _copied(module: Module, given: cst.BaseExpression) -> cst.BaseExpression | None:
    if isinstance(given, cst.Call) and module.api(given.func) == "builtins.dict" and len(given.args) == 1:
        arg = given.args[0]
        inner = arg.value if not arg.star and arg.keyword is None else None
    elif isinstance(given, cst.DictComp) and isinstance(given.key, cst.Name) and given.for_in.inner_for_in is None:
        target = given.for_in.target
        first = target.elements[0].value if isinstance(target, cst.Tuple) else None
        plain = isinstance(first, cst.Name) and first.value == given.key.value and isinstance(given.value, cst.Name)
        inner = given.for_in.iter if plain else None
    else:
        return None
    if isinstance(inner, cst.Call) and isinstance(inner.func, cst.Attribute) and inner.func.attr.value == "items":
        return inner.func.value
    return inner


def _is_scope(given: cst.BaseExpression) -> bool:
    """`scope["headers"]`, `request.scope["headers"]`, `scope.get("headers", [])`."""
    if _key(given) != "headers":
        return False
    owner = given.func if isinstance(given, cst.Call) else given
    return isinstance(owner, cst.Subscript | cst.Attribute) and _last(owner.value) == "scope"


def _key(given: cst.BaseExpression) -> str | None:
    """The key by which something is taken from a mapping: `event["headers"]`, `event.get("headers", {})`."""
    if isinstance(given, cst.Subscript):
        index = given.slice[0].slice
        key = index.value if isinstance(index, cst.Index) else None
    elif isinstance(given, cst.Call) and isinstance(given.func, cst.Attribute) and given.func.attr.value == "get":
        key = given.args[0].value if given.args else None
    else:
        return None
    return str(key.evaluated_value) if isinstance(key, cst.SimpleString) else None


def _is_message(module: Module, given: cst.BaseExpression) -> bool:
    """`record.headers`, `message.headers()`: of what Kafka delivers, or in a file that knows messages of Kafka only."""
    called = isinstance(given, cst.Call)
    attribute = given.func if isinstance(given, cst.Call) else given
    if _last(attribute) != "headers" or not isinstance(attribute, cst.Attribute):
        return False
    package = _deliverer(module, attribute.value)
    if package in _table()["pairs"]:
        return called is (package == "confluent_kafka")
    packages = {each.partition(".")[0] for each in module.names.imports_everywhere}
    if packages.isdisjoint(_table()["pairs"]) or not packages.isdisjoint(_table()["mappings"]):
        return False
    return called is ("confluent_kafka" in packages)


def _deliverer(module: Module, message: cst.BaseExpression, depth: int = 0) -> str:
    """The package of what a message is of, or is taken from: `async for message in consumer: handle(message)`."""
    kind = module.type(message)
    if kind is not None or not isinstance(message, cst.Name):
        return kind.partition(".")[0] if kind is not None else ""
    for each in module.names.reaching(message.value, message):
        function = module.function_of(message)
        if each.kind == "for" and each.value is not None:
            return (module.type(each.value) or "").partition(".")[0]
        if each.kind == "param" and isinstance(function, cst.FunctionDef) and depth < 3:
            given = [argument(call, message.value, parameters(function)) for call in module.values.call_sites(function)]
            found = {_deliverer(module, value, depth + 1) if value is not None else "" for value in given}
            return found.pop() if len(found) == 1 else ""
    return ""


def _is_capital(module: Module, given: cst.BaseExpression) -> bool:
    if not isinstance(given, cst.Attribute) or given.attr.value != "headers":
        return False
    if module.names.dotted(given.value) in _table()["requests"]:
        return True
    function = module.function_of(given)
    entry = module.entries.of(function) if function is not None else None
    return entry is not None and entry.key in _table()["capital"]


def _last(expression: cst.CSTNode) -> str | None:
    """`headers` of `request.headers` and of `headers`."""
    if isinstance(expression, cst.Attribute):
        return expression.attr.value
    return expression.value if isinstance(expression, cst.Name) else None


def _table() -> dict[str, Any]:
    found: dict[str, Any] = known.table("propagators")["carriers"]
    return found
