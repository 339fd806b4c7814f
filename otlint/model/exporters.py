"""The exporters that a file builds, where they send to, and the keys of what is sent along."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel

if TYPE_CHECKING:
    from otlint.model.module import Module

_CLASS = re.compile(r"\w*?(Span|Trace|Metric|Log)s?(?:Record)?Exporter")
_SIGNALS = {"Span": "traces", "Trace": "traces", "Metric": "metrics", "Log": "logs"}
# Packages whose exporters send to another process.
_REMOTE = ("opentelemetry.exporter.", "azure.monitor.opentelemetry.exporter.")
_CONSOLE = re.compile(r"opentelemetry\.sdk\..*\.Console\w+")
_EXAMPLES = re.compile(
    r"(?i)(?:^|/)(?:docs?|examples?|samples?|snippets|tutorials?|demos?|notebooks?|quick-?starts?[\w-]*|cookbooks?"
    r"|tests?|testing|benchmarks?|fixtures?|playground|scripts)/"
)


@dataclass(frozen=True, eq=False, slots=True)
class Exporter:
    """One exporter of a known library: its class as a dotted name, and its signal: traces, metrics or logs."""

    call: cst.Call
    kind: str
    signal: str

    @property
    def name(self) -> str:
        return self.kind.rpartition(".")[2]

    @property
    def is_remote(self) -> bool:
        """Whether it sends to another process."""
        return self.kind.startswith(_REMOTE)

    @property
    def is_console(self) -> bool:
        """Whether it prints."""
        return _CONSOLE.fullmatch(self.kind) is not None


def exporters(module: Module) -> list[Exporter]:
    """The exporters that the file builds, in source order."""
    found = []
    for call in module.calls(*module.apis_called):
        kind = module.api(call.func) or ""
        match = _CLASS.fullmatch(kind.rpartition(".")[2])
        if match is not None and kind.startswith(("opentelemetry.", *_REMOTE)):
            found.append(Exporter(call, kind, _SIGNALS[match[1]]))
    return found


def is_example(path: str) -> bool:
    """Whether a file shows or tries something, by the folder it is in: nobody deploys it."""
    return _EXAMPLES.search(path) is not None


def resource_key(module: Module, key: cst.BaseExpression) -> str | None:
    """`"service.name"`, `SERVICE_NAME`, `ResourceAttributes.SERVICE_NAME`: None where it is not known."""
    if isinstance(key, cst.SimpleString):
        return str(key.evaluated_value)
    dotted = module.api(key)
    if dotted is None or not otel.is_otel(dotted):
        return None
    return dotted.rpartition(".")[2].lower().replace("_", ".")
