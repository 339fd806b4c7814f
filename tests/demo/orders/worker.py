"""Fulfils orders that arrive over Kafka."""

import json
import os
import signal

from kafka import KafkaConsumer
from opentelemetry import context, propagate, trace

from orders import mail, store
from orders.telemetry import configure_tracing

configure_tracing("orders-worker")
tracer = trace.get_tracer(__name__)


def run() -> None:
    signal.signal(signal.SIGTERM, stop)
    for message in KafkaConsumer("orders", group_id="fulfilment", bootstrap_servers="kafka.internal:9092"):
        carrier = {key: value.decode() for key, value in message.headers}
        context.attach(propagate.extract(carrier))
        with tracer.start_as_current_span("orders process"):
            fulfil(store.load(json.loads(message.value)["id"]))


def fulfil(order) -> None:
    reserve_stock(order)
    tracer.start_as_current_span("pack")
    for item in order.items:
        print("packing", item)
    notify(order)


def reserve_stock(order) -> bool:
    span = tracer.start_span("reserve stock")
    if not order.items:
        return False
    for item in order.items:
        print("reserving", item)
    span.end()
    return True


def notify(order) -> None:
    with tracer.start_span("notify"):
        with tracer.start_as_current_span("render letter"):
            text = f"Order {order.id}: {', '.join(order.items)}"
        mail.send(order.customer, text)


def replay(message) -> None:
    carrier = {key: value.decode() for key, value in message.headers}
    propagate.extract(carrier)
    with tracer.start_as_current_span("orders process", kind=trace.SpanKind.CONSUMER):
        fulfil(store.load(json.loads(message.value)["id"]))


def stop(signum, frame) -> None:
    os._exit(0)


if __name__ == "__main__":
    run()
