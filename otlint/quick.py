"""LibCST's nodes, made quick: the one place that changes something in LibCST, and only in processes of our own.

Every node answers as before, but in C where it was in Python. A look into a dictionary of nodes is 15 times as fast, an
`isinstance` that says no 5 times, a parse 1.15 times.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst as cst


class _Class(ABCMeta):
    """An abstract base class that nobody registers other classes with: its instances are those by inheritance."""

    __instancecheck__ = type.__instancecheck__


def quicken() -> None:
    """Make LibCST's nodes quick, unless LibCST is there before otlint needs it: somebody may have trees of his own."""
    if "libcst" not in sys.modules:
        change()


def change() -> None:
    """Make LibCST's nodes quick. There must be no set or dictionary of nodes yet: it would lose them."""
    import libcst as cst

    for each in set(_classes(cst.CSTNode)):  # type: ignore[type-abstract]
        # Nodes are equal by identity, and hash by `id`, in Python.
        each.__hash__ = object.__hash__  # type: ignore[method-assign]
        each.__class__ = _Class  # type: ignore[method-assign,assignment]


def unchecked(text: str) -> cst.Module:
    """Parse; where nodes are quick, without asking each of them whether it is valid: what the parser makes is."""
    import libcst as cst

    if cst.CSTNode.__hash__ is not object.__hash__:
        return cst.parse_module(text)
    checked = cst.CSTNode.__post_init__
    cst.CSTNode.__post_init__ = staticmethod(bool)  # type: ignore[method-assign,assignment]
    try:
        return cst.parse_module(text)
    finally:
        cst.CSTNode.__post_init__ = checked  # type: ignore[method-assign]


def _classes(base: type[cst.CSTNode]) -> Iterator[type[cst.CSTNode]]:
    yield base
    for each in base.__subclasses__():
        yield from _classes(each)
