"""What one file contributes to a project: facts in plain data, never trees, which can be cached and cross processes."""

from __future__ import annotations

from dataclasses import dataclass

from otlint import otel


@dataclass(frozen=True, slots=True)
class SpanFacts:
    """A span that a project function starts for its caller.

    `form`: "manager" (a context manager that starts and ends it), "live" (an open span is returned) or
    "decorator". `name` and `kind` are a literal or dotted name, `"~parameter:x"` for the caller's argument x, or
    None when unknown. `current` says whether it is made current; `records` and `sets_status` what it does to an
    exception that leaves it, None when unknown. `ends_by`: the parameter by which a caller says whether the manager
    ends it, `ends` is its default then. `kept`: the function stores the live span as well, or ends it itself,
    so that its callers do not have to. `forwards`: keywords that the function does not have are passed to the start.
    `judges`: the function may set ERROR without an exception, by what its caller returns; `approves`: it may set OK
    then, which overrules the ERROR that the caller has set. `awaits` and `iterates`: the
    wrapper of a decorator waits until a coroutine or a generator of the decorated function is done. `hands_out`: it
    returns what the function gives, be that a generator.
    """

    form: str
    name: str | None = None
    kind: str | None = otel.KIND_INTERNAL
    current: bool = True
    records: bool | None = True
    sets_status: bool | None = True
    ends: bool = True
    ends_by: str | None = None
    kept: bool = False
    forwards: bool = False
    judges: bool = False
    approves: bool = False
    awaits: bool = True
    iterates: bool = False
    hands_out: bool = False


@dataclass(frozen=True, slots=True)
class Writes:
    """Attributes that a function writes from what its caller gives.

    `signal` says what they are put on, `api` is what puts them there. `form`: "mapping" (`parameter` is a mapping of
    them), "pair" (`parameter` is the key and `value` the parameter of its value) or "keywords" (`**parameter`).
    `converted`: something is made of each value first, such as text.
    """

    signal: str
    api: str
    form: str
    parameter: str
    value: str = ""
    converted: bool = False


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """What a call of a project function means to its caller.

    `effects` maps a parameter to what the function certainly may do to it: end, record, status, inject, use,
    keep (stores or passes it on to an unknown owner). `ambient` is the same for the current span.
    `shielded`: no exception leaves it, as it catches all of them; `guards`: it is a decorator that makes functions so.
    `calls` are the dotted names of what it calls; `telemetry` whether it makes spans itself, and `parent` where those
    get their parent: "current", "given" (a context, links), None when it is not known. `text` are the parameters
    that it joins into the text it returns, () for one of few texts, ("*",) for unbounded text, None when unknown.
    `decorated` is the type that a library's decorator makes of it; `writes` the attributes that it takes from callers.
    `passes`: what it passes on to a span of what it is given: its parameter, the API and the parameter there.
    `generator`: a call only makes a generator. `hands_out`: as a decorator it returns what the function gives.
    `gives_current`: it returns the span that is current.
    `loops`: it does something more than once, for so long as its loop says; `endless`: for ever.
    """

    name: str
    parameters: tuple[str, ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()
    returns: str | None = None
    span: SpanFacts | None = None
    effects: tuple[tuple[str, frozenset[str]], ...] = ()
    ambient: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    telemetry: bool = False
    parent: str | None = None
    is_async: bool = False
    endless: bool = False
    loops: bool = False
    never_returns: bool = False
    shielded: bool = False
    guards: bool = False
    text: tuple[str, ...] | None = None
    decorated: str | None = None
    writes: tuple[Writes, ...] = ()
    passes: tuple[tuple[str, str, str], ...] = ()
    generator: bool = False
    hands_out: bool = False
    gives_current: bool = False

    def effect(self, parameter: str) -> frozenset[str] | None:
        """The effects on one parameter, None when the function has no such parameter."""
        return dict(self.effects).get(parameter)

    def default(self, parameter: str) -> str | None:
        """The parameter's default where it is a span kind (dotted) or literal text."""
        return dict(self.defaults).get(parameter)


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A project class: its bases by dotted name and the types of its attributes."""

    name: str
    bases: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    methods: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """What one file contributes. `path` is relative to the project root, `module` its dotted name from there.

    `script`: it does something when it is run, not just when it is called. `under_span` is what it calls inside of span
    blocks, `handled` what handlers of requests or messages call, and the handlers themselves, by framework;
    `registered` the functions of other files that it hands to a framework. `enters`: the kinds of the spans that it
    starts for what comes in, where that is no handler itself: a middleware, a hook, a decorator.
    `holding`: the classes of the providers that it builds and that keep telemetry in memory for a while; `sends`:
    something in it may make a provider send that. `hurried`: see `otlint.model.setup.late.hurried`; `installs`: see
    `otlint.model.setup.installing.installs`; `adds`: the methods by which something in it puts a processor or reader on
    a provider. `correlates`: something in it may put the ids of spans on log records, and `exports_logs` makes the
    instrumentation of logging export them.
    `coroutines`: what decorates an `async def` in it. `may_not_fork`: see `otlint.model.setup.pools.may_not_fork`.
    `driven`: see `otlint.model.spans.generators.driven`. `apart`: see `otlint.model.errors.strays.apart`.
    `instruments`: see `otlint.model.metrics.conflicts.made`. `requires`: see `otlint.model.code.optional.requires`.
    """

    path: str
    module: str
    aliases: tuple[tuple[str, str], ...] = ()
    stars: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    functions: tuple[FunctionFacts, ...] = ()
    classes: tuple[ClassFacts, ...] = ()
    imports: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    under_span: frozenset[str] = frozenset()
    handled: tuple[tuple[str, frozenset[str]], ...] = ()
    registered: tuple[tuple[str, str], ...] = ()
    enters: frozenset[str] = frozenset()
    script: bool = False
    holding: frozenset[str] = frozenset()
    sends: bool = False
    hurried: frozenset[tuple[str, str]] = frozenset()
    installs: tuple[tuple[str, str, bool], ...] = ()
    adds: frozenset[str] = frozenset()
    correlates: bool = False
    exports_logs: bool = False
    may_not_fork: bool = False
    coroutines: frozenset[str] = frozenset()
    instruments: tuple[tuple[str, str, str, str | None, str | None], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()
    driven: tuple[tuple[str, str], ...] = ()
    requires: bool | None = None
