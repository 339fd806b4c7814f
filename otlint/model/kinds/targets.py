"""Where a request goes: to a service of the same system, to somebody else's, or nobody can tell.

requests.get(f"{ORDERS_URL}/orders/{order}")     with ORDERS_URL = os.getenv("ORDERS_URL", "http://orders:8080"): own
requests.get("https://api.example.com/rates")    somebody else's
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.model.code.values import argument, parameters
from otlint.model.code.walk import Node
from otlint.model.setup.exporters import fallback, variable_read

if TYPE_CHECKING:
    from otlint.model.module import Module

_URL = re.compile(
    r"(?:(?:https?|grpc|dns)://+)?(?P<host>[\w.-]+|\[[\da-fA-F:]+\])(?::(?P<port>\d+))?(?P<more>[/?].*)?", re.S
)
# Names of settings that hold the address of a service of the same system.
_OWN = re.compile(
    r"(?i)(?:service|svc|backend|microservice|upstream|downstream)s?_?(?:base_?|api_?)?(?:ur[il]|host|addr(?:ess)?|endpoint)"
)
_SERVICE = re.compile(r"(?:^|[.-])(?:service|svc)(?:$|[.-])")
# The machine itself: without a port, it stands for whatever a socket or a proxy leads to.
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_INSIDE = (".svc", ".cluster.local", ".local", ".internal", ".localhost", ".lan", ".consul")
# What gives a URL that begins with the first argument, or with what the method is called on.
_JOINS = frozenset({"urllib.parse.urljoin", "builtins.str", "yarl.URL", "httpx.URL", "urllib.request.Request"})
_TRIMS = frozenset({"rstrip", "strip", "format", "removesuffix", "lower"})
_URLS = ("url", "target", "base_url")
# The first argument is the method: `requests.request("GET", url)`.
_SECOND = frozenset({"request", "stream"})
_DEPTH = 6


class Target(enum.Enum):
    """Whose service a request goes to."""

    OWN = "own"
    FOREIGN = "foreign"


def target(module: Module, call: cst.Call, *, addressed: bool) -> Target | None:
    """Whose service the call calls, None when that is not known; `addressed`: the call itself may say where it goes."""
    given = _address(call) if addressed else None
    found = {_whose(module, each, 0) for each in ([given] if given is not None else [])}
    if given is None or (found == {None} and _is_path(module, given)):
        client = call.func.value if isinstance(call.func, cst.Attribute) else None
        found = {_of_client(module, each) for each in (_entered(module, client) if client is not None else ())}
    return found.pop() if len(found) == 1 else None


def _address(call: cst.Call) -> cst.BaseExpression | None:
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else getattr(call.func, "value", "")
    positions = ("", "url") if method in _SECOND else ("url",)
    return argument(call, "url", positions)


def _is_path(module: Module, given: cst.BaseExpression) -> bool:
    """`"/orders"`, `f"/orders/{order}"`."""
    return any((_start(each) or "").startswith("/") for each in module.origins(given))


def _of_client(module: Module, made: Node) -> Target | None:
    """`httpx.Client(base_url="http://orders")`, `OrdersStub(grpc.insecure_channel("orders:50051"))`."""
    if isinstance(made, cst.Attribute):
        found = {_of_client(module, each) for each in _stored(module, made)}
        return found.pop() if len(found) == 1 else None
    if not isinstance(made, cst.Call):
        return None
    given = next((each for name in _URLS if (each := argument(made, name, ())) is not None), None)
    if given is None and made.args and made.args[0].keyword is None and not made.args[0].star:
        given = made.args[0].value
    if given is None:
        return None
    for origin in _entered(module, given):
        if isinstance(origin, cst.Call) and "channel" in (module.api(origin.func) or ""):
            return _of_client(module, origin)
    return _whose(module, given, 0)


def _entered(module: Module, given: cst.BaseExpression) -> Iterator[Node]:
    """`with grpc.insecure_channel("orders:50051") as channel:`, `with httpx.Client(base_url=URL) as client:`."""
    for origin in module.origins(given):
        bindings = module.names.reaching(origin.value, origin) if isinstance(origin, cst.Name) else ()
        yield next((each.value for each in bindings if each.kind == "with" and each.value is not None), origin)


def _whose(module: Module, given: cst.BaseExpression, depth: int) -> Target | None:
    """Whose the address is that an expression gives."""
    if depth > _DEPTH:
        return None
    found = {_judged(module, each, depth) for each in module.origins(given)}
    return found.pop() if len(found) == 1 else None


def _judged(module: Module, given: cst.BaseExpression, depth: int) -> Target | None:
    text = _start(given)
    if text:
        return _of_text(text, complete=isinstance(given, cst.SimpleString))
    default = fallback(module, given)
    if default is not None:
        return _of_text(str(default.evaluated_value), complete=True)
    inner = _beginning(module, given)
    if inner is not None:
        return _whose(module, inner, depth + 1)
    if isinstance(given, cst.Attribute | cst.Name):
        found = {_whose(module, each, depth + 1) for each in (*_stored(module, given), *_passed(module, given))}
        if found - {None}:
            return found.pop() if len(found) == 1 else None
    return Target.OWN if _OWN.search(_spelled(module, given)) else None


def _start(given: Node) -> str | None:
    """The text with which an expression certainly begins."""
    if isinstance(given, cst.SimpleString):
        return str(given.evaluated_value)
    if isinstance(given, cst.ConcatenatedString):
        return _start(given.left)
    if isinstance(given, cst.FormattedString) and given.parts:
        first = given.parts[0]
        return first.value if isinstance(first, cst.FormattedStringText) else None
    return None


def _beginning(module: Module, given: Node) -> cst.BaseExpression | None:
    """The expression with whose text another one begins."""
    if isinstance(given, cst.FormattedString):
        first = given.parts[0] if given.parts else None
        return first.expression if isinstance(first, cst.FormattedStringExpression) else None
    if isinstance(given, cst.BinaryOperation) and isinstance(given.operator, cst.Add | cst.Divide | cst.Modulo):
        return given.left
    if isinstance(given, cst.Call):
        if module.api(given.func) in _JOINS:
            return argument(given, "url", ("url",))
        if isinstance(given.func, cst.Attribute) and given.func.attr.value in _TRIMS:
            return given.func.value
    return None


def _stored(module: Module, given: Node) -> Iterator[cst.BaseExpression]:
    """What the class puts into `self.url`."""
    if not isinstance(given, cst.Attribute) or not isinstance(given.value, cst.Name) or given.value.value != "self":
        return
    method = module.function_of(given)
    owner = module.walk.class_of(method) if method is not None else None
    for binding in module.names.attributes.get((owner, given.attr.value), ()) if owner is not None else ():
        if binding.value is not None and binding.kind == "assign":
            yield binding.value


def _passed(module: Module, given: Node) -> Iterator[cst.BaseExpression]:
    """What the callers in this file give for a parameter, and its default."""
    if not isinstance(given, cst.Name):
        return
    bindings, function = module.names.reaching(given.value, given), module.function_of(given)
    if len(bindings) != 1 or bindings[0].kind != "param" or not isinstance(function, cst.FunctionDef):
        return
    parameter = bindings[0].node
    if isinstance(parameter, cst.Param) and parameter.default is not None:
        yield parameter.default
    names = parameters(function)
    for call in module.values.call_sites(function):
        value = argument(call, given.value, names[1:] if names[:1] == ("self",) else names)
        if value is not None:
            yield value


def _spelled(module: Module, given: Node) -> str:
    """The name of a setting that an expression reads."""
    read = variable_read(module, given) if isinstance(given, cst.BaseExpression) else None
    if read is not None:
        return read
    if isinstance(given, cst.Attribute):
        return given.attr.value
    return given.value if isinstance(given, cst.Name) else ""


def _of_text(text: str, *, complete: bool) -> Target | None:
    """`http://orders:8080/…`; a text that may go on has to have something behind the host."""
    url = _URL.fullmatch(text) if complete else _URL.match(text)
    if url is None or not (complete or url["more"] or url["port"]):
        return None
    host, port = url["host"].strip("[]").lower(), url["port"]
    if host in _HERE and port is None:
        return None
    table = known.table("propagators")["targets"]
    if (port in table["ports"] and not _SERVICE.search(host)) or not set(re.split(r"[.-]", host)).isdisjoint(
        table["hosts"]
    ):
        return Target.FOREIGN
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        inside = "." not in host or host.endswith(_INSIDE) or any(f"{each}." in host for each in _INSIDE)
        return Target.OWN if inside else Target.FOREIGN
    return Target.OWN if address.is_private and not address.is_link_local else Target.FOREIGN
