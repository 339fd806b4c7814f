"""Which rules a word such as `OTL1`, `context`, `thread-drops-context` or `ALL` names, and which word wins."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from otlint import rule
from otlint.settings.level import Level

_ALL, _HINTS, _EXACT = 0, 1, 6


class UnknownRuleError(ValueError):
    """A word that names no rule. The text is a sentence with the nearest words."""


class Subject(NamedTuple):
    """The rule that is asked about, with the level it has unless configured."""

    code: str
    name: str
    level: Level


@dataclass(frozen=True, slots=True)
class Selector:
    """A word and how specific it is: the more specific one wins, whatever the order."""

    word: str
    prefix: str
    rank: int

    def matches(self, subject: Subject) -> bool:
        """Whether the word names this rule."""
        if self.rank == _HINTS:
            return subject.level is Level.INFO
        return subject.code.startswith(self.prefix)


@functools.cache
def selector(word: str) -> Selector:
    """The selector that a user wrote; raises UnknownRuleError."""
    word = word.strip()
    if word == "ALL":
        return Selector(word, "", _ALL)
    if word == "hints":
        return Selector(word, "", _HINTS)
    for digit, category in rule.CATEGORIES.items():
        if word in (category, f"OTL{digit}"):
            return Selector(word, f"OTL{digit}", 4)
    for code, name in known().items():
        if word in (code, name):
            return Selector(word, code, _EXACT)
    if len(word) >= 3 and any(code.startswith(word) for code in known()):
        return Selector(word, word, len(word))
    raise UnknownRuleError(f"unknown rule `{word}`{did_you_mean(word, words())}")


@functools.cache
def known() -> dict[str, str]:
    """Code and name of every rule, otlint's own included, by code."""
    from otlint import own

    return {**own.codes(), **rule.codes()}


def words() -> list[str]:
    """Every whole word that names rules; prefixes of codes are left out."""
    return [*known(), *known().values(), *rule.CATEGORIES.values(), "ALL", "hints"]


def did_you_mean(word: str, known_words: Iterable[str]) -> str:
    """`; did you mean …?` with up to three near words, or nothing."""
    near = nearest(word, known_words)
    return f"; did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else ""


def nearest(word: str, known_words: Iterable[str]) -> list[str]:
    """The up to three words that a person may have meant, best first; letter case does not count."""
    import difflib  # only mistakes need it

    by_lower = {one.lower(): one for one in known_words}
    found = difflib.get_close_matches(word.lower(), by_lower, n=3, cutoff=0.7)
    likeness = [difflib.SequenceMatcher(None, one, word.lower()).ratio() for one in found]
    # A word that is much less alike than the best one is noise.
    return [by_lower[one] for one, ratio in zip(found, likeness, strict=True) if ratio > likeness[0] - 0.1]


@dataclass(frozen=True, slots=True)
class Choice:
    """What one source (a configuration file, the command line) says about which rules are on.

    `only` starts anew (`select`, `fixable`), `more` and `less` change what there is.
    """

    only: tuple[Selector, ...] | None = None
    more: tuple[Selector, ...] = ()
    less: tuple[Selector, ...] = ()

    def verdict(self, subject: Subject) -> bool | None:
        """On, off, or None when no word names the rule; `less` wins between equals."""
        return _compare(_rank((*(self.only or ()), *self.more), subject), _rank(self.less, subject))

    def hint_verdict(self, subject: Subject) -> bool | None:
        """The same for the weaker part of a rule, which only its code, its name or `hints` switches on."""
        named = [one for one in (*(self.only or ()), *self.more) if one.rank == _EXACT and one.matches(subject)]
        asked = any(one.rank == _HINTS for one in (*(self.only or ()), *self.more))
        if any(one.rank == _HINTS for one in self.less):
            return False
        return _compare(_EXACT if named else _HINTS if asked else -1, _rank(self.less, subject))


def chosen(choices: Iterable[Choice], subject: Subject, *, default: bool, hint: bool = False) -> bool:
    """What the sources say together, from the most general one (the base of an `extend` chain) to the command line."""
    on = default
    for choice in choices:
        verdict = choice.hint_verdict(subject) if hint else choice.verdict(subject)
        if choice.only is not None:
            on = verdict is True
        elif verdict is not None:
            on = verdict
    return on


def best(selectors: Iterable[Selector], subject: Subject) -> Selector | None:
    """The most specific of the selectors that name the rule."""
    return max((one for one in selectors if one.matches(subject)), key=lambda one: one.rank, default=None)


def _rank(selectors: Iterable[Selector], subject: Subject) -> int:
    found = best(selectors, subject)
    return -1 if found is None else found.rank


def _compare(more: int, less: int) -> bool | None:
    return None if more == less == -1 else more > less
