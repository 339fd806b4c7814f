"""OTL502: a span whose context manager nothing enters, or that is entered or applied in the wrong form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.edits.layout import Statement
    from otlint.model.module import Module
    from otlint.model.spans.entering import Unentered

_MESSAGES = {
    "statement": "nothing enters the context manager that `{function}` returns, so {loss}; use it in `with`",
    "assigned": "`{name}` is a context manager that nothing enters, and no span, so {loss}; use it in `with`",
    "chained": "`{name}` is called on a context manager, which has no such method; take the span from `with … as`",
    "entered": "the context manager is gone once `__enter__` returns, which ends the span before the work; use `with`",
    "async": "the context manager of a span is not asynchronous, so `async with` raises TypeError; use `with`",
    "given": "`{function}` gives a context manager that nothing enters, and no span, so no span is started; use `with`",
    "bare": "`{function}` is not called, so it starts no span; call it with the name of the span",
    "decorator": "`{function}` returns a span, which cannot be called as a decorator; use `start_as_current_span`",
}
_STARTS = "start_as_current_span"


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.spans.entering import unentered

    for found in unentered(module):
        if found.way in {"statement", "assigned"} and module.silenced(found.at, _is_tried_out(module, found)):
            continue
        function = module.code(found.function).rpartition(".")[2]
        uses = module.api(found.function) == otel.USE_SPAN
        loss = "the span is not made current" if uses else "no span is started"
        message = _MESSAGES[found.way].format(function=function, name=found.name, loss=loss)
        yield module.finding(found.at, message, fix=_fix(module, found))


def _is_tried_out(module: Module, found: Unentered) -> str | None:
    """Why a call may be there for what else it does: a test looks at that."""
    is_own = not otel.is_otel(module.api(found.function))
    return "it is a function of the project, which this test calls" if module.is_test and is_own else None


def _fix(module: Module, found: Unentered) -> Fix | None:
    if found.way == "async" and found.with_ is not None:
        alone = len(found.with_.items) == 1
        return Fix("use `with`", Safety.SAFE, edits.make_sync(module, found.with_)) if alone else None
    if found.way == "decorator":
        if found.call is None or module.api(found.function) != otel.START_SPAN:
            return None
        return Fix(f"use `{_STARTS}`", Safety.SAFE, edits.rename_function(module, found.call, _STARTS))
    wrapped = None if found.call is None or found.way in {"chained", "given"} else _wrap(module, found)
    return Fix("put what follows into `with`", Safety.UNSAFE, wrapped) if wrapped is not None else None


def _wrap(module: Module, found: Unentered) -> tuple[Edit, ...] | None:
    """`with … as span:` around the rest of the block, in place of the statement."""
    from otlint.model.code.blocks import following, is_wrappable, plain_statement

    entered = module.walk.parent[module.walk.parent[found.at]]
    statement = plain_statement(module, entered if found.way == "entered" else found.at)
    if statement is None:
        return None
    rest = following(module, statement)
    if not rest or not is_wrappable(module, rest):
        return None
    target = getattr(statement, "targets", None)
    name = module.code(target[0].target) if target else ""
    bound = f" as {name}" if target else ""
    without = [statement, *_ends(module, name, rest)]
    return edits.wrap_with(module, rest, f"with {_entered(module, found)}{bound}:", without=without)


def _entered(module: Module, found: Unentered) -> str:
    """The manager as `with` is given it: `use_span` ends the span that nothing else ends."""
    import libcst as cst

    from otlint.model.spans.unended import left_to_manager

    if found.call is None or found.call not in left_to_manager(module).values():
        return module.code(found.at)
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    ending = cst.Arg(cst.Name("True"), keyword=cst.Name("end_on_exit"), equal=equal)
    return module.tree.code_for_node(found.call.with_changes(args=[*found.call.args, ending]))


def _ends(module: Module, name: str, rest: Sequence[Statement]) -> Iterator[Statement]:
    """`span.end()` on statements of their own, which the `with` takes over."""
    import libcst as cst

    for statement in rest:
        for each in module.walk.all(cst.Expr, within=statement):
            func = each.value.func if isinstance(each.value, cst.Call) else None
            if isinstance(func, cst.Attribute) and func.attr.value == "end" and module.code(func.value) == name:
                yield each
