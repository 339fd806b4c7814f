"""The OpenTelemetry Python API by dotted name: what exists, under which spellings, and what a call gives.

A *type* is the dotted name of a class; a method is its class's name plus its own. Rules compare these
constants and never spell an API themselves. Types that the API has no public name for are marked `~`.
"""

from __future__ import annotations

TRACER = "opentelemetry.trace.Tracer"
SPAN = "opentelemetry.trace.Span"
SPAN_CONTEXT = "opentelemetry.trace.SpanContext"
SPAN_MANAGER = "opentelemetry.trace.~SpanManager"  # what start_as_current_span and use_span return
SPAN_KIND = "opentelemetry.trace.SpanKind"
STATUS = "opentelemetry.trace.Status"
STATUS_CODE = "opentelemetry.trace.StatusCode"
LINK = "opentelemetry.trace.Link"
CONTEXT = "opentelemetry.context.Context"
TOKEN = "contextvars.Token"
PROPAGATOR = "opentelemetry.propagators.textmap.TextMapPropagator"
PROVIDER = "opentelemetry.trace.TracerProvider"
SDK_PROVIDER = "opentelemetry.sdk.trace.TracerProvider"
METER_PROVIDER = "opentelemetry.sdk.metrics.MeterProvider"
LOGGER_PROVIDER = "opentelemetry.sdk._logs.LoggerProvider"
SDK_PROVIDERS = frozenset({SDK_PROVIDER, METER_PROVIDER, LOGGER_PROVIDER})
# By the class of a provider: what puts a processor on it, what makes it the global one, what gives the global one.
ADD_PROCESSOR = {
    SDK_PROVIDER: (f"{SDK_PROVIDER}.add_span_processor", f"{PROVIDER}.add_span_processor"),
    METER_PROVIDER: (),
    LOGGER_PROVIDER: (f"{LOGGER_PROVIDER}.add_log_record_processor",),
}
ADDS_PROCESSOR = ("add_span_processor", "add_log_record_processor")
FEEDS_PROVIDER = (*ADDS_PROCESSOR, "add_metric_reader")
SET_PROVIDER = {
    SDK_PROVIDER: "opentelemetry.trace.set_tracer_provider",
    METER_PROVIDER: "opentelemetry.metrics.set_meter_provider",
    LOGGER_PROVIDER: "opentelemetry._logs.set_logger_provider",
}
GET_PROVIDER = {
    SDK_PROVIDER: "opentelemetry.trace.get_tracer_provider",
    METER_PROVIDER: "opentelemetry.metrics.get_meter_provider",
    LOGGER_PROVIDER: "opentelemetry._logs.get_logger_provider",
}
PERIODIC_READER = "opentelemetry.sdk.metrics.export.PeriodicExportingMetricReader"
BATCH_PROCESSORS = frozenset(
    {
        "opentelemetry.sdk.trace.export.BatchSpanProcessor",
        "opentelemetry.sdk._logs.export.BatchLogRecordProcessor",
        PERIODIC_READER,
    }
)
# The OTLP exporters by transport → the path to which each posts.
_OTLP = {
    "trace_exporter.OTLPSpanExporter": "/v1/traces",
    "metric_exporter.OTLPMetricExporter": "/v1/metrics",
    "_log_exporter.OTLPLogExporter": "/v1/logs",
}
OTLP_HTTP = {f"opentelemetry.exporter.otlp.proto.http.{name}": path for name, path in _OTLP.items()}
OTLP_GRPC = {f"opentelemetry.exporter.otlp.proto.grpc.{name}": path for name, path in _OTLP.items()}
# What sends at once, and what does the same in batches.
SIMPLE_PROCESSORS = {
    "opentelemetry.sdk.trace.export.SimpleSpanProcessor": "opentelemetry.sdk.trace.export.BatchSpanProcessor",
    "opentelemetry.sdk._logs.export.SimpleLogRecordProcessor": "opentelemetry.sdk._logs.export.BatchLogRecordProcessor",
}

