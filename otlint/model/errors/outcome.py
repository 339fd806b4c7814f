"""Whether an operation fails when a handler has run: by the value it answers, or because it gives up and says so.

Code that goes on with other work, retries, falls back or uses a default has handled the exception: nothing failed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.logs import ERROR, WARNING, last_name, names_in, pattern, words
from otlint.model.code.walk import Node
from otlint.model.errors.answers import Answer, Answers, is_failed_state
from otlint.model.errors.handlers import block_of

if TYPE_CHECKING:
    from otlint.model.errors.handlers import Handler
    from otlint.model.flow.ways import Exit
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

_INNOCENT = (
    "sys.",
    "traceback.",
    "logging.",
    "time.",
    "datetime.",
    "uuid.",
    "random.",
    "math.",
    "asyncio.get_",
    "asyncio.current_task",
)


class Fate(enum.IntEnum):
    """What becomes of the operation.

    `RAISES`: every way out raises. `GOES_ON`: it recovers. `ITEM`: one of several things fails, the others go on.
    `REFUSES`: the caller is told that its request is wrong (4xx). `ENDS`: nothing more happens, and nothing says
    whether that is a failure. `FAILS`: it is one.
    """

    RAISES = 0
    GOES_ON = 1
    ITEM = 2
    REFUSES = 3
    ENDS = 4
    FAILS = 5


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """The fate, and the place that shows it. `always`: every way out of the handler leads there."""

    fate: Fate
    node: Node
    always: bool = False


def does_work(module: Module, call: cst.Call) -> bool:
    """Whether a call is part of an operation: no log, no measurement, nothing that tidies up or cannot fail."""
    called = module.api(call.func)
    name = last_name(call.func) or ""
    if module.logs.of(call) is not None or _prints(module, call) or otel.is_otel(called):
        return False
    if module.helpers.is_current(call):
        return False
    if called is not None and called.startswith(_INNOCENT):
        return False
    if not module.may_raise(call) or pattern("work", "tidies").fullmatch(name):
        return False
    return not any(pattern("work", "metrics").fullmatch(each) for each in names_in(call.func))


def outcome(handler: Handler, span: Span | None) -> Outcome:
    """What becomes of a span's operation when the handler has run; None stands for the span around the function."""
    return _Judge(handler, span).judge()


