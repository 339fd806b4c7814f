"""What an `except` handler does: which spans it is in, how it ends, what it says about the exception, and to whom."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.logs import Log, last_name
from otlint.model.code.values import argument
from otlint.model.code.walk import Node, significant
from otlint.model.errors.recorded import wrong_record
from otlint.model.flow import raised
from otlint.model.flow.ways import Exit

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

Except = cst.ExceptHandler | cst.ExceptStarHandler
_OK = frozenset({f"{otel.STATUS_CODE}.OK", f"{otel.STATUS_CODE}.UNSET"})
# What gives the text of an exception, and what keeps the text that it is given.
_TEXT_ATTRIBUTES = frozenset(
    {
        "message", "msg", "detail", "details", "args", "reason", "strerror", "stderr", "description", "__class__",
        "__name__", "__qualname__",
    }
)  # fmt: skip
_TEXT_METHODS = frozenset(
    {"strip", "replace", "format", "errors", "json", "with_traceback", "splitlines", "encode", "lower"}
)
_TO_TEXT = frozenset({"str", "repr", "format", "dumps", "jsonify", "dict", "list", "tuple", "type", "format_exception"})
_TRACEBACKS = frozenset({"format_exc", "exc_info"})
_PURE = frozenset({otel.STATUS, "builtins.str", "builtins.repr", "builtins.type"})
_EXCEPTION_EVENT = "exception"  # what the conventions call the event that `record_exception` adds
_SIGNALS = {"record_exception": "record", "set_status": "status"}
# A call that is given the exception, whose code is not known, and that may well put it on a span.
_REPORTS = re.compile(r"(?i).*(span|trac|otel|telemetry|record|report|capture|observ|instrument).*")
# Not errors: what ends a program, a task or an iteration.
_CONTROL_FLOW = re.compile(
    r"(?:.*\.)?(?:KeyboardInterrupt|SystemExit|GeneratorExit|\w*Cancel\w*|StopIteration|StopAsyncIteration|Empty|Full"
    r"|QueueEmpty|QueueFull|\w*Disconnect\w*|ClosedResourceError|EndOfStream)"
)
_MISSING_MODULE = ("ImportError", "ModuleNotFoundError")


@dataclass(frozen=True, eq=False, slots=True)
class Mark:
    """A call that puts something about a failure on a span.

    `does`: "record" (the exception), "status" (any but OK and UNSET), "decided" (OK or UNSET), "unknown" (it may do any
    of these). `span` is None when it is not certain which one; `receiver` is the expression that holds it, None for the
    current span of a helper.
    """

    call: cst.Call
    does: frozenset[str]
    span: Span | None
    receiver: cst.BaseExpression | None


class Handler:
    """One `except` clause. Every answer speaks of the handler's own code, nested functions left out."""

    def __init__(self, module: Module, node: Except) -> None:
        tried = module.walk.parent[node]
        assert isinstance(tried, cst.Try | cst.TryStar)
        self.module = module
        self.node = node
        self.tried = tried
        self.function = module.function_of(node)

    # -- the exception --------------------------------------------------------------------------------------

    @property
    def name(self) -> str | None:
        """The variable that holds the exception."""
        name = self.node.name.name if self.node.name is not None else None
        return name.value if isinstance(name, cst.Name) else None

    @cached_property
    def caught(self) -> tuple[str, ...]:
        """The classes by name as they are written; `BaseException` for a bare `except`, "?" for what is not known."""
        return tuple(self._classes(self.node.type, 0)) if self.node.type is not None else ("BaseException",)

    def _classes(self, clause: Node, depth: int) -> Iterator[str]:
        if isinstance(clause, cst.Tuple | cst.List):
            for each in clause.elements:
                yield from self._classes(each.value, depth)
            return
        if isinstance(clause, cst.BinaryOperation) and isinstance(clause.operator, cst.Add):
            yield from self._classes(clause.left, depth)
            yield from self._classes(clause.right, depth)
            return
        bindings = self.module.names.reaching(clause.value, clause) if isinstance(clause, cst.Name) else []
        values = [each.value for each in bindings if each.kind == "assign" and each.value is not None]
        if values and depth < 5:
            for value in values:
                yield from self._classes(value, depth + 1)
            return
        name = raised.dotted(clause)
        constant = name is not None and name.rpartition(".")[2].isupper()  # a tuple that another file has made
        yield raised.UNKNOWN if name is None or constant else name

    @property
    def is_control_flow(self) -> bool:
        """Whether nothing but interrupts, cancellations, ends of iterations and the like is caught.

        A missing module is an error if the handler calls it one, by recording it.
        """
        missing = () if self.records else _MISSING_MODULE
        return all(_CONTROL_FLOW.fullmatch(each) or each in missing for each in self.caught)

    @property
    def catches_base(self) -> bool:
        """Whether it takes exceptions that are no `Exception`, which a current span does not record."""
        return any(raised.is_base(each) or each in {"BaseException", raised.UNKNOWN} for each in self.caught)

    @cached_property
    def text_names(self) -> frozenset[str]:
        """The variables that hold the exception or a text made from it."""
        found = {self.name} if self.name is not None else set()
        for node in self.own:
            if isinstance(node, cst.Assign | cst.AnnAssign) and node.value is not None and _mentions(node.value, found):
                targets = [each.target for each in node.targets] if isinstance(node, cst.Assign) else [node.target]
                found |= {target.value for target in targets if isinstance(target, cst.Name)}
        return frozenset(found)

    def mentions(self, expression: Node) -> bool:
        """Whether an expression is the exception, its traceback, or a text made from it; not another value in it."""
        return _mentions(expression, self.text_names)

    def is_exception(self, expression: Node) -> bool:
        """Whether an expression is the very exception."""
        return isinstance(expression, cst.Name) and expression.value == self.name

    @property
    def hands_over(self) -> bool:
        """Whether a future, task or queue gets the exception, so that somebody else has to deal with it."""
        return any(
            isinstance(node, cst.Call)
            and last_name(node.func) in {"set_exception", "put", "put_nowait", "throw", "athrow"}
            and any(self.is_exception(arg.value) for arg in node.args)
            for node in self.own
        )

    # -- how it ends ----------------------------------------------------------------------------------------

    @cached_property
    def own(self) -> list[Node]:
        """Everything that the handler's body evaluates, in source order."""
        return list(self.module.walk.below(self.node.body))

    @cached_property
    def main(self) -> list[Node]:
        """What its body evaluates when nothing fails a second time: handlers in it are left out."""
        inner = [node for node in self.own if isinstance(node, cst.ExceptHandler | cst.ExceptStarHandler)]
        return [node for node in self.own if not any(self.module.walk.inside(node, each) for each in inner)]

    @cached_property
    def ways_out(self) -> list[Exit]:
        """How the handler is left, exceptions that calls in it may raise aside."""
        return self.ways_without(())

    def ways_without(self, stops: Collection[Node]) -> list[Exit]:
        """The ways out that pass none of these nodes."""
        flow = self.module.flow(self.function if self.function is not None else self.module.tree)
        return [way for way in flow.leaves(self.node, set(stops), every=True) if way.kind != "exception"]

    @cached_property
    def raises(self) -> list[Exit]:
        """The ways out by an exception that is raised, SystemExit aside."""
        return [way for way in self.ways_out if way.kind == "raise" and self.exit_code(way) is None]

    @cached_property
    def goes_out(self) -> list[Exit]:
        """The ways out that no exception takes, or only SystemExit."""
        return [way for way in self.ways_out if way.kind != "raise" or self.exit_code(way) is not None]

    def exit_code(self, way: Exit) -> bool | None:
        """Whether a way out ends the process as failed; None when it does not end the process."""
        node = way.node
        call: Node | None = node
        if isinstance(node, cst.Raise):
            call = node.exc
            if not isinstance(call, cst.Call | cst.Name) or raised.dotted(_callee(call)) != "SystemExit":
                return None
        elif not (isinstance(node, cst.Call) and way.kind == "raise"):
            return None
        code = call.args[0].value if isinstance(call, cst.Call) and call.args else None
        return code is not None and not (isinstance(code, cst.Integer) and code.value == "0") and not _is_none(code)

    def same_exception(self, way: Exit) -> bool:
        """Whether a way out raises the very exception that was caught: `raise`, `raise exc`."""
        if way.kind != "raise" or not isinstance(way.node, cst.Raise):
            return False
        what: Node | None = way.node.exc
        if (
            isinstance(what, cst.Call)
            and isinstance(what.func, cst.Attribute)
            and what.func.attr.value == "with_traceback"
        ):
            what = what.func.value
        return what is None or (isinstance(what, cst.Name) and what.value == self.name)

    @property
    def is_clean_up(self) -> bool:
        """Whether the `try` stands in another handler or in a `finally`: what it guards is not the operation."""
        below: Node = self.tried
        for up in self.module.walk.ancestors(self.tried):
            if isinstance(up, cst.FunctionDef | cst.Lambda):
                return False
            if isinstance(up, cst.ExceptHandler | cst.ExceptStarHandler | cst.Finally) and below is up.body:
                return True
            below = up
        return False

    # -- spans ----------------------------------------------------------------------------------------------

    @cached_property
    def spans(self) -> list[Span]:
        """The spans in which both the `try` and this handler run, innermost first; `use_span` stands for its span."""
        found = [real(span) for span in self.module.spans.enclosing(self.tried) if self._is_seen(span)]
        found += [span for span in self.module.spans if span not in found and self._is_open(span)]
        order = self.module.walk.order
        unique = list(dict.fromkeys(found))
        return sorted(unique, key=lambda span: order.get(span.start, -1), reverse=True)

    def _is_seen(self, span: Span) -> bool:
        """Whether a `with` of a project helper gives its user the span, or nothing: not a session or the like."""
        bound = span.binding
        if span.helper is None or not isinstance(bound, cst.WithItem):
            return True
        return self.module.values.entered(self.module.type(bound.item)) in {otel.SPAN, None}

    def _is_open(self, span: Span) -> bool:
        """Whether a span in a variable has certainly been started before the `try`, and nobody else has it."""
        walk = self.module.walk
        if span.manner != "assigned" or span.api == otel.USE_SPAN or span.function is not self.function:
            return False
        block = block_of(self.module, span.start)
        likes = [each.start for each in self.module.spans if each.first is span]
        while block is not None and not all(walk.inside(each, block) for each in likes):
            block = block_of(self.module, block)
        if block is None or walk.order[span.start] > walk.order[self.tried] or not walk.inside(self.tried, block):
            return False
        custody = self.module.custody(span.start)
        if custody.handed:
            return False
        ended = (node for node in custody.discharged if walk.order[node] < walk.order[self.tried])
        return not any((inner := block_of(self.module, node)) and walk.inside(self.tried, inner) for node in ended)

    @cached_property
    def marks(self) -> list[Mark]:
        """What the handler puts on spans, those that it starts itself aside."""
        walk = self.module.walk
        return [
            mark
            for call in walk.own(self.node.body, cst.Call)
            if (mark := self.module.mark(call)) is not None
            and not (mark.span is not None and walk.inside(mark.span.start, self.node))
        ]

    @property
    def records(self) -> bool:
        """Whether it calls `record_exception` on anything."""
        calls = self.module.walk.own(self.node.body, cst.Call)
        return any(last_name(call.func) == "record_exception" for call in calls)

    def marked_later(self, span: Span | None) -> list[Mark]:
        """What may be put on spans after the handler, before the `try` or the span starts again."""
        walk = self.module.walk
        function = self.function if self.function is not None else self.module.tree
        flow = self.module.flow(function)
        start = next((node for node in self.own if node in flow), None)
        if start is None:
            return []
        again = next((node for node in walk.below(self.tried.body) if node in flow), self.tried)
        stops = [again] if span is None or walk.inside(self.tried, span.start) else [again, span.start]
        calls = walk.own(self.function.body if self.function is not None else self.module.tree, cst.Call)
        found = [mark for call in calls if (mark := self.module.mark(call)) is not None and self._is_later(mark)]
        return [mark for mark in found if flow.reaches(start, mark.call, stops)]

    def is_plain_error(self, mark: Mark) -> bool:
        """Whether a `set_status` certainly says ERROR, with a description that is made without side effects."""
        module, status = self.module, argument(mark.call, "status", otel.PARAMETERS[otel.SET_STATUS])
        if module.api(mark.call.func) != otel.SET_STATUS or status is None:
            return False
        code: Node | None = status
        if isinstance(status, cst.Call) and module.api(status.func) == otel.STATUS:
            code = argument(status, "status_code", otel.PARAMETERS[otel.STATUS])
        if code is None or module.api(code) != otel.STATUS_ERROR:
            return False
        calls = [node for node in module.walk.below(mark.call) if isinstance(node, cst.Call) and node is not mark.call]
        return all(module.api(call.func) in _PURE for call in calls)

    def _is_later(self, mark: Mark) -> bool:
        """Whether a mark speaks of this failure, not of another one: it stands in no handler but those around."""
        walk = self.module.walk
        if walk.inside(mark.call, self.node) or self.module.function_of(mark.call) is not self.function:
            return False
        others = [up for up in walk.ancestors(mark.call) if isinstance(up, cst.ExceptHandler | cst.ExceptStarHandler)]
        return all(walk.inside(self.node, other) for other in others)

    # -- logs -----------------------------------------------------------------------------------------------

    @cached_property
    def logs(self) -> list[tuple[cst.Call, Log]]:
        """The handler's log calls."""
        found = [(node, self.module.logs.of(node)) for node in self.own if isinstance(node, cst.Call)]
        return [(call, log) for call, log in found if log is not None]

    @property
    def logs_exception(self) -> bool:
        """Whether a log record gets the exception itself."""
        return any(log.carries for _, log in self.logs)


