"""Functions that let no exception out, and functions that have no body of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import libcst as cst

from otlint import otel
from otlint.model.code.values import Values
from otlint.model.code.walk import Node, Walk

_BROAD = frozenset({"builtins.Exception", "builtins.BaseException"})
_QUIET = frozenset(
    f"builtins.{name}" for name in ("getattr", "hasattr", "isinstance", "len", "print", "repr", "str", "type")
)
_NOT_IMPLEMENTED = frozenset({"builtins.NotImplementedError", "builtins.NotImplemented"})
_LOGS = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})


def is_shielded(function: cst.FunctionDef, walk: Walk, values: Values) -> bool:
    """Whether every statement that can raise stands in a `try` whose `except Exception` does not raise again."""
    if walk.own(function.body, cst.Yield):
        return False
    if not walk.own(function.body, cst.Try):
        return _only_sets(function, walk, values)
    return all(_is_quiet(each, walk, values) for each in _statements(function.body))


def _only_sets(function: cst.FunctionDef, walk: Walk, values: Values) -> bool:
    """`return tenant.set(name)`, of a context variable, and nothing else."""
    *first, last = _statements(function.body)
    calls = walk.own(last, cst.Call)
    plain = isinstance(last, cst.Return | cst.Expr) and all(isinstance(each, cst.Expr) for each in first)
    return bool(plain and len(calls) == 1 and (values.api(calls[0].func) or "").startswith("contextvars.ContextVar."))


def is_guard(function: cst.FunctionDef, walk: Walk, values: Values, wraps: Callable[[cst.Call], bool]) -> bool:
    """Whether it is a decorator whose wrapper keeps every exception of the function that it is given.

    `wraps`: whether a call in a wrapper calls the function that a function around it was given.
    """
    return any(
        _is_broad(handler, values)
        and any(wraps(call) for call in walk.own(tried.body, cst.Call))
        and not walk.own(handler.body, cst.Raise)
        and all(each.value is None for each in walk.own(handler.body, cst.Return))
        for tried in walk.all(cst.Try, within=function)
        if walk.function_of(tried) is not function
        for handler in tried.handlers
    )


def _is_quiet(statement: Node, walk: Walk, values: Values) -> bool:
    if isinstance(statement, cst.Try):
        broad = [each for each in statement.handlers if _is_broad(each, values)]
        rest = [each for each in (statement.orelse, statement.finalbody) if each is not None]
        handlers = [each.body for each in statement.handlers]
        return bool(broad) and all(_never_raises(part, walk, values) for part in [*handlers, *rest])
    return _never_raises(statement, walk, values)


def _is_broad(handler: cst.ExceptHandler, values: Values) -> bool:
    return handler.type is None or values.api(handler.type) in _BROAD


def _never_raises(node: Node, walk: Walk, values: Values) -> bool:
    if walk.own(node, cst.Raise, cst.Assert, cst.Await, cst.Yield, cst.With, cst.For):
        return False
    return all(_call_is_quiet(call, values) for call in walk.own(node, cst.Call))


def _call_is_quiet(call: cst.Call, values: Values) -> bool:
    called = values.api(call.func)
    if called is not None and (called in _QUIET or otel.is_otel(called)):
        return called not in otel.EXTRACTS and called not in otel.INJECTS
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in _LOGS


def is_stub(function: cst.FunctionDef, values: Values) -> bool:
    """Whether the function only stands for what others override: `...`, `pass`, `raise NotImplementedError`."""
    return all(_is_empty(each, values) for each in _statements(function.body))


def _is_empty(statement: Node, values: Values) -> bool:
    if isinstance(statement, cst.Pass):
        return True
    if isinstance(statement, cst.Expr):
        return isinstance(statement.value, cst.Ellipsis | cst.SimpleString | cst.ConcatenatedString)
    if isinstance(statement, cst.Raise) and statement.exc is not None:
        raised = statement.exc.func if isinstance(statement.exc, cst.Call) else statement.exc
        return values.api(raised) in _NOT_IMPLEMENTED
    return False


def _statements(block: cst.BaseSuite) -> Sequence[Node]:
    found: list[Node] = []
    for statement in block.body:
        found.extend(statement.body if isinstance(statement, cst.SimpleStatementLine) else [statement])
    return found
