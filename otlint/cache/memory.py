"""What earlier runs found out about the files of a project, and on what each answer rests.

An answer counts again when the file's bytes are the same, and what the project says to it is, too; so a changed file
costs no more than itself and the files whose answers it changes. Everything is kept as JSON text until it is needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from otlint.cache.codec import decode, encode
from otlint.cache.digest import digest
from otlint.model.facts.watch import Reads

if TYPE_CHECKING:
    from otlint.model.facts.data import Facts
    from otlint.model.facts.state import State

# How many runs with other settings are remembered for a file.
_SETTINGS = 4


@dataclass(slots=True)
class Answer:
    """A text that holds wherever `reads` have the digest `state`."""

    reads: Reads
    state: str
    text: str


@dataclass(slots=True)
class Known:
    """What is known of a file with these bytes. `facts` has an answer for each round in which they were collected."""

    content: str
    outline: str = ""
    broken: tuple[str, int, int] | None = None
    facts: list[Answer] = field(default_factory=list)
    verdicts: dict[str, Answer] = field(default_factory=dict)


class Memory:
    """The answers of one project, by file; `basis` names all that every answer rests on."""

    def __init__(self, basis: str) -> None:
        self.basis = basis
        self.changed = False
        self._files: dict[str, Known] = {}
        self._used: dict[str, list[Answer]] = {}

    def file(self, path: str, data: bytes) -> Known:
        """What is known of a file with these bytes, to be filled in."""
        content = digest(data)
        found = self._files.get(path)
        if found is None or found.content != content:
            found = self._files[path] = Known(content)
            self.changed = True
        return found

    def facts(self, path: str, known: Known, state: State) -> tuple[Facts, Reads] | None:
        """The facts of a file as it is seen now, and what they rest on; None when that is not known."""
        from otlint.model.facts.data import Facts

        found = _fitting(known.facts, state)
        if found is None:
            return None
        self._used.setdefault(path, []).append(found)
        facts = decode(Facts, json.loads(found.text))
        state.given(facts, found.text)
        return facts, found.reads

    def keep_facts(self, path: str, known: Known, state: State, reads: Reads, facts: Facts) -> None:
        """Remember the facts of a file as it is seen now."""
        answer = Answer(reads, state.of(reads), state.text_of(facts))
        known.facts.append(answer)
        self._used.setdefault(path, []).append(answer)
        self.changed = True

    def verdict(self, path: str, settings: str, state: State) -> str | None:
        """What was found in a file under these settings, as text; None when that is not known."""
        answer = self._files[path].verdicts.get(settings)
        return answer.text if answer is not None and state.of(answer.reads) == answer.state else None

    def keep_verdict(self, path: str, settings: str, state: State, reads: Reads, text: str) -> None:
        """Remember what was found in a file."""
        known = self._files[path]
        known.verdicts.pop(settings, None)
        known.verdicts[settings] = Answer(reads, state.of(reads), text)
        for old in list(known.verdicts)[:-_SETTINGS]:
            del known.verdicts[old]
        self.changed = True

    def dump(self, paths: Mapping[str, object]) -> str:
        """All that is worth keeping, of these files, as JSON."""
        for path, used in self._used.items():
            self._files[path].facts = used
        files = {path: encode(known) for path, known in sorted(self._files.items()) if path in paths}
        return json.dumps([self.basis, files], separators=(",", ":"))

    @staticmethod
    def load(text: str, basis: str) -> Memory:
        """What `dump` wrote; nothing when it rests on something else."""
        memory = Memory(basis)
        try:
            before, files = json.loads(text)
            if before == basis:
                memory._files = {path: _known(plain) for path, plain in files.items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            memory._files = {}
        return memory


def _known(plain: Any) -> Known:
    content, outline, broken, facts, verdicts = plain
    return Known(
        content,
        outline,
        None if broken is None else tuple(broken),
        [_answer(each) for each in facts],
        {settings: _answer(each) for settings, each in verdicts.items()},
    )


def _answer(plain: Any) -> Answer:
    (names, questions), state, text = plain
    return Answer(Reads(tuple(map(tuple, names)), tuple(map(tuple, questions))), state, text)


def _fitting(answers: list[Answer], state: State) -> Answer | None:
    return next((each for each in answers if state.of(each.reads) == each.state), None)
