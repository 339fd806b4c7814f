"""How far a fact of one file reaches: a repository of many services is many units (see `Deployments`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otlint.model.facts.data import Facts
    from otlint.model.project import Project


class Reach:
    """What the files that reach a file call and import.

    A file reaches its own unit, the units below it, and the units with a file that imports it, directly or not.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._units: dict[str, list[Facts]] = {}
        self._sources: dict[str, list[Facts]] = {}
        self._calls: dict[str, frozenset[str]] = {}
        for facts in project.files.values():
            self._units.setdefault(self._unit(facts.path), []).append(facts)

    def calls(self, path: str) -> frozenset[str]:
        """Every call that the files reaching `path` make, by dotted name."""
        unit = self._unit(path)
        if unit not in self._calls:
            self._calls[unit] = self._union(path, lambda facts: facts.calls)
        return self._calls[unit]

    def imports(self, path: str) -> frozenset[str]:
        """Everything that the files reaching `path` import, by dotted name."""
        return self._union(path, lambda facts: facts.imports)

    def _union(self, path: str, what: Callable[[Facts], frozenset[str]]) -> frozenset[str]:
        return frozenset().union(*(what(facts) for facts in self.files(path)))

    def files(self, path: str) -> list[Facts]:
        """The files whose facts reach `path`."""
        unit = self._unit(path)
        if unit not in self._sources:
            around = [facts for each, files in self._units.items() if _holds(each, unit) for facts in files]
            self._sources[unit] = self._with_imported(around)
        return self._sources[unit]

    def around(self, path: str) -> list[Facts]:
        """The files that reach `path`, and those that reach a file that imports it, directly or not."""
        found = {facts.path: facts for each in sorted(self._with_importers(path)) for facts in self.files(each)}
        return list(found.values())

    def together(self, path: str) -> list[Facts]:
        """The files that some program runs with `path` for all that is known: what it and its importers import."""
        return self._with_imported(self.importers(path))

    def importers(self, path: str) -> list[Facts]:
        """The file and those that import it, directly or not."""
        return [self._project.files[each] for each in sorted(self._with_importers(path)) if each in self._project.files]

    def with_imported(self, path: str) -> list[Facts]:
        """The file and those that it imports, directly or not."""
        return self._with_imported([self._project.files[path]] if path in self._project.files else [])

    def sends(self, path: str) -> bool:
        """Whether anything in the unit or process of `path` may make providers send what they hold, tests left out."""
        return self.sender(path) is not None

    def sender(self, path: str) -> str | None:
        """The file that may do so."""
        files = [*self._units.get(self._unit(path), ()), *self.together(path)]
        return next((facts.path for facts in files if facts.sends and not is_test(facts.path)), None)

    def is_spare(self, path: str) -> bool:
        """Whether nothing imports the file, and another one of its unit that builds providers is imported."""
        if path in self._importers:
            return False
        return any(facts.holding and facts.path in self._importers for facts in self._units.get(self._unit(path), ()))

    def _with_importers(self, path: str) -> set[str]:
        """The file and those that import it, directly or not."""
        importers, waiting = {path}, [path]
        while waiting:
            new = self._importers.get(waiting.pop(), set()) - importers
            importers |= new
            waiting.extend(new)
        return importers

    def process(self, path: str, is_foreign: Callable[[str], bool]) -> list[Facts] | None:
        """The files that a script runs with; None when the file is imported by others, or imports what is not known."""
        start = self._project.files.get(path)
        if start is None or not start.script or path in self._importers:
            return None
        found = self._with_imported([start])
        for facts in found:
            for name in facts.imports:
                if self._project.imported(name, facts.path) is None and not is_foreign(name.partition(".")[0]):
                    return None
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all files and folders of the project: what is called otherwise comes from elsewhere."""
        return frozenset(part for path in self._project.paths for part in path.removesuffix(".py").split("/"))

    def is_program(self, path: str) -> bool:
        """Whether the file is one that is run by itself: it works when it is run, and nothing imports it."""
        facts = self._project.files.get(path)
        return facts is not None and facts.script and path not in self._importers

    @cached_property
    def _importers(self) -> dict[str, set[str]]:
        """The files that import a file."""
        found: dict[str, set[str]] = {}
        for facts in self._project.files.values():
            for imported in self._project.imports(facts):
                if imported is not facts:
                    found.setdefault(imported.path, set()).add(facts.path)
        return found

    def _unit(self, path: str) -> str:
        deployments = self._project.deployments
        return deployments.unit_of(path) if deployments is not None else ""

    def _with_imported(self, files: list[Facts]) -> list[Facts]:
        found = {facts.path: facts for facts in files}
        waiting = list(files)
        while waiting:
            for imported in self._project.imports(waiting.pop()):
                if imported.path not in found:
                    found[imported.path] = imported
                    waiting.append(imported)
        return list(found.values())


def is_test(path: str) -> bool:
    """Whether a file is a test, by its path."""
    folder, _, name = path.rpartition("/")
    return name.startswith("test_") or name == "conftest.py" or not {"test", "tests"}.isdisjoint(folder.split("/"))


def _holds(outer: str, unit: str) -> bool:
    return outer in {"", unit} or unit.startswith(f"{outer}/")
