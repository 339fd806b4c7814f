"""`otlint explain`: what is reported at a line, which fact silences a rule there, and what is known about it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from otlint import rule
from otlint.cli import main

DEMO = Path(__file__).parent / "demo"
GOLDEN = DEMO / "explained.txt"
HEAD = "from opentelemetry import trace\n\ntracer = trace.get_tracer(__name__)\n\n\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the project."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def make(path: str, text: str) -> str:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["explain", "--project-root", ".", *arguments])
        found = capsysbinary.readouterr()
        return code, found.out.decode(), found.err.decode()

    return call


@pytest.fixture
def ask(run: Any) -> Any:
    """The answer as data for the first line of a file that holds a text."""

    def call(path: str, text: str, *arguments: str) -> dict[str, Any]:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        row = next(i for i, line in enumerate(lines, 1) if text in line)
        code, out, err = run(f"{path}:{row}", "--output-format", "json", *arguments)
        assert (code, err) == (0, "")
        found = json.loads(out)
        assert isinstance(found, dict)
        return found

    return call


def silences(answer: dict[str, Any]) -> dict[str, str]:
    """By code, the reasons of silence with their places."""
    found: dict[str, str] = {}
    for each in answer["silent"]:
        place = each["place"]
        where = f" [{place['filename']}:{place['row']}]" if place else ""
        for one in each["rules"]:
            found[one["code"]] = found.get(one["code"], "") + each["message"] + where
    return found


# -- the question -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["app.py", "app.py:", "app.py:0", "app.py:1:0", "app.py:x", ":3"])
def test_a_question_names_a_line(run: Any, question: str) -> None:
    make("app.py", HEAD)
    code, out, err = run(question)
    assert (code, out) == (2, "")
    assert "names no line; write FILE:LINE or FILE:LINE:COLUMN" in err


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("gone.py:1", "gone.py: "),
        (".:1", ". is no file; write FILE:LINE"),
        ("app.py:99", "app.py has no line 99: it ends with line 3"),
    ],
)
def test_what_cannot_be_answered(run: Any, question: str, message: str) -> None:
    make("app.py", HEAD.strip() + "\n")
    code, out, err = run(question)
    assert (code, out) == (2, "")
    assert message in err


def test_a_file_without_opentelemetry_is_not_judged(run: Any) -> None:
    make("app.py", "def main():\n    pass\n")
    code, out, _ = run("app.py:2")
    assert code == 0
    assert "note: not judged: no OpenTelemetry in this file, and no name from a file that has it" in out


def test_a_test_that_starts_no_span_is_not_judged(run: Any) -> None:
    make("test_app.py", "from opentelemetry import trace\n\n\ndef test_main():\n    assert trace\n")
    _, out, _ = run("test_app.py:5")
    assert "note: not judged: this is a test, and nothing in it is what rules look at in tests" in out


def test_a_file_that_cannot_be_parsed(run: Any) -> None:
    make("app.py", HEAD + "def broken(:\n")
    code, out, _ = run("app.py:1")
    assert code == 0
    assert "the file cannot be parsed, so nothing else in it is judged" in out
    assert "OTL000" in out


def test_a_large_file_says_so(run: Any) -> None:
    make("app.py", HEAD)
    code, out, _ = run("app.py:1", "--config", "max-file-size = 10")
    assert code == 0
    assert "not judged, larger than max-file-size" in out


def test_a_file_outside_of_the_project_root(run: Any, tmp_path: Path) -> None:
    make("app.py", HEAD)
    Path("service").mkdir()
    code = main(["explain", "app.py:3", "--project-root", "service"])
    assert code == 0
    code, out, _ = run("app.py:3", "--project-root", "service")
    assert f"note: the file is outside of the project root {tmp_path / 'service'}" in out


def test_an_excluded_file(run: Any) -> None:
    make("app.py", HEAD)
    code, out, _ = run("app.py:3", "--config", "exclude = ['app.py']", "--config", "force-exclude = true")
    assert code == 0
    assert "note: the configuration excludes this file" in out


def test_a_line_without_a_statement(run: Any) -> None:
    make("app.py", HEAD + "# nothing\n")
    code, out, _ = run("app.py:6")
    assert code == 0
    assert "note: no statement stands on this line" in out
    assert "No finding here." in out


# -- findings ---------------------------------------------------------------------------------------------------

OPEN = HEAD + "def handle(order):\n    span = tracer.start_span(\n        'handle',\n    )\n    order.ship()\n"


@pytest.mark.parametrize("row", [7, 8, 9])
def test_every_line_of_the_statement_counts(run: Any, row: int) -> None:
    make("app.py", OPEN)
    code, out, _ = run(f"app.py:{row}")
    assert code == 0
    assert "warning: OTL501 `span` is never ended" in out
    assert "not reported" not in out


def test_a_suppressed_finding_names_its_comment(run: Any) -> None:
    make("app.py", OPEN.replace("    span =", "    # otlint: ignore[OTL501] on purpose\n    span ="))
    _, out, _ = run("app.py:8")
    assert "warning: OTL501 `span` is never ended" in out
    assert "note: not reported: suppressed by `# otlint: ignore[OTL501] on purpose` in line 7" in out


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('ignore = ["OTL501"]', "OTL501 is not selected by otlint.toml"),
        ('per-file-ignores = { "app.py" = ["lifecycle"] }', "`per-file-ignores` of otlint.toml leaves OTL501 out here"),
    ],
)
def test_a_finding_that_is_not_selected_says_by_what(run: Any, setting: str, message: str) -> None:
    make("otlint.toml", setting)
    make("app.py", OPEN)
    _, out, _ = run("app.py:7")
    assert f"note: not reported: {message}" in out


def test_unused_suppressions_are_those_of_the_configuration(ask: Any) -> None:
    make("app.py", HEAD + "x = 1  # otlint: ignore[OTL501] nothing here\n")
    assert [each["code"] for each in ask("app.py", "x = 1")["findings"]] == ["OTL001"]
    assert not ask("app.py", "x = 1", "--config", "ignore = ['OTL501']")["findings"]


def test_a_line_that_a_finding_elsewhere_names(run: Any) -> None:
    make(
        "app.py",
        HEAD
        + "def handle(order):\n    span = tracer.start_span('handle')\n    if order:\n        return\n    span.end()\n",
    )
    _, out, _ = run("app.py:9")
    assert "Named by a finding elsewhere:\n  OTL501 span-not-ended in line 7: `span` is not ended" in out


def test_json_has_the_findings_of_check(ask: Any) -> None:
    make("app.py", OPEN)
    found = ask("app.py", "span =")
    assert found["rows"] == [7, 9]
    (finding,) = found["findings"]
    assert (finding["code"], finding["location"]["row"]) == ("OTL501", 7)
    assert (finding["suppressed_by"], finding["not_selected"]) == ([], None)


# -- what is known ----------------------------------------------------------------------------------------------


def test_what_is_known_about_a_span(ask: Any) -> None:
    make(
        "app.py",
        HEAD
        + "def handle(order):\n    with tracer.start_as_current_span('handle', kind=trace.SpanKind.SERVER) as span:\n"
        "        span.set_attribute('order', order)\n",
    )
    started = [each["message"] for each in ask("app.py", "with tracer")["known"]]
    assert "the line starts the span `'handle'`, of kind SERVER" in started
    assert "it is ended by its `with`" in started
    inside = ask("app.py", "set_attribute")["known"]
    assert inside[0]["message"] == "the current span is `'handle'`, of kind SERVER"
    assert inside[0]["place"]["row"] == 7


def test_a_column_asks_for_one_expression(run: Any) -> None:
    make("app.py", HEAD + "span = trace.get_current_span()\n")
    _, out, _ = run("app.py:6:15")
    assert "`trace.get_current_span` is `opentelemetry.trace.get_current_span`" in out


# -- silences ---------------------------------------------------------------------------------------------------

TELEMETRY = """
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.threading import ThreadingInstrumentor


