"""OTL518: an OTLP exporter whose endpoint or headers are of a form that its transport cannot use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

_BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
_URL = re.compile(r"(?:(?P<scheme>https?)://)?(?P<host>[\w.-]+|\[[\da-fA-F:]+\])(?::(?P<port>\d+))?(?P<path>/.*)?")
# Hosts of the same machine or network, where a collector on its usual port takes plain text.
_NEAR = re.compile(r"localhost|127\.0\.0\.1|[\w-]+")


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.exporters import fallback, variable_read

    if module.is_spared_test:
        return
    for call in module.calls(*otel.OTLP_HTTP, *otel.OTLP_GRPC):
        api = module.api(call.func) or ""
        endpoint, headers = module.argument(call, "endpoint"), module.argument(call, "headers")
        for origin in module.origins(endpoint) if endpoint is not None else ():
            text = origin if _value(origin) is not None else fallback(module, origin)
            fault = _of_literal(module, call, api, _value(text)) if text is not None else None
            if fault is not None and text is not None:
                yield module.finding(text, fault, fix=_append(module, api, text))
            elif api in otel.OTLP_HTTP and variable_read(module, origin) == _BASE:
                yield from _verbatim(module, call, endpoint, otel.OTLP_HTTP[api], origin)
        yield from _headers(module, api, headers) if headers is not None else ()


def _value(expression: cst.BaseExpression | None) -> str | None:
    import libcst as cst

    value = expression.evaluated_value if isinstance(expression, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def _of_literal(module: Module, call: cst.Call, api: str, text: str | None) -> str | None:
    """What is wrong with an endpoint that is known."""
    url = _URL.fullmatch(text or "")
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


def _append(module: Module, api: str, text: cst.BaseExpression) -> Fix | None:
    """The path, where only that is missing; or no slash at its end."""
    url = _URL.fullmatch(_value(text) or "")
    if url is None or api not in otel.OTLP_HTTP or url["scheme"] is None or url["port"] == "4317":
        return None
    wanted = otel.OTLP_HTTP[api]
    base = (_value(text) or "").removesuffix("/").removesuffix(wanted)
    return Fix(f"end it with {wanted}", Safety.SAFE, edits.replace(module, text, f'"{base}{wanted}"'))


def _verbatim(
    module: Module, call: cst.Call, endpoint: cst.BaseExpression | None, wanted: str, origin: cst.BaseExpression
) -> Iterator[Finding]:
    from otlint.model.exporters import fallback

    said = wanted in module.source.text and f"the file speaks of `{wanted}`, so the variable may hold it or get it"
    if module.silenced(call, said):
        return
    given = next(arg for arg in call.args if arg.value is endpoint)
    bare = endpoint is origin and fallback(module, origin) is None and given.keyword is not None
    fix = Fix("leave it to the exporter", Safety.SAFE, edits.remove_argument(module, call, given)) if bare else None
    message = f"the exporter adds `{wanted}` to {_BASE} only if it reads that itself; leave `endpoint` out"
    yield module.finding(given, message, fix=fix)


def _headers(module: Module, api: str, headers: cst.BaseExpression) -> Iterator[Finding]:
    import libcst as cst

    if api in otel.OTLP_HTTP:
        if isinstance(headers, cst.SimpleString | cst.FormattedString):
            yield module.finding(headers, "`headers` is text, which raises AttributeError; give a dictionary")
        return
    for element in headers.elements if isinstance(headers, cst.Dict | cst.Tuple | cst.List) else ():
        pair = element.value.elements if isinstance(element.value, cst.Tuple | cst.List) else ()
        key = element.key if isinstance(element, cst.DictElement) else pair[0].value if pair else None
        name = _value(key)
        if key is not None and name is not None and name != name.lower():
            fix = Fix("write it in lower case", Safety.SAFE, edits.replace(module, key, f'"{name.lower()}"'))
            yield module.finding(
                key, "gRPC refuses headers in upper case, so every export fails; use lower case", fix=fix
            )