def handlers(module: Module) -> Iterator[Handler]:
    """The `except` clauses of a file, in source order."""
    for node in module.walk.all(cst.ExceptHandler, cst.ExceptStarHandler):
        assert isinstance(node, cst.ExceptHandler | cst.ExceptStarHandler)
        yield Handler(module, node)


def real(span: Span) -> Span:
    """The span that a `use_span` makes current, where that is known."""
    return span.used if span.used is not None else span


def mark(module: Module, call: cst.Call) -> Mark | None:
    """What a call puts about a failure on a span, None when it certainly puts nothing there."""
    called = module.api(call.func)
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in _SIGNALS:
        does = _SIGNALS[call.func.attr.value]
        if called not in {otel.RECORD_EXCEPTION, otel.SET_STATUS}:
            does = "unknown"
        elif does == "status" and _is_fine(module, call):
            does = "decided"
        elif does == "record" and any(wrong_record(module, given) for given in module.helpers.passing.of(call)):
            does = "unknown"  # it raises an error of its own
        span = module.spans.of(call.func.value)
        return Mark(call, frozenset({does}), real(span) if span is not None else None, call.func.value)
    if called == otel.ADD_EVENT and isinstance(call.func, cst.Attribute) and _is_exception_event(module, call):
        span = module.spans.of(call.func.value)
        return Mark(call, frozenset({"record"}), real(span) if span is not None else None, call.func.value)
    facts = module.helper(call)
    for arg in call.args:
        if is_span(module, arg.value):
            effects = module.helpers.on(call, arg.value)
            does_all = _does(effects)
            if does_all and not otel.is_otel(called):
                span = module.spans.of(arg.value)
                return Mark(call, does_all, real(span) if span is not None else None, arg.value)
    told = facts.ambient & {"record", "status"} if facts is not None else frozenset()
    if told:  # a function that works on its own may speak of its own failures
        does_all = told if _hears_of_exception(module, call) else frozenset({"unknown"})
        return Mark(call, does_all, module.span_around(call), None)
    name = last_name(call.func)
    if (facts is None or _about_spans(name)) and _REPORTS.fullmatch(name or "") and _is_given_exception(module, call):
        return Mark(call, frozenset({"unknown"}), None, None)
    return None