def configure():
    RequestsInstrumentor().instrument()
    ThreadingInstrumentor().instrument()
"""
CALL = (
    "import requests\nfrom app.telemetry import configure\n"
    + HEAD
    + "def load(url):\n    with tracer.start_as_current_span('load'):\n        return requests.get(url)\n"
)


def test_an_instrumented_client_names_its_instrumentor(ask: Any) -> None:
    make("app/telemetry.py", TELEMETRY)
    make("app/client.py", CALL)
    found = silences(ask("app/client.py", "with tracer"))
    assert found["OTL401"] == "`RequestsInstrumentor` may be switched on [app/telemetry.py:7]"


def test_an_instrumented_launch_names_its_line(ask: Any) -> None:
    make("app/client.py", CALL)
    make("requirements.txt", "opentelemetry-instrumentation-requests\n")
    make(
        "Dockerfile", 'FROM python:3.12\nCOPY app app\nCMD ["opentelemetry-instrument", "python", "-m", "app.client"]\n'
    )
    found = silences(ask("app/client.py", "with tracer"))
    assert found["OTL401"] == (
        "`opentelemetry-instrument` may instrument it when the service is launched [Dockerfile:3]"
    )


BLOCK = "def work(order, pool):\n    with tracer.start_as_current_span('work') as span:\n"
TRY = BLOCK + "        try:\n            order.ship()\n        except ValueError as error:\n"
# What stands below the tracer, a text on the line that is asked about, and what each rule says about it.
CASES = {
    "OTL701 asked": (
        """from opentelemetry import metrics

