"""Functions of a program that nothing in it calls: what they would do is not done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.walk import Node
from otlint.model.context.tasks import mentions

if TYPE_CHECKING:
    from otlint.model.module import Module

# What gets at functions by their names, all of them, and names by which others look a function up.
_ALL = ("globals", "locals", "vars", "Fire", "__all__")
_KNOWN = frozenset({"main", "cli", "run", "app", "create_app", "handler", "lambda_handler"})


def is_unused(module: Module, node: Node) -> bool:
    """Whether a node stands in a function that a program defines and nothing in it names.

    A program is a file that works when it is run, and that no other file imports.
    """
    function = _outermost(module, node)
    if function is None or not module.project.reach.is_program(module.path):
        return False
    return not any(module.walk.named(name, module.tree) for name in _ALL) and _is_unnamed(module, function, set())


def _outermost(module: Module, node: Node) -> cst.FunctionDef | None:
    """The function around a node that stands at the top of the file."""
    for up in module.walk.ancestors(node):
        if isinstance(up, cst.FunctionDef) and module.walk.parent[up] is module.tree:
            return up
    return None


def _is_unnamed(module: Module, function: cst.FunctionDef, around: set[Node]) -> bool:
    """Whether nothing names the function, other functions of that kind and itself aside."""
    name = function.name.value
    if function.decorators or name in _KNOWN or name.startswith("__") or module.entry(function) is not None:
        return False
    if any(name in each.value for each in module.walk.all(cst.SimpleString)):
        return False
    around = {*around, function}
    users = [_outermost(module, each) for each in mentions(module, function)]
    return all(user is not None and (user in around or _is_unnamed(module, user, around)) for user in users)
