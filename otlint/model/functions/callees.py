"""What runs when a function is called, in its caller's context, and where the spans that it starts get their parent."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import Values, argument, is_hidden
from otlint.model.code.walk import Node, Walk
from otlint.model.context.handoffs import runs_work, takes_work

if TYPE_CHECKING:
    from otlint.model.functions.helpers import Helpers

# They call the function at that position, now or later, in the context of their own caller.
KEEPS_CONTEXT = {
    "asyncio.to_thread": 0,
    "anyio.to_thread.run_sync": 0,
    "starlette.concurrency.run_in_threadpool": 0,
    "fastapi.concurrency.run_in_threadpool": 0,
    "asgiref.sync.sync_to_async": 0,
    "asgiref.sync.async_to_sync": 0,
    "contextvars.Context.run": 0,
    "functools.partial": 0,
    "anyio.create_task_group().start_soon": 0,
    "django.db.transaction.on_commit": 0,
    "fastapi.BackgroundTasks.add_task": 0,
    "fastapi.Depends": 0,
    "fastapi.Security": 0,
    "starlette.background.BackgroundTasks.add_task": 0,
    "asyncio.AbstractEventLoop.call_soon": 0,
    "asyncio.AbstractEventLoop.call_later": 1,
}
# They call the function at that position when something happens to the process, outside of whatever runs then.
_LATER = {
    "signal.signal": 1,
    "asyncio.get_running_loop().add_signal_handler": 1,
    "asyncio.AbstractEventLoop.add_signal_handler": 1,
    "atexit.register": 0,
}
# Keywords by which a helper that starts a span is told the parent, or what to link.
_PARENTS = frozenset({"context", "ctx", "parent", "parent_context", "parent_ctx", "parent_span", "links"})


class Callees:
    """The answers for one file."""

    def __init__(self, walk: Walk, values: Values, helpers: Helpers) -> None:
        self.walk = walk
        self.values = values
        self.helpers = helpers
        self._of: dict[Node, frozenset[str]] = {}
        self._runs: dict[Node, list[cst.Call]] | None = None
        self._handing: list[tuple[cst.Call, Node]] | None = None
        self._starting: list[cst.Call] | None = None

    def of(self, function: cst.FunctionDef) -> frozenset[str]:
        """The dotted names of what a call of the function calls; see `within`."""
        if function not in self._of:
            self._of[function] = frozenset()
            self._of[function] = frozenset(self.within(function))
        return self._of[function]

    def within(self, node: Node) -> Iterator[str]:
        """The dotted names of what is called in a node.

        Nested functions count where they are defined and where they are called, decorators with what they decorate;
        what is handed to a thread does not count.
        """
        for call in self._calls(node):
            called = self.values.api(call.func)
            if called is not None and not called.startswith("builtins."):
                yield called
                yield from self._nested(called, node)
            run = self._run_by(call) if called in KEEPS_CONTEXT else None
            handed = self.values.api(run) if run is not None else None
            if handed is not None:
                yield handed
                yield from self._nested(handed, node)
        if isinstance(node, cst.FunctionDef):
            for decorator in node.decorators:
                named = self.values.api(decorator.decorator)
                if named is not None and not named.startswith("builtins."):
                    yield named

    def sites(self, function: Node) -> list[cst.Call]:
        """The calls in this file that call a function or lambda, or have it called in their own context."""
        if self._runs is None:
            self._runs = {}
            for call in self.walk.all(cst.Call):
                run = self._run_by(call)
                if run is not None:
                    ran = run if isinstance(run, cst.Lambda) else self.values.function(self.values.api(run))
                    if ran is not None:
                        self._runs.setdefault(ran, []).append(call)
        called = self.values.call_sites(function) if isinstance(function, cst.FunctionDef) else []
        return [*called, *self._runs.get(function, ())]

    def _run_by(self, call: cst.Call) -> cst.BaseExpression | None:
        """The callable that the call has called, now or later, in the context that is current now."""
        position = KEEPS_CONTEXT.get(self.values.api(call.func) or "")
        if position is None or position >= len(call.args):
            return None
        up = self.walk.parent.get(call)
        handing = self.walk.parent[up] if isinstance(up, cst.Arg) else None
        if isinstance(up, cst.Arg) and isinstance(handing, cst.Call) and takes_work(self.values, handing, up):
            return None  # a partial that a thread calls
        return call.args[position].value

    def _nested(self, called: str, node: Node) -> frozenset[str]:
        """What a nested function calls that is defined elsewhere in this file: other files cannot ask for it."""
        function = self.values.function(called)
        if function is None or self.walk.function_of(function) is None or self.walk.inside(function, node):
            return frozenset()
        return self.of(function)

    def _calls(self, node: Node) -> list[cst.Call]:
        calls = self.walk.all(cst.Call, within=node)
        away = self._away(node) | {each for call in calls if (each := self._registered(call)) not in {None, node}}
        return [call for call in calls if not any(self.walk.inside(call, work) for work in away)] if away else calls

    def _registered(self, call: cst.Call) -> Node | None:
        """The lambda or nested function that a call keeps for a signal, or for the end of the process."""
        position = _LATER.get(self.values.api(call.func) or "")
        if position is None or len(call.args) <= position:
            return None
        given = call.args[position].value
        return given if isinstance(given, cst.Lambda) else self.values.names.definition(given)

    def runs_away(self, inner: Node, name: cst.Name, function: cst.FunctionDef) -> bool:
        """Whether a nested function, which is handed to a thread, calls what is named, in a context that is empty."""
        up = self.walk.parent[name]
        if not isinstance(up, cst.Call) or up.func is not name or inner not in self._away(function):
            return False
        called = {self.values.api(call.func) for call in self.walk.all(cst.Call, within=inner)}
        return called.isdisjoint({otel.ATTACH, "contextvars.Context.run", *otel.EXTRACTS})

    def _away(self, node: Node) -> set[Node]:
        """The lambdas and nested functions that are handed to threads."""
        if self._handing is None:
            self._handing = [(call, work) for call in self.walk.all(cst.Call) for work in self._handed(call)]
        return {work for call, work in self._handing if work is not node and self.walk.inside(call, node)}

    def _handed(self, call: cst.Call) -> Iterator[Node]:
        """The lambda or nested function that a call hands to a thread."""
        for arg in call.args if runs_work(self.values, call) else ():
            if takes_work(self.values, call, arg):
                work = arg.value if isinstance(arg.value, cst.Lambda) else self.values.names.definition(arg.value)
                if work is not None:
                    yield work

    def parent(self, function: cst.FunctionDef) -> str | None:
        """Where the spans that the function starts get their parent: "current", "given", or None for no known start."""
        found = None
        starting = self._starts_in(function)
        away = self._away(function) if starting else ()
        for call in starting:
            if any(self.walk.inside(call, work) for work in away):
                continue
            called = self.values.api(call.func)
            if called in otel.STARTS:
                parent = self._parent_of(call, called)
            elif called is not None and not otel.is_otel(called):
                parent = "given" if self._gives_parent(call) else None
            else:
                parent = None
            if parent == "given":
                return parent
            found = found or parent
        return found

    def makes_spans(self, function: cst.FunctionDef) -> bool:
        """Whether the function or one that is nested in it starts a span."""
        return any(self.values.api(call.func) in otel.STARTS for call in self._starts_in(function))

    def _starts_in(self, function: Node) -> list[cst.Call]:
        """The calls in a function that start a span, and those that give something the name of a parent."""
        if self._starting is None:
            calls = self.walk.all(cst.Call)
            self._starting = [
                call for call in calls if self.values.api(call.func) in otel.STARTS or self._names_parent(call)
            ]
        start, end = self.walk.extent(function)
        first, last = (bisect.bisect_left(self._starting, at, key=self.walk.order.__getitem__) for at in (start, end))
        return self._starting[first:last]

    def _parent_of(self, start: cst.Call, called: str) -> str | None:
        given = [argument(start, name, otel.PARAMETERS[called]) for name in ("context", "links")]
        if any(each is not None and not self._is_optional(each) for each in given):
            return "given"
        told = any(each is not None for each in given)
        return "current" if told or not is_hidden(start) else None

    def _is_optional(self, value: Node) -> bool:
        """A parameter that is None unless a caller gives it, or None itself."""
        if not isinstance(value, cst.Name):
            return False
        bindings = self.values.names.reaching(value.value, value)
        return value.value == "None" or any(
            each.kind == "param" and isinstance(each.value, cst.Name) and each.value.value == "None"
            for each in bindings
        )

    def _gives_parent(self, call: cst.Call) -> bool:
        facts = self.helpers.called(call) if self._names_parent(call) else None
        return facts is not None and facts.span is not None

    def _names_parent(self, call: cst.Call) -> bool:
        return any(arg.keyword is not None and arg.keyword.value in _PARENTS for arg in call.args)
