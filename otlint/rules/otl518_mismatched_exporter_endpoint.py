"""OTL518: an OTLP exporter whose endpoint or headers are of a form that its transport cannot use."""

from __future__ import annotations

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


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.addresses import address, is_kept_out, misfit
    from otlint.model.setup.exporters import fallback, variable_read

    if module.is_spared_test:
        return
    for call in module.calls(*otel.OTLP_HTTP, *otel.OTLP_GRPC):
        api = module.api(call.func) or ""
        endpoint, headers = module.argument(call, "endpoint"), module.argument(call, "headers")
        for origin in module.origins(endpoint) if endpoint is not None else ():
            text = fallback(module, origin) or origin
            fault = misfit(module, call, api, address(module, text))
            if fault is not None and not module.silenced(text, is_kept_out(module, call, endpoint, text)):
                yield module.finding(text, fault, fix=_append(module, call, api, text))
            elif api in otel.OTLP_HTTP and variable_read(module, origin) == _BASE:
                yield from _verbatim(module, call, endpoint, otel.OTLP_HTTP[api], origin)
        yield from _headers(module, api, headers) if headers is not None else ()
        yield from _switch(module, call) if api in otel.OTLP_HTTP else ()


def _value(expression: cst.BaseExpression | None) -> str | None:
    import libcst as cst

    value = expression.evaluated_value if isinstance(expression, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def _append(module: Module, call: cst.Call, api: str, text: cst.BaseExpression) -> Fix | None:
    """The path, where only that is missing; or no slash at its end."""
    from otlint.model.setup.addresses import URL

    url = URL.fullmatch(_value(text) or "")
    if url is None or api not in otel.OTLP_HTTP or url["scheme"] is None or url["port"] == "4317":
        return None
    wanted = otel.OTLP_HTTP[api]
    if url["path"] not in {None, "/", f"{wanted}/"} or not _serves(module, call, text):
        return None
    base = (_value(text) or "").removesuffix("/").removesuffix(wanted)
    return Fix(f"end it with {wanted}", Safety.SAFE, edits.replace(module, text, f'"{base}{wanted}"'))


def _serves(module: Module, call: cst.Call, text: cst.BaseExpression) -> bool:
    """Whether a text is there for this exporter alone: the others have other paths."""
    import libcst as cst

    given = module.argument(call, "endpoint")
    if not isinstance(given, cst.Name):
        return module.walk.inside(text, call)
    return sum(1 for _ in module.walk.named(given.value, module.tree)) == 2


def _switch(module: Module, call: cst.Call) -> Iterator[Finding]:
    """`OTLPSpanExporter(endpoint=…, insecure=True)` of the exporter over HTTP."""
    given = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "insecure"), None)
    if given is not None:
        fix = Fix("leave it out", Safety.SAFE, edits.remove_argument(module, call, given))
        message = "the exporter over HTTP has no `insecure`, so this raises TypeError; the scheme of the URL says it"
        yield module.finding(given, message, fix=fix)


def _verbatim(
    module: Module, call: cst.Call, endpoint: cst.BaseExpression | None, wanted: str, origin: cst.BaseExpression
) -> Iterator[Finding]:
    from otlint.model.setup.addresses import values_deployed
    from otlint.model.setup.exporters import fallback

    said = wanted in module.source.text and f"the file speaks of `{wanted}`, so the variable may hold it or get it"
    deployed = values_deployed(module, _BASE)
    whole = any(value.endswith(wanted) for value in deployed) and f"it is deployed with a value that has `{wanted}`"
    if module.silenced(call, said or whole):
        return
    given = next(arg for arg in call.args if arg.value is endpoint)
    bare = endpoint is origin and fallback(module, origin) is None and given.keyword is not None
    safety = Safety.SAFE if deployed else Safety.UNSAFE
    fix = Fix("leave it to the exporter", safety, edits.remove_argument(module, call, given)) if bare else None
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
