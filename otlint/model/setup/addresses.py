"""The addresses that exporters of OTLP are given, and what their transport makes of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.text.template import pieces

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.module import Module

URL = re.compile(r"(?:(?P<scheme>https?)://)?(?P<host>[\w.-]+|\[[\da-fA-F:]+\])(?::(?P<port>\d+))?(?P<path>/.*)?")
# Hosts of the same machine or network, where a collector on its usual port takes plain text.
_NEAR = re.compile(r"localhost|127\.0\.0\.1|[\w-]+")
_HOST = re.compile(r"(?i)(?:^|_)(?:host(?:name)?|ip|addr)$")
_PORT_NEXT = re.compile(r"://[^/:]+:$")
_SOME_HOST = "a.host"


def address(module: Module, expression: cst.BaseExpression) -> str | None:
    """The text of an address; hosts and ports in it that are not known stand as `a.host` and `1`."""
    text = module.helpers.attributes.text(expression)
    parts = pieces(module, expression) if text is None else None
    if not parts or not isinstance(parts[0], str):
        return text
    found = ""
    for i, part in enumerate(parts):
        known = part if isinstance(part, str) else module.helpers.attributes.text(part)
        if known is None and not isinstance(part, str):
            rest = [each for each in parts[i + 1 :] if each != ""]
            called = part.attr.value if isinstance(part, cst.Attribute) else module.code(part)
            is_host = found.endswith("://") and (bool(rest) or _HOST.search(called) is not None)
            known = _SOME_HOST if is_host else "1" if _PORT_NEXT.search(found) else None
        if known is None:
            return None
        found += known
    return found


def misfit(module: Module, call: cst.Call, api: str, text: str | None) -> str | None:
    """What is wrong with an endpoint for this exporter, None when nothing is known to be."""
    url = URL.fullmatch(text or "")
    if url is None:
        return None
    if api in otel.OTLP_HTTP:
        wanted = otel.OTLP_HTTP[api]
        if url["scheme"] is None:
            return f"OTLP over HTTP needs a URL with its scheme, so nothing is sent; give `http://…{wanted}`"
        if url["port"] == "4317":
            return f"4317 is the port of OTLP over gRPC, so what is posted there is refused; give `:4318{wanted}`"
        if url["path"] in {None, "/", f"{wanted}/"}:
            return f"the endpoint is used as it is, and no collector answers there; it has to end with `{wanted}`"
        if url["path"] in otel.OTLP_HTTP.values() and url["path"] != wanted:
            return f"`{url['path']}` takes other telemetry than this exporter sends; it has to be `{wanted}`"
        return None
    if url["port"] == "4318":
        return "4318 is the port of OTLP over HTTP, which does not speak gRPC; give port 4317"
    if url["scheme"] is None and url["path"] is not None:
        return "an endpoint of gRPC has no path, so its host is not found; leave the path out"
    plain = url["scheme"] is None and url["port"] == "4317" and _NEAR.fullmatch(url["host"]) is not None
    if plain and all(arg.star == "" for arg in call.args):
        given = (module.argument(call, name) for name in ("insecure", "credentials"))
        if all(each is None for each in given):
            return "without `http://` the exporter speaks TLS, which a collector on this port mostly does not; add it"
    return None


def values_deployed(module: Module, variable: str) -> list[str]:
    """What a variable of the environment is set to by the files that deploy the program, or else the project."""
    deployments = module.project.deployments
    if deployments is None:
        return []
    own = deployments.for_path(module.path).env.get(variable)
    return [own] if own else [each.env[variable] for each in deployments.units.values() if each.env.get(variable)]


def is_kept_out(module: Module, call: cst.Call, endpoint: Node | None, given: Node) -> str | None:
    """Why a text does not get here: `if endpoint.startswith("http://"):` chooses the exporter by it."""
    text = _value(given)
    if not isinstance(endpoint, cst.Name) or text is None:
        return None
    for up in module.walk.ancestors(call):
        test = up.test if isinstance(up, cst.If) else None
        starts = _starts(module, test, endpoint.value) if test is not None else ()
        inside = isinstance(up, cst.If) and module.walk.inside(call, up.body)
        if starts and text.startswith(tuple(starts)) != inside:
            return "this exporter is for addresses that begin otherwise"
    return None


def _starts(module: Module, test: cst.BaseExpression, name: str) -> list[str]:
    """What a condition asks whether the address begins with it; nothing where it may ask the opposite."""
    found: list[str] = []
    for call in module.walk.all(cst.Call, within=test):
        asked = call.func if isinstance(call.func, cst.Attribute) and call.func.attr.value == "startswith" else None
        if asked is None or not isinstance(asked.value, cst.Name) or asked.value.value != name or not call.args:
            continue
        given = call.args[0].value
        elements = [each.value for each in given.elements] if isinstance(given, cst.Tuple) else [given]
        found += [text for each in elements if (text := _value(each)) is not None]
    return [] if module.walk.all(cst.UnaryOperation, within=test) else found


def _value(expression: Node) -> str | None:
    value = expression.evaluated_value if isinstance(expression, cst.SimpleString) else None
    return value if isinstance(value, str) else None