meter = metrics.get_meter("shop")


def watch(queues, found=None):
    for queue in queues:
        if found is None:
            meter.create_observable_gauge("sizes", [queue.observe])
""",
        "create_observable_gauge",
        "it is made only if it is not there yet [app/main.py:13]",
    ),
    "OTL203 few": (
        'def note(span):\n    for name in ("a", "b"):\n        span.add_event(f"shop.{name}")\n',
        "add_event",
        "the text has few values",
    ),
    "OTL702 sign": (
        """from opentelemetry import metrics

lost = metrics.get_meter("shop").create_counter("stock.lost")


def count(change):
    if change < 0:
        lost.add(-change)
""",
        "lost.add",
        "what is negated may be negative itself, so its sign is not known",
    ),
    "OTL703 unknown": (
        """from opentelemetry import metrics

def make(name):
    return metrics.get_meter("shop").create_counter(name.lower())
""",
        "create_counter",
        "its name is not known",
    ),
    "OTL704 view": (
        """from opentelemetry import metrics
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View

view = View(instrument_name="*.duration", aggregation=ExplicitBucketHistogramAggregation([1]))
duration = metrics.get_meter("shop").create_histogram("order.duration", unit="s")
""",
        "create_histogram",
        "a view of the project may give it other boundaries",
    ),
    "OTL706 meters": (
        """from opentelemetry import metrics

calls = metrics.get_meter("shop").create_counter("calls")
times = metrics.get_meter("carts").create_histogram("calls")
""",
        "create_histogram",
        "the other one of that name is made by another meter",
    ),
    "OTL801 factory": (
        """import logging

logging.basicConfig(format="%(otelTraceID)s %(message)s")
logging.setLogRecordFactory(print)
""",
        "basicConfig",
        "app/main.py puts the fields on log records",
    ),
    "OTL705 by hand": (
        """from opentelemetry import metrics

stock = metrics.get_meter("shop").create_observable_gauge("stock")
stock._callbacks.append(print)
""",
        "create_observable_gauge",
        "the file adds callbacks by hand",
    ),
    "OTL407 by hand": (
        """from flask import Flask
from opentelemetry.instrumentation.flask import FlaskInstrumentor

