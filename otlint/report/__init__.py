"""Report formats: each a function that writes a `Report` to a stream."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from otlint.engine import Report
    from otlint.finding import Finding
    from otlint.rulebook import Entry
    from otlint.source import Source


# Format → the module and the function that write it: a run imports the one that it needs.
_WRITERS = {
    "full": ("text", "full"),
    "concise": ("text", "concise"),
    "json": ("json", "write"),
    "github": ("github", "write"),
    "sarif": ("sarif", "write"),
}
FORMATS = tuple(_WRITERS)

# GitHub refuses a SARIF file with more results.
SARIF_LIMIT = 25_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What a format may use besides the report.

    `source` gives the text that a finding's places refer to, None when it cannot be read any more. `unsafe` says
    that unsafe fixes count as applicable, `partial_facts` that other files of the project were not read. `rules` are
    those that are on, asked for only by formats that list them.
    """

    source: Callable[[str], Source | None]
    rules: Callable[[], Sequence[Entry]]
    unsafe: bool = False
    color: bool = False
    summary: bool = True
    partial_facts: bool = False

    def applicable(self, finding: Finding) -> bool:
        """Whether `--fix`, with the options at hand, repairs the finding."""
        safety = None if finding.fix is None else finding.fix.safety.value
        return safety == "safe" or (self.unsafe and safety == "unsafe")

    def counts(self, findings: Sequence[Finding]) -> list[tuple[str, str, int, int]]:
        """Code, name, number of findings and how many of them `--fix` repairs, the most frequent first."""
        found = Counter((finding.code, finding.name) for finding in findings)
        fixable = Counter(finding.code for finding in findings if self.applicable(finding))
        rows = [(code, name, count, fixable[code]) for (code, name), count in found.items()]
        return sorted(rows, key=lambda row: (-row[2], row[0]))


Format = Callable[["Report", TextIO, Setting], None]


def writer(name: str) -> Format:
    """The function that writes a format; raises KeyError for an unknown name."""
    module, function = _WRITERS[name]
    found: Format = getattr(importlib.import_module(f"otlint.report.{module}"), function)
    return found


def statistics(name: str) -> Format:
    """The function that writes how often each rule was violated; raises KeyError for a format without one."""
    from otlint.report import json, text

    formats: dict[str, Format] = {"full": text.statistics, "concise": text.statistics, "json": json.statistics}
    return formats[name]
