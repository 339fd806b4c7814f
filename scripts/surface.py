"""Write otlint/known/api.toml: which names the modules and classes of OpenTelemetry's API and SDK have.

Run `python -m scripts.surface` with the wanted versions of opentelemetry-api and opentelemetry-sdk installed.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).parent.parent / "otlint" / "known" / "api.toml"
MODULES = (
    "opentelemetry.baggage",
    "opentelemetry.context",
    "opentelemetry.metrics",
    "opentelemetry.propagate",
    "opentelemetry.propagators.composite",
    "opentelemetry.propagators.textmap",
    "opentelemetry.sdk.metrics",
    "opentelemetry.sdk.metrics.export",
    "opentelemetry.sdk.metrics.view",
    "opentelemetry.sdk.resources",
    "opentelemetry.sdk.trace",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.sdk.trace.sampling",
    "opentelemetry.trace",
    "opentelemetry.trace.propagation",
    "opentelemetry.trace.span",
    "opentelemetry.trace.status",
    "opentelemetry._logs",
    "opentelemetry.sdk._logs",
    "opentelemetry.sdk._logs.export",
)


def objects() -> dict[str, tuple[object, ...]]:
    """By the type that otlint knows them by: objects of all classes that it may stand for."""
    from opentelemetry import _logs, metrics, trace
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("otlint")
    span = tracer.start_span("otlint")
    logger = LoggerProvider(shutdown_on_exit=False).get_logger("otlint")
    meter = MeterProvider(shutdown_on_exit=False).get_meter("otlint")
    return {
        "opentelemetry.trace.Tracer": (tracer, trace.ProxyTracer("otlint", None, None, None)),
        "opentelemetry.trace.Span": (span, trace.INVALID_SPAN),
        "opentelemetry.trace.SpanContext": (span.get_span_context(),),
        "opentelemetry._logs.Logger": (logger, _logs.NoOpLogger("otlint")),
        "opentelemetry.metrics.Meter": (meter, metrics.NoOpMeter("otlint")),
    }


def within(name: str) -> list[str]:
    """The names in a module, those of its submodules included; raises ImportError."""
    module = importlib.import_module(name)
    inside = [each.name for each in pkgutil.iter_modules(getattr(module, "__path__", []))]
    return sorted({*dir(module), *inside})


def names() -> Iterator[tuple[str, list[str]]]:
    """Each module and type, with the names in it; submodules count."""
    for name in MODULES:
        yield name, within(name)
    for kind, some in objects().items():
        yield kind, sorted({each for one in some for each in dir(one)})


def written() -> str:
    """The table as TOML."""
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("opentelemetry-api", "opentelemetry-sdk")
    )
    lines = [
        "# The names that modules and classes of OpenTelemetry have.",
        f"# Made by scripts/surface.py from {versions}; not edited by hand.",
        "",
    ]
    for name, found in names():
        shown = ", ".join(f'"{each}"' for each in found if not each.startswith("__"))
        lines.append(f'"{name}" = [{shown}]')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written(), encoding="utf-8")
