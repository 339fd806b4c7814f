"""The facts of files that use each other: each file once, after those that it imports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otlint.model.facts.data import Facts
    from otlint.model.project import Project

# Of files that import each other: a wrapper of a wrapper needs as many rounds as it has layers.
_ROUNDS = 6


class Settling:
    """Facts of the files of a project, kept up to date as files come in.

    Files that import each other are read in rounds, each of which sees the facts of the round before, as files see each
    other that have nothing to do with each other: the result does not depend on the order of files, and several
    processes can find it together.
    """

    def __init__(
        self,
        project: Project,
        collect: Callable[[list[str]], Mapping[str, Facts | None]],
    ) -> None:
        """`collect` gives the facts of files as they are seen now, None for one that there are none of to be had."""
        self._project = project
        self._collect = collect
        self._imports: dict[str, set[str]] = {}
        self._handed_on: dict[str, set[str]] = {}

    def add(self, outlines: Iterable[Facts]) -> None:
        """Settle the facts of new files, of which the imports are known, and of the files that use them."""
        project = self._project
        stale = set()
        for facts in outlines:
            project.put(facts)
            stale.add(facts.path)
        self._imports = {path: {each.path for each in project.imports(facts)} for path, facts in project.files.items()}
        for level in levels(self._imports):
            waiting = stale.intersection(level)
            for _ in range(_ROUNDS):
                if not waiting:
                    break
                users = self._users(self._refresh(waiting))
                stale |= users
                waiting = users.intersection(level)

    def _refresh(self, paths: set[str]) -> set[str]:
        """Collect the facts of files anew; those whose facts changed."""
        before = self._project.files
        found = self._collect(sorted(paths))
        changed = {path for path, facts in found.items() if facts != before[path]}
        for path in changed:
            facts = found[path]
            if facts is None:
                self._project.drop(path)
                del self._imports[path]
                self._handed_on.pop(path, None)
            else:
                self._project.put(facts)
                self._handed_on[path] = self._project.sources(facts, [*dict(facts.aliases).values(), *facts.stars])
        return changed

    def _users(self, changed: set[str]) -> set[str]:
        """The files whose answers may depend on these files: they import them, or from one that re-exports them."""
        found = set(changed)
        while more := {path for path in self._using(found, self._handed_on) if path not in found}:
            found |= more
        return set(self._using(found, self._imports))

    def _using(self, changed: set[str], sources: Mapping[str, set[str]]) -> Iterator[str]:
        return (path for path, each in sources.items() if not changed.isdisjoint(each))


def levels(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """The files in levels: each imports from lower ones, and from those of its own level that import it in turn."""
    found: dict[str, int] = {}
    for group in in_order(imports):
        below = {source for path in group for source in imports.get(path, ())}.difference(group)
        found |= dict.fromkeys(group, 1 + max((found[source] for source in below), default=-1))
    result: list[list[str]] = [[] for _ in range(1 + max(found.values(), default=-1))]
    for path, level in found.items():
        result[level].append(path)
    return result


def in_order(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of files that import each other, directly or not, each group behind those that it imports from."""
    groups: list[list[str]] = []
    found: dict[str, int] = {}  # file → the earliest found file that it is known to reach, itself at first
    waiting: list[str] = []

    def visit(path: str) -> int:
        at = earliest = found[path] = len(found)
        start = len(waiting)
        waiting.append(path)
        for source in sorted(imports.get(path, ())):
            earliest = min(earliest, found[source] if source in found else visit(source))
        if earliest < at:
            found[path] = earliest
            return earliest
        groups.append(waiting[start:])
        del waiting[start:]
        for each in groups[-1]:
            found[each] = len(imports)  # done: nothing reaches a group through it
        return len(imports)

    for path in sorted(imports):
        if path not in found:
            visit(path)
    return groups
