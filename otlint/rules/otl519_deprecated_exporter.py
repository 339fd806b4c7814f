"""OTL519: an exporter that is no longer kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module

_WHY = {
    "Jaeger": "has had no release since 1.21 and does not import beside a current SDK; export OTLP, which Jaeger takes",
    "Zipkin": "is deprecated by the specification and cannot send all attribute values; export OTLP instead",
    "OpenCensus": "is deprecated by the specification; export OTLP instead",
}


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.gone import is_within

    if module.is_spared_test:
        return
    packages = {name: kind for name, kind in otel.DEPRECATED_EXPORTERS.items() if not is_within(module, name)}
    seen = set()
    for statement, dotted in module.names.imported():
        # from opentelemetry.exporter.jaeger.thrift import JaegerExporter
        for package, kind in packages.items():
            if (dotted == package or dotted.startswith(f"{package}.")) and (statement, kind) not in seen:
                seen.add((statement, kind))
                yield module.finding(statement, f"the {kind} exporter {_WHY[kind]}")
