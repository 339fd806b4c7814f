"""Tracing set-up shared by the API and the worker."""

import logging

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased


def configure_tracing(service: str) -> None:
    provider = TracerProvider(
        resource=Resource({"service.name": service}),
        sampler=TraceIdRatioBased(0.1),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint="http://collector.internal:4317")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    propagate.set_global_textmap(B3MultiFormat())


def configure_logging() -> None:
    HTTPXClientInstrumentor.instrument()
    logging.basicConfig(format="%(levelname)s trace_id=%(otelTraceID)s %(message)s")
