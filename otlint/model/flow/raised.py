"""Which nodes may raise, which calls never return, and which handler catches what."""

from __future__ import annotations

import builtins
import enum
from collections.abc import Sequence

import libcst as cst

from otlint.model.code.walk import Node, Walk

ANY = "*"  # some exception, of a class nobody knows
BASE = "!"  # KeyboardInterrupt and the like: some BaseException that is no Exception
GENERATOR_EXIT = "GeneratorExit"
UNKNOWN = "?"  # the class in an `except` clause is computed

# The only nodes that are asked about; `raise` and `assert` always raise.
RAISING = (
    cst.Call, cst.Await, cst.Yield, cst.Subscript, cst.BinaryOperation, cst.AugAssign,
    cst.For, cst.CompFor, cst.WithItem, cst.Import, cst.ImportFrom,
)  # fmt: skip

_DIVISIONS = (
    cst.Divide, cst.FloorDivide, cst.Modulo, cst.MatrixMultiply,
    cst.DivideAssign, cst.FloorDivideAssign, cst.ModuloAssign, cst.MatrixMultiplyAssign,
)  # fmt: skip
_STRINGS = (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString)
_LITERALS = (*_STRINGS, cst.Integer, cst.Float, cst.Imaginary)
_CONTAINERS = (cst.List, cst.Tuple, cst.Set, cst.Dict, cst.SimpleString)
_SWALLOWING = frozenset({"suppress", "raises", "assertRaises", "assertRaisesRegex"})
_STEADY = frozenset({"range", "enumerate", "zip", "reversed", "items", "keys", "values", *_SWALLOWING})
_LEAVING = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort"})
_LEAVES_PROCESS = frozenset({*_LEAVING, "_exit", "abort"})
_CLASSES: dict[str, type[BaseException]] = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException) and value.__name__ == name
}


class Match(enum.IntEnum):
    """Whether a handler takes an exception; true when it may."""

    NO = 0
    MAYBE = 1
    YES = 2


def may_raise(node: Node) -> bool:
    """Whether evaluating the node, its operands aside, may raise in ordinary code.

    Asked for the types of `RAISING` only: calls (not `range()`, `d.items()`, `suppress()` …), awaits, yields, loads and
    deletions of subscripts, imports, entering and leaving a `with` item, iteration (not over a literal or such a call)
    and divisions by a non-literal. Other arithmetic, comparisons, attribute access, stores, names and f-strings are
    taken not to raise.
    """
    if isinstance(node, cst.BinaryOperation):
        formats = isinstance(node.left, _STRINGS)
        return isinstance(node.operator, _DIVISIONS) and not formats and not isinstance(node.right, _LITERALS)
    if isinstance(node, cst.AugAssign):
        return isinstance(node.operator, _DIVISIONS) and not isinstance(node.value, _LITERALS)
    if isinstance(node, cst.For | cst.CompFor):
        return not isinstance(node.iter, _CONTAINERS) and may_raise(node.iter)
    if isinstance(node, cst.WithItem):
        return not swallows(node)
    return not isinstance(node, cst.Call) or (dotted(node.func) or "").rpartition(".")[2] not in _STEADY


def no_return(call: cst.Call) -> bool:
    """`sys.exit()`, `exit()`, `quit()`, `os._exit()`, `os.abort()`, by their usual spelling."""
    return dotted(call.func) in _LEAVING


def swallows(item: cst.WithItem) -> bool:
    """`suppress(…)`, `pytest.raises(…)`, `self.assertRaises(…)`, by name."""
    if not isinstance(item.item, cst.Call):
        return False
    return (dotted(item.item.func) or "").rpartition(".")[2] in _SWALLOWING


