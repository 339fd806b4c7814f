"""The pools in which workers run their tasks, as far as the code chooses them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint.deployment import commands

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.module import Module

_SETTING = "worker_pool"


def may_not_fork(module: Module) -> bool:
    """Whether the file may give a Celery worker another pool than `prefork`, the only one that forks."""
    if "celery" not in module.source.text or not any(word in module.source.text for word in ("pool", "-P")):
        return False
    if any(_text(value) != "prefork" for value in _settings(module)):
        return True
    lines = (" ".join(_text(each.value) or "" for each in given.elements) for given in module.walk.all(cst.List))
    return any(commands.OTHER_POOL.search(line) for line in lines)


def _settings(module: Module) -> Iterator[Node]:
    """`app.conf.worker_pool = …`, `Celery(worker_pool=…)`, `{"worker_pool": …}`: the values."""
    for assignment in module.walk.all(cst.Assign):
        targets = (each.target for each in assignment.targets)
        if any(isinstance(each, cst.Attribute) and each.attr.value == _SETTING for each in targets):
            yield assignment.value
    for arg in module.walk.all(cst.Arg):
        if arg.keyword is not None and arg.keyword.value == _SETTING:
            yield arg.value
    yield from (each.value for each in module.walk.all(cst.DictElement) if _text(each.key) == _SETTING)


def _text(node: Node) -> str | None:
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None
