"""The carrier that takes parcels, and what the audit hears of it."""

import logging
import time

from fastapi import APIRouter
from opentelemetry import trace
from opentelemetry.semconv.trace import SpanAttributes

logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)
router = APIRouter()


def book(client, order) -> None:
    with tracer.start_as_current_span("book parcel", kind=trace.SpanKind.CLIENT) as span:
        span.set_attribute("customer.email", order.customer)
        span.set_attribute("http.method", "POST")
        answer = client.post("/parcels", order.id)
        span.set_attribute(SpanAttributes.HTTP_STATUS_CODE, answer.status)
        if answer.status >= 400:
            span.set_status("ERROR")
            span.record_exception(f"carrier answered {answer.status}")


def track(client, parcel) -> str:
    began = time.time()
    answer = client.get(f"/parcels/{parcel}")
    span = tracer.start_span("track parcel", start_time=began)
    span.set_attribute("parcel.state", answer.state)
    span.end()
    span.set_attribute("parcel.carrier", answer.carrier)
    return answer.state


@tracer.start_as_current_span("labels")
@router.get("/labels/{order_id}")
def labels(order_id: str) -> str:
    span = trace.get_current_span()
    logger.info("label printed, trace %s", hex(span.get_span_context().trace_id))
    return order_id