app = Flask(__name__)
FlaskInstrumentor().instrument()
FlaskInstrumentor().instrument_app(app)
""",
        "FlaskInstrumentor().instrument()",
        "app/main.py instruments an object by hand",
    ),
    "OTL101 carried": (
        "import threading\n\n\n" + BLOCK + "        threading.Thread(target=handle).start()\n\n\ndef handle():\n"
        "    with tracer.start_as_current_span('handle'):\n        pass\n",
        "Thread(",
        "`ThreadingInstrumentor` may be switched on [app/telemetry.py:8]",
    ),
    "OTL101 not active": (
        "import _thread\n\n\ndef work():\n    _thread.start_new_thread(work, ())\n",
        "start_new",
        "no span is known to be current where the work is handed over",
    ),
    "OTL101 given a context": (
        "import _thread\n\n\n" + BLOCK + "        _thread.start_new_thread(work, (span,))\n",
        "start_new",
        "the work is given a context, a span or a carrier",
    ),
    "OTL101 no telemetry": (
        "import _thread\n\n\n" + BLOCK + "        _thread.start_new_thread(print, (1,))\n",
        "start_new",
        "nothing that it does is known to need the trace",
    ),
    "OTL103 used": (
        (
            "from opentelemetry.propagate import extract\n\n\ndef work(carrier):\n    ctx = extract(carrier)\n"
            "    with tracer.start_as_current_span('work', context=ctx):\n        pass\n"
        ),
        "ctx = ",
        "it is used [app/main.py:11]",
    ),
    "OTL104 used": (
        (
            "from opentelemetry.propagate import inject\n\n\ndef work(send):\n"
            "    headers = {}\n    inject(headers)\n    send(headers)\n"
        ),
        "inject(headers)",
        "the carrier is used afterwards",
    ),
    "OTL106 a context": (
        (
            "from opentelemetry import context\n\n\n"
            "with tracer.start_as_current_span('work', context=context.get_current()):\n    pass\n"
        ),
        "with tracer",
        "it is a context",
    ),
    "OTL107 detached": (
        (
            "from opentelemetry import context\n\n\ndef work(ctx, order):\n    token = context.attach(ctx)\n    try:\n"
            "        order.ship()\n    finally:\n        context.detach(token)\n"
        ),
        "attach(",
        "it is detached on every way out of the function [app/main.py:14]",
    ),
    "OTL107 stored": (
        "from opentelemetry import context\n\n\ndef work(self, ctx):\n    self.token = context.attach(ctx)\n",
        "attach(",
        "it is stored in `self.token`, whose owner is responsible for it",
    ),
    "OTL110 made current": (
        (
            "def work(order):\n    span = tracer.start_span('work')\n    with trace.use_span(span, end_on_exit=True):\n"
            "        order.ship()\n"
        ),
        "start_span(",
        "it is made current, or handed on, by hand [app/main.py:8]",
    ),
    "OTL111 manager": (
        "import contextlib\n\n\n@contextlib.contextmanager\n" + BLOCK + "        yield span\n",
        "with tracer",
        "a decorator makes something else of the generator, such as a context manager",
    ),
    "OTL102 threads": (
        (
            "import multiprocessing\n\n\ndef square(number):\n    return number * number\n\n\n"
            "multiprocessing.Process(target=square, args=(2,)).start()\n"
        ),
        "target=square",
        "nothing that it does is known to make spans",
    ),
    "OTL105 alone": (
        (
            "from opentelemetry.context import Context\n\n\ndef poll():\n"
            "    with tracer.start_as_current_span('poll', context=Context()):\n        pass\n"
        ),
        "with tracer",
        "no context is at hand that the span could continue",
    ),
    "OTL108 unknown": (
        (
            "import requests\n\n\ndef rates(url):\n    with tracer.start_as_current_span('rates'):\n"
            "        return requests.get(url)\n"
        ),
        "return requests",
        "whose service it calls is not known",
    ),
    "OTL109 extracted": (
        (
            "from flask import Flask\nfrom opentelemetry.propagate import extract\n\napp = Flask('shop')\n\n\n"
            "@app.get('/cart')\ndef cart():\n    with tracer.start_as_current_span('cart'):\n"
            "        return str(extract({}))\n"
        ),
        "with tracer",
        "the function does something with the context of its caller",
    ),
    "OTL115 alone": (
        (
            "from flask import Flask, request\nfrom opentelemetry.propagate import extract\n\napp = Flask('shop')\n\n\n"
            "@app.get('/cart')\ndef cart():\n"
            "    with tracer.start_as_current_span('cart', context=extract(request.headers)):\n        return ''\n"
        ),
        "with tracer",
        "no instrumentor is known to make a span for the request",
    ),
    "OTL117 no spans": (
        (
            "import asyncio\n\n\nasync def work():\n    while True:\n        await asyncio.sleep(1)\n\n\n"
            "async def handle():\n    with tracer.start_as_current_span('handle'):\n"
            "        asyncio.create_task(work())\n"
        ),
        "asyncio.create_task",
        "what it does starts no span in the context that it has",
    ),
    "OTL112 estate": (
        (
            "from opentelemetry.propagate import set_global_textmap\n"
            "from opentelemetry.propagators.b3 import B3MultiFormat\n\n"
            "set_global_textmap(B3MultiFormat())\nHEADER = 'X-B3-TraceId'\n"
        ),
        "set_global_textmap(",
        "the project speaks that format elsewhere as well",
    ),
    "OTL113 links": (
        (
            "from opentelemetry.trace import Link\n\n\ndef work(remote):\n"
            "    with tracer.start_as_current_span('work', links=[Link(remote)]):\n        pass\n"
        ),
        "with tracer",
        "they are links",
    ),
    "OTL114 getter": (
        (
            "from opentelemetry.propagate import extract\n\n\ndef received(pairs, getter):\n"
            "    return extract([*pairs], getter=getter)\n"
        ),
        "return extract",
        "a getter is given",
    ),
    "OTL116 attached": (
        (
            "from opentelemetry import baggage, context\n\n\ndef tag(value):\n"
            "    made = baggage.set_baggage('a', value)\n    context.attach(made)\n    return made\n\n\ntag('b')\n"
        ),
        "tag('b')",
        "it attaches a context itself",
    ),
    "OTL201 unknown": (
        "def work(name):\n    with tracer.start_as_current_span(name):\n        pass\n",
        "with tracer",
        "whether the text has few values is not known",
    ),
    "OTL204 view": (
        (
            "from opentelemetry import metrics\nfrom opentelemetry.sdk.metrics.view import View\n\n"
            "view = View(attribute_keys={'a'})\ncount = metrics.get_meter('shop').create_counter('n')\n\n\n"
            "def work(request):\n    count.add(1, {'path': request.path})\n"
        ),
        "count.add",
        "a view of the project may drop the attribute",
    ),
    "OTL301 recorded": (
        TRY + "            span.record_exception(error)\n            span.set_status(trace.StatusCode.ERROR)\n"
        "            return None\n",
        "except",
        "the exception is recorded, and the status is set [app/main.py:11]",
    ),
    "OTL302 raises": (
        TRY + "            raise KeyError from error\n",
        "except",
        "it raises on every way out, and the span sees what leaves its block",
    ),
    "OTL301 goes on": (
        TRY + "            order.cancel()\n        order.ship()\n",
        "except",
        "the operation goes on from here: it tries again, does something else, or uses a default [app/main.py:12]",
    ),
    "OTL301 control flow": (
        TRY.replace("ValueError", "StopIteration") + "            return None\n",
        "except",
        "what it catches ends or pauses work, and is no error",
    ),
    "OTL303 kept": (
        TRY + "            span.record_exception(error)\n            return None\n",
        "except",
        "the handler does not raise the same exception again [app/main.py:11]",
    ),
    "OTL304 unknown": (
        "def close(span, codes):\n    span.set_status(codes[0])\n",
        "span.set_status",
        "what it gives is not known",
    ),
    "OTL305 unknown": (
        "def close(span, errors):\n    span.record_exception(errors[0])\n",
        "span.record_exception",
        "what it gives is not known",
    ),
    "OTL306 recorded": (
        (
            "def work(order):\n    span = tracer.start_span('work')\n    try:\n        order.ship()\n"
            "    except ValueError as error:\n        span.record_exception(error)\n        raise\n"
            "    finally:\n        span.end()\n"
        ),
        "start_span(",
        "this call deals with exceptions [app/main.py:11]",
    ),
    "OTL307 internal": (
        BLOCK + "        if order.status >= 400:\n            span.set_status(trace.StatusCode.ERROR)\n",
        "set_status",
        "its span is not known to be a server's",
    ),
    "OTL308 set": (
        TRY + "            span.set_attribute('error', True)\n            span.set_status(trace.StatusCode.ERROR)\n"
        "            return None\n",
        "'error'",
        "this call sets the status, or may do so [app/main.py:12]",
    ),
    "OTL309 raises": (
        (
            "def traced(function):\n    def wrapper(*args):\n        with tracer.start_as_current_span('work'):\n"
            "            try:\n                return function(*args)\n            except Exception:\n"
            "                raise ValueError from None\n    return wrapper\n"
        ),
        "except",
        "it raises [app/main.py:12]",
    ),
    "OTL310 told": (
        TRY + "            span.record_exception(error)\n"
        "            with tracer.start_as_current_span('error') as other:\n"
        "                other.record_exception(error)\n",
        "as other",
        "the span that failed is told as well [app/main.py:11]",
    ),
    "OTL311 afterwards": (
        BLOCK + "        order.ship()\n        if order:\n            span.set_status(trace.StatusCode.OK)\n",
        "set_status",
        "nothing that may fail is known to come after it",
    ),
    "OTL401 does more": (
        "import requests\n\n\n" + BLOCK + "        requests.get('http://a')\n        order.ship()\n",
        "with tracer",
        "the span does other work as well [app/main.py:12]",
    ),
    "OTL402 framework": (
        (
            "import flask\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\n\n"
            "app = flask.Flask('a')\nFlaskInstrumentor().instrument_app(app)\n\n\n@app.route('/')\ndef index():\n"
            "    with tracer.start_as_current_span('index'):\n        return str(1)\n"
        ),
        "with tracer",
        "`FlaskInstrumentor` may be switched on [app/main.py:10]",
    ),
    "OTL403 instrumented": (
        (
            "from kafka import KafkaProducer\nfrom opentelemetry.instrumentation.kafka import KafkaInstrumentor\n\n"
            "producer = KafkaProducer()\n\n\ndef work(order):\n    with tracer.start_as_current_span('work'):\n"
            "        producer.send('orders', order)\n"
        ),
        "with tracer",
        "`KafkaInstrumentor` may be switched on [app/main.py:7]",
    ),
    "OTL404 instrumented": (
        (
            "from kafka import KafkaConsumer\nfrom opentelemetry.instrumentation.kafka import KafkaInstrumentor\n\n\n"
            "def work():\n    for message in KafkaConsumer('orders'):\n"
            "        with tracer.start_as_current_span('work'):\n"
            "            message.value.ship()\n"
        ),
        "with tracer",
        "`KafkaInstrumentor` may be switched on [app/main.py:7]",
    ),
    "OTL405 unknown": (
        "def work(kinds):\n    with tracer.start_as_current_span('work', kind=kinds[0]):\n        pass\n",
        "with tracer",
        "what its kind is, is not known",
    ),
    "OTL406 other": (
        "with tracer.start_as_current_span('work', kind=trace.SpanKind.CLIENT):\n    ship()\n",
        "as_current_span",
        "nothing is known to make a span of this kind for the same",
    ),
    "OTL408 given": (
        (
            "from opentelemetry.instrumentation.flask import FlaskInstrumentor\n\n\nclass Mine(FlaskInstrumentor):\n"
            "    def instrument(self):\n        FlaskInstrumentor.instrument(self)\n"
        ),
        "FlaskInstrumentor.instrument",
        "the instance is given as an argument",
    ),
    "OTL501 finally": (
        (
            "def work(order):\n    span = tracer.start_span('work')\n    try:\n        order.ship()\n    finally:\n"
            "        span.end()\n"
        ),
        "start_span(",
        "it is ended on every way out of the function [app/main.py:11]",
    ),
    "OTL501 returned": (
        "def work():\n    span = tracer.start_span('work')\n    return span\n",
        "start_span(",
        "it is returned, so the caller is responsible for it [app/main.py:8]",
    ),
    "OTL501 passed": (
        "def work(order):\n    span = tracer.start_span('work')\n    order.ship(span)\n",
        "start_span(",
        "`order.ship`, which it is passed to, may keep it [app/main.py:8]",
    ),
    "OTL502 returned": (
        "def work():\n    return tracer.start_as_current_span('work')\n",
        "return",
        "the context manager is returned, so the caller may enter it",
    ),
    "OTL502 entered": (
        "def work():\n    manager = tracer.start_as_current_span('work')\n    with manager:\n        pass\n",
        "manager = ",
        "",
    ),
    "OTL503 recording": (
        (
            "with tracer.start_as_current_span('work') as span:\n    pass\n"
            "if span.is_recording():\n    span.add_event('a')\n"
        ),
        "add_event",
        "the call is made only while the span is recording",
    ),
    "OTL504 none": ("with tracer.start_as_current_span('work') as span:\n    span.add_event('a')\n", "add_event", ""),
    "OTL507 nanoseconds": (
        "import time\n\n\ntracer.start_span('work', start_time=time.time_ns()).end()\n",
        "start_span",
        "it is in nanoseconds",
    ),
    "OTL517 parent": (
        (
            "from opentelemetry.sdk.trace import TracerProvider, sampling\n\n"
            "provider = TracerProvider(sampler=sampling.ParentBased(sampling.ALWAYS_ON))\n"
        ),
        "provider = ",
        "it asks the parent first",
    ),
    "OTL519 none": ("import opentelemetry.exporter.prometheus\n", "prometheus", ""),
    "OTL522 merged": (
        "from opentelemetry.sdk.resources import Resource\n\nfound = Resource.create().merge(Resource({'a': 'b'}))\n",
        "found = ",
        "it is merged with one that may know the environment",
    ),
    "OTL523 fallback": (
        "try:\n    from opentelemetry.sdk._logs import LogEmitterProvider\nexcept ImportError:\n    import logging\n",
        "LogEmitter",
        "another is tried",
    ),
    "OTL802 one": (
        """import logging
