"""Handlers after which an operation has failed while its span does not show it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.logs import last_name, words
from otlint.model.code.walk import Node
from otlint.model.errors.doubles import around_work, doubles, recorded_below
from otlint.model.errors.handlers import Handler, Mark, is_span, real
from otlint.model.errors.outcome import Fate, Outcome, does_work, outcome
from otlint.model.errors.pooled import pooled
from otlint.model.reason import Reason
from otlint.model.spans.shelved import shelved

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

_SERIALISES = re.compile(r"(?i).*(serial|json|dumps?|encode|decode|to_dict|as_dict|repr|format|truncate|attribute).*")
_PROBE = re.compile(
    r"(?i)(^|[^a-z])(health(z|check)?|readiness|liveness|is_(ready|live|alive)|ping|heartbeat|probe)([^a-z]|$)"
)
# Why an operation whose handler has such an outcome has not failed.
_FATES = {
    Fate.RAISES: "it raises on every way out, and the span sees what leaves its block",
    Fate.GOES_ON: "the operation goes on from here: it tries again, does something else, or uses a default",
    Fate.REFUSES: "it tells the caller that the request was wrong, which is no failure here",
    Fate.ENDS: "nothing says that the operation has failed",
}
EITHER = "either"
SPAN_EVENT = "span-event"
LOG = "log"


@dataclass(frozen=True, eq=False, slots=True)
class Unmarked:
    """A record of an exception, outside of any handler, on a span whose status is never set. `source` gives it."""

    mark: Mark
    span: Span | None
    source: Node


@dataclass(frozen=True, eq=False, slots=True)
class Failure:
    """What a span does not show.

    `lacks`: "exception" when nothing has it, else "status"; `status` says whether that is set all the same. `mark`
    records the exception, `log` is the log call that carries it, `below` the inner span that has it.
    `span` is None where it is an instrumentor's.
    """

    handler: Handler
    span: Span | None
    outcome: Outcome
    lacks: str
    status: bool = False
    mark: Mark | None = None
    log: cst.Call | None = None
    below: Span | None = None

    @property
    def is_one_of_many(self) -> bool:
        """Whether only one of several things fails and the others go on: a matter of taste."""
        return self.outcome.fate is Fate.ITEM

    @property
    def told(self) -> bool:
        """Whether an attribute or event of its span tells of the exception, which is no status."""
        calls = [each for each in self.handler.main if isinstance(each, cst.Call)]
        return any(_tells_of_it(self.handler, call) for call in calls)

    @property
    def is_whole(self) -> bool:
        """Whether the operation fails whichever way the handler takes, so that it can say so at once."""
        inside = self.handler.module.walk.inside(self.outcome.node, self.handler.tried)
        return self.outcome.always and self.outcome.fate is Fate.FAILS and inside

    @property
    def is_overruled(self) -> bool:
        """Whether the helper that starts the span sets OK once the handler is done."""
        helper = self.span.helper if self.span is not None else None
        return helper is not None and helper.span is not None and helper.span.approves

    @property
    def places(self) -> list[tuple[Node, str]]:
        """The other places that a reader needs."""
        found: list[tuple[Node, str]] = []
        if self.span is not None:
            found.append((self.span.start, "this span looks as if nothing had failed"))
        if self.below is not None:
            found.append((self.below.start, "this one has the exception"))
        if self.outcome.fate is Fate.FAILS:
            found.append((self.outcome.node, "the operation fails here"))
        return found


def failures(module: Module, signal: str = EITHER) -> Iterator[Failure]:
    """The handlers of a file that leave their span green. `signal` says what counts as recording an exception."""
    for handler in module.handlers:
        if module.silenced(handler.node, _beside_operations(handler)):
            continue
        failure = _failure(handler, signal) if handler.spans else _ambient(handler)
        if failure is None:
            continue
        if not module.silenced(handler.node, any(True for _ in doubles(handler)) and "OTL303 speaks of the exception"):
            yield failure


def _beside_operations(handler: Handler) -> str | None:
    """Why a handler has to do with no operation of a span, or is spoken of by a rule that knows more."""
    if handler.node in handler.module.kept:
        return "OTL309 or OTL310 speaks of what it does with the exception"
    if handler.is_control_flow:
        return "what it catches ends or pauses work, and is no error"
    if handler.is_clean_up:
        return "it guards what tidies up, not the operation"
    return None if handler.spans or handler.records else "no span is known to be around it"


def _failure(handler: Handler, signal: str) -> Failure | None:
    span, module, node = handler.spans[0], handler.module, handler.node
    if module.silenced(node, _is_left_to_others(handler, span)):
        return None
    block = around_work(handler, lambda each: real(each) is span and each.sets_status is not False)
    if module.silenced(node, block is not None and Reason("this has set the status of the span", block.start)):
        return None
    later = handler.marked_later(span)
    has_status = any("status" in mark.does or "unknown" in mark.does for mark in [*handler.marks, *later])
    record = next((mark for mark in handler.marks if "record" in mark.does), None)
    log = next((call for call, found in handler.logs if found.carries), None)
    if record is not None:
        complete = Reason("the exception is recorded, and the status is set", record.call) if has_status else None
        return None if module.silenced(node, complete) else _recorded(handler, record)
    found = outcome(handler, span)
    if module.silenced(node, _has_not_failed(handler, span, found)):
        return None
    recorded = next((mark for mark in later if "record" in mark.does), None)
    if module.silenced(node, Reason("the exception is recorded later", recorded.call) if recorded else None):
        return None  # that call is judged, not this handler
    signalled = log is not None and signal != SPAN_EVENT
    if module.silenced(node, has_status and (signalled or signal == EITHER) and "the status of the span is set"):
        return None
    below = recorded_below(handler)
    if signalled or below is not None:
        if module.silenced(node, has_status and "the exception is logged or on an inner span, and the status is set"):
            return None
        failure = Failure(handler, span, found, "status", log=log, below=below)
        approved = failure.is_one_of_many and failure.is_overruled
        why = "what starts the span says OK if no exception leaves it, whatever status is set for one of many"
        return None if module.silenced(node, approved and Reason(why, span.start)) else failure
    return Failure(handler, span, found, "exception", has_status, log=log)


def _is_left_to_others(handler: Handler, span: Span) -> Reason | None:
    """Why the handler is not what decides on the span."""
    if span.helper is not None and span.helper.span is not None and span.helper.span.judges:
        return Reason("the helper that starts the span judges what is returned", span.start)
    if handler.hands_over:
        return Reason("it hands the exception to somebody else, who has to deal with it")
    told = next((mark for mark in handler.marks if mark.does & {"unknown", "decided"}), None)
    return Reason("this call decides on the status, or may do so", told.call) if told is not None else None


def _has_not_failed(handler: Handler, span: Span, found: Outcome) -> Reason | None:
    """Why the operation has not failed once the handler has run."""
    if found.fate in _FATES:
        return Reason(_FATES[found.fate], found.node)
    work = pooled(handler) if found.fate is Fate.ITEM else None
    if work is not None:
        return Reason("each of these things has a span of its own, in the pool that does it", work)
    if _guards_telemetry(handler):
        return Reason("the `try` guards nothing but telemetry")
    return Reason("the operation asks how something is: failing is an answer") if _is_probe(handler, span) else None


def _tells_of_it(handler: Handler, call: cst.Call) -> bool:
    """`span.set_attribute("error.message", str(exc))`, `note(span, {"error": str(exc)})`."""
    module = handler.module
    own = module.api(call.func) in {otel.SET_ATTRIBUTE, otel.SET_ATTRIBUTES, otel.ADD_EVENT}
    if not own and not any(is_span(module, arg.value) for arg in call.args):
        return False
    literals = [arg.value.evaluated_value for arg in call.args if isinstance(arg.value, cst.SimpleString)]
    is_error = not words("status", "error").isdisjoint(map(str, literals))
    return is_error or any(handler.mentions(arg.value) for arg in call.args)


def _ambient(handler: Handler) -> Failure | None:
    """A handler that records on the span of an instrumentor which leaves the status of a kept exception alone."""
    module = handler.module
    told = [mark for mark in handler.marks if mark.receiver is None or module.spans.is_ambient(mark.receiver)]
    record = next((mark for mark in told if "record" in mark.does), None)
    if record is None or any(mark.does & {"status", "unknown", "decided"} for mark in handler.marks):
        return None
    if handler.hands_over or handler.marked_later(None):
        return None
    left_alone = _is_left_alone(handler) or _succeeds(handler)
    if module.silenced(handler.node, not left_alone and "the span is another's, who may set the status"):
        return None
    found = outcome(handler, None)
    if found.fate not in {Fate.FAILS, Fate.ENDS}:
        module.silenced(handler.node, Reason(_FATES[found.fate], found.node) if found.fate in _FATES else None)
        return None
    return Failure(handler, None, found, "status", mark=record)


def _is_left_alone(handler: Handler) -> bool:
    """Whether the span around is certainly one that only an exception turns to ERROR."""
    module = handler.module
    entry = module.entries.of(handler.function) if handler.function is not None else None
    if entry is None or module.instrumentation.of(entry.instrumentors, entry.native) is None:
        return False
    kinds = {known.instrumentors()[key].status for key in entry.instrumentors if key in known.instrumentors()}
    return "response" not in kinds and not entry.native


def _succeeds(handler: Handler) -> bool:
    """Whether all that the handler answers goes out as a 200, which tells an instrumentor that all is well.

    `return {"status": "failed"}` in a route of Flask or FastAPI that says nothing of another status.
    """
    module, function = handler.module, handler.function
    entry = module.entries.of(function) if function is not None else None
    if entry is None or not isinstance(function, cst.FunctionDef) or not module.entries.handles(function):
        return False
    if module.entries.instrumented(function) is None:
        return False
    calls = [each.decorator for each in function.decorators if isinstance(each.decorator, cst.Call)]
    told = {each.attr.value for each in module.walk.own(function.body, cst.Attribute)}
    told |= {arg.keyword.value for call in calls for arg in call.args if arg.keyword is not None}
    ways = handler.goes_out
    answered = [way.node.value for way in ways if isinstance(way.node, cst.Return)]
    plain = all(_made(module, each) in entry.plain for each in answered)
    return plain and len(answered) == len(ways) > 0 and "status_code" not in told


def _made(module: Module, answer: Node | None) -> str | None:
    """The builtin type of what is written as such, or the function that makes it."""
    if isinstance(answer, cst.Call):
        return module.api(answer.func)
    if isinstance(answer, cst.Dict | cst.List):
        return type(answer).__name__.lower()
    return "str" if isinstance(answer, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString) else None


def _recorded(handler: Handler, record: Mark) -> Failure | None:
    """A handler that records the exception and sets no status."""
    span = record.span
    if span is None or span not in handler.spans:
        return None
    found = outcome(handler, span)
    silent = found.fate in {Fate.GOES_ON, Fate.REFUSES} and not (
        found.fate is Fate.REFUSES and span.kind not in {None, otel.KIND_SERVER}
    )
    if silent or (found.fate is Fate.RAISES and _sets_status(handler, span)):
        handler.module.silenced(handler.node, Reason(_FATES[found.fate], found.node))
        return None
    return Failure(handler, span, found, "status", mark=record)


def unmarked(module: Module) -> Iterator[Unmarked]:
    """The exceptions recorded outside of handlers, in operations that end without a status and without raising."""
    for call in module.calls(otel.RECORD_EXCEPTION):
        mark = module.mark(call)
        span = mark.span if mark is not None else None
        if mark is None or span is None:
            continue
        if span.function is not module.function_of(mark.call):
            continue
        if _in_handler_or_loop(module, mark.call) or not _stays_unset(module, mark):
            continue
        yield Unmarked(mark, span, span.start)
    for found in shelved(module):
        flow = found.flow(module)
        for call, method in found.calls:
            mark = module.mark(call) if method == "record_exception" and not _in_handler_or_loop(module, call) else None
            if mark is None or not any(flow.reaches(call, end) for end in found.ends):
                continue
            if _stays_unset(module, mark) and not _others_say(module, call):
                yield Unmarked(mark, None, found.taken)


def _others_say(module: Module, call: cst.Call) -> bool:
    """Whether a caller of the function sets a status, or somebody else gets the exception: a manager that is left."""
    error, function = module.argument(call, "exception"), module.function_of(call)
    if not isinstance(function, cst.FunctionDef):
        return True
    around = [module.function_of(site) or module.tree for site in module.values.call_sites(function)]
    if any(module.walk.inside(mark.call, each) for mark in module.marks for each in around if "status" in mark.does):
        return True
    same = module.walk.named(error.value, function.body) if isinstance(error, cst.Name) else ()
    takers = [module.walk.parent[up] for each in same if isinstance(up := module.walk.parent[each], cst.Arg)]
    return any(isinstance(each, cst.Call) and each is not call and _may_tell(module, each) for each in takers)


def _may_tell(module: Module, call: cst.Call) -> bool:
    api = module.api(call.func) or ""
    plain = api.startswith(("builtins.", f"{otel.SPAN}.", otel.STATUS))
    return not plain and module.logs.of(call) is None


def _in_handler_or_loop(module: Module, node: Node) -> bool:
    kinds = (cst.ExceptHandler, cst.ExceptStarHandler, cst.For, cst.While, cst.FunctionDef, cst.Lambda)
    up = next((up for up in module.walk.ancestors(node) if isinstance(up, kinds)), None)
    return not isinstance(up, cst.FunctionDef | cst.Lambda | None)


def _stays_unset(module: Module, mark: Mark) -> bool:
    """Whether no status is set in the same run of the function, and the exception is not raised afterwards."""
    flow = module.flow(module.function_of(mark.call) or module.tree)
    if mark.does & {"status", "unknown"} or mark.call not in flow:
        return False
    for call in module.walk.own(
        flow.function if isinstance(flow.function, cst.Module) else flow.function.body, cst.Call
    ):
        other = module.mark(call)
        if other is None or other is mark or not other.does & {"status", "unknown"} or call not in flow:
            continue
        if flow.reaches(mark.call, other.call) or flow.reaches(other.call, mark.call):
            return False
    return any(way.kind in {"return", "end"} for way in flow.escapes(mark.call, ()))


def _sets_status(handler: Handler, span: Span) -> bool:
    """Whether the exception may get to a block that sets the span's status."""
    blocks = handler.module.spans.enclosing(handler.tried)
    return any(real(block) is span and block.sets_status is not False for block in blocks)


def _is_probe(handler: Handler, span: Span) -> bool:
    """Whether the operation asks how something is: that it is down is an answer."""
    name = span.name.evaluated_value if isinstance(span.name, cst.SimpleString) else ""
    function = handler.function.name.value if isinstance(handler.function, cst.FunctionDef) else ""
    return any(isinstance(each, str) and _PROBE.search(each) for each in (name, function))


def _guards_telemetry(handler: Handler) -> bool:
    """Whether the `try` protects nothing but telemetry: attributes, their serialisation, metrics."""
    module = handler.module
    calls = [node for node in module.walk.below(handler.tried.body) if isinstance(node, cst.Call)]
    telemetry = [call for call in calls if _is_telemetry(module, call)]
    if not telemetry:
        return False
    others = [call for call in calls if not any(module.walk.inside(call, each) for each in telemetry)]
    return not any(does_work(module, call) and not _SERIALISES.fullmatch(last_name(call.func) or "") for call in others)


def _is_telemetry(module: Module, call: cst.Call) -> bool:
    """A call of the API, or one that is given a span: a helper or hook."""
    return otel.is_otel(module.api(call.func)) or any(is_span(module, arg.value) for arg in call.args)
