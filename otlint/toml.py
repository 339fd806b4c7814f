"""TOML with line numbers for what is wrong in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from otlint.paths import shown


class Fault(NamedTuple):
    """What is wrong with a value: a sentence; the word to blame, if one is, and the key of the value's table."""

    message: str
    word: str | None = None
    key: str | None = None


class ConfigError(Exception):
    """A configuration that cannot be used. The text names file, line and key as far as they are known."""

    def __init__(self, message: str, path: Path | None = None, line: int | None = None) -> None:
        place = [] if path is None else [shown(os.path.abspath(path))]  # noqa: PTH100
        place += [] if line is None else [str(line)]
        super().__init__(": ".join([":".join(place), message] if place else [message]))


def read(path: Path) -> str:
    """The text of a configuration file; raises ConfigError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", path) from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError("is not UTF-8", path, line) from error


def parse(text: str, path: Path | None) -> dict[str, object]:
    """The document; raises ConfigError with the line of a syntax error."""
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        message = getattr(error, "msg", str(error))
        raise ConfigError(
            f"invalid TOML: {message[:1].lower()}{message[1:]}", path, getattr(error, "lineno", None)
        ) from error


def line_of(text: str, keys: Sequence[str], word: str | None = None) -> int | None:
    """The line where a key of the document is set or, when `word` is given, the line of its value that holds the word.

    The parser keeps no positions. A line sets the key if the text before it is a document without the key, and with
    the lines of the value it is one that has it; so comments and strings that look alike are never taken for it.
    """
    lines = text.split("\n")
    for row, line in enumerate(lines):
        if keys[-1] in line and _has(lines[:row], keys) is False:
            end = next((stop for stop in range(row + 1, len(lines) + 1) if _has(lines[:stop], keys) is not None), row)
            if _has(lines[:end], keys):
                return next((at + 1 for at in range(row, end) if word is not None and word in lines[at]), row + 1)
    return None


def _has(lines: list[str], keys: Sequence[str]) -> bool | None:
    """Whether the document has the key, None when the lines are no document."""
    try:
        value: object = parse("\n".join(lines), None)
    except ConfigError:
        return None
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True
