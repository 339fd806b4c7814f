"""A catalogue of rules that does not change with the project's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otlint import rule
from otlint.finding import Level
from otlint.fix import Safety
from otlint.settings import selection

CODES = {
    "OTL101": "thread-drops-context",
    "OTL105": "detached-root-context",
    "OTL107": "attach-without-detach",
    "OTL201": "unbounded-span-name",
    "OTL301": "swallowed-exception",
    "OTL404": "missing-consumer-kind",
    "OTL514": "simple-span-processor",
}
HINTS = {"OTL105", "OTL004"}
ERRORS = {"OTL107"}


def level(code: str) -> Level:
    return Level.INFO if code in HINTS else Level.ERROR if code in ERRORS else Level.WARNING


def rules() -> list[rule.Rule]:
    return [rule.Rule(code, name, level(code), Safety.UNSAFE, lambda _: iter(())) for code, name in CODES.items()]


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Import it into a test module to have the catalogue there."""
    monkeypatch.setattr(rule, "codes", lambda: CODES)
    monkeypatch.setattr(rule, "catalogue", rules)
    monkeypatch.setattr(rule, "load", lambda code: {one.code: one for one in rules()}[code])
    selection.known.cache_clear()
    selection.selector.cache_clear()
    yield
    selection.known.cache_clear()
    selection.selector.cache_clear()
