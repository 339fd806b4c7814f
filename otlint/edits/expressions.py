"""Edits inside a statement: expressions, arguments of calls, the name of a caught exception."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint.edits import layout
from otlint.fix import Edit, ordered

if TYPE_CHECKING:
    from otlint.model.module import Module

Edits = tuple[Edit, ...]
Item = tuple[int, int, cst.Comma | cst.MaybeSentinel]

# Where any expression may stand without parentheses.
_OPEN = (
    cst.Annotation, cst.AnnAssign, cst.Arg, cst.Assert, cst.Assign, cst.AugAssign, cst.Decorator, cst.DictElement,
    cst.Element, cst.ExceptHandler, cst.Expr, cst.If, cst.Index, cst.Param, cst.Raise, cst.Return, cst.While,
    cst.WithItem,
)  # fmt: skip
_ATOMS = (
    ast.Attribute, ast.Call, ast.Constant, ast.Dict, ast.JoinedStr, ast.List, ast.ListComp, ast.Name, ast.Set,
    ast.Subscript,
)  # fmt: skip


def replace(module: Module, node: cst.CSTNode, text: str) -> Edits:
    """Another text for a node; an expression keeps its parentheses and gets some where the text needs them."""
    start, end = module.range(node)
    if isinstance(node, cst.BaseExpression) and _needs_parentheses(module, node, text):
        text = f"({text})"
    source = module.source.text
    before = " " if start and _joins(source[start - 1], text[:1]) else ""
    after = " " if end < len(source) and _joins(text[-1:], source[end]) else ""
    return (Edit(start, end, before + text + after),)


def rename(module: Module, names: Iterable[cst.CSTNode], name: str) -> Edits:
    """Write another name at some places."""
    return tuple(edit for each in names for edit in replace(module, each, name))


def surround(module: Module, node: cst.BaseExpression, before: str, after: str) -> Edits:
    """Text around an expression and its parentheses, such as `str(` and `)`; what is inside stays as it is."""
    start, end = outer(module, node)
    return ordered([Edit(start, start, before), Edit(end, end, after)] if after else [Edit(start, start, before)])


def rename_function(module: Module, call: cst.Call, text: str) -> Edits:
    """Call something else: a plain name replaces the last part of `a.b.c(…)`, a dotted text all of it."""
    func = call.func
    return replace(module, func.attr if isinstance(func, cst.Attribute) and text.isidentifier() else func, text)


def set_argument(module: Module, call: cst.Call, keyword: str, text: str, *, position: int | None = None) -> Edits:
    """Give an argument: replaces the one given by keyword or at `position`, else adds `keyword=text`."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == keyword:
            return replace(module, arg.value, text)
    if position is not None and position < len(call.args) and _are_positional(call.args[: position + 1]):
        return replace(module, call.args[position].value, text)
    return _add_argument(module, call, f"{keyword}={text}")


def insert_argument(module: Module, call: cst.Call, text: str, position: int = 0) -> Edits:
    """One more positional argument, in front of the one at `position`."""
    named = (at for at, arg in enumerate(call.args) if arg.keyword is not None or arg.star == "**")
    position = min(position, next(named, len(call.args)))
    if position == len(call.args):
        return _add_argument(module, call, text)
    start, end = module.range(call.args[position])
    if _is_bare_generator(call):
        return (Edit(start, start, f"{text}, ("), Edit(end, end, ")"))
    following = call.args[position + 1 : position + 2]
    one_a_line = all(layout.own_line(module, module.range(arg)[0]) is not None for arg in following)
    indent = layout.own_line(module, start) if one_a_line else None
    separator = ", " if indent is None else f",{module.source.newline}{indent}"
    return (Edit(start, start, text + separator),)


def remove_argument(module: Module, call: cst.Call, arg: cst.Arg) -> Edits:
    """Remove an argument and its comma; comments stay."""
    items = [(module.range(each)[0], outer(module, each.value)[1], each.comma) for each in call.args]
    return remove_item(module, items, next(at for at, each in enumerate(call.args) if each is arg))


def remove_item(module: Module, items: Sequence[Item], at: int) -> Edits:
    """Remove one item of a list with commas: start and end of each, and its comma."""
    text = module.source.text
    start, end, comma = items[at]
    behind = module.range(comma)[1] if isinstance(comma, cst.Comma) else end
    following = items[at + 1][0] if at + 1 < len(items) else None
    before = items[at - 1][1] if at else None
    if following is not None and "#" not in text[end:following]:
        return (Edit(start, following, ""),)
    if following is None and before is not None and "#" not in text[before:start]:
        return (Edit(before, end, ""),)
    if "#" in text[end:behind]:
        return (Edit(start, end, ""), Edit(*module.range(comma), ""))  # type: ignore[arg-type]
    blanks = len(text[behind:]) - len(text[behind:].lstrip(" \t")) if following is not None else 0
    return (Edit(start, behind + blanks, ""),)