class _Judge:
    def __init__(self, handler: Handler, span: Span | None) -> None:
        self.handler = handler
        self.module: Module = handler.module
        self.answers = Answers(handler)
        self.region = _region(handler, span)
        self.saying = {node: how for node in handler.main if (how := self._says(node)) is not None}
        self.made = self._assigned(Answer.ERROR)
        self.states = {name for node in self.saying if isinstance(node, cst.Assign) and (name := _holder(node))}
        self.silent = {(way.kind, way.node) for way in handler.ways_without(self.saying)}

    def judge(self) -> Outcome:
        yielded = next((node for node in self.handler.own if self._yields_error(node)), None)
        if yielded is not None:
            return Outcome(Fate.FAILS, yielded, not self.handler.raises)
        found = [self._way(way) for way in self.handler.goes_out]
        worst = max(found, key=lambda each: each.fate, default=Outcome(Fate.RAISES, self.handler.node))
        always = not self.handler.raises and all(each.fate is worst.fate for each in found)
        return Outcome(worst.fate, worst.node, always)

    def _way(self, way: Exit) -> Outcome:
        self.says = None if (way.kind, way.node) in self.silent else self._loudest()
        failed = self.handler.exit_code(way)
        if failed is not None:
            return Outcome(Fate.FAILS if failed else Fate.ENDS, way.node)
        if way.kind == "return":
            assert isinstance(way.node, cst.Return)
            return self._answers(way.node, way.node.value)
        if way.kind == "yield":
            return Outcome(Fate.GOES_ON, way.node)
        return self._after(way)

    def _answers(self, node: Node, value: Node | None) -> Outcome:
        answer = self.answers.answer(value)
        failed = isinstance(value, cst.Name) and value.value in self.states
        if answer is Answer.ERROR or failed:
            return Outcome(Fate.FAILS, node)
        if answer is Answer.REFUSAL:
            return Outcome(Fate.REFUSES, node)
        return self._ends(node) if answer is Answer.NOTHING else Outcome(Fate.GOES_ON, node)

    def _shows_failure(self, statement: Node) -> Node | None:
        """Where the handler made the error answer that a statement behind it passes on."""
        used = {node.value for node in self.module.walk.below(statement) if isinstance(node, cst.Name)}
        return next((node for node, name in self.made.items() if name in used), None)

    def _keeps_state(self, statement: Node) -> bool:
        """Whether a statement only stores or sends the failed state that the handler has set: `session.commit()`."""
        if not self.states:
            return False
        for call in self._calls(statement):
            given = {each.value for each in self.module.walk.own(call, cst.Name)}
            stores = pattern("state", "stores").fullmatch(last_name(call.func) or "") is not None
            if does_work(self.module, call) and not (stores and (not call.args or given & self.states)):
                return False
        return True

    def _ends(self, node: Node) -> Outcome:
        """Nothing more happens: a failure if the handler says so and does not try something else instead."""
        instead = next((each for each in self.handler.main if self._is_instead(each)), None)
        instead = instead or next(iter(self._assigned(Answer.VALUE)), None)
        if self.says is None or (instead is not None and not self.saying[self.says]):
            return Outcome(Fate.GOES_ON if instead is not None else Fate.ENDS, node)
        return Outcome(Fate.FAILS, self.says)

    def _loudest(self) -> Node | None:
        """Where the handler says that the operation failed; a changed state says it louder than a log."""
        return max(self.saying, key=lambda node: self.saying[node], default=None)

    def _is_instead(self, node: Node) -> bool:
        """Whether the handler does other work here, which has nothing to do with the failure."""
        if not isinstance(node, cst.Call) or not does_work(self.module, node) or self._reports(node) is not None:
            return False
        if pattern("work", "settles").fullmatch(last_name(node.func) or ""):
            return False
        if isinstance(self.module.walk.statement_of(node), cst.Return | cst.Raise) or self._is_told(node):
            return False
        return not any(self.handler.mentions(arg.value) for arg in node.args)

    def _is_told(self, node: Node) -> bool:
        """Whether it only makes a part of what is logged: `logger.error("%s failed", inspect.currentframe())`."""
        statement = self.module.walk.statement_of(node)
        whole = statement.value if isinstance(statement, cst.Expr) else None
        return isinstance(whole, cst.Call) and whole is not node and self.module.logs.of(whole) is not None

    # -- what comes after the handler -----------------------------------------------------------------------

    def _after(self, way: Exit) -> Outcome:
        loop = self._loop(self.handler.tried)
        if way.kind in {"break", "continue"} and loop is None:
            return self._ends(way.node)  # the loop is around the span
        if way.kind == "break" and loop is not None:
            return self._rest(loop, way.node)
        if loop is None:
            return self._rest(self.handler.tried, self.handler.node)
        if self._leaves_on_success(loop):
            if self.handler.raises or _is_endless(loop):
                return Outcome(Fate.GOES_ON, way.node)
            return self._exhausted(loop)
        return Outcome(Fate.ITEM if self._loses_item(way, loop) else Fate.GOES_ON, self.says or way.node)

    def _loses_item(self, way: Exit, loop: Node) -> bool:
        """Whether the error log says that one of the things to do has failed, and nothing more is done about it."""
        if self._is_endless(loop) or self.says is None or not any(log.level >= ERROR for _, log in self.handler.logs):
            return False
        if not self.saying[self.says] and any(self._is_instead(node) for node in self.handler.main):
            return False
        rest = self._following(self.handler.tried) if way.kind == "end" else ()
        return not any(self._is_work(statement) for statement in rest)

    def _is_endless(self, loop: Node | None) -> bool:
        """Whether a loop, or one around it, polls, streams or waits: its items are no parts of one operation."""
        while loop is not None:
            if not isinstance(loop, cst.For) or loop.asynchronous is not None:
                return True
            loop = self._loop(loop)
        return False

    def _rest(self, start: Node, node: Node) -> Outcome:
        """The fate when control goes on behind a statement."""
        for statement in self._following(start):
            if isinstance(statement, cst.Return):
                return self._answers(statement, statement.value)
            if isinstance(statement, cst.Raise):
                return Outcome(Fate.RAISES, statement)
            if self._is_work(statement) and not self._keeps_state(statement):
                made = self._shows_failure(statement)
                return Outcome(Fate.FAILS, made) if made is not None else Outcome(Fate.GOES_ON, statement)
        return self._ends(node)

    def _exhausted(self, loop: cst.For | cst.While) -> Outcome:
        """A retry loop whose last attempt has failed.

        What follows a loop that success returns from is reached in no other way; behind a `break` it may as well be
        what the operation does next, or does instead.
        """
        breaks = loop.orelse is None and any(self._breaks(each, loop) for each in self.module.walk.own(loop, cst.Break))
        for statement in self._following(loop):
            if isinstance(statement, cst.Raise):
                return Outcome(Fate.RAISES, statement)
            if isinstance(statement, cst.Return):
                return self._answers(statement, statement.value)
            if isinstance(statement, cst.Continue | cst.Break):
                return Outcome(Fate.ENDS, loop)
            own = [each for each in self._calls(statement) if not self._is_in_handler(each, statement)]
            for call in own:
                if self._reports(call) is not None:
                    return Outcome(Fate.FAILS, call)
            if breaks and self._is_work(statement):
                return Outcome(Fate.GOES_ON, statement)
        return Outcome(Fate.ENDS, loop)

    def _breaks(self, node: cst.Break, loop: Node) -> bool:
        return self._loop(node) is loop and not self.module.walk.inside(node, self.handler.node)

    def _is_in_handler(self, node: Node, end: Node) -> bool:
        """Whether it speaks of another failure, in a `try` within the statement."""
        ups = self.module.walk.ancestors(node)
        return any(isinstance(up, cst.ExceptHandler) and self.module.walk.inside(up, end) for up in ups)

    def _following(self, start: Node) -> Iterator[Node]:
        """The statements behind one, outwards to the end of the span's block or to the loop around."""
        child = start
        if isinstance(start, cst.Try | cst.TryStar) and start.finalbody is not None:
            yield from self._leaving(start.finalbody)
        if isinstance(start, cst.For | cst.While) and start.orelse is not None:
            yield from _statements(start.orelse.body)
        for up in self.module.walk.ancestors(start):
            if isinstance(up, cst.IndentedBlock | cst.Module):
                body = list(up.body)
                at = next(i for i, each in enumerate(body) if each is child or self.module.walk.inside(child, each))
                for line in body[at + 1 :]:
                    yield from _statements(line)
            if up is self.region or isinstance(up, cst.FunctionDef | cst.Lambda | cst.For | cst.While):
                return
            if isinstance(up, cst.Try | cst.TryStar):
                if child is up.body and up.orelse is not None:
                    yield from _statements(up.orelse.body)
                if child is not up.finalbody and up.finalbody is not None:
                    yield from self._leaving(up.finalbody)
            child = up

    def _leaving(self, final: cst.Finally) -> Iterator[Node]:
        """A `finally` tidies up: only that it leaves the function matters."""
        return (each for each in _statements(final.body) if isinstance(each, cst.Return | cst.Raise))

    def _loop(self, node: Node) -> cst.For | cst.While | None:
        """The loop around a node, inside of the span's block."""
        below = node
        for up in self.module.walk.ancestors(node):
            if isinstance(up, cst.For | cst.While) and below is up.body:
                return up
            if up is self.region or isinstance(up, cst.FunctionDef | cst.Lambda):
                return None
            below = up
        return None

    def _leaves_on_success(self, loop: cst.For | cst.While) -> bool:
        """Whether an attempt that works is the last one: `return` or `break` in the `try`, its `else` or behind it."""
        tried = self.handler.tried
        parts: list[Node] = [tried.body]
        if tried.orelse is not None:
            parts.append(tried.orelse.body)
        body = list(loop.body.body) if isinstance(loop.body, cst.IndentedBlock) else []
        here = next((i for i, each in enumerate(body) if self.module.walk.inside(tried, each)), len(body))
        parts += body[here + 1 :]
        return any(
            isinstance(node, cst.Return) or (isinstance(node, cst.Break) and self._loop(node) is loop)
            for part in parts
            for node in self.module.walk.below(part)
        )

    def _is_work(self, statement: Node) -> bool:
        return any(does_work(self.module, call) for call in self._calls(statement)) or any(
            isinstance(node, cst.Yield) for node in self.module.walk.below(statement)
        )

    def _calls(self, statement: Node) -> list[cst.Call]:
        return [node for node in self.module.walk.below(statement) if isinstance(node, cst.Call)]

    # -- what says that something failed --------------------------------------------------------------------

    def _assigned(self, answer: Answer) -> dict[Node, str]:
        """The handler's assignments of such a value to a variable that the `try` sets as well."""
        tried = self.handler.tried
        return {
            node: target.value
            for node in self.handler.main
            if isinstance(node, cst.Assign) and self.answers.answer(node.value) is answer
            for target in (node.targets[0].target,)
            if isinstance(target, cst.Name)
            and any(
                self.module.walk.inside(binding.node, tried.body)
                for binding in self.module.names.bindings(target.value, node)
            )
        }

    def _says(self, node: Node) -> bool | None:
        """Whether a node says that the operation failed: True by a change of state, False in words, None not at all."""
        if isinstance(node, cst.Call):
            return self._reports(node)
        if isinstance(node, cst.Assign) and len(node.targets) == 1:
            name = _stored_name(node.targets[0].target)
            return True if name is not None and self.answers.marks_failure(name, node.value) else None
        return None

    def _reports(self, call: cst.Call) -> bool | None:
        log = self.module.logs.of(call)
        if log is not None:
            return False if log.level >= ERROR else None
        name = last_name(call.func) or ""
        if _prints(self.module, call):
            told = name.startswith("print_exc") or any(self._is_bad_news(arg.value) for arg in call.args)
            return False if told and not self._is_warning(call) else None
        told_span = self._tells_span(call)
        if told_span is not None:
            return told_span
        receiver = last_name(call.func.value) if isinstance(call.func, cst.Attribute) else None
        if name in {"append", "add", "extend", "put"} and receiver and pattern("state", "collects").fullmatch(receiver):
            return True
        if name in words("state", "counts"):
            return False if any(pattern("state", "counters").fullmatch(each) for each in names_in(call.func)) else None
        if pattern("state", "calls").fullmatch(name) or self.answers.fails(call) or self._buries(call):
            return True
        if any(self._says_failed(arg) for arg in call.args):
            return None if self.answers.answer(call) is Answer.REFUSAL else True
        # `runs.update_one(key, {"$set": {"status": "failed"}})`
        stored = [arg.value for arg in call.args if isinstance(arg.value, cst.Dict)]
        stores = pattern("state", "stores").fullmatch(name) and not otel.is_otel(self.module.api(call.func) or "")
        return True if stores and any(self.answers.answer(each) is Answer.ERROR for each in stored) else None

    def _buries(self, call: cst.Call) -> bool:
        """Whether a message goes where those go that cannot be processed: `send("orders.dlq", message)`."""
        told = [text for arg in call.args for text in texts_in(self.module, arg.value)]
        told += [name for arg in call.args for name in names_in(arg.value)]
        return any(pattern("state", "dead_letters").fullmatch(each) for each in told)

    def _is_warning(self, call: cst.Call) -> bool:
        """Whether a text for people calls itself a warning."""
        return any("warn" in text.lower() for arg in call.args for text in texts_in(self.module, arg.value))

    def _is_bad_news(self, text: Node) -> bool:
        return self.handler.mentions(text) or self.answers.answer(text) is Answer.ERROR

    def _tells_span(self, call: cst.Call) -> bool | None:
        """Whether the failure is on the span in another form: `set_attribute("error", True)`, `add_event("failed")`."""
        called = self.module.api(call.func)
        if called == otel.SET_ATTRIBUTE and len(call.args) == 2:
            return True if self._is_bad_attribute(call.args[0].value, call.args[1].value) else None
        if called == otel.SET_ATTRIBUTES:
            given = self.module.argument(call, "attributes")
            pairs = given.elements if isinstance(given, cst.Dict) else ()
            told = any(
                isinstance(each, cst.DictElement) and self._is_bad_attribute(each.key, each.value) for each in pairs
            )
            return True if told else None
        if called == otel.ADD_EVENT:
            names = texts_in(self.module, call.args[0].value) if call.args else ()
            bad = any(pattern("state", "counters").fullmatch(name) for name in names)
            return False if bad and not self._warns() else None
        return None

    def _warns(self) -> bool:
        """Whether the handler calls it a warning."""
        calls = [node for node in self.handler.main if isinstance(node, cst.Call)]
        prints = [call for call in calls if _prints(self.module, call)]
        return any(log.level == WARNING for _, log in self.handler.logs) or any(map(self._is_warning, prints))

    def _is_bad_attribute(self, key: Node, value: Node) -> bool:
        name = key.evaluated_value if isinstance(key, cst.SimpleString) else None
        return isinstance(name, str) and self.answers.marks_failure(name.replace(".", "_"), value)

    def _says_failed(self, arg: cst.Arg) -> bool:
        """`update(status="failed")`, `set_state(State.FAILED)`."""
        if arg.keyword is not None:
            return self.answers.marks_failure(arg.keyword.value, arg.value)
        return isinstance(arg.value, cst.Attribute) and is_failed_state(arg.value)

    def _yields_error(self, node: Node) -> bool:
        if not isinstance(node, cst.Yield) or not isinstance(node.value, cst.BaseExpression):
            return False
        return self.answers.answer(node.value) is Answer.ERROR


