"""The loop that repairs one file: apply the fixes that go together, judge again, until nothing is left to fix."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otlint.fix import Safety, apply
from otlint.source import SourceError

if TYPE_CHECKING:
    from otlint.finding import Finding
    from otlint.model.module import Module
    from otlint.settings.config import Config

_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Repaired:
    """A repaired file: its module, what is still found in it, and the number of fixes by code."""

    module: Module
    remaining: list[Finding]
    fixed: Mapping[str, int]


def repair(
    module: Module,
    judged: list[Finding],
    config: Config,
    limit: Safety,
    judge: Callable[[Module], list[Finding]],
) -> Repaired | str | None:
    """Repair a file as far as `limit` allows; None when there is nothing to do, a text why all fixes are discarded.

    A fix may uncover another defect, so the file is judged again after each round. Fixes that bring new findings of
    their own rules, that give code which does not parse, or that do not come to an end are not trusted at all.
    """
    started = Counter(finding.code for finding in judged)
    fixed: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        fixes = {id(finding.fix): finding for finding in judged if _applicable(finding, config, limit)}
        if not fixes:
            return Repaired(module, judged, dict(fixed)) if fixed else None
        wanted = [finding.fix for finding in fixes.values() if finding.fix is not None]
        trials = _Trials(module)
        text, applied = apply(module.source.text, wanted, parses=trials.accept)
        changed = trials.of(text)
        if not applied or changed is None:
            return Repaired(module, judged, dict(fixed)) if fixed else None
        fixed.update(fixes[id(each)].code for each in applied)
        module, judged = changed, judge(changed)
        worse = (Counter(finding.code for finding in judged) - started).keys() & fixed.keys()
        if worse:
            return f"they bring new findings of {', '.join(sorted(worse))}"
    return f"they do not come to an end in {_ROUNDS} rounds"


class _Trials:
    """Texts that a module might get, each parsed once."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._parsed: dict[str, Module | None] = {}

    def accept(self, text: str) -> bool:
        """Whether there is such a module."""
        return self.of(text) is not None

    def of(self, text: str) -> Module | None:
        """The module with that text, None when it is no Python or cannot be written in the file's encoding."""
        if text not in self._parsed:
            self._parsed[text] = _reparsed(self._module, text)
        return self._parsed[text]


def _applicable(finding: Finding, config: Config, limit: Safety) -> bool:
    if finding.fix is None or finding.suppressed or not config.may_fix(finding.code, finding.name):
        return False
    return finding.fix.safety is Safety.SAFE or (finding.fix.safety is Safety.UNSAFE and limit is Safety.UNSAFE)


def _reparsed(module: Module, text: str) -> Module | None:
    from otlint.model.module import Module as Parsed
    from otlint.parse import ParseError, parse

    source = dataclasses.replace(module.source, text=text)
    try:
        source.encode(text)
        return Parsed(source, parse(source), module.path, project=module.project)
    except (ParseError, SourceError):
        return None
