"""Run an example under the real OpenTelemetry SDK and say what a collector receives.

`Observer` starts one warm process in which the SDK is imported; each run is a fork of it that behaves like `python
script`, from `__main__` to the interpreter's own shutdown. What is exported passes the OTLP encoder on its way out.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

NOTHING = "nothing exported"
SECONDS = 10.0


class Observer:
    """One warm process; `close` ends it. `python` is an interpreter that has the SDK."""

    def __init__(self, python: str = sys.executable) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
        self._process = subprocess.Popen(
            [python, "-B", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment | {"PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"},
            text=True,
        )

    def run(self, files: dict[str, str], script: str, seconds: float = SECONDS) -> list[str]:
        """Write the files (path → text), run one of them, and return one line per observed item."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "project"
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            request = {"root": str(root), "script": script, "frames": f"{folder}/frames", "seconds": seconds}
            assert self._process.stdin and self._process.stdout
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the process that runs examples is gone")
        return list(json.loads(answer))

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=10)


# The warm process


def main() -> None:
    # Imported once, here, and there already in every run.
    import gc

    encoders = (f"opentelemetry.exporter.otlp.proto.common.{name}_encoder" for name in ("trace", "metrics"))
    for name in ("asyncio", "concurrent.futures.thread", "opentelemetry.sdk.metrics.export", *encoders):
        importlib.import_module(name)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    gc.freeze()
    while line := requests.readline():
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            # Returning is what a script does at its end: the interpreter then shuts down as it would after it.
            _run(**request)
            return
        status = _wait(child, request["seconds"])
        answers.write(json.dumps(list(_lines(request["frames"], status))) + "\n")
        answers.flush()


def _wait(child: int, seconds: float) -> int | None:
    """The wait status, or None when the child took too long."""
    end = time.monotonic() + seconds
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended and time.monotonic() < end:
        time.sleep(0.002)
        ended, status = os.waitpid(child, os.WNOHANG)
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    if not ended:
        os.waitpid(child, 0)
    return status if ended else None


# A run: the forked child, and what it tells


def _run(root: str, script: str, frames: str, seconds: float) -> None:
    # A group of its own, so that processes which the example leaves behind end with it.
    os.setpgid(0, 0)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    _install(_Frames(frames))
    os.chdir(root)
    path = f"{root}/{script}"
    sys.path[0], sys.argv = root, [path]
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    module.__file__ = path
    code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    with _told(_Frames(frames)):
        exec(code, module.__dict__)


