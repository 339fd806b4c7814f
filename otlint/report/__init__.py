"""Report formats: each a function that writes a `Report` to a stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from otlint.engine import Report
    from otlint.finding import Finding
    from otlint.rulebook import Entry
    from otlint.source import Source


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
        from otlint.fix import Safety

        if finding.fix is None:
            return False
        return finding.fix.safety is Safety.SAFE or (self.unsafe and finding.fix.safety is Safety.UNSAFE)


Format = Callable[["Report", TextIO, Setting], None]


def writer(name: str) -> Format:
    """The function that writes a format; raises KeyError for an unknown name."""
    from otlint.report import github, json, sarif, text

    formats: dict[str, Format] = {
        "full": text.full,
        "concise": text.concise,
        "json": json.write,
        "github": github.write,
        "sarif": sarif.write,
    }
    return formats[name]
