"""What a repair may take for installed: programs that can do without OpenTelemetry still can when they are repaired."""

from __future__ import annotations

import pytest

from tests.judge import judge

HANDLER = """
def lambda_handler(event, context):
    with tracer.start_as_current_span("lambda_handler") as span:
        return event
"""
TRIED = """
try:
    from opentelemetry import trace

    tracer = trace.get_tracer("shop")
except {}:
    {}
"""
MAIN, TRACING, OBS = "main.py", "shop/tracing.py", "shop/obs.py"
NEEDS = 'from opentelemetry import trace\n\ntracer = trace.get_tracer("shop")\n'
DOES_WITHOUT = TRIED.format("ImportError", "tracer = None")
FROM_TRACING = f"from shop.tracing import tracer\n{HANDLER}"
CHOOSES = (
    'def lambda_handler(event, context):\n    with (tracer.start_as_current_span("a") if {} else null()) as span:\n'
    "        return event\n"
)

CASES = {
    "plain": ({MAIN: NEEDS + HANDLER}, True),
    "tried": ({MAIN: DOES_WITHOUT + HANDLER}, False),
    "tried, several errors": ({MAIN: TRIED.format("(KeyError, ImportError)", "tracer = None") + HANDLER}, False),
    "tried, anything": ({MAIN: TRIED.format("Exception as e", "tracer = None") + HANDLER}, False),
    "tried for something else": ({MAIN: TRIED.format("RuntimeError", "tracer = None") + HANDLER}, True),
    "tried, and raised": ({MAIN: TRIED.format("ImportError", "raise SystemExit(1)") + HANDLER}, True),
    "tried and imported": ({MAIN: "from opentelemetry import context\n" + DOES_WITHOUT + HANDLER}, True),
    "tried and imported for types": (
        {
            MAIN: "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from opentelemetry.trace import Span\n"
            + DOES_WITHOUT
            + HANDLER
        },
        False,
    ),
    "tried, and asked for": ({MAIN: DOES_WITHOUT + CHOOSES.format("tracer is not None")}, True),
    "tried, and asked for something else": ({MAIN: DOES_WITHOUT + CHOOSES.format("verbose")}, False),
    "from a file that needs it": ({TRACING: NEEDS, MAIN: FROM_TRACING}, True),
    "from a file that does without": ({TRACING: DOES_WITHOUT, MAIN: FROM_TRACING}, False),
    "from a file that has it from one that does without": (
        {OBS: DOES_WITHOUT, TRACING: "from shop.obs import tracer\n", MAIN: FROM_TRACING},
        False,
    ),
    "from a file that does without, beside one that needs it": (
        {TRACING: DOES_WITHOUT, OBS: NEEDS, MAIN: f"import shop.obs\n{FROM_TRACING}"},
        True,
    ),
}


@pytest.mark.parametrize(("files", "repaired"), CASES.values(), ids=CASES)
def test_kind(files: dict[str, str], repaired: bool) -> None:
    (found,) = (each for each in judge("OTL402", files).findings if each.code == "OTL402")
    assert (found.fix is not None) is repaired


ENDS = """
import os

from shop.tracing import tracer


def main():
    with tracer.start_as_current_span("main"):
        print("working")
    os._exit(0)


main()
"""
SETS_UP = """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
"""


@pytest.mark.parametrize(("start", "repaired"), [("if True:", True), ("try:", False)])
def test_flush(start: str, repaired: bool) -> None:
    end = "" if repaired else "except ImportError:\n    tracer = None\n"
    head = "from opentelemetry import trace\n" if repaired else ""
    body = "    from opentelemetry import trace\n" + SETS_UP + '    tracer = trace.get_tracer("shop")\n'
    files = {TRACING: f"{head}{start}\n{body}{end}", MAIN: ENDS}
    (found,) = (each for each in judge("OTL511", files).findings if each.code == "OTL511")
    assert (found.fix is not None) is repaired