# What functions are declared to return that make one of many classes of the SDK.
INTERFACES = frozenset(
    f"opentelemetry.sdk.{name}"
    for name in ("trace.sampling.Sampler", "trace.SpanProcessor", "trace.export.SpanExporter",
                 "metrics.export.MetricReader", "metrics.export.MetricExporter", "_logs.export.LogRecordExporter")
)  # fmt: skip

METER = "opentelemetry.metrics.Meter"
GET_METER = "opentelemetry.metrics.get_meter"
GET_LOGGER = "opentelemetry._logs.get_logger"
OBSERVATION = "opentelemetry.metrics.Observation"
VIEW = "opentelemetry.sdk.metrics.view.View"
EXPONENTIAL = "opentelemetry.sdk.metrics.view.ExponentialBucketHistogramAggregation"
# What a view gives to a histogram that is not to have the default boundaries, or is not to be exported.
VIEWED = tuple(
    f"opentelemetry.sdk.metrics.view.{name}Aggregation"
    for name in ("ExplicitBucketHistogram", "Drop", "LastValue", "Sum")
)
# What a meter makes, by the method that makes it; the observable ones are read through callbacks.
INSTRUMENTS = {
    f"{METER}.create_counter": "opentelemetry.metrics.Counter",
    f"{METER}.create_up_down_counter": "opentelemetry.metrics.UpDownCounter",
    f"{METER}.create_histogram": "opentelemetry.metrics.Histogram",
    f"{METER}.create_gauge": "opentelemetry.metrics.Gauge",
    f"{METER}.create_observable_counter": "opentelemetry.metrics.ObservableCounter",
    f"{METER}.create_observable_up_down_counter": "opentelemetry.metrics.ObservableUpDownCounter",
    f"{METER}.create_observable_gauge": "opentelemetry.metrics.ObservableGauge",
}
# The methods that make observable instruments, and what they make.
OBSERVING = frozenset(method for method, instrument in INSTRUMENTS.items() if ".Observable" in instrument)
OBSERVABLES = frozenset(INSTRUMENTS[method] for method in OBSERVING)
# The instruments that take no negative number, and the method that makes the counter which does.
MONOTONIC = frozenset({"opentelemetry.metrics.Counter", "opentelemetry.metrics.Histogram"})
UP_DOWN = f"{METER}.create_up_down_counter"
HISTOGRAM = f"{METER}.create_histogram"
BUCKETS = "explicit_bucket_boundaries_advisory"
# What takes a measurement on a synchronous instrument.
MEASURES = frozenset(
    {
        "opentelemetry.metrics.Counter.add",
        "opentelemetry.metrics.UpDownCounter.add",
        "opentelemetry.metrics.Histogram.record",
        "opentelemetry.metrics.Gauge.set",
    }
)
# The one method of each of those instruments.
MEASURED_BY = {each.rpartition(".")[0]: each.rpartition(".")[2] for each in MEASURES}
_SAMPLING = "opentelemetry.sdk.trace.sampling."
PARENT_BASED = f"{_SAMPLING}ParentBased"
DROPS_ALL = frozenset({f"{_SAMPLING}ALWAYS_OFF", f"{_SAMPLING}DEFAULT_OFF"})
# Samplers that decide for every span anew, whatever its parent says.
ROOT_SAMPLERS = frozenset({f"{_SAMPLING}TraceIdRatioBased", f"{_SAMPLING}ALWAYS_ON"})
FORMAT_IDS = {
    "trace_id": "opentelemetry.trace.format_trace_id",
    "span_id": "opentelemetry.trace.format_span_id",
}
# Exporters that the specification or the project has given up, by package.
DEPRECATED_EXPORTERS = {
    "opentelemetry.exporter.jaeger": "Jaeger",
    "opentelemetry.exporter.zipkin": "Zipkin",
    "opentelemetry.exporter.opencensus": "OpenCensus",
}
RESOURCE_DETECTOR = "opentelemetry.sdk.resources.ResourceDetector"
RESOURCE = "opentelemetry.sdk.resources.Resource"
RESOURCE_CREATE = f"{RESOURCE}.create"
RESOURCE_MERGE = f"{RESOURCE}.merge"
LOGGER = "opentelemetry._logs.Logger"
LOG_RECORD = "opentelemetry._logs.LogRecord"
# What is given the log records that others have made.
RECORD_TAKERS = frozenset({LOGGER, "opentelemetry.sdk._logs.LogRecordProcessor"})
SET_BAGGAGE = "opentelemetry.baggage.set_baggage"
HTTP_ROUTE = "http.route"
# Classes of constants for keys of the semantic conventions, deprecated in favour of modules.
SEMCONV_CLASSES = (
    "opentelemetry.semconv.trace.SpanAttributes",
    "opentelemetry.semconv.resource.ResourceAttributes",
)
# And the one for names of metrics.
METRIC_NAMES = "opentelemetry.semconv.metrics.MetricInstruments"

