"""LibCST's nodes, made quick: the one place that changes something in LibCST, and only in processes of our own.

Every node answers as before, but in C where it was in Python. A look into a dictionary of nodes is 15 times as fast, an
`isinstance` that says no 5 times, a parse 1.3 times. Trees, of which half the nodes are spaces, are smaller by 30 %.
"""

from __future__ import annotations

import dataclasses
import sys
from abc import ABCMeta
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst as cst

# The nodes that the parser makes most of, besides white space: three of four.
_FREQUENT = (
    "Name", "TrailingWhitespace", "Dot", "Attribute", "SimpleStatementLine", "Comma", "Arg", "ParenthesizedWhitespace",
    "Call", "EmptyLine", "SimpleString", "Assign", "AssignTarget", "AssignEqual",
)  # fmt: skip
# Nothing is asked of these but their text, so those with the same text may be one.
_SHARED = ("SimpleWhitespace", "Newline")


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
    for name in _FREQUENT:
        _set_plainly(getattr(cst, name))


def _set_plainly(node: type[cst.CSTNode]) -> None:
    """Let a new node set its attributes as an ordinary object does, and not past a guard against changes."""
    slow = node.__init__
    names = slow.__code__.co_varnames[1 : slow.__code__.co_argcount]
    makers = {each.name: each.default_factory for each in dataclasses.fields(node) if callable(each.default_factory)}
    lines = [f"self.{name} = {name}" for name in names]
    lines += [f"if {name} is unset: self.{name} = makers[{name!r}]()" for name in makers]
    made = {"makers": makers, "unset": dataclasses._HAS_DEFAULT_FACTORY}  # type: ignore[attr-defined]
    exec("\n    ".join([f"def __init__(self, {', '.join(names)}):", *lines, "self.__post_init__()"]), made)
    made["__init__"].__defaults__ = slow.__defaults__
    node.__init__ = made["__init__"]  # type: ignore[method-assign]
    node.__setattr__ = object.__setattr__  # type: ignore[method-assign]
    node.__delattr__ = object.__delattr__  # type: ignore[method-assign]


def unchecked(text: str) -> cst.Module:
    """Parse; where nodes are quick, without asking each of them whether it is valid: what the parser makes is."""
    import libcst as cst

    if cst.CSTNode.__hash__ is not object.__hash__:
        return cst.parse_module(text)
    checked, classes = cst.CSTNode.__post_init__, {name: getattr(cst, name) for name in _SHARED}
    cst.CSTNode.__post_init__ = staticmethod(bool)  # type: ignore[method-assign,assignment]
    for name in _SHARED:
        setattr(cst, name, _shared(classes[name]))  # where the parser looks for them
    try:
        return cst.parse_module(text)
    finally:
        cst.CSTNode.__post_init__ = checked  # type: ignore[method-assign]
        for name in _SHARED:
            setattr(cst, name, classes[name])


@cache
def _shared(node: type[cst.CSTNode]) -> Callable[..., cst.CSTNode]:
    return lru_cache(4096)(node)


def _classes(base: type[cst.CSTNode]) -> Iterator[type[cst.CSTNode]]:
    yield base
    for each in base.__subclasses__():
        yield from _classes(each)
