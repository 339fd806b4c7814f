"""Who is responsible for a span, a token or a context, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.walk import Node
from otlint.model.reason import Reason
from otlint.model.spans.ownership import Custody

if TYPE_CHECKING:
    from otlint.model.module import Module


def keeper(module: Module, custody: Custody) -> Reason | None:
    """Who else has the value, None when nobody but its own function can."""
    if custody.handed:
        return Reason(_handed(module, custody.handed[0]), custody.handed[0])
    if custody.lent and not custody.discharged:
        return Reason("others get at it, through a context or in the block of their `with`", custody.lent[0])
    return None


def fate(module: Module, custody: Custody, done: str = "ended") -> Reason:
    """What becomes of the value: who has it, where it is `done`, or that nothing is known to."""
    if custody.discharged and not custody.handed:
        return Reason(f"it is {done} on every way out of the function", custody.discharged[0])
    return keeper(module, custody) or Reason(f"no way out of the function is known that leaves it not {done}")


def _handed(module: Module, node: Node) -> str:
    if isinstance(node, cst.Return):
        return "it is returned, so the caller is responsible for it"
    if isinstance(node, cst.Yield):
        return "it is yielded, so whoever consumes the generator is responsible for it"
    if isinstance(node, cst.FunctionDef | cst.Lambda):
        return "a nested function takes it over"
    if isinstance(node, cst.Assign | cst.AnnAssign | cst.AugAssign | cst.NamedExpr):
        target = node.targets[0].target if isinstance(node, cst.Assign) else node.target
        return f"it is stored in `{_short(module, target)}`, whose owner is responsible for it"
    if isinstance(node, cst.Call):
        return f"`{_short(module, node.func)}`, which it is passed to, may keep it"
    return "it is put into something that may outlive the function"


def _short(module: Module, node: Node) -> str:
    code = " ".join(module.code(node).split())
    return code if len(code) <= 40 else f"{code[:37]}…"