START_SPAN = f"{TRACER}.start_span"
START_AS_CURRENT_SPAN = f"{TRACER}.start_as_current_span"
STARTS = frozenset({START_SPAN, START_AS_CURRENT_SPAN})
USE_SPAN = "opentelemetry.trace.use_span"
GET_CURRENT_SPAN = "opentelemetry.trace.get_current_span"
SET_SPAN_IN_CONTEXT = "opentelemetry.trace.set_span_in_context"
INVALID_SPAN = "opentelemetry.trace.INVALID_SPAN"
NON_RECORDING_SPAN = "opentelemetry.trace.NonRecordingSpan"
GET_TRACER = "opentelemetry.trace.get_tracer"

END = f"{SPAN}.end"
RECORD_EXCEPTION = f"{SPAN}.record_exception"
SET_STATUS = f"{SPAN}.set_status"
UPDATE_NAME = f"{SPAN}.update_name"
SET_ATTRIBUTE = f"{SPAN}.set_attribute"
SET_ATTRIBUTES = f"{SPAN}.set_attributes"
ADD_EVENT = f"{SPAN}.add_event"
ADD_LINK = f"{SPAN}.add_link"
IS_RECORDING = f"{SPAN}.is_recording"
SPAN_METHODS = frozenset(
    {
        "add_event", "add_link", "end", "get_span_context", "is_recording", "record_exception", "set_attribute",
        "set_attributes", "set_status", "update_name",
    }
)  # fmt: skip
# Methods that do nothing on a span that has ended, but for a warning in the log.
LOST_WHEN_ENDED = SPAN_METHODS - {"get_span_context", "is_recording"}

ATTACH = "opentelemetry.context.attach"
DETACH = "opentelemetry.context.detach"
GET_CURRENT_CONTEXT = "opentelemetry.context.get_current"
# What returns something new and leaves what it is given as it was.
MAKES = {
    **dict.fromkeys(
        (
            "opentelemetry.baggage.set_baggage",
            "opentelemetry.baggage.remove_baggage",
            "opentelemetry.baggage.clear",
            "opentelemetry.context.set_value",
            "opentelemetry.trace.set_span_in_context",
        ),
        "context",
    ),
    "opentelemetry.sdk.resources.Resource.merge": "resource",
}
EXTRACT = "opentelemetry.propagate.extract"
INJECT = "opentelemetry.propagate.inject"
EXTRACTS = frozenset({EXTRACT, f"{PROPAGATOR}.extract"})
INJECTS = frozenset({INJECT, f"{PROPAGATOR}.inject"})
GETTER = "opentelemetry.propagators.textmap.Getter"
SETTER = "opentelemetry.propagators.textmap.Setter"
SET_GLOBAL_TEXTMAP = "opentelemetry.propagate.set_global_textmap"
COMPOSITE_PROPAGATOR = "opentelemetry.propagators.composite.CompositePropagator"
TRACEPARENT = "traceparent"  # the header that it reads and writes
TRACE_CONTEXT_PROPAGATOR = "opentelemetry.trace.propagation.tracecontext.TraceContextTextMapPropagator"
BAGGAGE_PROPAGATOR = "opentelemetry.baggage.propagation.W3CBaggagePropagator"

