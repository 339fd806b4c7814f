"""Statuses of servers' spans that are set to ERROR for answers that blame the client.

if response.status >= 400:          # 404 as well
    span.set_status(StatusCode.ERROR)
"""

from __future__ import annotations

import http
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libcst as cst

from otlint import otel
from otlint.model.code.blocks import following
from otlint.model.code.logs import last_name, pattern, words
from otlint.model.code.values import argument
from otlint.model.code.walk import Node
from otlint.model.errors.answers import Answer, http_status
from otlint.model.errors.handlers import Mark
from otlint.model.errors.outcome import Fate, outcome
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

_CLIENT_ERRORS = (400, 401, 403, 404, 409, 422, 429)
# Calls that answer a request, and the arguments by which they and others are told the status.
_ABORTS = frozenset({"abort", "set_code", "send_error", "set_status"})
_STATUSES = frozenset({"status_code", "status", "code"})
_COMPARES: dict[type[cst.BaseCompOp], Callable[[Any, Any], bool]] = {
    cst.GreaterThan: lambda a, b: a > b,
    cst.GreaterThanEqual: lambda a, b: a >= b,
    cst.LessThan: lambda a, b: a < b,
    cst.LessThanEqual: lambda a, b: a <= b,
    cst.Equal: lambda a, b: a == b,
    cst.NotEqual: lambda a, b: a != b,
    cst.In: lambda a, b: a in b,
    cst.NotIn: lambda a, b: a not in b,
}


@dataclass(frozen=True, eq=False, slots=True)
class Refusal:
    """`call` sets ERROR on the span of a server, and `shows` shows that the client was wrong."""

    call: cst.Call
    shows: Node
    start: cst.Call | None


def refusals(module: Module) -> Iterator[Refusal]:
    """In source order."""
    kept = _kept(module)
    for mark in module.marks:
        if "status" not in mark.does and not any(_codes(module, mark.call)):
            continue
        told = told_after(module, mark.call) if last_name(mark.call.func) == "set_status" else None
        shows = _test(module, mark.call) or _refused(module, mark) or told
        if shows is None:
            continue
        start = _server(module, mark, kept)
        answered = _is_answer(module, shows)
        ambient = _is_found(module, mark.receiver) and _is_entry(module, mark.call, answered)
        if module.silenced(mark.call, not start and not ambient and "its span is not known to be a server's"):
            continue
        if not module.silenced(mark.call, _is_of_other(module, shows) and "the answer is that of another server"):
            yield Refusal(mark.call, shows, start)


# -- whose span it is ---------------------------------------------------------------------------------------------


def _server(module: Module, mark: Mark, kept: dict[str, cst.Call | None]) -> cst.Call | None:
    """Where the server's span starts; through the attribute that keeps it between two functions too."""
    if mark.span is not None:
        return mark.span.start if mark.span.kind == otel.KIND_SERVER else None
    name = _read(module, mark.receiver)
    return kept.get(name) if name is not None else None


def _is_found(module: Module, receiver: Node | None) -> bool:
    """Whether it is the span that was current, or on some ways a server's own: `span = get_current_span()`."""
    if not isinstance(receiver, cst.Name):
        return receiver is not None and module.spans.is_ambient(receiver)
    values = [each.value for each in module.names.reaching(receiver.value, receiver)]
    spans = [module.spans.of(each) if each is not None else None for each in values]
    return bool(values) and all(
        value is not None and (module.spans.is_ambient(value) if span is None else span.kind == otel.KIND_SERVER)
        for value, span in zip(values, spans, strict=True)
    )


def _kept(module: Module) -> dict[str, cst.Call | None]:
    """The attributes and keys in which the file keeps servers' spans, None for those that hold others as well."""
    found: dict[str, cst.Call | None] = {}
    for span in module.spans:
        uses = [span.start, *module.custody(span.start).uses] if span.manner in {"assigned", "stored"} else []
        for use in uses:
            up = module.walk.parent.get(use)
            targets = [each.target for each in up.targets] if isinstance(up, cst.Assign) and up.value is use else []
            for name in filter(None, map(_slot, targets)):
                other = name in found and found[name] is None
                found[name] = span.start if span.kind == otel.KIND_SERVER and not other else None
    return found


