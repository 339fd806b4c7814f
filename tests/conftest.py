from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.observe import Observer


@pytest.fixture(scope="session")
def observer() -> Iterator[Observer]:
    observer = Observer()
    yield observer
    observer.close()
