"""Edits of hand-offs to threads: the work runs in a copy of the context that is current where it is handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint.edits.expressions import insert_argument, prepend_element, replace, set_argument
from otlint.edits.imports import reference
from otlint.fix import Edit
from otlint.model.code.values import argument, is_hidden

if TYPE_CHECKING:
    from otlint.model.context.handoffs import Handoff
    from otlint.model.module import Module

Edits = tuple[Edit, ...]

# Where a call takes the arguments of the work: the positional parameters up to them.
_ARGUMENTS = {
    "thread": ("group", "target", "name", "args"),
    "timer": ("interval", "function", "args"),
    "apply": ("func", "args"),
    "raw": ("function", "args"),
}


def carry_context(module: Module, handoff: Handoff) -> Edits | None:
    """Run the work of a hand-off in a copy of the current context; None where that takes more than an edit of the call.

    The copy is made when the call is evaluated, one for each piece of work: a context runs one thing at a time.
    """
    call, work = handoff.call, module.code(handoff.target)
    copy, imports = reference(module, "contextvars.copy_context", call)
    if handoff.way == "subclass":
        return None
    if handoff.way in {"map", "helper"}:
        made = _each(module, handoff, f"{copy}()")
        return (*made, *imports) if made is not None else None
    position = next((i for i, arg in enumerate(call.args) if arg.value is handoff.target and not arg.keyword), None)
    if handoff.way in {"submit", "executor"} and position is not None:
        return (*insert_argument(module, call, f"{copy}().run", position), *imports)
    if handoff.way in _ARGUMENTS and not is_hidden(call):
        first = _first(module, call, work, _ARGUMENTS[handoff.way])
        return (*replace(module, handoff.target, f"{copy}().run"), *first, *imports)
    partial, more = reference(module, "functools.partial", call)
    return (*replace(module, handoff.target, f"{partial}({copy}().run, {work})"), *imports, *more)


def _first(module: Module, call: cst.Call, work: str, parameters: tuple[str, ...]) -> Edits:
    """The work as the first of the arguments in `args`."""
    given = argument(call, "args", parameters)
    if given is None or (isinstance(given, cst.Name) and given.value == "None"):
        return set_argument(module, call, "args", f"({work},)", position=len(parameters) - 1)
    if isinstance(given, cst.Tuple | cst.List):
        return prepend_element(module, given, work)
    return replace(module, given, f"({work}, *{module.code(given)})")


def _each(module: Module, handoff: Handoff, copy: str) -> Edits | None:
    """A lambda that runs the work in a copy of its own for each call; what it needs is evaluated here, not there."""
    work, call = module.code(handoff.target), handoff.call
    taken = {name.value for name in module.walk.all(cst.Name, within=handoff.target)}
    if not module.names.is_free("caller", call) or taken & {"args", "kwargs", "caller", "work"}:
        return None
    given = "*args, **kwargs" if handoff.way == "helper" else "*args"
    keywords = f"caller={copy}"
    if not isinstance(handoff.target, cst.Lambda) and module.values.function(module.api(handoff.target)) is None:
        keywords, work = f"{keywords}, work={work}", "work"
    head = f"*args, {keywords}, **kwargs" if handoff.way == "helper" else f"*args, {keywords}"
    return replace(module, handoff.target, f"lambda {head}: caller.copy().run({work}, {given})")
