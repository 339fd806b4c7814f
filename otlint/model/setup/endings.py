"""How programs end without `atexit`, by which the SDK sends what its providers hold: `os._exit`, `exec`, loops."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.walk import Function, Node
from otlint.model.setup.providers import SENDS, may_send

if TYPE_CHECKING:
    from otlint.model.module import Module

_EXEC = frozenset(f"os.exec{name}" for name in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe"))
# Servers that leave signals to the program.
_HEEDLESS = {"grpc"}
_FORKS = frozenset({"os.fork", "os.forkpty", "pty.fork"})
_CHILDREN = re.compile(r"multiprocessing\..*(?:Process|Pool)\b.*|concurrent\.futures\.ProcessPoolExecutor.*")
_CALLS_LATER = re.compile(r"signal\.signal|asyncio\..*add_signal_handler|threading\.(?:Thread|Timer)")
_SIGTERM = "signal.SIGTERM"
_SENDING = frozenset({"os.kill", "os.killpg", "signal.raise_signal", "signal.pthread_kill"})
_CLEANS = re.compile(r"(?i)(?:^|_)(?:shut|flush|clos|clean|stop|exit|final|tear|end|dispos|terminat|quit)")
_DEPTH = 3


@dataclass(frozen=True, eq=False, slots=True)
class Abrupt:
    """A call that ends the program at once. `made`: what makes spans before it, None when other functions do."""

    call: cst.Call
    made: Node | None


def abrupt_ends(module: Module) -> Iterator[Abrupt]:
    """The calls of `os._exit` and `exec` that a process may reach with spans in memory, nothing having sent them.

    Not in forked children, which leave that to their parent.
    """
    calls = [*module.calls("os._exit", "os.abort", *_EXEC)]
    calls += [call for call in module.calls("os.kill") if _kills_itself(module, call)]
    if not calls or not any(facts.holding for facts in module.project.reach.together(module.path)):
        for call in calls:
            module.silenced(call, "nothing that runs with this file is known to keep spans in memory")
        return
    search = _Search(module)
    for call in calls:
        function = module.function_of(call)
        if module.silenced(call, search.is_child(call, function) and "it ends a child, and the parent sends its spans"):
            continue
        found = search.before(call, function, 0)
        if found is not None:
            yield Abrupt(call, found[0])
        else:
            module.silenced(call, "no spans are known to be made before it, or something sends them first")


def _kills_itself(module: Module, call: cst.Call) -> bool:
    """`os.kill(os.getpid(), signal.SIGKILL)`: no handler sees that."""
    given = [arg.value for arg in call.args]
    if len(given) != 2 or not isinstance(given[0], cst.Call) or module.api(given[0].func) != "os.getpid":
        return False
    return module.api(given[1]) == "signal.SIGKILL" or (isinstance(given[1], cst.Integer) and given[1].value == "9")


class _Search:
    """What one file does before it ends."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.anything_sends = module.project.reach.sends(module.path)

    def is_child(self, call: Node, function: Function | None) -> bool:
        """Whether the function is a child process, or forks one before the call."""
        flow = self.module.flow(function or self.module.tree)
        if any(fork in flow and flow.reaches(fork, call) for fork in self.module.calls(*_FORKS)):
            return True
        return any(_CHILDREN.fullmatch(taker) for taker in self._takers(function))

    def before(self, node: Node, function: Function | None, depth: int) -> tuple[Node | None] | None:
        """What makes spans that may still be in memory when the node runs; None when nothing is known to."""
        module = self.module
        flow = module.flow(function or module.tree)
        calls = module.walk.own(function.body if function is not None else module.tree, cst.Call)
        sending = [part for call in calls if self._sends(call, 0) for part in self._parts(call, node)]

        def stop(each: Node) -> bool:
            return any(module.walk.inside(each, part) for part in sending)

        for call in calls:
            made = call is not node and call in flow and self._makes_spans(call) and not self._sends_at_last(call)
            if made and flow.reaches(call, node, stop):
                return (call,)
        if function is None or depth > _DEPTH or flow.always_before(stop, node):
            return None
        return self._outside(function, depth)

    def _outside(self, function: Function, depth: int) -> tuple[Node | None] | None:
        """The same for what runs before the function is called."""
        module = self.module
        if isinstance(function, cst.FunctionDef) and module.entry(function) is not None:
            return (None,)
        for call in module.values.call_sites(function) if isinstance(function, cst.FunctionDef) else ():
            found = self.before(call, module.function_of(call), depth + 1)
            if found is not None:
                return found
        called_any_time = any(_CALLS_LATER.fullmatch(taker) for taker in self._takers(function))
        return (None,) if called_any_time and self._spans_anywhere() else None

    def _spans_anywhere(self) -> bool:
        """Whether this file or one that runs with it makes spans."""
        together = self.module.project.reach.together(self.module.path)
        return any(each.telemetry for facts in together for each in facts.functions) or any(self.module.spans)

    def _makes_spans(self, call: cst.Call) -> bool:
        module = self.module
        if module.spans.started_by(call) is not None:
            return True
        operation = module.operation(call)
        if operation is not None:
            return module.instrumentation.of(operation.instrumentors | operation.beneath) is not None
        return module.api(call.func) in module.project.telemetry

    def _sends(self, call: cst.Call, depth: int) -> bool:
        """Whether a call may make providers send what they hold."""
        module, func = self.module, call.func
        name = func.attr.value if isinstance(func, cst.Attribute) else getattr(func, "value", "")
        if isinstance(func, cst.Attribute) and name in SENDS:
            return may_send(module, func)
        api = module.api(func)
        function = module.values.function(api)
        if function is not None:
            return depth < _DEPTH and self._body_sends(function, depth)
        if api is not None and (otel.is_otel(api) or api.partition(".")[0] in {"builtins", *sys.stdlib_module_names}):
            return False
        called = module.project.called_by([api]) if api is not None else frozenset()
        if self.anything_sends and not called.isdisjoint(known.runs()):
            return True  # a server, which shuts the application down before it returns
        if any(each.rpartition(".")[2] in SENDS for each in called):
            return True
        return self.anything_sends and isinstance(name, str) and _CLEANS.search(name) is not None

    def _body_sends(self, function: cst.FunctionDef, depth: int) -> bool:
        walk = self.module.walk
        named = [each for word in SENDS for each in walk.named(word, function.body)]
        return any(isinstance(walk.parent[each], cst.Attribute) for each in named) or any(
            self._sends(each, depth + 1) for each in walk.all(cst.Call, within=function.body)
        )

    def _sends_at_last(self, call: cst.Call) -> bool:
        """Whether the function that is called has all of its work in a `try` whose `finally` sends what it has made."""
        function = self.module.values.function(self.module.api(call.func))
        last = function.body.body[-1] if function is not None else None
        if not isinstance(last, cst.Try) or last.finalbody is None:
            return False
        return any(self._sends(each, 0) for each in self.module.walk.own(last.finalbody, cst.Call))

    def _parts(self, call: cst.Call, node: Node) -> Iterator[Node]:
        """The call, and what decides on it: `if ready: provider.shutdown()` counts as done."""
        yield call
        function = self.module.function_of(call)
        if not self.module.flow(function or self.module.tree).reaches(call, node):
            return
        for up in self.module.walk.ancestors(call):
            if isinstance(up, cst.FunctionDef | cst.Lambda):
                return
            if isinstance(up, cst.If | cst.For) and not self.module.walk.inside(node, up):
                yield up.test if isinstance(up, cst.If) else up.iter

    def _takers(self, function: Function | None) -> Iterator[str]:
        """The functions that are given the function as an argument, by dotted name."""
        module = self.module
        if isinstance(function, cst.Lambda):
            given_to = module.walk.parent[module.walk.parent[function]]
            if isinstance(given_to, cst.Call):
                yield module.api(given_to.func) or ""
        if not isinstance(function, cst.FunctionDef):
            return
        qualified = module.names.qualified(function)
        for name in module.walk.named(function.name.value, module.tree):
            up = module.walk.parent[name]
            use = up if isinstance(up, cst.Attribute) and up.attr is name else name
            arg = module.walk.parent.get(use)
            call = module.walk.parent.get(arg) if isinstance(arg, cst.Arg) and arg.value is use else None
            if isinstance(call, cst.Call) and module.api(use) == qualified:
                yield module.api(call.func) or ""


def endless_loop(module: Module) -> Node | None:
    """The loop in which a script works until it is killed; None when it, or a server, heeds the signal for that."""
    facts = module.project.files.get(module.path)
    servers = {known.runs()[call] for call in facts.calls if call in known.runs()} if facts is not None else set()
    if facts is None or not facts.script or servers - _HEEDLESS:
        return None
    for call in module.walk.all(cst.Call):
        sent = module.api(call.func) in _SENDING
        if not sent and any(module.api(arg.value) == _SIGTERM for arg in call.args):
            return None
    return next((loop for loop in module.walk.all(cst.While) if _is_true(loop.test)), None)


def _is_true(test: Node) -> bool:
    return isinstance(test, cst.Name | cst.Integer) and test.value in {"True", "1"}


def ends_by_itself(module: Module) -> bool:
    """Whether the file is a script that serves nothing and runs nothing for long."""
    if not module.project.reach.is_program(module.path) or endless_loop(module) is not None:
        return False
    facts = module.project.files[module.path]
    roots = {library for each in known.instrumentors().values() for library in each.libraries if "server" in each.does}
    return not any(name.partition(".")[0] in roots for name in facts.imports)
