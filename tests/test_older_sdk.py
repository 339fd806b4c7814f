from __future__ import annotations

import pytest

from scripts import older_sdk


@pytest.mark.parametrize("version", older_sdk.VERSIONS)
def test_examples_for_an_older_sdk(version: str) -> None:
    if not older_sdk.interpreter(version).exists():
        pytest.skip(f"`python -m scripts.older_sdk {version}` makes its environment")
    assert older_sdk.observed(version) == older_sdk.golden(version).read_text(encoding="utf-8")