def texts_in(module: Module, expression: Node) -> Iterator[str]:
    """The literal texts in an expression."""
    for node in module.walk.below(expression):
        if isinstance(node, cst.SimpleString) and isinstance(node.evaluated_value, str):
            yield node.evaluated_value
        elif isinstance(node, cst.FormattedStringText):
            yield node.value


def _prints(module: Module, call: cst.Call) -> bool:
    """Whether a call writes for people."""
    return last_name(call.func) in words("logs", "prints") or module.api(call.func) in words("logs", "shows")


def _stored_name(target: Node) -> str | None:
    """`status`, `job.status` and `job["status"]` are status."""
    if isinstance(target, cst.Subscript) and len(target.slice) == 1 and isinstance(target.slice[0].slice, cst.Index):
        key = target.slice[0].slice.value
        text = key.evaluated_value if isinstance(key, cst.SimpleString) else None
        return text if isinstance(text, str) else None
    return last_name(target)


def _holder(node: cst.Assign) -> str | None:
    """The variable of an object whose state is set: `job.status = …`, `job["status"] = …`."""
    target: Node = node.targets[0].target
    if isinstance(target, cst.Name):
        return None
    while isinstance(target, cst.Attribute | cst.Subscript):
        target = target.value
    return target.value if isinstance(target, cst.Name) else None


def _statements(node: Node) -> Iterator[Node]:
    """The statements of a block or line, simple ones one by one."""
    if isinstance(node, cst.IndentedBlock | cst.SimpleStatementLine | cst.SimpleStatementSuite):
        for each in node.body:
            yield from _statements(each)
    else:
        yield node


def _is_endless(loop: Node) -> bool:
    return isinstance(loop, cst.While) and isinstance(loop.test, cst.Name | cst.Integer) and loop.test.value in {
        "True",
        "1",
    }  # fmt: skip


def _region(handler: Handler, span: Span | None) -> Node:
    """The block in which a span lives."""
    if span is not None and span.managed_by is not None:
        return span.managed_by.body
    if span is not None and span.manner == "assigned":
        block = block_of(handler.module, span.start)
        if block is not None:
            return block
    return handler.function.body if handler.function is not None else handler.module.tree
