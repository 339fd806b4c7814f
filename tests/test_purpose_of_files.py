"""Which files are tests: what a runner runs, and what tests use, but not the programs that they start."""

from __future__ import annotations

import pytest

from otlint.model.module import Module
from otlint.parse import parse
from otlint.source import Source

PYTEST = "import pytest\n"
OTHER = "from opentelemetry import trace\n"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("tests/test_orders.py", OTHER, True),
        ("shop/orders_test.py", OTHER, True),
        ("shop/orders_tests.py", OTHER, True),
        ("shop/unit_test_orders.py", OTHER, True),
        ("shop/orders_unittest.py", OTHER, True),
        ("shop/tests.py", OTHER, True),
        ("tests/conftest.py", OTHER, True),
        ("tests/_helpers.py", OTHER, True),
        ("tests/unit/span_utils.py", OTHER, True),
        ("shop/testing/spans.py", PYTEST, True),
        ("tests/app/main.py", OTHER, False),
        ("tests/app/server.py", "import unittest.mock as mock\n", True),
        ("shop/helpers.py", OTHER, False),
        ("shop/orders.py", PYTEST, False),
        ("shop/testing/spans.py", OTHER, False),
        ("shop/contest.py", OTHER, False),
        ("shop/latest.py", OTHER, False),
        ("shop/test.py", OTHER, False),
    ],
)
def test_files_are_told_by_name_folder_and_imports(path: str, text: str, expected: bool) -> None:
    source = Source(path, text)
    assert Module(source, parse(source), path).is_test is expected
