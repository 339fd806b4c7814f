"""The carrier that takes parcels, and what the audit hears of it."""

import logging
import time

from fastapi import APIRouter
from opentelemetry import trace
from opentelemetry.semconv.attributes import http_attributes
from opentelemetry.trace import Status, StatusCode, format_trace_id

logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)
router = APIRouter()


class CarrierError(Exception):
    pass


def book(client, order) -> None:
    with tracer.start_as_current_span("book parcel", kind=trace.SpanKind.CLIENT) as span:
        span.set_attribute("http.request.method", "POST")
        answer = client.post("/parcels", order.id)
        span.set_attribute(http_attributes.HTTP_RESPONSE_STATUS_CODE, answer.status)
        if answer.status >= 400:
            error = CarrierError(f"carrier answered {answer.status}")
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, str(error)))


def track(client, parcel) -> str:
    began = time.time_ns()
    answer = client.get(f"/parcels/{parcel}")
    span = tracer.start_span("track parcel", start_time=began)
    span.set_attribute("parcel.state", answer.state)
    span.set_attribute("parcel.carrier", answer.carrier)
    span.end()
    return answer.state


@router.get("/labels/{order_id}")
@tracer.start_as_current_span("labels")
def labels(order_id: str) -> str:
    span = trace.get_current_span()
    logger.info("label printed, trace %s", format_trace_id(span.get_span_context().trace_id))
    return order_id