def _is_exception_event(module: Module, call: cst.Call) -> bool:
    name = module.argument(call, "name")
    return isinstance(name, cst.SimpleString) and name.evaluated_value == _EXCEPTION_EVENT


def is_span(module: Module, expression: Node) -> bool:
    """Whether an argument is a span."""
    if not isinstance(expression, cst.Name | cst.Attribute | cst.Call):
        return False
    return module.spans.of(expression) is not None or module.type(expression) == otel.SPAN


def _does(effects: frozenset[str] | None) -> frozenset[str]:
    """What a function that is given a span does to it; a function that hands it on may do anything."""
    found = frozenset() if effects is None else effects & {"record", "status"}
    unknown = effects is None or (not found and "keep" in effects)
    return frozenset({"unknown"}) if unknown else found


def _about_spans(name: str | None) -> bool:
    return name is not None and re.search(r"(?i)span|trac", name) is not None


def _hears_of_exception(module: Module, call: cst.Call) -> bool:
    """Whether a caught exception, or a text made from it, is in the arguments of a call."""
    names = [node for arg in call.args for node in module.walk.own(arg, cst.Name)]
    return any(
        any(binding.kind == "except" for binding in module.names.bindings(name.value, name))
        for name in names
        if name in module.walk.parent
    )


def _is_given_exception(module: Module, call: cst.Call) -> bool:
    """Whether an argument is a caught exception itself, in a call that no value is expected of."""
    up = module.walk.parent.get(call)
    if isinstance(up, cst.Await):
        up = module.walk.parent.get(up)
    return isinstance(up, cst.Expr) and any(
        isinstance(arg.value, cst.Name)
        and any(binding.kind == "except" for binding in module.names.bindings(arg.value.value, arg.value))
        for arg in call.args
    )


