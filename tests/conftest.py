from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from otlint.quick import quicken
from tests.observe import Observer

settings.register_profile("otlint", deadline=None)  # machines are slow at times
settings.load_profile("otlint")
quicken()  # before any test loads LibCST: nodes are in the tests what they are when otlint runs


@pytest.fixture(scope="session")
def observer() -> Iterator[Observer]:
    observer = Observer()
    yield observer
    observer.close()
