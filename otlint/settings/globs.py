"""File patterns in the manner of .gitignore, each relative to the folder where it was written."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otlint.paths import below

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern and the absolute folder that it is relative to."""

    base: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Globs:
    """Patterns by folder, asked as one: a path is meant if any folder's patterns mean it."""

    specs: tuple[tuple[str, GitIgnoreSpec], ...]

    @staticmethod
    def of(globs: Iterable[Glob]) -> Globs:
        """The patterns; of those with the same folder the last one that fits decides, `!` takes back."""
        by_base: dict[str, list[str]] = {}
        for glob in globs:
            by_base.setdefault(glob.base, []).append(_line(glob))
        return Globs(tuple((base, spec(tuple(lines))) for base, lines in by_base.items()))

    def match(self, path: str, *, directory: bool = False) -> bool:
        """Whether an absolute path, or a folder above it, is meant."""
        return any(
            found.match_file(inside + "/" * directory)
            for base, found in self.specs
            if (inside := below(path, base)) is not None
        )

    def sparing(self, folder: str) -> Globs:
        """The patterns but for those that mean the folder itself: someone asked for it by name."""
        return Globs(spare(self.specs, folder))


@functools.cache
def spec(lines: tuple[str, ...]) -> GitIgnoreSpec:
    """The compiled lines. Imports pathspec: callers ask only when there are lines."""
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


def spare(specs: Sequence[tuple[str, GitIgnoreSpec]], folder: str) -> tuple[tuple[str, GitIgnoreSpec], ...]:
    """The specs without the patterns that mean an absolute folder or one above it."""
    spared = []
    for base, found in specs:
        inside = below(folder, base)
        if inside is not None and found.match_file(inside + "/"):
            found = type(found)([one for one in found.patterns if one.match_file(inside + "/") is None])
        spared.append((base, found))
    return tuple(spared)


def _line(glob: Glob) -> str:
    """The .gitignore line of a pattern: `./a` and an absolute path are anchored at the folder."""
    mark, pattern = ("!", glob.pattern[1:]) if glob.pattern.startswith("!") else ("", glob.pattern)
    pattern = pattern.replace(os.sep, "/")
    if pattern.startswith("./"):
        pattern = pattern[1:]
    elif (inside := below(pattern, glob.base.replace(os.sep, "/"))) is not None:
        pattern = "/" + inside
    return mark + pattern