from opentelemetry.sdk._logs import LoggingHandler

logging.getLogger().addHandler(LoggingHandler())
""",
        "addHandler",
        "no other handler is known to export the same",
    ),
    "OTL803 vendor": (
        (
            "def tag(record, span):\n    ids = trace.get_current_span().get_span_context()\n"
            "    record['dd.span_id'] = str(ids.span_id)\n"
        ),
        "dd.span_id",
        "it is written for a vendor who wants it in decimal",
    ),
    "OTL206 not known": (
        BLOCK + "        span.set_attribute('http.route', order.route)\n",
        "set_attribute",
        "whether the text has few values is not known",
    ),
    "OTL601 given": (
        "def tag(span, value):\n    span.set_attribute('shop.order', value)\n",
        "set_attribute",
        "callers decide what the value is",
    ),
    "OTL602 asked for": (
        "import json\n\n\n"
        + BLOCK
        + "        if CAPTURE:\n            span.set_attribute('shop.body', json.dumps(order))\n",
        "set_attribute",
        "a test shows that somebody asks for the content",
    ),
    "OTL602 passed on": (
        """import json
from opentelemetry import trace
from opentelemetry._logs import Logger

class Events(Logger):
    def emit(self, record):
        trace.get_current_span().set_attribute("shop.body", json.dumps(record.body))