class _Frames:
    """Appends one JSON object per line; safe from any thread or process, as each is a single write."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def tell(self, kind: str, value: str = "") -> None:
        os.write(self._file, (json.dumps([kind, value]) + "\n").encode())


@contextlib.contextmanager
def _told(frames: _Frames) -> Iterator[None]:
    """Tell how the main thread of the example ended, unless it ended the process itself."""
    try:
        yield
    except SystemExit:
        frames.tell("end")
        raise
    except BaseException as error:
        frames.tell("raises", _error(error))
        sys.exit(1)
    frames.tell("end")


def _install(frames: _Frames) -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from opentelemetry.util._once import Once

    class OTLPSpanExporter(SpanExporter):
        def __init__(self, *args: object, **options: object) -> None:
            pass

        def export(self, spans: Any) -> SpanExportResult:
            batch: list[ReadableSpan] = list(spans)
            try:
                encoded = encode_spans(batch).SerializeToString()
            except Exception as error:
                count = f"{len(batch)} span{'s' * (len(batch) != 1)}"
                frames.tell("lost", f"{count}, {_error(error)}")
                return SpanExportResult.FAILURE
            frames.tell("spans", base64.b64encode(encoded).decode())
            return SpanExportResult.SUCCESS

    for transport in ("http", "grpc"):
        name = f"opentelemetry.exporter.otlp.proto.{transport}.trace_exporter"
        exporters = sys.modules[name] = types.ModuleType(name)
        exporters.OTLPSpanExporter = OTLPSpanExporter  # type: ignore[attr-defined]
    _install_metrics(frames)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    # An example may install its own provider, once, as every program may.
    trace._TRACER_PROVIDER_SET_ONCE = Once()

    class Warnings(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            frames.tell("warning", _steady(record.getMessage()))

    logging.getLogger("opentelemetry").addHandler(Warnings(logging.WARNING))
    threading.excepthook = lambda args: frames.tell("raises", _error(args.exc_value or args.exc_type()))


def _install_metrics(frames: _Frames) -> None:
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

    class OTLPMetricExporter(MetricExporter):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__()

        def export(self, metrics_data: MetricsData, *args: object, **options: object) -> MetricExportResult:
            frames.tell("metrics", base64.b64encode(encode_metrics(metrics_data).SerializeToString()).decode())
            return MetricExportResult.SUCCESS

        def force_flush(self, timeout_millis: float = 0) -> bool:
            return True

        def shutdown(self, timeout_millis: float = 0, **options: object) -> None:
            pass

    for transport in ("http", "grpc"):
        name = f"opentelemetry.exporter.otlp.proto.{transport}.metric_exporter"
        exporters = sys.modules[name] = types.ModuleType(name)
        exporters.OTLPMetricExporter = OTLPMetricExporter  # type: ignore[attr-defined]


def _error(error: BaseException) -> str:
    text = _steady(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _steady(text: str) -> str:
    """The first line of a text, without what differs from run to run."""
    first = text.strip().partition("\n")[0]
    return re.sub(r"0x[0-9a-f]{6,}", "0x…", first)


# What was told, as lines


def _lines(path: str, status: int | None) -> Iterator[str]:
    told = Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""
    frames = [json.loads(line) for line in told.splitlines()]
    arrived = [
        *_tree(_decode(value for kind, value in frames if kind == "spans")),
        *_metrics(value for kind, value in frames if kind == "metrics"),
    ]
    yield from arrived or [NOTHING]
    for kind, word in (("warning", "warning "), ("raises", "raises "), ("lost", "batch lost: ")):
        yield from (word + value for other, value in frames if other == kind)
    has_ended = any(kind in ("end", "raises") for kind, _ in frames)
    has_raised = any(kind == "raises" for kind, _ in frames)
    if status is None:
        yield "exit by timeout"
    elif os.WIFSIGNALED(status):
        yield f"exit by {signal.Signals(os.WTERMSIG(status)).name}"
    elif not has_ended or (os.WEXITSTATUS(status) and not has_raised):
        yield f"exit {os.WEXITSTATUS(status)}"


def _decode(batches: Iterator[str]) -> list[Span]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    spans: list[Span] = []
    for batch in batches:
        request = ExportTraceServiceRequest.FromString(base64.b64decode(batch))
        spans += [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]
    return sorted(spans, key=lambda span: span.start_time_unix_nano)


def _tree(spans: list[Span]) -> Iterator[str]:
    """Spans below their parents, in the order in which they started."""
    names = {span.span_id: span.name for span in spans}
    children: dict[bytes, list[Span]] = {}
    for span in spans:
        children.setdefault(span.parent_span_id, []).append(span)
    # A parent that the collector does not have is shown where its first child started.
    shown: set[bytes] = set()
    for span in spans:
        parent = span.parent_span_id
        if not parent:
            yield from _branch(span, children, names, "")
        elif parent not in names and parent not in shown:
            shown.add(parent)
            yield "(remote parent)" if span.flags & 0x200 else "(parent not exported)"
            for child in children[parent]:
                yield from _branch(child, children, names, "  ")


def _branch(span: Span, children: dict[bytes, list[Span]], names: dict[bytes, str], indent: str) -> Iterator[str]:
    kind = type(span).SpanKind.Name(span.kind).removeprefix("SPAN_KIND_")
    status = type(span.status).StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_")
    description = f" {_text(span.status.message)}" if span.status.message else ""
    yield f"{indent}{span.name} {kind} {status}{description}{_attributes(span.attributes)}"
    indent += "  "
    for event in span.events:
        yield f"{indent}event {event.name}{_attributes(event.attributes)}"
    for link in span.links:
        yield f"{indent}link to {names.get(link.span_id, '(not exported)')}{_attributes(link.attributes)}"
    for child in children.get(span.span_id, []):
        yield from _branch(child, children, names, indent)


def _metrics(batches: Iterator[str]) -> Iterator[str]:
    """Each data point, by metric."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    for batch in batches:
        request = ExportMetricsServiceRequest.FromString(base64.b64decode(batch))
        scopes = [scope for group in request.resource_metrics for scope in group.scope_metrics]
        for metric in sorted((metric for scope in scopes for metric in scope.metrics), key=lambda metric: metric.name):
            yield from _points(metric)


def _points(metric: Metric) -> Iterator[str]:
    kind = metric.WhichOneof("data") or ""
    data = getattr(metric, kind)
    word = "updown" if kind == "sum" and not data.is_monotonic else {"sum": "counter"}.get(kind, kind)
    unit = f" {metric.unit}" if metric.unit else ""
    for point in data.data_points:
        value = _buckets(point) if kind == "histogram" else repr(getattr(point, point.WhichOneof("value")))
        yield f"metric {metric.name} {word}{unit}{_attributes(point.attributes)}: {value}"


def _buckets(point: Any) -> str:
    bounds = [f"up to {bound:g}" for bound in point.explicit_bounds]
    names = [*bounds, f"above {point.explicit_bounds[-1]:g}"] if bounds else ["all"]
    return ", ".join(f"{count} {name}" for name, count in zip(names, point.bucket_counts, strict=True) if count)


def _attributes(attributes: Any) -> str:
    pairs: list[KeyValue] = sorted(attributes, key=lambda pair: pair.key)
    shown = [f"{pair.key}={_value(pair.value)}" for pair in pairs if pair.key != "exception.stacktrace"]
    return f" {{{', '.join(shown)}}}" if shown else ""


def _value(value: AnyValue) -> str:
    match value.WhichOneof("value"):
        case "string_value":
            return _text(value.string_value)
        case "bool_value":
            return str(value.bool_value).lower()
        case "array_value":
            return f"[{', '.join(_value(item) for item in value.array_value.values)}]"
        case "kvlist_value":
            return _attributes(value.kvlist_value.values).strip() or "{}"
        case None:
            return "null"
        case kind:
            return repr(getattr(value, kind))


def _text(text: str) -> str:
    return json.dumps(re.sub(r"0x[0-9a-f]{6,}", "0x…", text), ensure_ascii=False)


if __name__ == "__main__":
    main()
