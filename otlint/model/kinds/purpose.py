"""What a span stands for, where that decides its kind: one outgoing call, an incoming request, a message.

Evidence, strongest first: an attribute that spells the kind, one call of a known client as all there is in the span's
block, the messaging operation that its attributes name, and the handler whose body it covers. There is none where an
instrumentor may make the span of that kind: then a manual one of kind INTERNAL is right.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.walk import Node
from otlint.model.flow.during import extent
from otlint.model.kinds import work as working
from otlint.model.kinds.deliveries import deliveries
from otlint.model.kinds.steps import step
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

CLIENT, SERVER, PRODUCER, CONSUMER = "client", "server", "producer", "consumer"
_SPELLED = {
    CLIENT: otel.KIND_CLIENT,
    SERVER: otel.KIND_SERVER,
    PRODUCER: otel.KIND_PRODUCER,
    CONSUMER: otel.KIND_CONSUMER,
}
_OPERATION_KEYS = frozenset({"messaging_operation", "messaging_operation_type", "messaging_operation_name"})
_OPERATIONS = {
    **dict.fromkeys(("publish", "send", "produce", "enqueue", "create"), "send"),
    **dict.fromkeys(("receive", "poll"), "receive"),
    **dict.fromkeys(("process", "consume", "deliver", "handle"), "process"),
    **dict.fromkeys(("settle", "ack", "nack", "acknowledge", "commit"), "settle"),
}
_WHAT = {
    "http": "HTTP request",
    "db": "database call",
    "rpc": "remote call",
    "genai": "call of a model",
    "create": "message",
    "send": "message that is sent",
    "receive": "receiving of messages",
    "settle": "settling of messages",
}
# What is said of requests that come in only.
_OF_SERVERS = frozenset(
    {"http_route", "http_target", "http_server_name", "http_client_ip", "client_address", "faas_trigger"}
    | {"faas_invocation_id", "faas_execution", "faas_coldstart"}
)
# A request and its reply may travel as messages.
_REPLIES = frozenset({otel.KIND_SERVER})
_AWAITED = "the message is answered, so whoever sent it waits for that as for a server"
# The span is kept for what comes later, such as the hook behind a request.
_KEPT = frozenset({"stored", "passed"})
# What these serve are tools and activities, whose spans are INTERNAL by the conventions.
_INTERNAL_ENTRIES = frozenset({"server.mcp", "server.temporal"})


@dataclass(frozen=True, eq=False, slots=True)
class Purpose:
    """What a span stands for.

    `subject` is the rule's: client, server, producer or consumer. `kinds` are the right kinds, dotted, the usual one
    first. `why` completes "the span is …"; `at` is where to report it. `weak` are kinds that are wrong but widespread.
    `excused`: why the span may be right as it is all the same: something else may make the one of that kind. `keys`:
    the entries or the client of the tables by which it came in.
    """

    subject: str
    kinds: tuple[str, ...]
    why: str
    at: Node
    weak: frozenset[str] = frozenset()
    excused: Reason | None = None
    keys: frozenset[str] = frozenset()

    @property
    def right(self) -> str:
        """The kind to give, as it is mostly written."""
        return ".".join(self.kinds[0].split(".")[-2:])

    def given(self, span: Span) -> str:
        """The kind that the span has, in words."""
        return (span.kind or "").rpartition(".")[2]

    def advice(self, span: Span) -> str:
        """How the span gets the right kind: by an argument, for which a helper may have to get a parameter first."""
        starts = span.helper.span if span.helper is not None else None
        if span.helper is None or starts is None or starts.forwards or (starts.kind or "~").startswith("~"):
            return f"give it `kind={self.right}`"
        name = span.helper.name.rpartition(".")[2]
        return f"let `{name}`, which takes no kind, take one, and give it `kind={self.right}`"


def purposes(module: Module, span: Span) -> Iterator[Purpose]:
    """What the span stands for: up to the first purpose that says something about its kind, those before excused."""
    if span.api == otel.USE_SPAN or span.start not in module.walk.parent:
        return
    for judge in (_spelled, _operation, _described, received, entering):
        found = judge(module, span)
        if found is not None:
            yield found
            if found.excused is None:
                return


def decided_elsewhere(module: Module, span: Span) -> str | None:
    """Why a span is none of its function's, where several functions use a helper that names it and says its kind."""
    starts = span.helper.span if span.helper is not None else None
    if starts is None or starts.forwards or starts.kind not in otel.KINDS.values() or starts.name is None:
        return None
    name = module.api(getattr(span.start, "func", span.start))
    several = name is not None and len(module.project.callers(name)) > 1
    given = starts.name.startswith("~parameter:")
    return "the helper that starts it gives name and kind, for other callers, too" if several and not given else None