""",
        "set_attribute",
        "what others have recorded is passed on",
    ),
    "OTL603 both": (
        BLOCK + "        span.set_attribute('http.status_code', 200)\n"
        "        span.set_attribute('http.response.status_code', 200)\n",
        "'http.status_code'",
        "the successor is set as well",
    ),
    "OTL604 no value": (
        BLOCK + "        span.set_attribute('db.query.text', order.query)\n",
        "set_attribute",
        "no value is known to be part of the text",
    ),
    "OTL202 unknown": (
        BLOCK + "        span.set_attribute(f'shop.{name}', 1)\n",
        "set_attribute",
        "whether the text has few values is not known",
    ),
    "OTL205 few names": ("\n", "get_tracer", "the text has few values"),
    "OTL526 inside": (
        "from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as g\ng.OTLPSpanExporter('http://10.0.0.1:4317')\n",
        "10.0.0.1",
        "the host is on this machine or in a private network",
    ),
    "OTL527 fallback": (
        "try:\n    from opentelemetry.sdk._logs import LoggingHandler\nexcept ImportError:\n    import logging\n",
        "LoggingHandler",
        "another is tried",
    ),
    "OTL605 fine": (BLOCK + "        span.set_attribute('shop.order', 1)\n", "set_attribute", ""),
    "OTL606 read": (BLOCK + "        span.set_attribute('shop.order', 1)\n", "set_attribute", ""),
    "OTL607 not known": (
        BLOCK + "        span.set_attribute('server.port', order.port)\n",
        "set_attribute",
        "the type of the value is not known",
    ),
    "OTL608 of another": (
        BLOCK + "        span.set_attribute('k8s.pod.name', order.pod)\n",
        "set_attribute",
        "it may describe something that the span works on",
    ),
    "OTL518 appended": (
        """import os

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

