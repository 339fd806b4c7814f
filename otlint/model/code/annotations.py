"""Annotations as types: `Optional[Span]`, `"Span"`, `Span | None` and `Annotated[Span, …]` are all Span."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code import inferred
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.code.values import Values

_TRANSPARENT = frozenset(
    f"{module}.{name}"
    for module in ("typing", "typing_extensions")
    for name in ("Optional", "Annotated", "ClassVar", "Final", "Required", "NotRequired", "Awaitable", "Union")
)
_YIELDS = frozenset(
    f"{module}.{name}"
    for module in ("typing", "collections.abc", "typing_extensions")
    for name in ("Iterator", "Generator", "AsyncIterator", "AsyncGenerator", "Iterable", "AsyncIterable")
)
_MANAGES = frozenset(
    ["contextlib.AbstractContextManager", "contextlib.AbstractAsyncContextManager"]
    + [f"typing.{name}" for name in ("ContextManager", "AsyncContextManager")]
)
_AWAITED = frozenset(
    f"{module}.{name}"
    for module in ("typing", "collections.abc", "typing_extensions")
    for name in ("Awaitable", "Coroutine", "AsyncIterator", "AsyncGenerator", "AsyncIterable")
)
_NO_TYPE = frozenset({"builtins.None", "typing.Any", "typing.Self"})
# Without round parentheses, which types do not need: LibCST's parser does not survive many of them.
_QUOTED = re.compile(r"[\w\s.,|\[\]'\"]{1,200}")

Dotted = Callable[[Node], str | None]


def annotated(values: Values, annotation: Node) -> str | None:
    """The type that an annotation names; `~yields(T)` for an iterator, `~manager(T)` for a context manager of T."""
    return _type(annotation, values.api, values)


def is_open(values: Values, annotation: Node) -> bool:
    """Whether an annotation leaves the type open: `Any`, `Any | None`, `Optional[Any]`."""
    if isinstance(annotation, cst.BinaryOperation):
        return all(_is_none(side) or is_open(values, side) for side in (annotation.left, annotation.right))
    if isinstance(annotation, cst.Subscript) and values.api(annotation.value) == "typing.Optional":
        item = annotation.slice[0].slice
        return isinstance(item, cst.Index) and is_open(values, item.value)
    return values.api(annotation) == "typing.Any"


def gives_awaitable(values: Values, annotation: Node) -> bool:
    """Whether an annotation is one of functions whose result has to be awaited: `Callable[..., Awaitable[Order]]`."""
    if not isinstance(annotation, cst.Subscript):
        return False
    if (
        values.api(annotation.value) not in {"typing.Callable", "collections.abc.Callable"}
        or len(annotation.slice) != 2
    ):
        return False
    given = annotation.slice[1].slice
    result = given.value if isinstance(given, cst.Index) else None
    generic = result.value if isinstance(result, cst.Subscript) else result
    return generic is not None and values.api(generic) in _AWAITED


def _type(node: Node, dotted: Dotted, values: Values) -> str | None:
    if isinstance(node, cst.Name | cst.Attribute):
        name = dotted(node)
        if name is None or name in _NO_TYPE or _is_module(name):
            return None
        return known.clients().made_by(name) or name
    if isinstance(node, cst.SimpleString):
        text = node.evaluated_value
        parsed = _parsed(text.strip()) if isinstance(text, str) else None
        return None if parsed is None else _type(parsed, functools.partial(_at_the_top, values), values)
    if isinstance(node, cst.BinaryOperation):
        sides = [side for side in (node.left, node.right) if not _is_none(side)]
        return _type(sides[0], dotted, values) if len(sides) == 1 else None
    if isinstance(node, cst.Subscript):
        return _subscripted(node, dotted, values)
    return None


def _is_module(name: str) -> bool:
    """`-> trace`: the API's modules and functions are written small, its types are not."""
    return otel.is_otel(name) and name.rpartition(".")[2][:1].islower()


def _subscripted(node: cst.Subscript, dotted: Dotted, values: Values) -> str | None:
    generic = dotted(node.value)
    items = [each.slice.value for each in node.slice if isinstance(each.slice, cst.Index)]
    items = [item for item in items if not _is_none(item)]
    if generic in _TRANSPARENT and items:
        one = len(items) == 1 or generic.endswith("Annotated")
        return _type(items[0], dotted, values) if one else None
    if generic in _YIELDS and items:
        return f"~yields({_type(items[0], dotted, values) or ''})"
    if generic in _MANAGES and items:
        return f"~manager({_type(items[0], dotted, values) or ''})"
    if generic in {"builtins.tuple", "typing.Tuple"} and len(items) == len(node.slice):
        return inferred.declared([_type(item, dotted, values) for item in items]) or generic
    return generic


@functools.lru_cache(maxsize=1024)
def _parsed(text: str) -> cst.BaseExpression | None:
    try:
        return cst.parse_expression(text) if _QUOTED.fullmatch(text) else None
    except cst.ParserSyntaxError:
        return None


def _at_the_top(values: Values, node: Node) -> str | None:
    """What a name in a quoted annotation means: one of the module's, as the text is evaluated there."""
    path: list[str] = []
    while isinstance(node, cst.Attribute):
        path.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    bindings = values.names.bindings(node.value, values.walk.tree)
    first = values.names.meaning(bindings[-1]) if bindings else f"builtins.{node.value}"
    return values.followed(".".join([first, *reversed(path)])) if first is not None else None


def _is_none(value: Node) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"