INSTRUMENTATION = "opentelemetry.instrumentation."  # the packages of instrumentors, one below it for each library
# Handlers of `logging` that export what they get.
LOG_HANDLERS = frozenset({"opentelemetry.sdk._logs.LoggingHandler", f"{INSTRUMENTATION}logging.handler.LoggingHandler"})
INSTRUMENT_LOGGING = f"{INSTRUMENTATION}logging.LoggingInstrumentor.instrument"
INSTRUMENTORS = frozenset(
    {
        "opentelemetry.instrumentation.instrumentor.BaseInstrumentor",
        "opentelemetry.instrumentation.base.BaseInstrumentor",
    }
)

STATUS_CODES = {name: f"{STATUS_CODE}.{name}" for name in ("UNSET", "OK", "ERROR")}
STATUS_ERROR = STATUS_CODES["ERROR"]
STATUS_OK = STATUS_CODES["OK"]
KIND_INTERNAL = f"{SPAN_KIND}.INTERNAL"
KIND_CLIENT = f"{SPAN_KIND}.CLIENT"
KIND_SERVER = f"{SPAN_KIND}.SERVER"
KIND_PRODUCER = f"{SPAN_KIND}.PRODUCER"
KIND_CONSUMER = f"{SPAN_KIND}.CONSUMER"
KINDS = {name: f"{SPAN_KIND}.{name}" for name in ("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")}

