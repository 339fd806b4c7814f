"""A run that has been made before, on the same files and settings, is not made again: its report is."""

# ruff: noqa: PTH100, PTH109, PTH116, PTH118, PTH120
# Without pathlib: see `otlint.cache.world`.

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from otlint.cache.digest import digest
from otlint.cache.store import FOLDER, Store
from otlint.cache.world import World

_VARIABLES = ("NO_COLOR", "FORCE_COLOR", "TERM", "HOME", "USERPROFILE", "OTLINT_", "GITHUB_", "CI_", "PYTHON")
_seen: list[tuple[World, str]] = []


def answer(arguments: Sequence[str]) -> int | None:
    """Print what an earlier run of the same command printed, and return its exit code; None when that may differ."""
    if os.environ.get("OTLINT_NO_CACHE"):
        return None
    name = name_of(arguments)
    for folder in _folders(arguments):
        if _is_own(folder):
            text = Store(folder).read(name)
            if text is not None:
                return _repeated(text)
    return None


def state_of(world: World) -> str:
    """The digest of a world, as it was when a run was sought that could be repeated, if it was looked at for that."""
    for seen, state in _seen:
        if (seen.folders, seen.files, seen.skipped) == (world.folders, world.files, world.skipped):
            return state
    return world.digest()


def _is_own(folder: str) -> bool:
    """Whether the folder is there, and nobody else's: what it holds is printed."""
    try:
        owner = os.stat(folder).st_uid
    except OSError:
        return False
    return owner == getattr(os, "geteuid", lambda: owner)()


def name_of(arguments: Sequence[str]) -> str:
    """Where the store keeps such a run: the command, and what else of the process it may depend on."""
    environment = sorted((key, value) for key, value in os.environ.items() if key.startswith(_VARIABLES))
    out = sys.stdout
    return f"run-{digest(repr((list(arguments), os.getcwd(), environment, out.isatty(), out.encoding)))}"


def keep(store: Store, arguments: Sequence[str], world: World, state: str, printed: str, code: int) -> None:
    """Remember a run that has only printed its report; `state` is the digest of the world that it has read."""
    run = [world.folders, world.files, world.skipped, state, printed, code]
    store.write(name_of(arguments), json.dumps(run))


def _folders(arguments: Sequence[str]) -> list[str]:
    """Where a cache may be: where it is said to be, or at the root of the project, which is somewhere above."""
    given = os.environ.get("OTLINT_CACHE_DIR")
    for at, argument in enumerate(arguments):
        if argument == "--cache-dir" and at + 1 < len(arguments):
            given = arguments[at + 1]
        elif argument.startswith("--cache-dir="):
            given = argument.partition("=")[2]
    if given:
        return [os.path.abspath(given)]
    found, folder = [], os.getcwd()
    while True:
        found.append(os.path.join(folder, FOLDER))
        above = os.path.dirname(folder)
        if above == folder:
            return found
        folder = above


def _repeated(text: str) -> int | None:
    folders, files, skipped, state, printed, code = json.loads(text)
    world = World(folders, files, skipped)
    now = world.digest()
    if now != state:
        _seen.append((world, now))
        return None
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdout.write(printed)
    sys.stdout.flush()
    return int(code)