def _is_fine(module: Module, call: cst.Call) -> bool:
    """Whether a `set_status` certainly says OK or UNSET."""
    status = argument(call, "status", otel.PARAMETERS[otel.SET_STATUS])
    if isinstance(status, cst.Call) and module.api(status.func) == otel.STATUS:
        status = argument(status, "status_code", otel.PARAMETERS[otel.STATUS]) or status
        if isinstance(status, cst.Call):
            return True  # Status() is UNSET
    return status is not None and module.api(status) in _OK


def _mentions(expression: Node, names: Collection[str | None]) -> bool:
    """Whether the text of one of the names, or of the traceback, is in an expression."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, cst.Name):
            if node.value in names:
                return True
        elif isinstance(node, cst.Attribute):
            if node.attr.value in _TEXT_ATTRIBUTES:
                waiting.append(node.value)
        elif isinstance(node, cst.Call):
            name = last_name(node.func)
            if name in _TRACEBACKS:
                return True
            waiting += [arg.value for arg in node.args if name in _TO_TEXT or not isinstance(arg.value, cst.Name)]
            if name in _TEXT_METHODS and isinstance(node.func, cst.Attribute):
                waiting.append(node.func.value)
        elif isinstance(node, cst.Lambda):
            continue
        else:
            waiting += significant(node)
    return False


def _callee(node: Node) -> Node:
    return node.func if isinstance(node, cst.Call) else node


def _is_none(node: Node) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def block_of(module: Module, node: Node) -> Node | None:
    """The innermost block that holds a node."""
    return next((up for up in module.walk.ancestors(node) if isinstance(up, cst.BaseSuite | cst.Module)), None)