def misjudged(module: Module) -> Iterator[tuple[Span, Purpose]]:
    """The spans whose kind is none of those that are right for what they stand for, excused ones included."""
    for span in module.spans:
        for found in purposes(module, span) if span.kind is not None else ():
            if span.kind not in found.kinds:
                reply = _reply(module, span) if span.kind in found.weak & _REPLIES else None
                yield span, found if reply is None else replace(found, excused=Reason(_AWAITED, reply))


def _reply(module: Module, span: Span) -> cst.Call | None:
    """The call by which the function answers the message: `msg.respond(b"done")`."""
    answers = known.table("work")["methods"]["answers"]
    calls = module.walk.own(span.function.body, cst.Call) if isinstance(span.function, cst.FunctionDef) else []
    named = (call for call in calls if isinstance(call.func, cst.Attribute) and call.func.attr.value in answers)
    return next(named, None)


# -- attributes -------------------------------------------------------------------------------------------------


def told(module: Module, span: Span) -> Iterator[tuple[str, cst.BaseExpression, Node]]:
    """Keys, with `_` for `.`, values and places of the attributes that the span is certainly given."""
    given = module.argument(span.start, "attributes") if span.helper is None else None
    yield from _items(module, given, None)
    for call in module.calls(otel.SET_ATTRIBUTE, otel.SET_ATTRIBUTES):
        if not isinstance(call.func, cst.Attribute) or module.spans.of(call.func.value) is not span:
            continue
        if module.api(call.func) == otel.SET_ATTRIBUTES:
            yield from _items(module, module.argument(call, "attributes"), call)
            continue
        key, value = module.argument(call, "key"), module.argument(call, "value")
        if key is not None and value is not None:
            yield plain(module, key), value, call


def _items(module: Module, given: Node | None, place: Node | None) -> Iterator[tuple[str, cst.BaseExpression, Node]]:
    for element in given.elements if isinstance(given, cst.Dict) else ():
        if isinstance(element, cst.DictElement):
            yield plain(module, element.key), element.value, place or element


def plain(module: Module, expression: cst.BaseExpression) -> str:
    """`"messaging.operation"`, `SpanAttributes.MESSAGING_OPERATION` → `messaging_operation`."""
    if isinstance(expression, cst.SimpleString) and isinstance(expression.evaluated_value, str):
        return expression.evaluated_value.lower().replace(".", "_")
    dotted = module.api(expression) or ""
    return dotted.removesuffix(".value").rpartition(".")[2].lower()


def _spelled(module: Module, span: Span) -> Purpose | None:
    """The kind as an attribute: `span.set_attribute("span.kind", "client")`."""
    for key, value, place in told(module, span):
        kind = plain(module, value)
        if key == "span_kind" and kind in _SPELLED:
            return Purpose(kind, (_SPELLED[kind],), f'described by the attribute `span.kind` as "{kind}"', place)
    return None


