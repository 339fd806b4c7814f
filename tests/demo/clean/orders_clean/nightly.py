"""The nightly export: what an accountant wants, once a day."""

import csv
from pathlib import Path

from opentelemetry import metrics, trace

from orders_clean import store
from orders_clean.telemetry import configure_tracing

provider = configure_tracing("orders-nightly")
tracer = trace.get_tracer(__name__)
meter = metrics.get_meter(__name__)
exported = meter.create_counter("orders.exported", unit="{order}")
open_orders = meter.create_up_down_counter("orders.open", unit="{order}")
duration = meter.create_histogram(
    "orders.export.duration", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1, 10, 60, 600]
)


def rows():
    span = tracer.start_span("read rows")
    try:
        for order in store.read_all():
            yield order.id, order.cents
    except Exception as error:
        span.record_exception(error)
        span.set_status(trace.Status(trace.StatusCode.ERROR, str(error)))
        raise
    finally:
        span.end()


def main() -> None:
    with tracer.start_as_current_span("nightly export") as span:
        with Path("orders.csv").open("w") as file:
            writer = csv.writer(file)
            for order_id, cents in rows():
                writer.writerow([order_id, cents])
                exported.add(1, {"order.large": cents > 10_000})
                open_orders.add(-1)
        span.set_attribute("export.file", "orders.csv")
    provider.shutdown()


if __name__ == "__main__":
    main()
