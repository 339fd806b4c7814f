"""The byte gate: which files are looked at, decided on their bytes alone, before anything is parsed."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

from otlint.spared import is_spared

WORD = b"opentelemetry"
# Distributions that switch instrumentation on without naming OpenTelemetry: their callers add facts.
_SWITCHES = (
    b"logfire",
    b"traceloop",
    b"openinference",
    b"openlit",
    b"langtrace",
    b"agentops",
    b"phoenix.otel",
    b"microsoft.opentel",
)
# What is done with a tracer or span that a file has been given, and with hardly anything else.
_GIVEN = (b".start_as_current_span(", b".record_exception(", b".add_event(")
# A log format that asks for the ids of the current span.
_ASKING = (b"otelTraceID", b"otelSpanID")
_HANDING = (b"Thread", b"Timer(", b"run_in_executor(", b"start_new_thread(", b"submit(")


def hot(files: Mapping[str, bytes], also: Sequence[bytes] = ()) -> list[str]:
    """The files that name telemetry, by its own name or one of the words; and those that matter if there is any."""
    words = (WORD, *also)
    found = [path for path, data in files.items() if any(word in data for word in words)]
    if found:
        found.extend({path for path, data in files.items() if _may_matter(data)}.difference(found))
    return [path for path in found if not is_spared(path, files[path], also)]


def _may_matter(data: bytes) -> bool:
    """Whether a file of a project with telemetry adds facts, or drops the context, without naming OpenTelemetry."""
    if any(word in data for word in (*_SWITCHES, *_GIVEN, *_ASKING)):
        return True
    return any(word in data for word in _HANDING) and _threads().search(data) is not None


@functools.cache
def _threads() -> re.Pattern[bytes]:
    return re.compile(rb"\b(?:Thread|Timer|ThreadPool|ThreadPoolExecutor|run_in_executor|start_new_thread|submit)\(")
