"""OTL206: `http.route` set to the path of the request instead of the route that it matched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    if module.is_test:
        return
    for write in module.attributes:
        # Measurements are OTL204's.
        if write.name != otel.HTTP_ROUTE or write.value is None or write.signal == "metric":
            continue
        text = module.text(write.value)
        if module.silenced(write.value, not text.is_unbounded and text.words) or text.source is None:
            continue
        far = text.origin is not None and module.row(text.origin) != module.row(write.value)
        yield module.finding(
            write.value,
            f"`http.route` is {module.quoted(text.source)}, which differs from request to request; "
            "set the template of the matched route, or leave the attribute out",
            related=[(text.origin, "the value comes from here")] if far and text.origin is not None else (),
        )
