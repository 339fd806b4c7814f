"""The nightly export: what an accountant wants, once a day."""

import csv
from pathlib import Path

from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

from orders import store

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
tracer = provider.get_tracer(__name__)
meter = metrics.get_meter(__name__)
exported = meter.create_counter("orders.exported", unit="{order}")
open_orders = meter.create_counter("orders.open", unit="{order}")
duration = meter.create_histogram("orders.export.duration", unit="s")


def rows():
    span = tracer.start_span("read rows")
    for order in store.read_all():
        yield order.id, order.cents
    span.end()


def main() -> None:
    with tracer.start_as_current_span("nightly export") as span:
        span.set_status(trace.Status(trace.StatusCode.OK))
        try:
            with Path("orders.csv").open("w") as file:
                writer = csv.writer(file)
                for order_id, cents in rows():
                    writer.writerow([order_id, cents])
                    exported.add(1, {"order.id": order_id})
                    open_orders.add(-1)
        except OSError as error:
            with tracer.start_as_current_span("export failed") as failed:
                failed.record_exception(error)
        provider.shutdown()


if __name__ == "__main__":
    main()