# Parameters by position after self: opentelemetry-api, trace/__init__.py.
_START_PARAMETERS = (
    "name",
    "context",
    "kind",
    "attributes",
    "links",
    "start_time",
    "record_exception",
    "set_status_on_exception",
)
PARAMETERS: dict[str, tuple[str, ...]] = {
    START_SPAN: _START_PARAMETERS,
    START_AS_CURRENT_SPAN: (*_START_PARAMETERS, "end_on_exit"),
    USE_SPAN: ("span", "end_on_exit", "record_exception", "set_status_on_exception"),
    UPDATE_NAME: ("name",),
    RECORD_EXCEPTION: ("exception", "attributes", "timestamp", "escaped"),
    SET_STATUS: ("status", "description"),
    STATUS: ("status_code", "description"),
    END: ("end_time",),
    ATTACH: ("context",),
    DETACH: ("token",),
    EXTRACT: ("carrier", "context", "getter"),
    INJECT: ("carrier", "context", "setter"),
    f"{PROPAGATOR}.extract": ("carrier", "context", "getter"),
    f"{PROPAGATOR}.inject": ("carrier", "context", "setter"),
    SET_GLOBAL_TEXTMAP: ("http_text_format",),
    SET_SPAN_IN_CONTEXT: ("span", "context"),
    GET_CURRENT_SPAN: ("context",),
    SET_ATTRIBUTE: ("key", "value"),
    SET_ATTRIBUTES: ("attributes",),
    ADD_EVENT: ("name", "attributes", "timestamp"),
    ADD_LINK: ("context", "attributes"),
    LINK: ("context", "attributes"),
    GET_TRACER: (
        "instrumenting_module_name",
        "instrumenting_library_version",
        "tracer_provider",
        "schema_url",
        "attributes",
    ),
    f"{PROVIDER}.get_tracer": (
        "instrumenting_module_name",
        "instrumenting_library_version",
        "schema_url",
        "attributes",
    ),
    GET_METER: ("name", "version", "meter_provider", "schema_url", "attributes"),
    f"{METER_PROVIDER}.get_meter": ("name", "version", "schema_url", "attributes"),
    **dict.fromkeys(INSTRUMENTS, ("name", "unit", "description")),
    **dict.fromkeys(OBSERVING, ("name", "callbacks", "unit", "description")),
    f"{METER}.create_histogram": ("name", "unit", "description", BUCKETS),
    **dict.fromkeys(MEASURES, ("amount", "attributes", "context")),
    OBSERVATION: ("value", "attributes", "context"),
    RESOURCE: ("attributes", "schema_url"),
    RESOURCE_CREATE: ("attributes", "schema_url"),
    RESOURCE_MERGE: ("other",),
    SET_BAGGAGE: ("name", "value", "context"),
    "opentelemetry.baggage.get_baggage": ("name", "context"),
    "opentelemetry.baggage.get_all": ("context",),
    "opentelemetry.context.get_value": ("key", "context"),
    "opentelemetry.context.set_value": ("key", "value", "context"),
    SDK_PROVIDER: ("sampler", "resource", "shutdown_on_exit", "active_span_processor", "id_generator", "span_limits"),
    METER_PROVIDER: ("metric_readers", "resource", "exemplar_filter", "shutdown_on_exit", "views"),
    LOGGER_PROVIDER: ("resource", "shutdown_on_exit", "multi_log_record_processor"),
    **dict.fromkeys(ADD_PROCESSOR[SDK_PROVIDER], ("span_processor",)),
    **dict.fromkeys(ADD_PROCESSOR[LOGGER_PROVIDER], ("log_record_processor",)),
    SET_PROVIDER[SDK_PROVIDER]: ("tracer_provider",),
    SET_PROVIDER[METER_PROVIDER]: ("meter_provider",),
    SET_PROVIDER[LOGGER_PROVIDER]: ("logger_provider",),
    "opentelemetry.sdk.trace.export.BatchSpanProcessor": ("span_exporter",),
    "opentelemetry.sdk._logs.export.BatchLogRecordProcessor": ("exporter",),
    PERIODIC_READER: ("exporter",),
    **dict.fromkeys(
        OTLP_HTTP, ("endpoint", "certificate_file", "client_key_file", "client_certificate_file", "headers")
    ),
    **dict.fromkeys(OTLP_GRPC, ("endpoint", "insecure", "credentials", "headers")),
    "opentelemetry.sdk.trace.export.SimpleSpanProcessor": ("span_exporter",),
    "opentelemetry.sdk._logs.export.SimpleLogRecordProcessor": ("exporter",),
}

# The parameter that is a context.
CONTEXTS: dict[str, str] = {
    **dict.fromkeys((*STARTS, *EXTRACTS, *INJECTS, GET_CURRENT_SPAN, ATTACH, SET_SPAN_IN_CONTEXT), "context"),
    **dict.fromkeys((SET_BAGGAGE, "opentelemetry.baggage.get_baggage", "opentelemetry.baggage.get_all"), "context"),
    **dict.fromkeys(("opentelemetry.context.get_value", "opentelemetry.context.set_value"), "context"),
}
# The parameters that are points in time: whole nanoseconds since the epoch.
TIMESTAMPS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((START_SPAN, START_AS_CURRENT_SPAN), ("start_time",)),
    END: ("end_time",),
    **dict.fromkeys((ADD_EVENT, RECORD_EXCEPTION), ("timestamp",)),
}
# What gives telemetry by the name of the code that makes it, and what it gives.
SCOPES = {
    GET_TRACER: "tracer",
    f"{PROVIDER}.get_tracer": "tracer",
    GET_METER: "meter",
    f"{METER_PROVIDER}.get_meter": "meter",
}
# Attributes by what takes them: what they are put on, and the parameter that is a mapping of them.
ATTRIBUTES: dict[str, tuple[str, str]] = {
    **dict.fromkeys((START_SPAN, START_AS_CURRENT_SPAN, SET_ATTRIBUTES), ("span", "attributes")),
    **dict.fromkeys((ADD_EVENT, RECORD_EXCEPTION), ("event", "attributes")),
    **dict.fromkeys((LINK, ADD_LINK), ("link", "attributes")),
    **dict.fromkeys((*MEASURES, OBSERVATION), ("metric", "attributes")),
    **dict.fromkeys((RESOURCE, RESOURCE_CREATE), ("resource", "attributes")),
    **dict.fromkeys(SCOPES, ("scope", "attributes")),
    LOG_RECORD: ("log", "attributes"),
}
# The same where one attribute is given as a key and a value.
ATTRIBUTE: dict[str, tuple[str, str, str]] = {
    SET_ATTRIBUTE: ("span", "key", "value"),
    SET_BAGGAGE: ("baggage", "name", "value"),
}

