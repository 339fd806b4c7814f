"""What other services hear about orders, over Kafka."""

import json

from kafka import KafkaProducer
from opentelemetry import propagate, trace

tracer = trace.get_tracer(__name__)
producer = KafkaProducer(bootstrap_servers="kafka.internal:9092")


def publish_created(order) -> None:
    with tracer.start_as_current_span("orders send"):
        carrier = {}
        propagate.inject(carrier)
        headers = [(key, value.encode()) for key, value in carrier.items()]
        producer.send("orders", json.dumps({"id": order.id}).encode(), headers=headers)