def dotted(node: Node | None) -> str | None:
    """The text of a plain dotted name, None for any other expression."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    return ".".join([node.value, *reversed(parts)])


def leaves_process(call: cst.Call) -> bool:
    """Whether a call that never returns raises SystemExit (or nothing at all) rather than an ordinary exception."""
    return (dotted(call.func) or "").rpartition(".")[2] in _LEAVES_PROCESS or dotted(call.func) in _LEAVING


def is_base(raised: str) -> bool:
    """Whether it is certainly no `Exception`."""
    if raised in _CLASSES:
        return not issubclass(_CLASSES[raised], Exception)
    return raised == BASE or raised.rpartition(".")[2] == "CancelledError"


def is_exception(name: str) -> bool:
    """Whether a built-in class is one of exceptions."""
    return name in _CLASSES


def catches(caught: str, raised: str) -> Match:
    """Whether a handler of class `caught` takes an exception of class `raised` or of a subclass of it.

    A class that is not built in is taken to be an ordinary exception; it may have any other as its base.
    """
    if caught in ("BaseException", raised):
        return Match.YES
    if raised == BASE:
        return Match.NO if _is_ordinary(caught) else Match.MAYBE
    if raised in _CLASSES and caught in _CLASSES:
        if issubclass(_CLASSES[raised], _CLASSES[caught]):
            return Match.YES
        return Match.MAYBE if issubclass(_CLASSES[caught], _CLASSES[raised]) else Match.NO
    if caught == "Exception":
        return Match.NO if is_base(raised) else Match.YES
    return Match.NO if caught in _CLASSES and is_base(caught) else Match.MAYBE


def _is_ordinary(caught: str) -> bool:
    if caught in _CLASSES:
        return issubclass(_CLASSES[caught], Exception)
    return caught.endswith(("Error", "Exception")) and not caught.endswith("CancelledError")


class Classes:
    """The classes that expressions of one file name, built-in ones as such unless the file rebinds them."""

    __slots__ = ("_rebound", "_walk")

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._rebound: frozenset[str] | None = None

    def caught(self, clause: Node | None) -> tuple[str, ...]:
        """What `except clause:` or `suppress(clause)` takes."""
        if clause is None:
            return ("BaseException",)
        if isinstance(clause, cst.Tuple):
            return tuple(self._name(element.value) for element in clause.elements)
        return (self._name(clause),)

    def clauses(self, clauses: Sequence[Node | None]) -> list[tuple[str, ...]]:
        """What each `except` clause of a `try` takes that no earlier one has taken for certain."""
        found: list[tuple[str, ...]] = []
        earlier: list[str] = []
        for clause in clauses:
            names = [name for name in self.caught(clause) if not any(catches(n, name) is Match.YES for n in earlier)]
            found.append(tuple(names))
            earlier += names
        return found

    def raised(self, value: Node) -> str:
        """What `raise value` raises: only capitalised names are read as classes."""
        if isinstance(value, cst.Call):
            value = value.func
        name = dotted(value)
        if name is None or not name.rpartition(".")[2].lstrip("_")[:1].isupper():
            return ANY
        name = self._name(value)
        return {"Exception": ANY, "BaseException": BASE}.get(name, name)

    def again(self, caught: tuple[str, ...], earlier: tuple[str, ...]) -> tuple[str, ...]:
        """What a bare `raise` raises in the handler of `caught` after handlers of the classes `earlier`."""
        found: list[str] = []
        for name in caught:
            if name == "BaseException":
                found += [ANY, BASE]
            else:
                found.append(ANY if name in ("Exception", UNKNOWN) else name)
        return tuple(name for name in found if not any(catches(before, name) is Match.YES for before in earlier))

    def _name(self, node: Node) -> str:
        name = dotted(node)
        if name is None:
            return UNKNOWN
        if name in _CLASSES and name in self._rebinding():
            return f"{name}'"
        return name

    def _rebinding(self) -> frozenset[str]:
        """Names that imports and classes of the file give another meaning."""
        if self._rebound is None:
            names: list[str | None] = [node.name.value for node in self._walk.all(cst.ClassDef)]
            aliases = self._walk.all(cst.ImportAlias)
            names += [dotted(alias.asname.name if alias.asname else alias.name) for alias in aliases]
            self._rebound = frozenset(name for name in names if name)
        return self._rebound