# What calling an API gives, by dotted name of the callable.
RETURNS: dict[str, str] = {
    GET_TRACER: TRACER,
    f"{PROVIDER}.get_tracer": TRACER,
    GET_METER: METER,
    f"{METER_PROVIDER}.get_meter": METER,
    **INSTRUMENTS,
    RESOURCE_CREATE: RESOURCE,
    RESOURCE_MERGE: RESOURCE,
    GET_LOGGER: LOGGER,
    f"{LOGGER_PROVIDER}.get_logger": LOGGER,
    "opentelemetry.trace.get_tracer_provider": PROVIDER,
    "opentelemetry.metrics.get_meter_provider": METER_PROVIDER,
    "opentelemetry._logs.get_logger_provider": LOGGER_PROVIDER,
    START_SPAN: SPAN,
    START_AS_CURRENT_SPAN: SPAN_MANAGER,
    USE_SPAN: SPAN_MANAGER,
    GET_CURRENT_SPAN: SPAN,
    "opentelemetry.trace.NonRecordingSpan": SPAN,
    f"{SPAN}.get_span_context": SPAN_CONTEXT,
    SET_SPAN_IN_CONTEXT: CONTEXT,
    EXTRACT: CONTEXT,
    f"{PROPAGATOR}.extract": CONTEXT,
    "opentelemetry.propagate.get_global_textmap": PROPAGATOR,
    ATTACH: TOKEN,
    GET_CURRENT_CONTEXT: CONTEXT,
    "opentelemetry.context.set_value": CONTEXT,
    "opentelemetry.baggage.set_baggage": CONTEXT,
    "opentelemetry.baggage.remove_baggage": CONTEXT,
    "opentelemetry.baggage.clear": CONTEXT,
    "opentelemetry.context.create_key": "builtins.str",
    "contextvars.copy_context": "contextvars.Context",
    "logging.getLogger": "logging.Logger",
    "structlog.get_logger": "logging.Logger",
    "loguru.logger.opt": "logging.Logger",
    "loguru.logger.bind": "logging.Logger",
    "threading.Timer": "threading.Timer",
    "asyncio.get_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.get_running_loop": "asyncio.AbstractEventLoop",
    "asyncio.new_event_loop": "asyncio.AbstractEventLoop",
    "multiprocessing.pool.ThreadPool": "multiprocessing.pool.ThreadPool",
    "multiprocessing.Pool": "multiprocessing.pool.Pool",
}

# The types of attributes of objects.
MEMBERS = {(SPAN, "context"): SPAN_CONTEXT, (SPAN, "parent"): SPAN_CONTEXT, (LINK, "context"): SPAN_CONTEXT}

