"""The HTTP side: takes orders and answers questions about them."""

from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from opentelemetry import trace
from pydantic import BaseModel

from orders import events, mail, payments, store
from orders.telemetry import configure_tracing

configure_tracing("orders-api")
tracer = trace.get_tracer(__name__)
app = FastAPI()
background = ThreadPoolExecutor(max_workers=4)


class Order(BaseModel):
    id: str
    customer: str
    items: list[str]
    cents: int


@app.get("/orders/{order_id}")
def get_order(order_id: str):
    with tracer.start_as_current_span(f"get order {order_id}"):
        return store.load(order_id)


@app.post("/orders")
def create_order(order: Order):
    with tracer.start_as_current_span("create order") as span:
        span.set_attribute("order.item_count", len(order.items))
        store.save(order)
        try:
            payments.charge(order)
        except payments.PaymentError:
            return JSONResponse({"error": "payment failed"}, status_code=502)
        events.publish_created(order)
        background.submit(send_confirmation, order)
        return {"id": order.id}


def send_confirmation(order: Order) -> None:
    with tracer.start_as_current_span("send confirmation"):
        mail.send(order.customer, f"Your order {order.id} is on its way")
