"""All that a run reads, as one digest: while it is the same, so is what the run says."""

# ruff: noqa: PTH112, PTH118, PTH119, PTH120
# Without pathlib: a run that is answered from the cache imports next to nothing.

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from otlint.cache.digest import Digest

# What lies in or above a folder and may say how it is linted.
SETTINGS = (
    ".git", ".git/info/exclude", ".gitignore", ".ignore", ".otlint.toml", "otlint.toml", "pyproject.toml",
)  # fmt: skip


class World:
    """The folders of which the entries count, and the files of which the text does."""

    def __init__(self, folders: Sequence[str], files: Sequence[str], skipped: Sequence[str]) -> None:
        self.folders = folders
        self.files = files
        self.skipped = skipped

    def digest(self) -> str:
        """Differs when an entry of a folder, its kind or the text of a file does."""
        seen, skipped = Digest(), frozenset(self.skipped)
        for folder in self.folders:
            seen.add("\0".join(_entries(folder, skipped)).encode("utf-8", "surrogateescape"))
        for path in self.files:
            seen.add(_content(path))
        return seen.hex()


def around(
    tops: Iterable[str], more: Iterable[str], skipped: frozenset[str], wanted: Callable[[str, str], bool]
) -> World:
    """All below some folders but what has one of the `skipped` names, the `wanted` files there, and `more` files."""
    folders: dict[str, None] = {}
    files = dict.fromkeys(more)
    for top in tops:
        files.update(dict.fromkeys(settings_of(top)))
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            if folder in folders:
                continue
            folders[folder] = None
            here = os.path.basename(folder)
            for name, directory in _below(folder, skipped):
                path = os.path.join(folder, name)
                if directory:
                    waiting.append(path)
                elif name in SETTINGS or wanted(name, here):
                    files[path] = None
    return World(list(folders), list(files), sorted(skipped))


def settings_of(folder: str) -> Iterator[str]:
    """The files that may hold settings for a folder, whether there are such files or not."""
    while True:
        for name in SETTINGS:
            yield os.path.join(folder, name)
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _below(folder: str, skipped: frozenset[str]) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            return [(e.name, e.is_dir(follow_symlinks=False)) for e in entries if e.name not in skipped]
    except OSError:
        return []


def _entries(folder: str, skipped: frozenset[str]) -> list[str]:
    """The names in a folder with their kinds, sorted; where a link leads counts as well."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name not in skipped:
                    if entry.is_symlink():
                        found.append(f"l{entry.name}\0{os.path.realpath(entry.path)}")
                    else:
                        found.append(f"{'d' if entry.is_dir() else 'f'}{entry.name}")
    except OSError:
        return ["?"]
    found.sort()
    return found


def _content(path: str) -> bytes:
    """The text of a file, marked so that no text is like a folder's or a missing file's."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return b"-"
    except OSError as error:
        return b"d" if os.path.isdir(path) else f"?{error.errno}".encode()
    try:
        parts = [b"+"]
        while part := os.read(file, 1 << 20):
            parts.append(part)
        return b"".join(parts)
    except IsADirectoryError:
        return b"d"
    except OSError as error:
        return f"?{error.errno}".encode()
    finally:
        os.close(file)