endpoint = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
exporter = OTLPSpanExporter(endpoint=endpoint)  # which ends with /v1/traces
""",
        "exporter = ",
        "the file speaks of `/v1/traces`, so the variable may hold it or get it",
    ),
    "OTL505 by hand": (
        HEAD
        + """from opentelemetry import context


def before(order):
    context.attach(trace.set_span_in_context(order.span))


def after():
    trace.get_current_span().end()
""",
        ".end()",
        "the file attaches contexts, so the span may be its own [app/main.py:15]",
    ),
    "OTL525 one": (
        """from opentelemetry import trace
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
""",
        "add_span",
        "no equal exporter is known to get the same",
    ),
    "OTL506 finally": (
        HEAD
        + """def read(span, answer):
    try:
        yield from answer
    finally:
        span.end()
""",
        "span.end()",
        "whatever the consumer does, the generator ends it",
    ),
    "OTL509 nothing": (
        BLOCK + "        return pack(order)\n",
        "return pack",
        "what is returned out of the span is not known to be a coroutine",
    ),
    "OTL512 handed on": (
        """from opentelemetry.sdk.trace import TracerProvider

provider = TracerProvider()
export_from(provider)
""",
        "provider = ",
        "it is handed to something that may use it",
    ),
    "OTL513 one": (
        """from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
""",
        "set_tracer",
        "no other provider is known to be set before",
    ),
    "OTL514 frozen": (
        """from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

processor = SimpleSpanProcessor(OTLPSpanExporter())


def lambda_handler(event, context):
    return {}
""",
        "processor = ",
        "the process may be frozen between requests",
    ),
    "OTL520 set up": (
        """from opentelemetry.sdk.trace import TracerProvider


