"""OTL704: a histogram of seconds that has the SDK's boundaries, which are made for milliseconds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, known, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.metrics.instruments import Instrument
    from otlint.model.module import Module

_UNITS = frozenset({"s", "sec", "secs", "second", "seconds"})
# Those of the semantic conventions for `http.server.request.duration`.
_BOUNDARIES = "[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]"
_AGGREGATION = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.metrics.lengths import is_idle, takes_long

    if module.is_spared_test:
        return
    for each in module.instruments:
        # meter.create_histogram("order.duration", unit="s")
        if each.api != otel.HISTOGRAM or each.buckets is not None or each.hidden or not _is_of_seconds(module, each):
            continue
        why = _aggregated(module) or _odd(each) or takes_long(module, each)
        if module.silenced(each.call, why or (is_idle(module, each) and "nothing is measured with it")):
            continue
        newer = module.instrumentation.otel_at_least("1.30")
        advice = f"give `{otel.BUCKETS}`" if newer else "give boundaries by a `View`"
        yield module.finding(
            each.call,
            "the default boundaries of a histogram, 0, 5, 10 … 10000, are for milliseconds, so nearly all that takes "
            f"seconds is in one bucket; {advice}",
            fix=_fix(module, each) if newer else None,
        )


def _is_of_seconds(module: Module, each: Instrument) -> bool:
    text = module.helpers.attributes.text
    words = set(re.split(r"[._/-]", _said(module, each).lower())) - {""}
    listed = known.table("metrics")["seconds"]
    if not words or not words.isdisjoint(listed["long"]) or words.isdisjoint(listed["words"]):
        return False
    if each.unit is None:
        return "seconds" in words
    return (text(each.unit) or "").lower() in _UNITS


def _said(module: Module, each: Instrument) -> str:
    """What is known of the name: all of it, or what stands between the braces of `f"{SERVICE}_request_seconds"`."""
    import libcst as cst

    if isinstance(each.name, cst.FormattedString):
        return "/".join(part.value for part in each.name.parts if isinstance(part, cst.FormattedStringText))
    return (module.helpers.attributes.text(each.name) if each.name is not None else None) or ""


def _aggregated(module: Module) -> str | None:
    """Why the histogram may have other boundaries."""
    if any(map(module.project.calls, otel.VIEWED)):
        return "a view of the project may give it other boundaries"
    if module.project.calls(otel.EXPONENTIAL) or module.instrumentation.variable(_AGGREGATION) is not None:
        return "the project has histograms whose buckets are exponential"
    return None


def _odd(each: Instrument) -> str | None:
    """`create_histogram("…", boundaries=[…])`: somebody thought of boundaries, and the call raises."""
    for arg in each.call.args:
        if arg.keyword is not None and re.search("bound|bucket", arg.keyword.value):
            return f"it is given `{arg.keyword.value}`"
    return None


def _fix(module: Module, each: Instrument) -> Fix | None:
    if each.call is not each.made:
        return None
    change = edits.set_argument(module, each.call, otel.BUCKETS, _BOUNDARIES)
    return Fix("give it boundaries from 5 ms to 10 s", Safety.UNSAFE, change)
