"""Requests and messages to services of the same system that leave a span, and carry no context."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.values import argument
from otlint.model.kinds.targets import Target, target
from otlint.model.reason import Reason
from otlint.model.spans.active import Active

if TYPE_CHECKING:
    from otlint.model.module import Module

_ROLES = frozenset({"http", "rpc", "send"})
# A context that is written by hand.
_BY_HAND = ("traceparent", "x-b3-", "uber-trace-id", "x-amzn-trace-id", "x-cloud-trace-context")
_HEADERS = ("headers", "metadata", "properties", "MessageAttributes", "application_properties")


@dataclass(frozen=True, eq=False, slots=True)
class Outgoing:
    """One call that should carry a context: `role` is that of the tables, `advice` says what would make it do so."""

    call: cst.Call
    role: str
    active: Active
    advice: str


def outgoing(module: Module) -> Iterator[Outgoing]:
    """The calls of a file that leave a span without its context; none in tests."""
    if module.is_spared_test:
        return
    for call in module.walk.all(cst.Call):
        operation = module.operation(call)
        if operation is None or operation.role not in _ROLES or not _carries(operation):
            continue
        active = module.active(call)
        if active is None or module.silenced(call, _why_not(module, call, operation)):
            continue
        yield Outgoing(call, operation.role, active, _advice(operation))


def _carries(operation: known.Operation) -> bool:
    """Whether what the call sends has headers, and goes to a service by which others are called."""
    table = known.table("propagators")["targets"]
    if operation.client not in table["clients"] or (operation.client.startswith("boto3") and operation.role != "send"):
        return False
    return not any(f"'{service}'" in operation.api for service in table["bare"])


def _why_not(module: Module, call: cst.Call, operation: known.Operation) -> Reason | None:
    native = known.table("propagators")["targets"]["native"].get(operation.client, ())
    on = module.instrumentation.possible(operation.instrumentors | operation.beneath, native)
    if on is not None:
        return on
    if operation.role != "send":
        whose = target(module, call, addressed=operation.role == "http")
        if whose is Target.FOREIGN:
            return Reason("what it calls belongs to somebody else")
        if whose is None and operation.role == "http":
            return Reason("whose service it calls is not known")
    return _wrapped(module, operation) or _injected(module, call) or _by_hand(module, call)


def _wrapped(module: Module, operation: known.Operation) -> Reason | None:
    """Code of the project that sees all that a client sends, and may put a context there."""
    wraps = known.table("propagators")["targets"]["wrapped"].get(operation.client, ())
    for facts in module.project.reach.files(module.path):
        if not facts.calls.isdisjoint(wraps):
            return Reason(f"`{facts.path}` puts interceptors before what is sent")
    return None


def _injected(module: Module, call: cst.Call) -> Reason | None:
    """Why a context may be injected into what is sent, None where nothing does so."""
    reached = [facts for facts in module.project.reach.files(module.path) if not facts.calls.isdisjoint(otel.INJECTS)]
    if not reached:
        return None
    function = module.function_of(call)
    called = module.helpers.of(function).calls if isinstance(function, cst.FunctionDef) else frozenset()
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    alone = owner is not None and module.names.dotted(owner) in known.table("propagators")["targets"]["clients"]
    given = [argument(call, name, ()) for name in _HEADERS]
    hidden = any(arg.star for arg in call.args) or any(each is not None for each in given)
    if alone and not hidden and otel.INJECTS.isdisjoint(module.project.called_by(called)):
        return None  # a function of the library, given no headers: nothing can have put a context there
    return Reason(f"`{reached[0].path}` injects contexts, perhaps into this as well")


def _by_hand(module: Module, call: cst.Call) -> Reason | None:
    text = module.source.text.lower()
    written = next((name for name in _BY_HAND if name in text), None)
    if written is not None:
        return Reason(f"the file speaks of `{written}`: it may write the context by hand")
    function = module.function_of(call)
    own = module.walk.own(function.body, cst.Attribute) if function is not None else ()
    ids = next(
        (each for each in own if each.attr.value == "trace_id" and module.type(each.value) == otel.SPAN_CONTEXT), None
    )
    return Reason("the ids of the span are sent by hand", ids) if ids is not None else None


def _advice(operation: known.Operation) -> str:
    plain_first = sorted(operation.instrumentors or operation.beneath, key=lambda name: (len(name), name))
    cls = next((each.cls for key in plain_first if (each := known.instrumentors()[key]).cls and each.bootstrap), None)
    place = "metadata" if operation.role == "rpc" else "headers"
    if operation.client.startswith("boto3"):
        place = "message attributes"
        cls = cls if not operation.awaited else None  # there is none for the asynchronous ones
    switched = f"switch on `{cls.rpartition('.')[2]}`, or " if cls is not None else ""
    return f"{switched}`inject` it into the {place}"
