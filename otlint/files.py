"""Which files are linted: paths, ignore files, excludes; and where the project is that they belong to."""

# ruff: noqa: PTH100, PTH109, PTH110, PTH112, PTH114, PTH115, PTH118, PTH119, PTH120
# Paths are strings here: making a Path of each of ten thousand entries costs more than the scan.

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from otlint.paths import below, shown
from otlint.settings.config import Config, Configs
from otlint.settings.globs import Globs, spare, spec

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# What no one wants linted: caches, environments and what tools build.
EXCLUDED = frozenset(
    {
        ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox",
        ".otlint_cache", ".pants.d", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv",
        ".vscode", "__pypackages__", "_build", "buck-out", "dist", "node_modules", "site-packages", "venv",
    }
)  # fmt: skip

Ignores = tuple[tuple[str, "GitIgnoreSpec"], ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file to lint: its absolute path, the path as reported, and its settings."""

    path: Path
    shown: str
    config: Config


@dataclass(slots=True)
class Listing:
    """The files, sorted by the path as reported, and (path, message) for each path that could not be read."""

    files: list[File] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def discover(paths: Iterable[str], configs: Configs) -> Listing:
    """The files that the paths mean. A file given by name is meant whatever its name, unless `force-exclude`."""
    here = os.getcwd()
    listing = Listing()
    found: dict[str, tuple[bool, File]] = {}

    def add(path: str, real: str, config: Config, *, link: bool) -> None:
        known = found.get(real)
        if known is None or (known[0] and not link):
            found[real] = link, File(Path(path), shown(path, here), config)

    def fail(path: str, message: str) -> None:
        listing.problems.append((shown(path, here), message))

    for given in paths:
        path = os.path.abspath(given)
        if os.path.isdir(path):
            top = os.path.realpath(path)
            for file, config, link in _walk(path, configs.of, fail):
                add(file, os.path.realpath(file) if link else top + file[len(path) :], config, link=link)
        elif (message := _missing(path)) is not None:
            fail(path, message)
        elif not force_excluded(path, config := configs.of(os.path.dirname(path))):
            add(path, os.path.realpath(path), config, link=os.path.islink(path))
    listing.files = sorted((file for _, file in found.values()), key=lambda file: file.shown)
    return listing


def project_files(root: Path, config: Config) -> Iterator[Path]:
    """The files whose facts make up a project: those that linting its root would mean. Unreadable folders have none."""
    for path, _, _ in _walk(os.path.abspath(root), lambda _: config, lambda *_: None):
        yield Path(path)


def project_root(start: Path, config: Config, given: Path | None = None) -> Path:
    """The folder whose files may hold facts about files in the absolute folder `start`."""
    if given is not None:
        return given.absolute()
    if config.project.root is not None:
        return config.project.root
    if config.path is not None:
        return config.base
    for folder in (start, *start.parents):
        if (folder / ".git").exists() or (folder / "pyproject.toml").is_file():
            return folder
    return Path.cwd()


def common_folder(paths: Sequence[str]) -> Path:
    """The absolute folder that holds all of the paths, the working directory when there is none."""
    absolute = [os.path.abspath(path) for path in paths]
    try:
        return Path(os.path.commonpath([one if os.path.isdir(one) else os.path.dirname(one) for one in absolute]))
    except ValueError:
        return Path.cwd()


def force_excluded(path: str, config: Config) -> bool:
    """Whether a file or folder given by name is left out all the same."""
    if not config.force_exclude:
        return False
    if config.exclude is None:
        inside = below(path, str(config.base)) or os.path.basename(path)
        if not EXCLUDED.isdisjoint(inside.split("/")):
            return True
    directory = os.path.isdir(path)
    return any(
        globs is not None and globs.match(path, directory=directory)
        for globs in (config.exclude, config.extend_exclude)
    )


def _missing(path: str) -> str | None:
    """Why a path names no file, None when it does."""
    if os.path.exists(path):
        return None
    if os.path.islink(path):
        return f"dangling link: {os.readlink(path)} does not exist"
    return "no such file or directory"


def _walk(
    top: str, config_of: Callable[[str], Config], fail: Callable[[str, str], None]
) -> Iterator[tuple[str, Config, bool]]:
    """Path, settings and whether it is a link, of each file below a folder. Links to folders are not entered."""
    config = config_of(top)
    if force_excluded(top, config):
        return
    ignores_above = _ignores_above(top) if config.respect_gitignore else ()
    excludes = functools.cache(lambda config: _Excludes.of(config, top))
    folders: list[tuple[str, Ignores]] = [(top, ignores_above)]
    while folders:
        folder, ignores = folders.pop()
        config = config_of(folder)
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            fail(folder, f"cannot be read: {error.strerror}")
            continue
        if config.respect_gitignore:
            ignores = (*ignores, *_ignores_in(folder, {entry.name for entry in entries}))
        wanted = excludes(config)
        below_it: list[tuple[str, Ignores]] = []
        for entry in entries:
            directory = entry.is_dir(follow_symlinks=False)
            if wanted.leaves_out(entry, directory=directory) or _ignored(entry.path, ignores, directory=directory):
                continue
            if directory:
                below_it.append((entry.path, ignores))
            elif entry.is_file():
                yield entry.path, config, entry.is_symlink()
            elif entry.is_symlink() and (message := _missing(entry.path)) is not None:
                fail(entry.path, message)
        folders.extend(reversed(below_it))


@dataclass(frozen=True, slots=True)
class _Excludes:
    """The part of the settings that decides about the entries of a folder."""

    names: frozenset[str]
    globs: tuple[Globs, ...]
    include: Globs | None

    @staticmethod
    def of(config: Config, top: str) -> _Excludes:
        globs = tuple(one.sparing(top) for one in (config.exclude, config.extend_exclude) if one is not None)
        return _Excludes(EXCLUDED if config.exclude is None else frozenset(), globs, config.include)

    def leaves_out(self, entry: os.DirEntry[str], *, directory: bool) -> bool:
        if entry.name in self.names:
            return True
        # Emacs marks a file that is being edited by a dangling link `.#name.py`.
        if not directory and (not self._included(entry) or entry.name.startswith(".#")):
            return True
        return any(globs.match(entry.path, directory=directory) for globs in self.globs)

    def _included(self, entry: os.DirEntry[str]) -> bool:
        if self.include is None:
            return entry.name.endswith((".py", ".pyi"))
        return self.include.match(entry.path)


def _ignored(path: str, ignores: Ignores, *, directory: bool) -> bool:
    """Whether the ignore files leave a path out; the nearest file that speaks of it decides."""
    for base, found in reversed(ignores):
        inside = below(path, base)
        if inside is not None:
            verdict = found.check_file(inside + "/" * directory).include
            if verdict is not None:
                return verdict
    return False


def _ignores_above(top: str) -> Ignores:
    """The ignore files of the repository above a folder, but for what they say about the folder itself."""
    folders = [top]
    while not os.path.exists(os.path.join(folders[-1], ".git")):
        above = os.path.dirname(folders[-1])
        if above == folders[-1]:
            return ()
        folders.append(above)
    found = list(_ignores_from(folders[-1], os.path.join(".git", "info", "exclude")))
    for folder in reversed(folders[1:]):
        found.extend(_ignores_in(folder, (".gitignore", ".ignore")))
    return spare(found, top)


def _ignores_in(folder: str, names: Iterable[str]) -> Iterator[tuple[str, GitIgnoreSpec]]:
    for name in (".gitignore", ".ignore"):
        if name in names:
            yield from _ignores_from(folder, name)


def _ignores_from(folder: str, name: str) -> Iterator[tuple[str, GitIgnoreSpec]]:
    try:
        text = Path(folder, name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    lines = tuple(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    if lines:
        yield folder, spec(lines)
