"""What users declare about code that otlint cannot see: instrumentation from outside, wrappers around OpenTelemetry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otlint.settings.globs import Glob


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """What is instrumented or shut down where otlint cannot see it, and the OpenTelemetry version if it is given."""

    auto: bool = False
    libraries: tuple[str, ...] = ()
    bootstrap: tuple[Glob, ...] = ()
    shutdown_handled: bool = False
    version: str | None = None


@dataclass(frozen=True)
class Wrappers:
    """Dotted names of the project's own wrappers around OpenTelemetry."""

    tracers: tuple[str, ...] = ()
    span_starters: tuple[str, ...] = ()
    context_executors: tuple[str, ...] = ()

    @classmethod
    def joined(cls, several: Iterable[Wrappers]) -> Wrappers:
        """Everything that any of them names."""
        each = list(several)
        return cls(
            tuple(dict.fromkeys(name for one in each for name in one.tracers)),
            tuple(dict.fromkeys(name for one in each for name in one.span_starters)),
            tuple(dict.fromkeys(name for one in each for name in one.context_executors)),
        )

    @property
    def words(self) -> tuple[bytes, ...]:
        """What the source of a file holds that uses one of them: the last part of the module's name."""
        names = (*self.tracers, *self.span_starters)
        return tuple({name.rpartition(".")[0].rpartition(".")[2].encode() for name in names if "." in name})

    def below_tracer(self, dotted: str) -> str | None:
        """What a dotted name says behind the name of a tracer: `""`, `".start_span"`; None when it is not about one."""
        found = self._tracers.search(dotted) if self.tracers else None
        return None if found is None else dotted[found.end() :]

    def starts_span(self, dotted: str) -> bool:
        """Whether the name is that of a function that starts a span."""
        return bool(self.span_starters) and _is_one(dotted, self.span_starters)

    def carries_context(self, dotted: str | None) -> bool:
        """Whether the name is that of an executor that carries the context along."""
        return dotted is not None and _is_one(dotted, self.context_executors)

    @cached_property
    def _tracers(self) -> re.Pattern[str]:
        return re.compile(rf"(?:^|\.)(?:{'|'.join(map(re.escape, self.tracers))})(?=\.|$)")


def _is_one(dotted: str, names: Iterable[str]) -> bool:
    """Whether a name is one of those; a project's files may be known by a longer one (`src.acme.obs.span`)."""
    return any(dotted == name or dotted.endswith(f".{name}") for name in names)
