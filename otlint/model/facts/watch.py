"""What an answer rests on: while somebody looks at one file, the names of others and the questions gone into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# What is asked of a project as a whole, and with what: `("telemetry",)`, `("called by", "app.send")`.
Question = tuple[str, ...]
# A file, and a name at its top or of a member of one of its classes: `("app/orders.py", "Orders.send")`; with `FILE`,
# whether anything is known of the file, and with `STARS` what it takes all names of.
Name = tuple[str, str]
FILE, STARS = "", "*"


@dataclass(frozen=True, slots=True)
class Reads:
    """The names in files that were looked up, and what was asked of the project as a whole; both sorted."""

    names: tuple[Name, ...] = ()
    questions: tuple[Question, ...] = ()

    def joined(self, other: Reads | None) -> Reads:
        """What either holds."""
        if other is None:
            return self
        names, questions = {*self.names, *other.names}, {*self.questions, *other.questions}
        return Reads(tuple(sorted(names)), tuple(sorted(questions)))


class Watch:
    """Listens to a project."""

    def __init__(self) -> None:
        self.names: set[Name] = set()
        self.questions: set[Question] = set()

    def start(self) -> None:
        """Forget what was looked at so far."""
        self.names, self.questions = set(), set()

    def reads(self) -> Reads:
        """What was looked at since then."""
        return Reads(tuple(sorted(self.names)), tuple(sorted(self.questions)))

    @contextmanager
    def within(self) -> Iterator[set[Name]]:
        """The names that are looked up in the block: whoever remembers an answer has to remember them, too."""
        outer, self.names = self.names, set()
        try:
            yield self.names
        finally:
            self.names = outer
