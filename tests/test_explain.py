"""`otlint explain`: what is reported at a line, which fact silences a rule there, and what is known about it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from otlint.cli import main

DEMO = Path(__file__).parent / "demo"
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
        for rule in each["rules"]:
            found[rule["code"]] = found.get(rule["code"], "") + each["message"] + where
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


def test_the_demo(run: Any, tmp_path: Path) -> None:
    shutil.copytree(DEMO, tmp_path / "demo")
    code, out, _ = run("demo/orders/worker.py:35", "--isolated")
    assert code == 0
    assert "warning: OTL501 `span` is not ended when the function returns here" in out
