"""otlint's own rules: what it says about a file it cannot parse and about suppression comments.

They have no module under `otlint.rules`: `otlint.engine` makes OTL000, `otlint.suppress` the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from otlint.settings.level import Level, Safety


@dataclass(frozen=True, slots=True)
class OwnRule:
    """Same facts as a `Rule`, with the words that a page has for the others."""

    code: str
    name: str
    level: Level
    fix: Safety | None
    summary: str
    text: str

    @property
    def category(self) -> str:
        """The group of all own rules."""
        return "otlint"


RULES = {
    own.code: own
    for own in (
        OwnRule(
            "OTL000",
            "syntax-error",
            Level.ERROR,
            None,
            "The file cannot be parsed, so nothing else in it was judged.",
            "The message is the parser's. A file that nests thousands of brackets is reported here too, because\n"
            "no parser takes it. This rule cannot be deselected or suppressed: silence about a file that was not\n"
            "judged would look like a clean file.",
        ),
        OwnRule(
            "OTL001",
            "unused-suppression",
            Level.WARNING,
            Safety.SAFE,
            "A suppression comment covers no finding.",
            "The defect was repaired or moved, and the comment would hide the next one. Reported only for rules\n"
            "that are switched on in this run. The fix removes the rule from the comment, or the comment; it is\n"
            "unsafe where the words of a reason would go with it.",
        ),
        OwnRule(
            "OTL002",
            "unknown-rule-in-suppression",
            Level.WARNING,
            Safety.SAFE,
            "A suppression comment names a rule that does not exist.",
            "Such a comment hides nothing. The fix removes the unknown code; where a name is nearly that of a\n"
            "rule, an unsafe fix writes the right one.",
        ),
        OwnRule(
            "OTL003",
            "malformed-suppression",
            Level.WARNING,
            None,
            "A comment starts with `otlint:` but is no suppression.",
            "Write `# otlint: ignore[OTL101] reason` at the end of the line, or above the statement, and\n"
            "`# otlint: file-ignore[OTL101] reason` on a line of its own outside of every block.",
        ),
        OwnRule(
            "OTL004",
            "suppression-without-reason",
            Level.INFO,
            None,
            "A suppression comment gives no reason.",
            "Off by default. Select it by its code to ask for a few words after the bracket:\n"
            "`# otlint: ignore[OTL201] the set of names is fixed at build time`.",
        ),
    )
}


def codes() -> dict[str, str]:
    """Code and name of otlint's own rules."""
    return {code: own.name for code, own in RULES.items()}