def append_element(module: Module, collection: cst.Dict | cst.List, text: str) -> Edits:
    """Another element at the end of a list or dict display."""
    if not collection.elements:
        opened = module.range(collection)[0] + 1
        return (Edit(opened, opened, text),)
    last = collection.elements[-1]
    end = outer(module, last.value)[1]
    comma = last.comma if isinstance(last.comma, cst.Comma) else None
    return behind_item(module, module.range(last)[0], end, comma, text)


def prepend_element(module: Module, collection: cst.Tuple | cst.List, text: str) -> Edits:
    """Another element at the start of a list or tuple display in brackets."""
    bracket = collection.lpar[-1] if isinstance(collection, cst.Tuple) else collection.lbracket
    opened = module.range(bracket)[0] + 1
    if collection.elements:
        comma = collection.elements[0].comma
        behind = module.range(comma) if isinstance(comma, cst.Comma) and len(collection.elements) == 1 else (0, 0)
        single = behind[1] and module.source.text[behind[1]] == ")"
        return (Edit(opened, opened, f"{text}, "), *([Edit(*behind, "")] if single else []))
    return (Edit(opened, opened, f"{text}," if isinstance(collection, cst.Tuple) else text),)


def bind_exception(module: Module, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> tuple[str, Edits]:
    """The name of the caught exception, and the edits that give it one where it has none.

    A bare `except:` becomes `except BaseException as …:`, which catches the same.
    """
    if handler.name is not None and isinstance(handler.name.name, cst.Name):
        return handler.name.name.value, ()
    name = fresh_exception(module, handler)
    if handler.type is None:
        end = module.range(handler)[0] + len("except")
        return name, (Edit(end, end, f" BaseException as {name}"),)
    start, end = outer(module, handler.type)
    if isinstance(handler.type, cst.Tuple) and not handler.type.lpar:
        return name, (Edit(start, start, "("), Edit(end, end, f") as {name}"))
    return name, (Edit(end, end, f" as {name}"),)


def outer(module: Module, node: cst.BaseExpression) -> tuple[int, int]:
    """The range of an expression with its parentheses."""
    if not node.lpar:
        return module.range(node)
    return module.range(node.lpar[0])[0], module.range(node.rpar[-1])[1]


def _is_bare_generator(call: cst.Call) -> bool:
    value = call.args[0].value
    return len(call.args) == 1 and isinstance(value, cst.GeneratorExp) and not value.lpar


def _are_positional(args: Sequence[cst.Arg]) -> bool:
    return all(arg.keyword is None and not arg.star for arg in args)


def _add_argument(module: Module, call: cst.Call, text: str) -> Edits:
    if not call.args:
        opened = module.source.text.index("(", outer(module, call.func)[1]) + 1
        return (Edit(opened, opened, text),)
    if _is_bare_generator(call):
        start, end = module.range(call.args[0])
        return (Edit(start, start, "("), Edit(end, end, f"), {text}"))
    starred = next((arg for arg in call.args if arg.star == "**"), None)
    if starred is not None:
        start = module.range(starred)[0]
        indent = layout.own_line(module, start)
        separator = ", " if indent is None else f",{module.source.newline}{indent}"
        return (Edit(start, start, text + separator),)
    last = call.args[-1]
    comma = last.comma if isinstance(last.comma, cst.Comma) else None
    return behind_item(module, module.range(last)[0], outer(module, last.value)[1], comma, text)


def behind_item(module: Module, start: int, end: int, comma: cst.Comma | None, text: str) -> Edits:
    """An item behind the last one of a list in brackets, on its own line if the last one is."""
    indent = layout.own_line(module, start)
    source, newline = module.source.text, module.source.newline
    if indent is None:
        return (Edit(end, end, f", {text}"),)
    behind = end if comma is None else module.range(comma)[1]
    rest = source[behind : layout.line_end(source, behind)]
    if rest.strip() and not rest.lstrip().startswith("#"):
        return (Edit(end, end, f",{newline}{indent}{text}"),)
    below = layout.line_end(source, behind)
    item = Edit(below, below, f"{indent}{text},{newline}")
    return (item,) if comma is not None else (Edit(end, end, ","), item)


def _needs_parentheses(module: Module, node: cst.BaseExpression, text: str) -> bool:
    if node.lpar or isinstance(module.walk.parent.get(node), _OPEN):
        return False
    try:
        return not isinstance(ast.parse(text, mode="eval").body, _ATOMS)
    except SyntaxError:
        return False


def _joins(left: str, right: str) -> bool:
    """Whether two characters would become one word."""
    return (left + "_").isidentifier() and ("_" + right).isidentifier() and bool(left and right)


def fresh_exception(module: Module, handler: cst.CSTNode) -> str:
    """`exc` unless it means something else here; an `except … as exc` beside this handler is no obstacle."""
    candidates = ["exc", "error", *(f"exc_{number}" for number in range(2, 100))]
    return next(name for name in candidates if _is_free(module, name, handler))


def _is_free(module: Module, name: str, handler: cst.CSTNode) -> bool:
    walk = module.walk
    return all(
        binding.kind == "except"
        and not walk.inside(binding.node, handler)
        and not walk.inside(handler, binding.node)
        and walk.function_of(binding.node) is walk.function_of(handler)
        for binding in module.names.bindings(name, handler)
    )
