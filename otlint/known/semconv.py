"""The semantic conventions: what became of old names, and what the living ones hold; scripts/semconv.py makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from otlint.known import table

_STABLE = "opentelemetry.semconv.attributes."
_UNSTABLE = "opentelemetry.semconv._incubating.attributes."


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
def _constants(package: str) -> Mapping[str, str]:
    return {
        text: f"{holder}.{name}"
        for holder, constants in table("constants").items()
        if holder.startswith(package)
        for name, text in constants.items()
    }


def constant(key: str, *, unstable: bool = False) -> str | None:
    """The constant of a stable (or an unstable) Python module that stands for a key, by dotted name."""
    return _constants(_UNSTABLE if unstable else _STABLE).get(key)


def is_late(key: str) -> bool:
    """Whether the stable constant of a key is younger than the stable modules."""
    return key.startswith(tuple(table("registry")["late"]))


def values(key: str) -> tuple[str, ...]:
    """The values that the conventions name for a living attribute, () when they name none."""
    return tuple(table("registry")["enums"].get(key, ()))


@cache
def _kinds() -> Mapping[str, str]:
    return {key: kind for kind, keys in table("registry")["types"].items() for key in keys}


def kind(key: str) -> str | None:
    """The type of a living attribute (`string`, `int`, `string[]`, `template[string]` …), None when it is not one."""
    return _kinds().get(key)


@cache
def _described() -> frozenset[str]:
    return frozenset(table("registry")["resource"]["keys"])


def describes(key: str) -> bool:
    """Whether a key describes a resource, and no span, by the conventions."""
    return key in _described()


def is_closed(key: str) -> bool:
    """Whether the conventions allow no other values than those that they name."""
    return key in table("registry")["enums"]["closed"]


def template(key: str) -> str | None:
    """The type of a key that a template makes (`http.request.header.<key>`), None when none does."""
    start = key
    while start := start.rpartition(".")[0]:
        kind_of = kind(start)
        if kind_of is not None:
            return kind_of.removeprefix("template[").removesuffix("]") if kind_of.startswith("template") else None
    return None


@cache
def near(key: str) -> str | None:
    """The living key that a misspelt one certainly means: the same letters, or one letter of a long word is wrong."""
    if "." not in key or kind(key) or template(key) or old(key, "span") or old(key, "metric"):
        return None
    if (same := _by_letters().get(_letters(key))) is not None:
        return same
    rows = [each for each in _kinds() if abs(len(each) - len(key)) <= 1 and _is_one_off(key, each)]
    return rows[0] if len(rows) == 1 else None


def _letters(key: str) -> str:
    return "".join(filter(str.isalnum, key)).lower()


@cache
def _by_letters() -> Mapping[str, str]:
    return {_letters(key): key for key in _kinds()}


def _is_one_off(key: str, living: str) -> bool:
    """Whether one word of five letters or more has one letter too many, too few, wrong, or swapped with the next."""
    mine, theirs = key.split("."), living.split(".")
    if len(mine) != len(theirs):
        return False
    wrong = [(a, b) for a, b in zip(mine, theirs, strict=True) if a != b]
    if len(wrong) != 1:
        return False
    a, b = wrong[0]
    if min(len(a), len(b)) < 5 or (a.startswith(b) and a != b):
        return False
    if b.startswith(a):
        return b == f"{a}s"
    start = next(i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
    rest_a, rest_b = a[start:], b[start:]
    swapped = rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:]
    return swapped or rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:]
