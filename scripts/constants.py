"""Write otlint/known/constants.toml: which text each constant of the semantic conventions' Python package stands for.

Run `python -m scripts.constants` with the wanted version of opentelemetry-semantic-conventions installed.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

TARGET = Path(__file__).parent.parent / "otlint" / "known" / "constants.toml"
PACKAGES = ("opentelemetry.semconv.attributes", "opentelemetry.semconv._incubating.attributes")
METRICS = ("opentelemetry.semconv.metrics", "opentelemetry.semconv._incubating.metrics")
CLASSES = (
    "opentelemetry.semconv.trace.SpanAttributes",
    "opentelemetry.semconv.resource.ResourceAttributes",
    "opentelemetry.semconv.metrics.MetricInstruments",
)
MODULES = ("opentelemetry.sdk.resources",)


def tables() -> Iterator[tuple[str, dict[str, str]]]:
    """Each holder of constants by dotted name, with its constants."""
    for package in (*PACKAGES, *METRICS):
        for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
            name = f"{package}.{info.name}"
            yield name, texts(importlib.import_module(name))
    for name in MODULES:
        yield name, {key: text for key, text in texts(importlib.import_module(name)).items() if "." in text}
    for name in CLASSES:
        module, _, attribute = name.rpartition(".")
        yield name, texts(getattr(importlib.import_module(module), attribute))


def texts(holder: ModuleType | type) -> dict[str, str]:
    """The upper-case names of a module or class that hold a text."""
    return {
        name: value for name, value in sorted(vars(holder).items()) if name.isupper() and type(value) is str and value
    }


def written() -> str:
    """The table as TOML."""
    version = importlib.metadata.version("opentelemetry-semantic-conventions")
    lines = [
        "# What the constants of OpenTelemetry's Python packages stand for, by the dotted name of what holds them.",
        f"# Made by scripts/constants.py from opentelemetry-semantic-conventions {version}; not edited by hand.",
    ]
    for name, found in tables():
        if found:
            lines += ["", f'["{name}"]', *(f'{key} = "{text}"' for key, text in found.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written(), encoding="utf-8")
