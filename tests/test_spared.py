"""Tests that are not parsed: what is found is what would be found if they were."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

import pytest

from otlint import gate, gather, parse, rule
from otlint.finding import Finding
from otlint.source import Source
from otlint.spared import emptied, is_spared
from tests.judge import cases, judge

_READS_A_SPAN = '''\
import pytest
from opentelemetry.trace import StatusCode


class TestOrders:
    def test_order_is_traced(self, exporter):
        """Says “sold”."""
        sell("tea ☕")

        (span,) = exporter.get_finished_spans()
        assert span.name == "sell"  # and no id

    async def test_refusal(self, exporter): await refuse(); assert exporter.get_finished_spans()

    def helper(self):
        return StatusCode.OK
'''


def _emptied(text: str, *also: bytes) -> str:
    found = emptied(text, ast.parse(text), also)
    assert len(found) == len(text)
    assert [len(line) for line in found.splitlines()] == [len(line) for line in text.splitlines()]
    ast.parse(found)
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_test_that_names_nothing_is_emptied(end: str) -> None:
    text = _READS_A_SPAN.replace("\n", end)
    found = _emptied(text)
    lines = found.split(end)
    assert lines[5:7] == ["    def test_order_is_traced(self, exporter):", '        """' + " " * 15]
    assert lines[10].strip() == '"""  # and no id'
    assert lines[12].startswith('    async def test_refusal(self, exporter): """ ')
    assert lines[14:] == text.split(end)[14:]


@pytest.mark.parametrize(
    "body",
    [
        "with tracer.start_as_current_span('sell'): pass",
        "token = attach(context)",
        "RequestsInstrumentor.instrument()",
        "trace.get_current_span(context)",
        "global provider; provider = None",
        "x = 1  # otlint: ignore[OTL501]",
        "@traced\n    def sell(): pass\n    sell()",
        "pass",
    ],
)
def test_other_tests_stay(body: str) -> None:
    text = f"def test_sell():\n    {body}\n"
    assert _emptied(text) == text


@pytest.mark.parametrize("body", ["trace.get_current_span().name", "RequestsInstrumentor().instrument()"])
def test_calls_that_are_right_are_of_no_interest(body: str) -> None:
    text = f"def test_sell():\n    {body}\n"
    assert _emptied(text) == f'def test_sell():\n    """{" " * (len(body) - 6)}"""\n'


def test_words_of_the_configuration_are_of_interest() -> None:
    text = "def test_sell():\n    with shop.span(): sell()\n"
    assert _emptied(text) != text
    assert _emptied(text, b"shop.span") == text


def test_only_tests_are_spared() -> None:
    data = _READS_A_SPAN.encode()
    assert is_spared("shop/test_orders.py", data)
    assert is_spared("orders_test.py", data)
    assert not is_spared("shop/orders.py", data)
    assert not is_spared("tests/orders.py", data)
    assert not is_spared("test_orders.py", data, [b"StatusCode"])
    assert not is_spared("test_orders.py", data + b"tracer.start_span('sell')")
    assert not is_spared("test_orders.py", data + b"attach(context)")


def test_words_that_mean_something_else_without_opentelemetry() -> None:
    assert is_spared("test_orders.py", b"def test_it():\n    socket.attach(timestamp)\n")
    assert not is_spared("test_orders.py", b"def test_it():\n    with tracer.start_as_current_span('x'): pass\n")


def _tests(code: str) -> Iterator[str]:
    """The examples of a page in one file, as the files of tests that they could be: as they are, and as one test."""
    for case in cases(code):
        texts = list(case.example.texts.values())
        if len(texts) == 1:
            yield texts[0]
            yield "import pytest\n\n\ndef test_it():\n" + textwrap.indent(texts[0], "    ")


def _found(code: str, text: str) -> list[Finding]:
    return judge(code, {"test_shop.py": text}).findings


@pytest.mark.parametrize("code", rule.codes())
def test_nothing_is_lost(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {text: _found(code, text) for text in _tests(code)}
    for module in (gate, gather):
        monkeypatch.setattr(module, "is_spared", lambda *_: False)
    monkeypatch.setattr(parse, "parse_test", _whole)
    assert {text: _found(code, text) for text in quick} == quick


def _whole(source: Source, _: object) -> object:
    return parse.parse(source), source.text