def set_up():
    return TracerProvider()
""",
        "return Tracer",
        "it is not known to be built for each request, message or invocation",
    ),
    "OTL521 simple": (
        """from opentelemetry.sdk.trace import TracerProvider


def lambda_handler(event, context):
    return {}
""",
        "def lambda",
        "nothing that it uses is known to keep telemetry in memory",
    ),
    "OTL524 two": (
        """from opentelemetry.sdk.trace import TracerProvider

one, two = TracerProvider(), TracerProvider()

with tracer.start_as_current_span('work'):
    trace.get_tracer_provider().shutdown()
""",
        "shutdown()",
        "the span may be of another provider",
    ),
    "OTL515 chosen": (
        """import os

from opentelemetry.sdk.trace.export import ConsoleSpanExporter

if os.environ.get('SHOP_DEBUG'):
    exporter = ConsoleSpanExporter()
""",
        "exporter = ",
        "it is used under a condition only",
    ),
    "OTL516 no exporter": (
        "from opentelemetry.sdk.trace import TracerProvider\n\nprovider = TracerProvider()\n",
        "provider = ",
        "nothing in this file is known to export from it",
    ),
    "OTL508 alone": (
        "@tracer.start_as_current_span('work')\ndef work():\n    pass\n",
        "@tracer",
        "no decorator below keeps the function",
    ),
    "OTL511 no batch": (
        "from opentelemetry.sdk.trace import TracerProvider\n\nprovider = TracerProvider()\n",
        "provider = ",
        "it is not known to hold anything back: no batch processor exports to another process",
    ),
    "OTL511 exit": (
        "import os\n\nos._exit(0)\n",
        "os._exit",
        "nothing that runs with this file is known to keep spans in memory",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_silences(ask: Any, case: str) -> None:
    code, text, reason = CASES[case]
    make("app/telemetry.py", TELEMETRY if "carried" in case else "")
    make("app/main.py", ("from app.telemetry import configure\n" if "carried" in case else "") + HEAD + code)
    assert silences(ask("app/main.py", text)).get(case[:6], "") == reason


def test_every_rule_has_a_case() -> None:
    assert {case[:6] for case in CASES} == set(rule.codes())


def test_a_shutdown_elsewhere_names_its_file(ask: Any) -> None:
    make(
        "app/telemetry.py",
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import BatchSpanProcessor\n"
        "from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\n\n"
        "provider = TracerProvider(shutdown_on_exit=False)\n"
        "provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\n",
    )
    make("app/main.py", "from app.telemetry import provider\n\n\ndef stop():\n    provider.shutdown()\n")
    found = silences(ask("app/telemetry.py", "provider = "))
    assert found["OTL511"] == "something that runs with it may send what it holds [app/main.py:5]"
    found = silences(ask("app/telemetry.py", "provider = ", "--config", "instrumentation.shutdown-handled = true"))
    assert found["OTL511"] == "`shutdown-handled` of the configuration says that it is shut down"


def test_a_test_is_left_alone(run: Any) -> None:
    make("test_app.py", OPEN)
    _, out, _ = run("test_app.py:7")
    assert "No finding here." in out
    assert ": the file is a test, which the rule leaves alone\n" in out
    assert out.count("the file is a test") == 1


def test_a_rule_that_reports_is_not_silent(ask: Any) -> None:
    make("app.py", OPEN)
    assert "OTL501" not in silences(ask("app.py", "span ="))


def test_nobody_listens_in_normal_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def heard(*_: object) -> None:
        raise AssertionError("a reason was made for nobody")

    monkeypatch.setattr("otlint.model.spans.unended.fate", heard)
    monkeypatch.setattr("otlint.rules.otl511_provider_not_shut_down.partial", lambda *_: heard)
    make("app.py", HEAD + CASES["OTL501 finally"][0] + CASES["OTL511 no batch"][0])
    assert main(["check", "--isolated", "--select", "OTL501,OTL511", "app.py"]) == 0


QUESTIONS = (
    "orders/worker.py:35",
    "orders/api.py:42",
    "clean/orders_clean/payments.py:17",
    "clean/orders_clean/telemetry.py:20",
)


def test_the_demo(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DEMO)
    for question in QUESTIONS:
        assert main(["explain", "--isolated", "--project-root", ".", question]) == 0
    text = capsysbinary.readouterr().out.decode()
    if os.environ.get("OTLINT_UPDATE_PAGES"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
