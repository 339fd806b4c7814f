"""Fulfils orders that arrive over Kafka."""

import json
import signal
import sys

from kafka import KafkaConsumer
from opentelemetry import context, propagate, trace
from opentelemetry.trace import SpanKind

from orders_clean import mail, store
from orders_clean.telemetry import configure_tracing

configure_tracing("orders-worker")
tracer = trace.get_tracer(__name__)


def run() -> None:
    signal.signal(signal.SIGTERM, stop)
    for message in KafkaConsumer("orders", group_id="fulfilment", bootstrap_servers="kafka.internal:9092"):
        carrier = {key: value.decode() for key, value in message.headers}
        token = context.attach(propagate.extract(carrier))
        try:
            with tracer.start_as_current_span("orders process", kind=SpanKind.CONSUMER):
                fulfil(store.load(json.loads(message.value)["id"]))
        finally:
            context.detach(token)


def fulfil(order) -> None:
    reserve_stock(order)
    with tracer.start_as_current_span("pack"):
        for item in order.items:
            print("packing", item)
    notify(order)


def reserve_stock(order) -> bool:
    span = tracer.start_span("reserve stock")
    try:
        for item in order.items:
            print("reserving", item)
        return bool(order.items)
    except OSError as error:
        span.record_exception(error)
        span.set_status(trace.Status(trace.StatusCode.ERROR, str(error)))
        raise
    finally:
        span.end()


def notify(order) -> None:
    with tracer.start_as_current_span("notify"):
        with tracer.start_as_current_span("render letter"):
            text = f"Order {order.id}: {', '.join(order.items)}"
        mail.send(order.customer, text)


def replay(message) -> None:
    carrier = {key: value.decode() for key, value in message.headers}
    parent = propagate.extract(carrier)
    with tracer.start_as_current_span("orders process", context=parent, kind=SpanKind.CONSUMER):
        fulfil(store.load(json.loads(message.value)["id"]))


def stop(signum, frame) -> None:
    sys.exit(0)


if __name__ == "__main__":
    run()
