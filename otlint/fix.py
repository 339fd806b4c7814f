"""Repairs as text edits: what they are, how safe they are, and how they are applied."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Safety(enum.Enum):
    """What a repair may change besides the defect itself.

    `SAFE`: nothing else can differ at run time and no comment moves. `UNSAFE`: trace shape, names, timing
    or other context variables may. `DISPLAY`: shown to the reader, never applied.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replaces `text[start:end]`, offsets 0-based in code points of `Source.text`; made by `otlint.edits` only.

    `shared` edits make an import: several fixes may hold the same one, and different ones may stand at one place.
    """

    start: int
    end: int
    text: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair: all of its edits are applied, or none. `title` completes "Fix: …"."""

    title: str
    safety: Safety
    edits: tuple[Edit, ...]
