"""Expected output in files beside the tests, written anew when OTLINT_UPDATE_GOLDEN=1."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def same(name: str, text: str) -> None:
    """Fail unless the text is what tests/golden/NAME holds."""
    path = GOLDEN / name
    if os.environ.get("OTLINT_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8", newline="")
    assert path.is_file(), f"no {path.name}; OTLINT_UPDATE_GOLDEN=1 writes it"
    assert text == path.read_bytes().decode()
