"""How bad a defect is, and how safe a repair: the words that settings, rules and reports share."""

from __future__ import annotations

import enum


class Level(enum.Enum):
    """How bad a defect is; `INFO` rules are hints, off by default."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error: higher is worse."""
        return ("info", "warning", "error").index(self.value)


class Safety(enum.Enum):
    """What a repair may change besides the defect itself.

    `SAFE`: nothing else can differ at run time and no comment moves. `UNSAFE`: trace shape, names, timing
    or other context variables may. `DISPLAY`: shown to the reader, never applied.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"
