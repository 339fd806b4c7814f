"""Spans of requests and messages that come in, and whether anything takes the context that came with those."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.kinds.deliveries import keys_in
from otlint.model.kinds.purpose import CONSUMER, SERVER, Purpose, entering, messaging, plain, received, told
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

# What takes a context that came in, or makes something of it.
_TAKES = otel.EXTRACTS | {otel.ATTACH, otel.LINK, otel.ADD_LINK, otel.SET_SPAN_IN_CONTEXT}
_OPERATION_KEYS = frozenset({"messaging_operation", "messaging_operation_type", "messaging_operation_name"})
_POLLS = frozenset({"receive", "poll", "settle"})
_BY_HAND = {otel.KIND_SERVER: SERVER, otel.KIND_CONSUMER: CONSUMER}
# What an event has that came by HTTP.
_HTTP = frozenset({"headers", "httpMethod", "requestContext", "rawPath"})
# Entries that are around the handlers of this framework as well, which makes spans by itself.
_AROUND = frozenset({"server.asgi", "server.starlette", "server.starlette-hooks"})
_FASTAPI = "fastapi"


def incoming(module: Module, span: Span) -> Purpose | None:
    """The request or message that the span is the processing of; None when none with headers is known to be."""
    if span.start not in module.walk.parent:
        return None
    found = received(module, span) or entering(module, span) or _by_kind(module, span) or _told(module, span)
    if found is None or not _has_headers(module, span, found):
        return None
    return dataclasses.replace(found, excused=found.excused or _native(module, found))


def _native(module: Module, found: Purpose) -> Reason | None:
    """An ASGI middleware may stand within an application of FastAPI."""
    if _AROUND.isdisjoint(found.keys):
        return None
    imported = {name.partition(".")[0] for name in module.project.reach.imports(module.path)}
    return module.instrumentation.possible((), {_FASTAPI}) if _FASTAPI in imported else None


def taken(module: Module, span: Span) -> Reason | None:
    """Why the context that came in may be taken after all, None when nothing is known to take it."""
    if not isinstance(span.function, cst.FunctionDef):
        return Reason("what calls the function is not known")
    called = module.helpers.of(span.function).calls
    if not _TAKES.isdisjoint(called | module.project.called_by(called)):
        return Reason("the function does something with the context of its caller")
    name = module.names.qualified(span.function)
    for above in module.project.above([name]):
        facts = module.project.function(above)
        if above != name and facts is not None and not facts.calls.isdisjoint(otel.EXTRACTS):
            return Reason(f"`{above}`, which calls it, extracts a context")
    return _by_hook(module)


def _by_hook(module: Module) -> Reason | None:
    """A function that extracts and attaches, and that nothing calls: a middleware or hook, for all that comes in."""
    for facts in module.project.reach.files(module.path):
        if facts.calls.isdisjoint(otel.EXTRACTS):
            continue
        for each in module.project.definitions(facts):
            called = module.project.called_by(each.calls)
            if otel.ATTACH in called and not called.isdisjoint(otel.EXTRACTS) and each.span is None:
                name = f"{facts.module}.{each.name}"
                if next(itertools.islice(module.project.above([name]), 1, None), None) is None:
                    return Reason(f"`{name}` attaches a context that it extracts, perhaps for all that comes in")
    return None


def _by_kind(module: Module, span: Span) -> Purpose | None:
    """A span of kind SERVER or CONSUMER in a handler, whatever the handler does besides."""
    function = span.function
    if span.kind not in _BY_HAND or not isinstance(function, cst.FunctionDef):
        return None
    entry = module.entries.of(function) or module.entries.behind(function)
    if entry is None or otel.KINDS[entry.kind] != span.kind:
        return None
    above = itertools.takewhile(lambda up: up is not function, module.walk.ancestors(span.start))
    if any(isinstance(up, cst.For | cst.While) for up in above):
        return None  # one of many items
    excused = module.instrumentation.possible(entry.instrumentors, entry.native)
    what = "request" if span.kind == otel.KIND_SERVER else "message"
    why = f"that of a {what} that {entry.key.partition('.')[2]} hands to `{function.name.value}`"
    return Purpose(_BY_HAND[span.kind], (span.kind,), why, span.start, excused=excused, keys=frozenset({entry.key}))


def _told(module: Module, span: Span) -> Purpose | None:
    """A CONSUMER span that says which broker its message comes from, in a project where nothing takes contexts."""
    table = known.table("propagators")["carriers"]
    if span.kind != otel.KIND_CONSUMER or not isinstance(span.function, cst.FunctionDef):
        return None
    given = {key: plain(module, value) for key, value, _ in told(module, span)}
    polls = _OPERATION_KEYS.intersection(key for key, value in given.items() if value in _POLLS)
    if given.get("messaging_system") not in {each.replace(".", "_") for each in table["systems"]} or polls:
        return None
    around = module.project.reach.around(module.path)
    imported = {name for facts in around for name in facts.imports}
    speaks = any(name == each or name.startswith(f"{each}.") for name in imported for each in table["libraries"])
    if not speaks or any(not facts.calls.isdisjoint(_TAKES) for facts in around):
        return None
    excused = module.instrumentation.possible(messaging("consumer"))
    why = f"that of a message of {given['messaging_system']}, by its attributes"
    return Purpose(CONSUMER, (otel.KIND_CONSUMER,), why, span.start, excused=excused)


def _has_headers(module: Module, span: Span, found: Purpose) -> bool:
    """Whether what comes in has a place for a context that its sender fills in."""
    if "server.lambda" in found.keys and found.subject == SERVER:
        return span.function is not None and not _HTTP.isdisjoint(keys_in(module, span.function))
    return found.keys.isdisjoint(known.table("propagators")["carriers"]["none"])