def _read(module: Module, receiver: Node | None) -> str | None:
    """The attribute or key that an expression reads, also through a variable: `span = request.ctx.otel_span`."""
    if isinstance(receiver, cst.Name):
        bindings = module.names.reaching(receiver.value, receiver)
        receiver = bindings[0].value if len(bindings) == 1 else None
    if isinstance(receiver, cst.Call):
        if module.api(receiver.func) == "builtins.getattr" and len(receiver.args) > 1:
            return _text(receiver.args[1].value)
        if last_name(receiver.func) in {"get", "pop"} and receiver.args:
            return _text(receiver.args[0].value)
    return _slot(receiver)


def _slot(target: Node | None) -> str | None:
    """The last part of `request.ctx.span`, `environ["span"]`."""
    if isinstance(target, cst.Attribute):
        return target.attr.value
    if isinstance(target, cst.Subscript) and isinstance(target.slice[0].slice, cst.Index):
        return _text(target.slice[0].slice.value)
    return None


def _text(node: Node) -> str | None:
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def _is_entry(module: Module, call: cst.Call, answered: bool) -> bool:
    """Whether the current span is that of the request: in its handler, or around what gives the answer."""
    function = module.function_of(call)
    entry = module.entries.of(function) or module.entries.hooked(function) if function is not None else None
    return answered or (entry is not None and entry.key.startswith("server."))


# -- whose fault it is --------------------------------------------------------------------------------------------


def _test(module: Module, call: cst.Call) -> Node | None:
    """The test of an HTTP status under which ERROR is set for some error of the client."""
    for place in (call, *_codes(module, call)):
        tests = list(_tests(module, place))
        for code in _CLIENT_ERRORS:
            truths = [(test, _holds(module, test, code), wanted) for test, wanted in tests]
            if any(truth is not None and bool(truth) is not wanted for _, truth, wanted in truths):
                continue
            decided = next((test for test, truth, _ in truths if truth is not None), None)
            if decided is not None:
                return decided
    return None


def _codes(module: Module, call: cst.Call) -> Iterator[Node]:
    """Where the code ERROR is written that the call gives."""
    if last_name(call.func) != "set_status":
        return
    status = argument(call, "status", otel.PARAMETERS[otel.SET_STATUS])
    if isinstance(status, cst.Call) and module.api(status.func) == otel.STATUS:
        status = argument(status, "status_code", otel.PARAMETERS[otel.STATUS])
    for each in module.origins(status) if status is not None else ():
        if module.api(each) == otel.STATUS_ERROR:
            yield each


def _tests(module: Module, place: Node) -> Iterator[tuple[cst.BaseExpression, bool]]:
    """The tests around a place within its function, and what each has to give there."""
    below = place
    for up in module.walk.ancestors(place):
        if isinstance(up, cst.FunctionDef | cst.Lambda):
            return
        if isinstance(up, cst.If | cst.IfExp) and below is not up.test:
            yield up.test, below is up.body
        below = up


def _holds(module: Module, test: Node, code: int) -> object:
    """The value of an expression where the HTTP status is `code`, None where it depends on something else."""
    if isinstance(test, cst.BooleanOperation):
        sides = [_holds(module, test.left, code), _holds(module, test.right, code)]
        if isinstance(test.operator, cst.And):
            return False if False in sides else next((side for side in sides if side is not None), None)
        return True if True in sides else None if None in sides else False
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        value = _holds(module, test.expression, code)
        return None if value is None else not value
    if isinstance(test, cst.Comparison):
        return _compared(module, test, code)
    return None


def _compared(module: Module, test: cst.Comparison, code: int) -> bool | None:
    left = _number(module, test.left, code)
    has_code = _is_code(test.left)
    for part in test.comparisons:
        right = _number(module, part.comparator, code)
        compare = _COMPARES.get(type(part.operator))
        has_code = has_code or _is_code(part.comparator)
        if left is None or right is None or compare is None:
            return None
        try:
            if not compare(left, right):
                return False
        except TypeError:
            return None
        left = right
    return True if has_code else None


