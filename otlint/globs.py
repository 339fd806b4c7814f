"""File patterns in the manner of .gitignore, each relative to the folder where it was written."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern and the absolute folder that it is relative to."""

    base: str
    pattern: str


class Globs:
    """Several patterns asked as one; the last one that fits decides, `!` takes back."""

    __slots__ = ("_by_base",)

    def __init__(self, globs: Iterable[Glob]) -> None:
        by_base: dict[str, list[str]] = {}
        for glob in globs:
            by_base.setdefault(glob.base, []).append(_relative(glob))
        self._by_base = {base: spec(tuple(lines)) for base, lines in by_base.items()}

    def match(self, path: str, *, directory: bool = False) -> bool:
        """Whether an absolute path, or a folder above it, is meant."""
        return any(
            found.match_file(inside + "/" * directory)
            for base, found in self._by_base.items()
            if (inside := below(path, base)) is not None
        )


@functools.cache
def spec(lines: tuple[str, ...]) -> GitIgnoreSpec:
    """The compiled lines. Imports pathspec: callers ask only when there are lines."""
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


def below(path: str, base: str) -> str | None:
    """`path` relative to `base` with "/" between names, None when it is not inside."""
    base = base.rstrip(os.sep) + os.sep
    if not path.startswith(base):
        return None
    inside = path[len(base) :]
    return inside if os.sep == "/" else inside.replace(os.sep, "/")


def _relative(glob: Glob) -> str:
    """Anchors `./a` and an absolute pattern at the folder; the rest is a .gitignore line as it stands."""
    mark, pattern = ("!", glob.pattern[1:]) if glob.pattern.startswith("!") else ("", glob.pattern)
    pattern = pattern.replace(os.sep, "/") if os.sep != "/" else pattern
    if pattern.startswith("./"):
        pattern = pattern[1:]
    elif (inside := below(pattern, glob.base)) is not None:
        pattern = "/" + inside
    return mark + pattern
