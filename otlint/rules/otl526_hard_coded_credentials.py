"""OTL526: credentials in the source, or telemetry that leaves the network in plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from otlint import known, otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

_VARIABLES = re.compile(r"OTEL_EXPORTER_OTLP_(?:\w+_)?HEADERS")
_SECRET = "is a credential, and everybody who reads the source has it; take it from the environment"


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.exporters import exporters, fallback

    if module.is_spared_test:
        return
    for call in {each.call: None for each in exporters(module)}:
        headers, endpoint = module.argument(call, "headers"), module.argument(call, "endpoint")
        for origin in module.origins(headers) if headers is not None else ():
            yield from _headers(module, fallback(module, origin) or origin)
        for origin in module.origins(endpoint) if endpoint is not None else ():
            yield from _endpoint(module, call, fallback(module, origin) or origin)
    yield from _environment(module)


def _environment(module: Module) -> Iterator[Finding]:
    """`os.environ["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Bearer …"`."""
    from otlint.model.setup.exporters import variables_set

    for name, value in variables_set(module):
        if _VARIABLES.fullmatch(name):
            yield from _headers(module, value)


def _headers(module: Module, headers: cst.BaseExpression) -> Iterator[Finding]:
    from otlint.model.kinds.endpoints import is_credential
    from otlint.model.setup.exporters import header_pairs

    text = module.helpers.attributes.text(headers)
    if text is not None:
        pairs = (pair.partition("=") for pair in text.replace("%20", " ").split(","))
        if any(is_credential(name, value) for name, _, value in pairs):
            yield module.finding(headers, f"one of these headers {_SECRET}")
        return
    for key, value in header_pairs(module, headers):
        name = module.helpers.attributes.text(key)
        for origin in module.origins(value) if name is not None else ():
            if is_credential(name or "", module.helpers.attributes.text(origin) or ""):
                yield module.finding(origin, f"`{name}` {_SECRET}")


def _endpoint(module: Module, call: cst.Call, endpoint: cst.BaseExpression) -> Iterator[Finding]:
    from otlint.model.kinds.endpoints import is_local, is_secret

    text = module.helpers.attributes.text(endpoint) or ""
    try:
        url = urlsplit(text if "://" in text else f"//{text}")
        host = url.hostname
    except ValueError:
        return
    if not text or not host or not re.fullmatch(r"[\w.:-]+", host):
        return
    asked = (name in known.table("credentials")["parameters"] and value for name, value in parse_qsl(url.query))
    if any(is_secret(value) for value in (url.password, *asked) if value):
        yield module.finding(endpoint, f"this URL holds what {_SECRET}")
    is_plain = url.scheme == "http" or (not url.scheme and _is_insecure(module, call))
    inside = is_plain and is_local(host, _known(module)) and "the host is on this machine or in a private network"
    if is_plain and not module.silenced(endpoint, inside):
        yield module.finding(
            endpoint, f"telemetry goes to `{host}` in plain text, for everybody on the way to read; send it with TLS"
        )


def _known(module: Module) -> list[str]:
    hosts = module.options.get("known-local-hosts")
    return [str(each) for each in hosts] if isinstance(hosts, list) else []


def _is_insecure(module: Module, call: cst.Call) -> bool:
    import libcst as cst

    given = module.argument(call, "insecure") if (module.api(call.func) or "") in otel.OTLP_GRPC else None
    return isinstance(given, cst.Name) and given.value == "True"
