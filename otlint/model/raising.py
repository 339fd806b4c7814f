"""Which evaluations may raise, for the flow graph: what the SDK, logging and plain builtins never do."""

from __future__ import annotations

import libcst as cst

from otlint import otel
from otlint.model.helpers import Helpers
from otlint.model.values import Values
from otlint.model.walk import Node, Walk

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
    "logging.",
    "threading.get_ident",
    "os.getpid",
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
        if isinstance(node, cst.Subscript):
            return False
        return isinstance(node, cst.Await | cst.Yield | cst.Raise | cst.Assert | cst.For | cst.CompFor | cst.WithItem)

    def _call_may_raise(self, call: cst.Call) -> bool:
        called = self.values.api(call.func)
        if called is not None:
            if otel.is_otel(called):
                return called in otel.EXTRACTS or called in otel.INJECTS
            if called in _SAFE_BUILTINS or called.startswith(_SAFE_MODULES):
                return False
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in _SAFE_METHODS:
            return False
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "get":
            return not 1 <= len(call.args) <= 2 or isinstance(self.walk.parent.get(call), cst.Await)
        return True

    def no_return(self, node: Node) -> bool:
        """Whether the call leaves the process: what follows is never reached."""
        return isinstance(node, cst.Call) and self.values.api(node.func) in _LEAVE
