"""OTL514: a processor that sends every span or log record at once, over the network."""

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

_EXPORTERS = ("span_exporter", "exporter")
_FROZEN = re.compile(
    r"(?i)\blambda_handler\b|aws_lambda|k_service|functions_framework|\bephemeral\b|\bshort[- ]lived\b"
)


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.endings import ends_by_itself
    from otlint.model.setup.exporters import is_example

    if module.is_spared_test:
        return
    for call in module.calls(*otel.SIMPLE_PROCESSORS):
        exporter = _exporter(module, call)
        if exporter is None:
            continue
        if module.silenced(call, is_example(module.path) and "the file is an example"):
            continue
        if module.silenced(call, _FROZEN.search(module.source.text) and "the process may be frozen between requests"):
            continue
        if module.silenced(call, ends_by_itself(module) and "the program comes to an end by itself"):
            continue
        batch = otel.SIMPLE_PROCESSORS[module.api(call.func) or ""].rpartition(".")[2]
        what = "span ends, the thread waits until it is" if batch == "BatchSpanProcessor" else "record is made, it is"
        yield module.finding(
            call,
            f"each time a {what} sent by `{exporter.rpartition('.')[2]}`; use `{batch}`",
            fix=_fix(module, call),
            hint=_is_apart(module, call),
        )


def _is_apart(module: Module, call: cst.Call) -> bool:
    """Whether a function makes the provider for the tracer that it takes from it, and not as the global one."""
    function = module.function_of(call)
    if function is None or any(module.calls(api) for api in otel.SET_PROVIDER.values()):
        return False
    takes = (module.walk.inside(each, function) for each in module.calls(f"{otel.SDK_PROVIDER}.get_tracer"))
    makes = (module.walk.inside(each, function) for each in module.calls(otel.SDK_PROVIDER))
    return any(takes) and any(makes)


def _exporter(module: Module, call: cst.Call) -> str | None:
    """The class of the exporter, where that certainly sends to another process on some way."""
    from otlint.model.setup.exporters import made

    given = next((found for name in _EXPORTERS if (found := module.argument(call, name)) is not None), None)
    meant = made(module, given) if given is not None else []
    remote = [each.kind for each in meant if each is not None and each.is_remote]
    return remote[0] if remote and None not in meant else None


def _fix(module: Module, call: cst.Call) -> Fix:
    text, imports = edits.reference(module, otel.SIMPLE_PROCESSORS[module.api(call.func) or ""], call)
    return Fix("send them in batches", Safety.UNSAFE, (*edits.replace(module, call.func, text), *imports))
