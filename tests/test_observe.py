"""The observer shows what a collector receives, also when the process ends badly."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from tests.observe import Observer

Run = Callable[..., list[str]]

HEAD = """
from opentelemetry import context, propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode
tracer = trace.get_tracer(__name__)
"""


@pytest.fixture
def run(observer: Observer) -> Run:
    def run(code: str, **options: float) -> list[str]:
        return observer.run({"example.py": HEAD + textwrap.dedent(code)}, "example.py", **options)

    return run


def test_children_are_indented_below_their_parents_in_start_order(run: Run) -> None:
    lines = run("""
        with tracer.start_as_current_span("GET /orders", kind=SpanKind.SERVER):
            with tracer.start_as_current_span("load", attributes={"b": 1, "a": "x"}):
                pass
            with tracer.start_as_current_span("render"):
                pass
        with tracer.start_as_current_span("next"):
            pass
    """)
    assert lines == [
        "GET /orders SERVER UNSET",
        '  load INTERNAL UNSET {a="x", b=1}',
        "  render INTERNAL UNSET",
        "next INTERNAL UNSET",
    ]


def test_exceptions_show_status_and_event_without_the_stack(run: Run) -> None:
    lines = run("""
        with tracer.start_as_current_span("pay"):
            raise ValueError("no money")
    """)
    assert lines == [
        'pay INTERNAL ERROR "ValueError: no money"',
        '  event exception {exception.escaped="False", exception.message="no money", exception.type="ValueError"}',
        "raises ValueError: no money",
    ]


def test_links_name_their_span(run: Run) -> None:
    lines = run("""
        with tracer.start_as_current_span("publish") as span:
            pass
        with tracer.start_as_current_span("work", links=[trace.Link(span.get_span_context(), {"n": 1})]):
            pass
    """)
    assert lines[1:] == ["work INTERNAL UNSET", "  link to publish {n=1}"]


def test_attributes_are_shown_as_encoded(run: Run) -> None:
    lines = run("""
        with tracer.start_as_current_span("a") as span:
            span.set_attribute("flags", [True, False])
            span.set_attribute("ratio", 0.5)
            span.set_attribute("text", 'say "hé"')
            span.set_attribute("at", f"{object()}")
    """)
    assert lines == [
        r'a INTERNAL UNSET {at="<object object at 0x…>", flags=[true, false], ratio=0.5, text="say \"hé\""}'
    ]


def test_a_remote_parent_is_not_a_lost_one(run: Run) -> None:
    lines = run("""
        carrier = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        with tracer.start_as_current_span("served", context=propagate.extract(carrier)):
            pass
        lost = tracer.start_span("lost")
        with trace.use_span(lost):
            with tracer.start_as_current_span("one"):
                pass
            with tracer.start_as_current_span("two"):
                pass
    """)
    assert lines == [
        "(remote parent)",
        "  served INTERNAL UNSET",
        "(parent not exported)",
        "  one INTERNAL UNSET",
        "  two INTERNAL UNSET",
    ]


def test_a_span_never_ended_is_nothing(run: Run) -> None:
    assert run('span = tracer.start_span("a")') == ["nothing exported"]


def test_a_batch_that_the_encoder_refuses_is_lost_as_a_whole(run: Run) -> None:
    lines = run("""
        with tracer.start_as_current_span("fine"):
            pass
        with tracer.start_as_current_span("bad", kind="server"):
            pass
    """)
    assert lines == ["nothing exported", "batch lost: 2 spans, KeyError: 'server'"]


def test_warnings_of_the_sdk(run: Run) -> None:
    lines = run("""
        span = tracer.start_span("a")
        span.end()
        span.set_attribute("late", 1)
    """)
    assert lines == ["a INTERNAL UNSET", "warning Setting attribute on ended span."]


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("sys.exit(0)", ["a INTERNAL UNSET"]),
        ("sys.exit(3)", ["a INTERNAL UNSET", "exit 3"]),
        ("os._exit(0)", ["nothing exported", "exit 0"]),
        ("os._exit(4)", ["nothing exported", "exit 4"]),
        ("os.kill(os.getpid(), 15)", ["nothing exported", "exit by SIGTERM"]),
        ("os.execv(sys.executable, [sys.executable, '-c', 'pass'])", ["nothing exported", "exit 0"]),
        (
            "threading.Thread(target=lambda: [].pop()).start()",
            ["a INTERNAL UNSET", "raises IndexError: pop from empty list"],
        ),
    ],
)
def test_ways_to_end(run: Run, code: str, lines: list[str]) -> None:
    assert run(f"import os, sys, threading\nwith tracer.start_as_current_span('a'): pass\n{code}") == lines


def test_a_block_that_hangs_ends_by_timeout(run: Run) -> None:
    assert run("import time; time.sleep(60)", seconds=0.3) == ["nothing exported", "exit by timeout"]


def test_what_hangs_at_shutdown_ends_by_timeout(run: Run) -> None:
    code = "import threading; threading.Thread(target=threading.Event().wait).start()"
    assert run(code, seconds=0.3)[-1] == "exit by timeout"


def test_an_example_may_install_its_own_provider_once(run: Run) -> None:
    lines = run("""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint="http://collector:4318")))
        trace.set_tracer_provider(provider)
        with trace.get_tracer("x").start_as_current_span("kept"):
            pass
        provider.force_flush()
        with trace.get_tracer("x").start_as_current_span("dropped"):
            pass
        trace.set_tracer_provider(TracerProvider())
    """)
    assert lines == ["kept INTERNAL UNSET", "warning Overriding of current TracerProvider is not allowed"]


def test_runs_as_main_with_its_folder_on_the_path(observer: Observer) -> None:
    files = {
        "app/spans.py": "from opentelemetry import trace\ndef say(t): trace.get_tracer('t').start_span(t).end()",
        "main.py": "import __main__, sys\nfrom app.spans import say\ndef f(): pass\n"
        "say(f'{__name__} {__main__.f is f} {len(sys.argv)}')",
    }
    assert observer.run(files, "main.py") == ["__main__ True 1 INTERNAL UNSET"]


def test_runs_do_not_see_each_other(run: Run) -> None:
    run("context.attach(context.set_value('x', 1)); tracer.start_span('a').end()")
    assert run("tracer.start_span(str(context.get_value('x'))).end()") == ["None INTERNAL UNSET"]


def test_a_process_pool_ends_without_its_spans(run: Run) -> None:
    lines = run("""
        import multiprocessing
        def work():
            with tracer.start_as_current_span("work"):
                pass
        if __name__ == "__main__":
            with tracer.start_as_current_span("main"):
                child = multiprocessing.get_context("fork").Process(target=work)
                child.start()
                child.join()
    """)
    assert lines == ["main INTERNAL UNSET"]


def test_data_points_of_metrics(run: Run) -> None:
    assert run(
        """
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        meter = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]).get_meter("shop")
        meter.create_counter("orders").add(3, {"kind": "tea"})
        meter.create_up_down_counter("open", unit="{order}").add(-1)
        for seconds in (0.1, 7, 20000):
            meter.create_histogram("wait", unit="s").record(seconds)
        meter.create_gauge("stock").set(1.5)
        """
    ) == [
        "metric open updown {order}: -1",
        'metric orders counter {kind="tea"}: 3',
        "metric stock gauge: 1.5",
        "metric wait histogram s: 1 up to 5, 1 up to 10, 1 above 10000",
    ]