def _is_code(node: Node) -> bool:
    """`status`, `response.status_code`, `message["status"]`, `int(status)`, `status // 100`."""
    if isinstance(node, cst.BinaryOperation):
        return _is_code(node.left)
    if isinstance(node, cst.Call):
        return last_name(node.func) == "int" and len(node.args) == 1 and _is_code(node.args[0].value)
    name = _slot(node) or last_name(node)
    return name is not None and pattern("status", "codes").fullmatch(name) is not None


def _number(module: Module, node: Node, code: int) -> object:
    """A number, a range or a collection of numbers; the HTTP status itself is `code`."""
    if isinstance(node, cst.Integer):
        return node.evaluated_value
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.FloorDivide):
        left, right = _number(module, node.left, code), _number(module, node.right, code)
        return left // right if isinstance(left, int) and isinstance(right, int) and right else None
    if isinstance(node, cst.Tuple | cst.List | cst.Set):
        found = [_number(module, each.value, code) for each in node.elements]
        return None if None in found else found
    if isinstance(node, cst.Call) and module.api(node.func) == "builtins.range":
        bounds = [_number(module, arg.value, code) for arg in node.args]
        numbers = [each for each in bounds if isinstance(each, int)]
        return range(*numbers) if len(numbers) == len(bounds) and 1 <= len(bounds) <= 3 else None
    owner, _, name = (module.api(node) or "").rpartition(".")
    if owner == "http.HTTPStatus" and name in http.HTTPStatus.__members__:
        return http.HTTPStatus[name].value
    return code if _is_code(node) else None


def _refused(module: Module, mark: Mark) -> Node | None:
    """The answer of a handler that tells its client that the request was wrong."""
    for handler in module.handlers:
        if mark in handler.marks and mark.call in handler.main:
            found = outcome(handler, mark.span)
            if found.fate is Fate.REFUSES and found.always:
                return found.node
    return None


def told_after(module: Module, call: cst.Call) -> Node | None:
    """What follows and tells the client that it was wrong: `raise HTTPException(404)`, `return {}, 400`."""
    statement = module.walk.statement_of(call)
    for each in following(module, statement) if statement is not None else ():
        if isinstance(each, cst.Raise) and isinstance(each.exc, cst.Call):
            return each if _blames(each.exc) else None
        if isinstance(each, cst.Return):
            given = [part.value for part in each.value.elements] if isinstance(each.value, cst.Tuple) else [each.value]
            return each if any(_is_refusal(value) for value in given if value is not None) else None
        if isinstance(each, cst.Expr) and isinstance(each.value, cst.Call) and last_name(each.value.func) in _ABORTS:
            return each if _blames(each.value) else None
        if not isinstance(each, cst.Expr | cst.Assign):
            return None
    return None


def _is_refusal(value: Node) -> bool:
    return _blames(value) if isinstance(value, cst.Call) else http_status(value) is Answer.REFUSAL


def _blames(call: cst.Call) -> bool:
    """Whether a call makes an answer with a status that blames the client: its first argument, or one named so."""
    named = [arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value in _STATUSES]
    first = [arg.value for arg in call.args[:1] if arg.keyword is None]
    told = named or first
    return bool(told) and all(http_status(each) is Answer.REFUSAL for each in told)


def _is_answer(module: Module, shows: Node) -> bool:
    """Whether the status is that of what the rest of the server has answered."""
    return any(last_name(call.func) in words("status", "answers") for call in _given_by(module, shows))


def _is_of_other(module: Module, shows: Node) -> Reason | None:
    """Whether the status comes from a request that this server has made itself."""
    for call in _given_by(module, shows):
        if module.operation(call) is not None:
            return Reason("the answer is that of another server", call)
    return None


def _given_by(module: Module, shows: Node) -> Iterator[cst.Call]:
    """The calls that gave what a test looks at, through variables."""
    waiting = [node for node in module.walk.below(shows) if isinstance(node, cst.Name)]
    seen: set[Node] = set()
    while waiting:
        name = waiting.pop()
        for binding in module.names.reaching(name.value, name):
            if binding.value is None or binding.node in seen:
                continue
            seen.add(binding.node)
            value = binding.value.expression if isinstance(binding.value, cst.Await) else binding.value
            if isinstance(value, cst.Call):
                yield value
            else:
                waiting += [node for node in module.walk.below(value) if isinstance(node, cst.Name)]
