"""What a run says on standard error: never the report."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otlint.clock import clock
from otlint.engine import Problem, Report
from otlint.report import SARIF_LIMIT
from otlint.settings.level import Safety
from otlint.settings.options import Options

if TYPE_CHECKING:
    from otlint.check import Job


@dataclass(frozen=True, slots=True)
class Speaker:
    """Warnings, problems and details, as far as the options want them."""

    options: Options

    def problems(self, problems: Sequence[Problem]) -> None:
        """What could not be done, one line each."""
        if not self.options.silent:
            for problem in problems:
                place = "" if problem.path is None else f"{problem.path}: "
                self._line(f"error: {place}{problem.message}")

    def details(self, job: Job) -> None:
        """What is about to be checked."""
        if self.options.verbose:
            self._line(f"project root: {job.root}")
            for path in dict.fromkeys(target.config.path for target in job.targets):
                self._line(f"configuration: {path or 'none'}")
            self._line(f"files: {len(job.targets)}")

    def after(self, job: Job, found: Report, seconds: float) -> None:
        """What is to be said besides the report."""
        self.problems(found.problems)
        if self.options.quiet or self.options.silent:
            return
        for note in found.notes:
            self._line(f"warning: {note}")
        if self.options.no_project_facts or not job.config.project.facts:
            self._line("facts: partial")
        if not job.targets and not job.problems and not self.options.stdin:
            self._line("warning: no Python files found under the given paths")
        if job.format == "sarif" and len(found.findings) > SARIF_LIMIT:
            self._line(f"warning: GitHub refuses a SARIF file with more than {SARIF_LIMIT:,} results")
        if self.options.diff and found.changes:
            count = sum(sum(change.fixed.values()) for change in found.changes)
            later = sum(one.fix is not None and one.fix.safety is Safety.UNSAFE for one in found.findings)
            more = f" ({later:,} more with --unsafe-fixes)" if later and not job.config.unsafe_fixes else ""
            self._line(f"Would fix {count:,} finding{'' if count == 1 else 's'}{more}.")
        if self.options.verbose:
            self._line(f"checked {found.checked:,} files in {seconds:.2f} s")
            self._times()

    def _times(self) -> None:
        """Where the time went, of all processes together."""
        took = clock.seconds
        rules = {code: each for code, each in took.items() if code.startswith("OTL")}
        parts: dict[str, float] = {
            name: took[name] for name in ("gate", "deployment", "parse", "model") if name in took
        }
        parts |= {"rules": sum(rules.values())} if rules else {}
        parts |= {"report": took.get("report", 0.0)}
        self._line("time: " + ", ".join(f"{name} {each:.2f} s" for name, each in parts.items()))
        slow = sorted((code for code, each in rules.items() if each >= 0.005), key=lambda code: -rules[code])
        if slow:
            self._line("rules: " + ", ".join(f"{code} {rules[code]:.2f} s" for code in slow))

    def _line(self, text: str) -> None:
        print(text, file=sys.stderr)  # noqa: T201


class Progress:
    """A line on a terminal that says how far a run is that takes longer than a second."""

    def __init__(self, options: Options, started: float) -> None:
        self._on = sys.stderr.isatty() and not (options.quiet or options.silent)
        self._next = started + 1
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._on and now >= self._next:
            self._next = now + 0.1
            self._shown = True
            sys.stderr.write(f"\r\033[KChecking {done:,} of {total:,} files")
            sys.stderr.flush()

    def clear(self) -> None:
        """Make room for the report."""
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
