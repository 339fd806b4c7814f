"""The payment provider, over HTTP."""

import logging

import requests
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

PAYMENTS = "https://payments.internal/v1"

logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)


class PaymentError(Exception):
    pass


def charge(order) -> None:
    with tracer.start_as_current_span("charge"):
        response = requests.post(f"{PAYMENTS}/charges", json={"order": order.id, "cents": order.cents}, timeout=5)
    if response.status_code != 201:
        raise PaymentError(response.text)


def refund(order) -> None:
    with tracer.start_as_current_span("refund", kind="client"):
        requests.post(f"{PAYMENTS}/refunds", json={"order": order.id}, timeout=5).raise_for_status()


def settle(orders) -> None:
    with tracer.start_as_current_span("settle") as span:
        try:
            for order in orders:
                charge(order)
        except PaymentError as error:
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, str(error)))
            raise


def balance():
    with tracer.start_as_current_span("balance", kind=trace.SpanKind.CLIENT) as span:
        try:
            response = requests.get(f"{PAYMENTS}/balance", timeout=5)
            response.raise_for_status()
        except requests.RequestException as error:
            span.record_exception(error)
            return None
        return response.json()["cents"]
