"""A rule is a value: its code and name are its module's file name, its judgement one generator function."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otlint.settings.level import Level, Safety

if TYPE_CHECKING:
    from otlint.finding import Finding
    from otlint.model.module import Module

Check = Callable[["Module"], Iterator["Finding"]]

CATEGORIES = {
    "0": "otlint",
    "1": "context",
    "2": "names",
    "3": "errors",
    "4": "kinds",
    "5": "lifecycle",
    "6": "attributes",
    "7": "metrics",
    "8": "logs",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """`fix` is the best safety that the rule's repairs reach, None when it has none."""

    code: str
    name: str
    level: Level
    fix: Safety | None
    check: Check

    @property
    def category(self) -> str:
        """The name of the group that the code's first digit stands for."""
        return CATEGORIES[self.code[3]]


def rule(level: Level, *, fix: Safety | None = None) -> Callable[[Check], Rule]:
    """Turn the check of module `otlNNN_some_name` into the rule OTLNNN `some-name`."""

    def make(check: Check) -> Rule:
        code, name = _identity(check.__module__.rpartition(".")[2])
        return Rule(code, name, level, fix, check)

    return make


def codes() -> dict[str, str]:
    """Every rule's code and name, read off the folder: no rule module is imported."""
    return dict(_identity(module) for module in _modules())


@functools.cache
def load(code: str) -> Rule:
    """The rule of a code; raises KeyError when there is none."""
    module = {_identity(name)[0]: name for name in _modules()}[code]
    found = importlib.import_module(f"otlint.rules.{module}").check
    assert isinstance(found, Rule)
    return found


def catalogue() -> list[Rule]:
    """All rules by code. Imports every rule module."""
    return [load(code) for code in codes()]


@functools.cache
def _modules() -> tuple[str, ...]:
    import otlint.rules

    return tuple(sorted(info.name for info in pkgutil.iter_modules(otlint.rules.__path__)))


def _identity(module: str) -> tuple[str, str]:
    """`otl101_thread_drops_context` → (`OTL101`, `thread-drops-context`)."""
    code, _, name = module.partition("_")
    return code.upper(), name.replace("_", "-")
