"""The semantic conventions: what became of old names, and what the living ones hold. Tables made by scripts/semconv.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from otlint.known import table

_STABLE = "opentelemetry.semconv.attributes."
_CLASSES = ("opentelemetry.semconv.trace.SpanAttributes", "opentelemetry.semconv.resource.ResourceAttributes")
METRIC_CLASS = "opentelemetry.semconv.metrics.MetricInstruments"


@dataclass(frozen=True, slots=True)
class Old:
    """A deprecated name. `new` are its successors; `same`: there is one, and the value stays, `stands`: mostly.

    `values` are the values that have changed, "" for one that is gone; `note` says what else changes, "" for nothing.
    `doubtful`: back ends still read the old name, or the word is nobody's.
    """

    name: str
    new: tuple[str, ...]
    same: bool = False
    stands: bool = False
    note: str = ""
    values: Mapping[str, str] | None = None
    doubtful: bool = False


@cache
def old(key: str, signal: str) -> Old | None:
    """What the conventions say of a deprecated attribute, None when it is not deprecated on that signal."""
    found = table("semconv")
    if any(key in keys and signal != only for only, keys in found["only"].items()):
        return None
    doubtful = key in found["doubtful"]
    if key in found["renamed"]:
        return Old(key, (found["renamed"][key],), same=True, doubtful=doubtful)
    if key in found["reviewed"]:
        new, note = found["reviewed"][key]
        return Old(key, (new,), False, key in found["stands"], note, found["values"].get(key), doubtful)
    if key in found["split"]:
        return Old(key, tuple(found["split"][key]), doubtful=doubtful)
    prefix = next((each for each in found["prefixes"] if key.startswith(f"{each}.")), None)
    return Old(key, (found["prefixes"][prefix] + key[len(prefix) :],), same=True) if prefix else None


@cache
def old_metric(name: str) -> Old | None:
    """What the conventions say of the name of a deprecated metric."""
    found = table("semconv")["metrics"]
    if name in found["renamed"]:
        seconds = name in found["seconds"]
        return Old(name, (found["renamed"][name],), same=not seconds, note="it is in seconds" if seconds else "")
    return Old(name, ()) if name in found["removed"] else None


@cache
def stable_constants() -> Mapping[str, str]:
    """Keys → the constant of a stable Python module that stands for them, by dotted name."""
    return {
        text: f"{holder}.{name}"
        for holder, constants in table("constants").items()
        if holder.startswith(_STABLE)
        for name, text in constants.items()
    }


def is_class_constant(dotted: str) -> bool:
    """Whether a constant belongs to one of the deprecated classes of constants."""
    return dotted.startswith(tuple(f"{name}." for name in (*_CLASSES, METRIC_CLASS)))


def values(key: str) -> tuple[str, ...]:
    """The values that the conventions name for a living attribute, () when they name none."""
    return tuple(table("registry")["enums"].get(key, ()))


@cache
def _kinds() -> Mapping[str, str]:
    return {key: kind for kind, keys in table("registry")["types"].items() for key in keys}


def kind(key: str) -> str | None:
    """The type of a living attribute (`string`, `int`, `string[]`, `template[string]` …), None when it is not one."""
    return _kinds().get(key)
