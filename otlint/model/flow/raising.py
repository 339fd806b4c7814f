"""Which evaluations may raise, for the flow graph: what the SDK, logging and plain builtins never do."""

from __future__ import annotations

import re

import libcst as cst

from otlint import otel
from otlint.model.code.annotations import gives_awaitable
from otlint.model.code.values import Values
from otlint.model.code.walk import Node, Walk
from otlint.model.functions.helpers import Helpers

# OpenTelemetry's API logs and swallows (specification, error handling): its calls do not raise. Calls that create
# spans do not either; `extract` and `inject` may, on malformed carriers.
_SAFE_BUILTINS = frozenset(
    f"builtins.{name}"
    for name in (
        "len", "str", "repr", "print", "isinstance", "issubclass", "hasattr", "id", "type", "bool", "list", "dict",
        "set", "tuple", "frozenset", "callable", "range", "enumerate", "zip", "sorted", "min", "max", "abs", "round",
        "getattr", "any", "all", "sum", "format", "hash", "super",
    )
)  # fmt: skip
_SAFE_MODULES = (
    "time.time",
    "time.perf_counter",
    "time.monotonic",
    "time.process_time",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "uuid.uuid4",
    "contextvars.ContextVar.",
    "logging.",
    "threading.get_ident",
    "os.getpid",
)
_SAFE_CLASSES = frozenset(
    {
        "contextlib.nullcontext",
        "contextlib.suppress",
        "contextlib.ExitStack",
        "contextlib.AsyncExitStack",
        "collections.defaultdict",
        "collections.deque",
        "threading.Lock",
        "threading.RLock",
        "threading.Event",
        "asyncio.Lock",
        "asyncio.Event",
        "asyncio.Queue",
    }
)
_SAFE_METHODS = frozenset(
    {
        "append",
        "lower",
        "upper",
        "strip",
        "items",
        "keys",
        "values",
        "startswith",
        "endswith",
        "copy",
        "hexdigest",
        "isoformat",
        "total_seconds",
        "setdefault",
        "add",
        "split",
        "replace",
        "debug",
        "info",
        "warning",
        "error",
        "exception",
        "critical",
    }
)
_STEADY_MANAGERS = frozenset(
    {
        otel.SPAN,
        otel.SPAN_MANAGER,
        "asyncio.Lock",
        "asyncio.Semaphore",
        "contextlib.ExitStack",
        "contextlib.AsyncExitStack",
        "contextlib.nullcontext()",
        "contextlib.suppress()",
    }
)
_LOCK = re.compile(r"(?i)lock|mutex|sema")
_LEAVE = frozenset({"sys.exit", "builtins.exit", "builtins.quit", "os._exit", "os.abort"})


class Raising:
    """The predicates that the flow graph of one file is built with."""

    def __init__(self, walk: Walk, values: Values, helpers: Helpers) -> None:
        self.walk = walk
        self.values = values
        self.helpers = helpers

    def may_raise(self, node: Node) -> bool:
        """Whether evaluating the node may raise an `Exception` in ordinary operation."""
        if isinstance(node, cst.Call):
            return self._call_may_raise(node)
        if isinstance(node, cst.WithItem):
            return self._entering_may_raise(node.item)
        if isinstance(node, cst.For | cst.CompFor):
            return node.asynchronous is not None or self._iterating_may_raise(node.iter)
        if isinstance(node, cst.Await):
            return not (isinstance(node.expression, cst.Call) and self._is_shielded(node.expression))
        return isinstance(node, cst.Yield | cst.Raise | cst.Assert)

    def _is_shielded(self, call: cst.Call) -> bool:
        facts = self.helpers.called(call)
        return facts is not None and facts.shielded

    def _entering_may_raise(self, manager: Node) -> bool:
        """Locks and spans do not raise when they are entered or left; a file, connection or transaction may."""
        kind = self.values.type(manager) or ""
        if kind in _STEADY_MANAGERS or kind.startswith("threading."):
            return False
        if isinstance(manager, cst.Call):
            facts = self.helpers.called(manager)
            return facts is None or facts.span is None
        name = manager.attr if isinstance(manager, cst.Attribute) else manager
        return not (isinstance(name, cst.Name) and _LOCK.search(name.value))

    def _iterating_may_raise(self, iterable: Node) -> bool:
        """A stream, cursor or generator that a call gave may raise at each item; a container does not."""
        if isinstance(iterable, cst.Name):
            bindings = self.values.names.reaching(iterable.value, iterable)
            return any(
                each.kind == "assign" and isinstance(each.value, cst.Call) and self._iterating_may_raise(each.value)
                for each in bindings
            )
        if isinstance(iterable, cst.Await):
            return self._iterating_may_raise(iterable.expression)
        return isinstance(iterable, cst.Call) and self._call_may_raise(iterable)

    def _call_may_raise(self, call: cst.Call) -> bool:
        called = self.values.api(call.func)
        if called is not None:
            if otel.is_otel(called):
                return called in otel.EXTRACTS or called in otel.INJECTS
            if called in _SAFE_BUILTINS or called in _SAFE_CLASSES or called.startswith(_SAFE_MODULES):
                return False
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in _SAFE_METHODS:
            return False
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "get":
            mapping = called is None or called.startswith(("builtins.", "os.environ.", "collections."))
            return not (mapping and 1 <= len(call.args) <= 2) or isinstance(self.walk.parent.get(call), cst.Await)
        if isinstance(self.walk.parent.get(call), cst.Await):
            return not self._is_shielded(call)
        return not (_pops_or_default(call) or self._only_makes(call) or self._is_shielded(call))

    def _only_makes(self, call: cst.Call) -> bool:
        """Whether a call makes a coroutine or asynchronous generator, of which nothing has run when it returns.

        What is only said to give one may do more before, which a `try` around the call would show.
        """
        facts = self.helpers.called(call)
        if facts is not None:
            return facts.is_async
        function = self.walk.function_of(call)
        for up in self.walk.ancestors(call):
            if up is function:
                break
            if isinstance(up, cst.Try) and self.walk.inside(call, up.body):
                return False
        bindings = self.values.names.reaching(call.func.value, call.func) if isinstance(call.func, cst.Name) else []
        written = [each.node.annotation for each in bindings if isinstance(each.node, cst.Param)]
        return (
            bool(written)
            and len(written) == len(bindings)
            and all(each is not None and gives_awaitable(self.values, each.annotation) for each in written)
        )

    def no_return(self, node: Node) -> bool:
        """Whether the call leaves the process: what follows is never reached."""
        return isinstance(node, cst.Call) and self.values.api(node.func) in _LEAVE


def _pops_or_default(call: cst.Call) -> bool:
    """`state.pop("pending", None)` of a mapping."""
    is_pop = isinstance(call.func, cst.Attribute) and call.func.attr.value == "pop"
    return is_pop and len(call.args) == 2 and not any(arg.star or arg.keyword for arg in call.args)
