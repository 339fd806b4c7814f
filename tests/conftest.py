from __future__ import annotations

from collections.abc import Iterator

import pytest

from otlint.quick import quicken
from tests.observe import Observer

quicken()  # before any test loads LibCST: nodes are in the tests what they are when otlint runs


@pytest.fixture(scope="session")
def observer() -> Iterator[Observer]:
    observer = Observer()
    yield observer
    observer.close()
