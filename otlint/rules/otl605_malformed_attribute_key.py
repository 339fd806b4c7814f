"""OTL605: an attribute key that is not written as the naming rules want it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.known import semconv
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.attributes.written import Attribute
    from otlint.model.module import Module

_WORD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@rule(Level.INFO)
def check(module: Module) -> Iterator[Finding]:
    if module.is_test:
        return
    seen = set()
    for write in module.attributes:
        place = module.helpers.attributes.literal(write.key) or write.key
        wrong = _wrong(write) if place not in seen else None
        if wrong is not None:
            seen.add(place)
            yield module.finding(place, f"`{write.name}` {wrong}")


def _wrong(write: Attribute) -> str | None:
    key = write.name
    if key is None or write.signal == "baggage" or semconv.kind(key) or semconv.template(key):
        return None
    if semconv.old(key, write.signal) is not None or semconv.near(key) is not None:
        return None
    if not key:
        return "is empty, and the SDK leaves the attribute out; give a name"
    if not all(_WORD.fullmatch(part) for part in key.split(".")):
        return f"is not lower case words with dots and underscores; write `{_proper(key)}`"
    if "." not in key:
        return "has no namespace, and may mean anything to who reads it; put the name of the application before it"
    return None


def _proper(key: str) -> str:
    parts = ("_".join(re.findall(r"[a-z0-9]+", _SNAKE.sub("_", part).lower())) for part in key.split("."))
    return ".".join(filter(None, parts)) or "a_name"