def _described(module: Module, span: Span) -> Purpose | None:
    """A messaging operation as an attribute: `span.set_attribute("messaging.operation", "publish")`."""
    for key, value, _ in told(module, span):
        role = _OPERATIONS.get(plain(module, value)) if key in _OPERATION_KEYS else None
        if role is None:
            continue
        does = "producer" if role == "send" else "consumer"
        excused = module.instrumentation.possible(messaging(does), does=does)
        why = f'described by its attributes as "{plain(module, value)}" of a message'
        if role == "send":
            return Purpose(PRODUCER, (otel.KIND_PRODUCER, otel.KIND_CLIENT), why, span.start, excused=excused)
        if role == "process":
            return Purpose(CONSUMER, (otel.KIND_CONSUMER,), why, span.start, _REPLIES, excused)
        if role == "receive":  # the older conventions called processing so, too
            return Purpose(CONSUMER, (otel.KIND_CONSUMER, otel.KIND_CLIENT), why, span.start, _REPLIES, excused)
        return Purpose(CONSUMER, (otel.KIND_CLIENT,), why, span.start, frozenset({otel.KIND_CONSUMER}), excused)
    return None


def messaging(does: str) -> frozenset[str]:
    return frozenset(key for key, each in known.instrumentors().items() if does in each.does)


# -- what the block does ----------------------------------------------------------------------------------------


def _operation(module: Module, span: Span) -> Purpose | None:
    """The block is one call that leaves the process, or sends messages and nothing else."""
    work = working.of_span(module, span)
    done = None if work is None else next(iter(work.done), None)
    if work is None or done is None:
        return None
    more = Reason("the span does other work as well", work.other) if work.other is not None else None
    done = done if more is not None else work.single(module) or _sending(work)
    if done is None:
        return None
    operation = done.operation
    enters = span.function is not None and module.entries.of(span.function) is not None
    if span.kind in {otel.KIND_SERVER, otel.KIND_CONSUMER} and (
        enters or _continues(module, span) or any(key in _OF_SERVERS for key, _, _ in told(module, span))
    ):
        return None  # it stands for what came in, and answers by one call
    more = more or step(module, span, done, {key for key, _, _ in told(module, span)})
    excused = more or module.instrumentation.possible(operation.instrumentors | operation.beneath)
    why = f"one {_WHAT[operation.role]} by `{done.name(module)}`"
    kinds = tuple(otel.KINDS[kind] for kind in operation.kinds)
    if operation.role in {"create", "send"}:
        return Purpose(PRODUCER, kinds, why, span.start, excused=excused)
    if operation.role in {"receive", "settle"}:
        return Purpose(CONSUMER, kinds, why, span.start, frozenset({otel.KIND_CONSUMER}), excused)
    return Purpose(CLIENT, kinds, why, span.start, excused=excused) if operation.remote else None


def _continues(module: Module, span: Span) -> bool:
    """Whether the span is given a parent, such as the context of a caller."""
    return span.helper is None and module.argument(span.start, "context") is not None


def _sending(work: working.Work) -> working.Done | None:
    """A message that is sent with what the same client needs for it: the address of a queue, a flush."""
    sends = [each for each in work.done if each.operation.role in {"create", "send"}]
    same = {each.operation.client for each in work.done}
    return sends[0] if sends and len(same) == 1 else None


# -- where it stands --------------------------------------------------------------------------------------------


def received(module: Module, span: Span) -> Purpose | None:
    """The block works on a message that was received just before: in a loop over a consumer, or after a poll."""
    if not isinstance(span.function, cst.FunctionDef) or span.manner == "decorator":
        return None
    if not _is_alone(module, span, span.function):
        return None
    for delivery in deliveries(module, span.function, span.start):
        uses = {each.value for part in (span.start, *span.regions) for each in module.walk.own(part, cst.Name)}
        if delivery.names.isdisjoint(uses):
            continue
        excused = module.instrumentation.possible(delivery.instrumentors, delivery.native, does="consumer")
        why = f"the processing of what {delivery.by}"
        return Purpose(CONSUMER, (otel.KIND_CONSUMER,), why, span.start, _REPLIES, excused, delivery.keys)
    return None


