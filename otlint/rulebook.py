"""Everything that can be said about a rule, from its module, its page, or otlint's own table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from otlint import own, rule
from otlint.settings import selection
from otlint.settings.level import Level, Safety


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule. `reason` says why the defect matters, `text` is the whole page in Markdown."""

    code: str
    name: str
    category: str
    level: Level
    fix: Safety | None
    summary: str
    reason: str
    text: str
    references: tuple[str, ...] = ()
    mappings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def entry(code: str) -> Entry:
    """The rule of a code; raises KeyError when there is none."""
    if code in own.RULES:
        mine = own.RULES[code]
        text = f"# {mine.name} ({code})\n\n{mine.summary}\n\n{mine.text}\n"
        return Entry(code, mine.name, mine.category, mine.level, mine.fix, mine.summary, mine.text, text)
    from otlint import pages

    found, page = rule.load(code), pages.page(code)
    reason = page.sections.get("Why", page.summary)
    return Entry(
        code, found.name, found.category, found.level, found.fix, page.summary, reason, page.text,
        page.references, page.mappings,
    )  # fmt: skip


def entries(word: str | None = None) -> list[Entry]:
    """The rules that a word names (all without one), by code; raises `selection.UnknownRuleError`."""
    chosen = selection.selector(word) if word is not None else None
    found = [entry(code) for code in sorted(selection.known())]
    if chosen is None:
        return found
    return [one for one in found if chosen.matches(selection.Subject(one.code, one.name, one.level))]
