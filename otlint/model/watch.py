"""What an answer rests on: while somebody looks at one file, the other files and questions that are gone into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# What is asked of a project as a whole, and with what: `("telemetry",)`, `("called by", "app.send")`.
Question = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reads:
    """The files whose facts were looked at, and what was asked of the project as a whole; both sorted."""

    paths: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()

    def joined(self, other: Reads | None) -> Reads:
        """What either holds."""
        if other is None:
            return self
        paths, questions = {*self.paths, *other.paths}, {*self.questions, *other.questions}
        return Reads(tuple(sorted(paths)), tuple(sorted(questions)))


class Watch:
    """Listens to a project."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.questions: set[Question] = set()

    def start(self) -> None:
        """Forget what was looked at so far."""
        self.paths, self.questions = set(), set()

    def reads(self) -> Reads:
        """What was looked at since then."""
        return Reads(tuple(sorted(self.paths)), tuple(sorted(self.questions)))

    @contextmanager
    def within(self) -> Iterator[set[str]]:
        """The files that are looked at in the block: whoever remembers an answer has to remember them, too."""
        outer, self.paths = self.paths, set()
        try:
            yield self.paths
        finally:
            self.paths = outer
