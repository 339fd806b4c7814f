"""The HTTP side: takes orders and answers questions about them."""

import contextvars
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.trace import Status, StatusCode
from pydantic import BaseModel

from orders_clean import events, mail, payments, store
from orders_clean.telemetry import configure_tracing

provider = configure_tracing("orders-api")
tracer = trace.get_tracer(__name__)
background = ThreadPoolExecutor(max_workers=4)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    background.shutdown()
    provider.shutdown()


app = FastAPI(lifespan=lifespan)
FastAPIInstrumentor.instrument_app(app)


class Order(BaseModel):
    id: str
    customer: str
    items: list[str]
    cents: int


@app.get("/orders/{order_id}")
def get_order(order_id: str):
    with tracer.start_as_current_span("get order", attributes={"order.id": order_id}):
        return store.load(order_id)


@app.post("/orders")
def create_order(order: Order):
    with tracer.start_as_current_span("create order") as span:
        span.set_attribute("order.item_count", len(order.items))
        store.save(order)
        try:
            payments.charge(order)
        except payments.PaymentError as error:
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, str(error)))
            return JSONResponse({"error": "payment failed"}, status_code=502)
        events.publish_created(order)
        background.submit(contextvars.copy_context().run, send_confirmation, order)
        return {"id": order.id}


def send_confirmation(order: Order) -> None:
    with tracer.start_as_current_span("send confirmation"):
        mail.send(order.customer, f"Your order {order.id} is on its way")
