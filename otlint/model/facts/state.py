"""Digests of what a project knows: equal ones mean that a file, seen with either, is judged alike."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from otlint.cache.codec import encode
from otlint.cache.digest import digest
from otlint.model.facts.watch import FILE, STARS

if TYPE_CHECKING:
    from otlint.model.facts.data import Facts
    from otlint.model.facts.watch import Question, Reads
    from otlint.model.project import Project


class State:
    """The digests of one project, each made when it is first asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._texts: dict[str, tuple[Facts, str]] = {}
        self._facts: dict[str, str] = {}
        self._entries: dict[str, dict[str, str]] = {}
        self._outside: dict[str, str] = {}
        self._answers: dict[Question, str] = {}
        self._names: str | None = None

    def forget(self, path: str) -> None:
        """The facts of a file are others now."""
        self._facts.pop(path, None)
        self._entries.pop(path, None)
        self._outside.pop(path, None)
        self._answers.clear()
        if path not in self._project.paths:
            self._names = None

    def of(self, reads: Reads) -> str:
        """The digest of all that an answer rests on."""
        parts = [self._names_mean()]
        parts += [self._of_name(path, name) for path, name in reads.names]
        parts += [self._answer(question) for question in reads.questions]
        return digest("".join(parts))

    def text(self, path: str) -> str:
        """The facts of a file as JSON."""
        facts = self._project.known(path)
        assert facts is not None
        return self.text_of(facts)

    def text_of(self, facts: Facts) -> str:
        """The facts as JSON."""
        known = self._texts.get(facts.path)
        if known is None or known[0] is not facts:
            known = self._texts[facts.path] = facts, _text(encode(facts))
        return known[1]

    def given(self, facts: Facts, text: str) -> None:
        """The JSON of facts, where it is at hand."""
        self._texts[facts.path] = facts, text

    def _names_mean(self) -> str:
        """Which files the names in import lines may stand for."""
        if self._names is None:
            self._names = digest(_text(sorted({*self._project.paths, *self._project.known_paths()})))
        return self._names

    def _of_file(self, path: str) -> str:
        if path not in self._facts:
            self._facts[path] = digest(self.text(path)) if self._project.known(path) is not None else "-"
        return self._facts[path]

    def _of_name(self, path: str, name: str) -> str:
        entries = self._entries.setdefault(path, {})
        if name not in entries:
            facts = self._project.known(path)
            entries[name] = digest(_text(self._entry(facts, name))) if facts is not None else "-"
        return entries[name]

    def _entry(self, facts: Facts, name: str) -> object:
        """What a file says of a name; a class without its attributes, which are names of their own."""
        if name in (FILE, STARS):
            return facts.stars if name == STARS else True
        entry = self._project.entry(facts, name)
        if entry is None or isinstance(entry, str):
            owner = self._project.entry(facts, name.rpartition(".")[0])
            cls = owner.cls if owner is not None and not isinstance(owner, str) else None
            return [entry, dict(cls.attributes).get(name.rpartition(".")[2]) if cls is not None else None]
        about = [entry.cls.bases, sorted(entry.cls.methods)] if entry.cls is not None else None
        return [entry.kind, entry.type, encode(entry.function), about]

    def _answer(self, question: Question) -> str:
        if question not in self._answers:
            kind, *given = question
            self._answers[question] = digest(_text(_ANSWERS[kind](self, *given)))
        return self._answers[question]

    def surroundings(self) -> list[str]:
        """What every file says besides its definitions."""
        return [self.outside(path) for path in sorted(self._project.known_paths())]

    def outside(self, path: str) -> str:
        """What one file says besides them."""
        if path not in self._outside:
            facts = self._project.known(path)
            self._outside[path] = digest(_text(_outside(facts))) if facts is not None else "-"
        return self._outside[path]

    def above(self, *names: str) -> list[Any]:
        """The functions above some functions, and what is known to be there when they run."""
        project = self._project
        found = list(project.above(names))
        return [[name, project.under_span.get(name), project.handled.get(name)] for name in found]

    def told(self, path: str, field: str) -> Any:
        """One field of the facts of a file."""
        facts = self._project.known(path)
        return None if facts is None else encode(getattr(facts, field))

    def function(self, name: str) -> Any:
        found = self._project.function(name)
        return None if found is None else encode(found)


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _outside(facts: Facts) -> list[Any]:
    """All but its definitions and what is found by their names, of which only a little."""
    told = [encode(getattr(facts, name)) for name in _fields()]
    return [*told, any(each.telemetry for each in facts.functions), [list(each.bases) for each in facts.classes]]


@functools.cache
def _fields() -> tuple[str, ...]:
    from otlint.model.facts.data import Facts

    return tuple(field.name for field in dataclasses.fields(Facts) if field.name not in _BY_NAME)


# What `symbol` follows, and what is asked for by functions' names.
_BY_NAME = {"aliases", "stars", "values", "functions", "classes", "under_span", "handled", "registered"}


def _set(names: Iterable[str]) -> list[str]:
    return sorted(names)


_ANSWERS: dict[str, Callable[..., Any]] = {
    "surroundings": State.surroundings,
    "outside": State.outside,
    "installs": lambda state, path: encode(state._project.installs(path)),
    "definitions": lambda state, path: state.told(path, "functions"),
    "aliases": lambda state, path: state.told(path, "aliases"),
    "telemetry": lambda state: _set(state._project.telemetry),
    "registered": lambda state: sorted(state._project.registered.items()),
    "called by": lambda state, *names: _set(state._project.called_by(names)),
    "above": State.above,
    "callers": lambda state, name: _set(state._project.callers(name)),
    "handled": lambda state, name: state._project.handled.get(name),
    "function": State.function,
    "constant": lambda state, dotted, path: state._project.constant(dotted, path),
    "everything": lambda state: [state._of_file(path) for path in sorted(state._project.known_paths())],
}