# Types that are known to be the same thing for every question otlint asks.
_SAME_TYPE = {
    "opentelemetry.sdk.trace.Tracer": TRACER,
    "opentelemetry.sdk.metrics.Meter": METER,
    "opentelemetry.metrics.NoOpMeter": METER,
    "opentelemetry.metrics.MeterProvider": METER_PROVIDER,
    "opentelemetry.sdk._logs.Logger": LOGGER,
    "opentelemetry.sdk._logs.LogRecord": LOG_RECORD,
    "opentelemetry.trace.NoOpTracer": TRACER,
    "opentelemetry.trace.ProxyTracer": TRACER,
    "opentelemetry.sdk.trace.Span": SPAN,
    "opentelemetry.sdk.trace.ReadableSpan": SPAN,
    "opentelemetry.trace.NonRecordingSpan": SPAN,
    "opentelemetry.trace.propagation.tracecontext.TraceContextTextMapPropagator": PROPAGATOR,
    "opentelemetry.propagators.composite.CompositePropagator": PROPAGATOR,
    "opentelemetry.propagators.composite.CompositeHTTPPropagator": PROPAGATOR,
    "opentelemetry.baggage.propagation.W3CBaggagePropagator": PROPAGATOR,
    "opentelemetry.propagators.b3.B3MultiFormat": PROPAGATOR,
    "opentelemetry.propagators.b3.B3SingleFormat": PROPAGATOR,
    "opentelemetry.propagators.b3.B3Format": PROPAGATOR,
    "opentelemetry.propagators.jaeger.JaegerPropagator": PROPAGATOR,
    "opentelemetry.propagators.aws.AwsXRayPropagator": PROPAGATOR,
    "opentelemetry.propagators.aws.aws_xray_propagator.AwsXRayPropagator": PROPAGATOR,
    "opentelemetry.propagators.cloud_trace_propagator.CloudTraceFormatPropagator": PROPAGATOR,
    "concurrent.futures.thread.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.process.ProcessPoolExecutor": "concurrent.futures.ProcessPoolExecutor",
    "structlog.stdlib.BoundLogger": "logging.Logger",
    "loguru.logger": "logging.Logger",
}

# Modules that only carry what another one names officially; the first match decides.
_SAME_MODULE = (
    ("opentelemetry.trace.span.", "opentelemetry.trace."),
    ("opentelemetry.trace.status.", "opentelemetry.trace."),
    ("opentelemetry.trace.propagation.set_span_in_context", SET_SPAN_IN_CONTEXT),
    ("opentelemetry.trace.propagation.get_current_span", GET_CURRENT_SPAN),
    ("opentelemetry.trace.Status.StatusCode", STATUS_CODE),
    ("opentelemetry.context.context.", "opentelemetry.context."),
    *(
        (f"opentelemetry.sdk.metrics.{instrument.rpartition('.')[2]}", instrument)
        for instrument in sorted(INSTRUMENTS.values(), reverse=True)
    ),
    ("opentelemetry.metrics._internal.instrument.", "opentelemetry.metrics."),
    ("opentelemetry.metrics._internal.observation.", "opentelemetry.metrics."),
    ("opentelemetry.metrics._internal.", "opentelemetry.metrics."),
    ("opentelemetry.sdk.metrics._internal.aggregation.", "opentelemetry.sdk.metrics.view."),
    ("opentelemetry.sdk.metrics._internal.instrument.", "opentelemetry.metrics."),
    ("opentelemetry.sdk.metrics._internal.", "opentelemetry.sdk.metrics."),
    ("opentelemetry.sdk.trace.Tracer.", f"{TRACER}."),
    ("opentelemetry.sdk.trace.Span.", f"{SPAN}."),
    ("opentelemetry.sdk.trace.TracerProvider.get_tracer", f"{PROVIDER}.get_tracer"),
    ("opentelemetry.sdk.trace.trace_api.", "opentelemetry.trace."),
)


def canonical(dotted: str) -> str:
    """The official spelling of a dotted name: `opentelemetry.trace.status.Status` → `opentelemetry.trace.Status`."""
    if dotted in _SAME_TYPE:
        return _SAME_TYPE[dotted]
    for prefix, official in _SAME_MODULE if is_otel(dotted) else ():
        if dotted.startswith(prefix):
            return official + dotted[len(prefix) :]
    owner, _, attribute = dotted.rpartition(".")
    if owner in _SAME_TYPE:
        return f"{_SAME_TYPE[owner]}.{attribute}"
    return dotted


def is_otel(dotted: str | None) -> bool:
    """Whether the name belongs to OpenTelemetry's own packages."""
    return dotted is not None and dotted.partition(".")[0] == "opentelemetry"