def entering(module: Module, span: Span) -> Purpose | None:
    """The block is the body of a function that a framework calls for each request or message."""
    function = span.function
    if not isinstance(function, cst.FunctionDef):
        return None
    behind, hook = module.entries.behind(function), _hook(module, span, function)
    entry = module.entries.of(function) or behind
    if (entry or hook) is None or not ((hook and _is_kept(module, span)) or _covers(module, span, function)):
        return None
    entry = entry or hook
    if entry is None or entry.key in _INTERNAL_ENTRIES:
        return None
    if behind is None and any(module.function_of(call) is not None for call in module.values.call_sites(function)):
        return None  # it is a step of other functions as well
    kind = otel.KINDS[entry.kind]
    itself = module.path if span.kind == kind and not module.entries.handles(function) else ""
    excused = module.instrumentation.possible(entry.instrumentors, entry.native)
    excused = excused or module.instrumentation.by_hand(kind, besides=itself)
    what = "request" if entry.kind == "SERVER" else "message"
    if what == "request" and any(isinstance(up, cst.For | cst.While) for up in _above(module, span, function)):
        return None  # one of many items of the request
    if what == "request" and _goes_on(module, span):
        return None
    why = f"the whole of a {what} that {entry.key.partition('.')[2]} hands to `{function.name.value}`"
    keys = frozenset({entry.key})
    if what == "request":
        return Purpose(SERVER, (otel.KIND_SERVER,), why, span.start, excused=excused, keys=keys)
    return Purpose(CONSUMER, (otel.KIND_CONSUMER,), why, span.start, _REPLIES, excused, keys)


def _goes_on(module: Module, span: Span) -> bool:
    """Whether the answer is finished in the block, and more is awaited then: `self.finish()`, `await work()`."""
    blocks = extent(module, span)
    ends = [
        call
        for block in blocks
        for call in module.walk.own(block, cst.Call)
        if module.code(call.func) == "self.finish" and module.walk.statement_of(call) is not None
    ]
    waits = [each for block in blocks for each in module.walk.own(block, cst.Await)]
    return bool(ends) and any(module.walk.order[each] > module.walk.order[ends[0]] for each in waits)


def _above(module: Module, span: Span, function: cst.FunctionDef) -> Iterator[Node]:
    """What is around the start of a span in its function."""
    return itertools.takewhile(lambda up: up is not function, module.walk.ancestors(span.start))


def _hook(module: Module, span: Span, function: cst.FunctionDef) -> known.Entry | None:
    """The framework whose middleware the function is, or that calls it before a request, where the span is kept."""
    found = module.entries.around(function)
    if found is None or not _is_alone(module, span, function):
        return None
    entry, is_around = found
    return entry if is_around is not _is_kept(module, span) else None


def _is_kept(module: Module, span: Span) -> bool:
    """Whether the span is put where others get at it: `g.span = span`."""
    if span.manner != "assigned":
        return span.manner in _KEPT
    return any(isinstance(each, cst.Assign) for each in module.custody(span.start).handed)


def _covers(module: Module, span: Span, function: cst.FunctionDef) -> bool:
    """Whether all that a function does, preparations and answers left out, is done in the span."""
    if not _is_alone(module, span, function):
        return False
    if span.manner == "decorator":
        return module.entries.is_below(function, span.start)
    inside = extent(module, span)
    return bool(inside) and working.surrounds(module, function, span, inside)


def _is_alone(module: Module, span: Span, function: cst.FunctionDef) -> bool:
    """Whether no other span of the function is around this one or beside it."""
    inside = extent(module, span)
    return not any(
        other is not span
        and other.function is function
        and other.api != otel.USE_SPAN
        and not any(module.walk.inside(other.start, block) for block in inside)
        for other in module.spans
    )
