"""Paths as text: relative, with "/" between names."""

from __future__ import annotations

import functools
import os
import re


def shown(path: str, here: str | None = None) -> str:
    """The absolute path as people read it: relative to `here`, by default the working directory."""
    here = os.getcwd() if here is None else here  # noqa: PTH109
    inside = below(path, here)
    if inside is not None:
        return inside
    try:
        return os.path.relpath(path, here).replace(os.sep, "/")
    except ValueError:  # another drive
        return path.replace(os.sep, "/")


def below(path: str, base: str) -> str | None:
    """`path` relative to `base`, None when it is not inside. Both are absolute."""
    base = base.rstrip(os.sep) + os.sep
    if not path.startswith(base):
        return None
    inside = path[len(base) :]
    return inside if os.sep == "/" else inside.replace(os.sep, "/")


def module_name(path: str) -> str:
    """`services/orders/app/__init__.py` → `services.orders.app`."""
    stem = path.rpartition(".")[0]
    parts = stem.split("/")
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


def is_test_name(path: str) -> bool:
    """Whether a test runner takes the file for a test by its name, whatever folder it is in."""
    return _test_name().fullmatch(path.rpartition("/")[2]) is not None


@functools.cache
def _test_name() -> re.Pattern[str]:
    return re.compile(r"(?:(?:unit_?)?test_.*|.*_(?:unit_?)?tests?|conftest|tests)\.pyi?")
