"""What a rule reports: a place, a sentence, related places and perhaps a repair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from otlint.settings.level import Level

if TYPE_CHECKING:
    from otlint.fix import Fix

__all__ = ["Finding", "Level", "Location", "Related"]


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file: `row` 1-based, `column` 1-based in code points."""

    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a finding, such as the start of the span. `end` is exclusive."""

    message: str
    path: str
    start: Location
    end: Location


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect in one file. `end` is exclusive; the path is as the file was named to otlint.

    A rule makes a finding with `Module.finding`; the engine adds the rule's code, name and level.
    `fingerprint` survives edits elsewhere in the file: it holds no line numbers.
    `noqa_row` is the row on which a trailing suppression comment covers the finding.
    `suppressed` marks a finding that a comment covers, where those are asked for.
    A `hint` is a weaker part of a rule, reported only when the rule is selected by code, name or `hints`.
    """

    path: str
    start: Location
    end: Location
    message: str
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    hint: bool = False
    suppressed: bool = False
    noqa_row: int = 0
    fingerprint: str = ""
    code: str = ""
    name: str = ""
    level: Level = Level.WARNING

    @property
    def sort_key(self) -> tuple[str, Location, str, str]:
        """Findings are reported by path, place, code and message."""
        return (self.path, self.start, self.code, self.message)
