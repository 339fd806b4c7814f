"""Keys on spans that describe what makes them: the service, the host, the container.

Keys of `service`, `telemetry` and `deployment` speak of what sends the span, whoever sets them. The others may as well
name a thing that the span works on (a pod that is restarted), unless their value comes from this process itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.known import semconv
from otlint.model.attributes.written import Attribute
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module


_SELF = ("service.", "telemetry.", "deployment.")


def described(module: Module) -> Iterator[Attribute]:
    """The writes of resource keys on spans and their events, each once."""
    seen: set[Node] = set()
    for each in module.attributes:
        if each.signal != "span" or each.name is None or each.key in seen or not semconv.describes(each.name):
            continue
        own = each.name.startswith(_SELF) or _is_own(module, each.value)
        if not module.silenced(each.key, not own and "it may describe something that the span works on"):
            seen.add(each.key)
            yield each


def _is_own(module: Module, value: cst.BaseExpression | None) -> bool:
    """Whether a value is what this process knows of itself."""
    if value is None:
        return False
    own = known.table("values")["own"]
    for each in module.origins(value):
        call = each.value if isinstance(each, cst.Subscript) else each
        api = module.api(call.func if isinstance(call, cst.Call) else call)
        if api is None or not (api in own["calls"] or api.startswith(tuple(own["modules"]))):
            return False
    return True
