"""What stands for an import of OpenTelemetry where that is not installed, and is no second meaning of the name.

try: from opentelemetry.trace import StatusCode
except ImportError:
    class StatusCode: ERROR = "ERROR"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel

if TYPE_CHECKING:
    from otlint.model.code.names import Binding
    from otlint.model.code.walk import Walk

_STANDS_IN = frozenset({"assign", "class", "def"})


def leave_out(walk: Walk, bindings: list[Binding]) -> None:
    """Take what stands in out of all that a name is bound to; None stays, as code asks for it."""
    imported = [each for each in bindings if each.kind == "import" and otel.is_otel(each.dotted or "")]
    for each in imported:
        tried = next((up for up in walk.ancestors(each.node) if isinstance(up, cst.Try)), None)
        if tried is not None and walk.inside(each.node, tried.body):
            bindings[:] = [other for other in bindings if not _stands_in(walk, other, tried)]


def _stands_in(walk: Walk, binding: Binding, tried: cst.Try) -> bool:
    is_none = isinstance(binding.value, cst.Name) and binding.value.value == "None"
    if binding.kind not in _STANDS_IN or is_none:
        return False
    here = any(walk.inside(binding.node, each.body) for each in tried.handlers)
    return here and walk.function_of(binding.node) is walk.function_of(tried)
