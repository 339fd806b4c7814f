"""The folder `.otlint_cache`: texts by name, which count only where the same otlint wrote the whole of them.

What cannot be read is not there, and what cannot be written is not kept: a cache never stops a run.
"""

# ruff: noqa: PTH100, PTH103, PTH105, PTH106, PTH107, PTH112, PTH113, PTH118, PTH120, PTH123
# Without pathlib: a run that is answered from the cache imports next to nothing.

from __future__ import annotations

import functools
import os
import sys

from otlint import __version__
from otlint.cache.digest import digest

FOLDER = ".otlint_cache"
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of otlint; `otlint clean` removes it.\n"
# Projects, settings and versions of otlint that share a folder.
_MOST = 64


class Store:
    """Named texts in one folder, which is made when the first is written."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._head = f"otlint {stamp()}"

    def read(self, name: str) -> str | None:
        """The text of a name; None when there is none, or not all of it, or another otlint wrote it."""
        try:
            with open(os.path.join(self.folder, f"{name}.json"), "rb") as file:
                head, _, body = file.read().partition(b"\n")
        except OSError:
            return None
        if head != f"{self._head} {digest(body)}".encode():
            return None
        return body.decode("utf-8", "surrogatepass")

    def write(self, name: str, text: str) -> None:
        """Keep a text: all of it, or nothing; others may read and write at the same time."""
        body = text.encode("utf-8", "surrogatepass")
        path = os.path.join(self.folder, f"{name}.json")
        new = f"{path}.{os.getpid()}.new"
        try:
            self._prepare()
            with open(new, "wb") as file:
                file.write(f"{self._head} {digest(body)}\n".encode() + body)
            os.replace(new, path)
            self._prune()
        except OSError:
            _remove(new)

    def _prepare(self) -> None:
        if os.path.isfile(os.path.join(self.folder, "CACHEDIR.TAG")):
            return
        os.makedirs(self.folder, exist_ok=True)
        for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", _TAG)):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)

    def _prune(self) -> None:
        """Forget the oldest texts when there are many."""
        with os.scandir(self.folder) as entries:
            found = [entry for entry in entries if entry.name.endswith((".json", ".new"))]
        if len(found) > _MOST:
            found.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)
            for entry in found[:-_MOST]:
                _remove(entry.path)


def clean(folder: str) -> int:
    """Remove a cache, and nothing else that may be in its folder; the number of bytes that are free now."""
    freed = 0
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
    except OSError:
        return 0
    for entry in found:
        if entry.name.endswith((".json", ".new")) or entry.name in {".gitignore", "CACHEDIR.TAG"}:
            freed += entry.stat(follow_symlinks=False).st_size
            _remove(entry.path)
    try:
        os.rmdir(folder)
    except OSError:
        return freed  # somebody keeps other things there
    return freed


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        return


@functools.cache
def stamp() -> str:
    """What decides how otlint judges, besides settings and files: its own version and text, Python, LibCST."""
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parts = [__version__, sys.version, *_texts(own)]
    for folder in sys.path:
        parser = os.path.join(folder, "libcst")
        if os.path.isdir(parser):
            parts += _texts(parser, below=False)
            break
    return digest("\0".join(parts))


def _texts(folder: str, *, below: bool = True) -> list[str]:
    """Name, size and time of the files of a package."""
    found, waiting = [], [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if below and entry.name != "__pycache__":
                        waiting.append(entry.path)
                elif entry.name.endswith((".py", ".toml", ".so", ".pyd")):
                    known = entry.stat()
                    found.append(f"{entry.path}:{known.st_size}:{known.st_mtime_ns}")
    return sorted(found)
