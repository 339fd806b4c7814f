"""Providers that do nothing: without a processor or reader, never made the global one nor used, or not there at all."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.values import is_hidden
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.setup.providers import Provider

_FEEDS = {
    otel.SDK_PROVIDER: ("active_span_processor", "add_span_processor"),
    otel.METER_PROVIDER: ("metric_readers", "add_metric_reader"),
    otel.LOGGER_PROVIDER: ("multi_log_record_processor", "add_log_record_processor"),
}
# What is done to a provider without getting anything of it.
_HANDLED = frozenset({*otel.FEEDS_PROVIDER, "shutdown", "force_flush", "resource"})
_USES = frozenset({"get_tracer", "get_meter", "get_logger"})
_GIVEN = frozenset({"tracer_provider", "meter_provider", "logger_provider"})
# What makes use of spans that nobody exports: the ids in headers and logs.
_IDS = frozenset(
    {
        f"{otel.SPAN}.get_span_context",
        *otel.INJECTS,
        "opentelemetry.instrumentation.logging.LoggingInstrumentor.instrument",
    }
)
# What counts on a global provider.
_COUNTS = {
    otel.SDK_PROVIDER: frozenset({otel.GET_TRACER}),
    otel.METER_PROVIDER: frozenset({otel.GET_METER}),
    otel.LOGGER_PROVIDER: otel.LOG_HANDLERS | {otel.GET_LOGGER, otel.INSTRUMENT_LOGGING},
}
_BRANCHES = (cst.If, cst.IfExp, cst.BooleanOperation, cst.ExceptHandler, cst.MatchCase, cst.Else)


@dataclass(frozen=True, eq=False, slots=True)
class Idle:
    """`how`: "empty", "unused", "early" (a processor is put on a global provider that is none) or "itself"."""

    node: Node
    kind: str
    how: str


def idle(module: Module) -> Iterator[Idle]:
    """In source order of providers, those without use for a reader left out."""
    for provider in module.providers:
        uses = _uses(module, provider)
        how = _how(module, provider, uses) if uses is not None else None
        if how is not None and not module.silenced(provider.call, _unmissed(module, provider.kind)):
            yield Idle(provider.call, provider.kind, how)
        elif uses is None:
            module.silenced(provider.call, "it is handed to something that may use it")
    yield from _of_global(module)


def _how(module: Module, provider: Provider, uses: set[str]) -> str | None:
    alone = module.function_of(provider.call) is not None or _is_own(module, provider)
    if not uses & {"set", "used"} and alone:
        fed = "fed" in uses or module.argument(provider.call, _FEEDS[provider.kind][0]) is not None
        return "unused" if fed else None
    if "set" in uses and "fed" not in uses and not module.silenced(provider.call, _excuse(module, provider)):
        return "empty"
    return None


def _unmissed(module: Module, kind: str) -> str | None:
    """Why nobody is known to miss what goes nowhere."""
    counting = any(not _COUNTS[kind].isdisjoint(facts.calls) for facts in module.project.files.values())
    return None if counting else "nothing is known to count on a global provider"


def _uses(module: Module, provider: Provider) -> set[str] | None:
    """What is done with a provider: "set", "fed", "used"; None where something else may be."""
    up = module.walk.parent[provider.call]
    if isinstance(up, cst.Expr):
        return set()
    if isinstance(up, cst.Arg):
        found = _use(module, provider.call, provider.kind)
        return {found} if found is not None else None
    target = up.targets[0].target if isinstance(up, cst.Assign) and len(up.targets) == 1 else None
    target = up.target if isinstance(up, cst.AnnAssign) else target
    if isinstance(target, cst.Attribute):
        return _uses_of_attribute(module, target, provider)
    if not isinstance(target, cst.Name) or len(module.names.bindings(target.value, target)) != 1:
        return None
    uses: set[str] = set()
    for name in module.walk.named(target.value, module.tree):
        if name is target or not any(each.value is provider.call for each in module.names.reaching(name.value, name)):
            continue
        use = _use(module, name, provider.kind)
        if use is None:
            return None
        uses.add(use)
    return uses


def _uses_of_attribute(module: Module, target: cst.Attribute, provider: Provider) -> set[str] | None:
    """The same for `self.provider`; others may use it, so that one that is never set is not known to be idle."""
    owner = module.names.owner_class(target.value) if isinstance(target.value, cst.Name) else None
    name = target.attr.value
    if owner is None or len(module.names.attributes.get((owner, name), [])) != 1:
        return None
    uses = {_use(module, found, provider.kind) for found in _reads(module, target, owner, name)}
    known = {use for use in uses if use is not None}
    return known if len(known) == len(uses) and "set" in known else None


def _reads(module: Module, target: cst.Attribute, owner: cst.ClassDef, name: str) -> Iterator[Node]:
    """`self.provider` in the class; any other `x.provider` of the file is no known use."""
    for each in module.walk.named(name, module.tree):
        read = module.walk.parent[each]
        if isinstance(read, cst.Attribute) and read.attr is each and read is not target:
            own = isinstance(read.value, cst.Name) and module.names.owner_class(read.value) is owner
            yield read if own else module.tree


def _use(module: Module, node: Node, kind: str) -> str | None:
    up = module.walk.parent.get(node)
    if isinstance(up, cst.Attribute) and up.value is node:
        if up.attr.value == _FEEDS[kind][1]:
            return "fed"
        return "used" if up.attr.value in _USES else "handled" if up.attr.value in _HANDLED else None
    call = module.walk.parent[up] if isinstance(up, cst.Arg) else None
    if not isinstance(call, cst.Call) or not isinstance(up, cst.Arg):
        return None
    if module.api(call.func) == otel.SET_PROVIDER[kind]:
        return "set"
    instruments = isinstance(call.func, cst.Attribute) and call.func.attr.value.startswith("instrument")
    return "used" if instruments and up.keyword is not None and up.keyword.value in _GIVEN else None


def _is_own(module: Module, provider: Provider) -> bool:
    """Whether no other file can get at a provider in a variable of this one."""
    up = module.walk.parent[provider.call]
    name = (
        up.targets[0].target.value if isinstance(up, cst.Assign) and isinstance(up.targets[0].target, cst.Name) else ""
    )
    own, project = module.names.module_name, module.project
    taken = (f"{own}.{name}", own)
    return not any(
        each.endswith(taken) or any(one.endswith(f".{each}") for one in taken)
        for facts in project.files.values()
        if facts.path != module.path
        for each in facts.imports
    )


def _excuse(module: Module, provider: Provider) -> str | None:
    """Why a provider without anything to send to may be meant, or be given something elsewhere."""
    argument, method = _FEEDS[provider.kind]
    given = module.argument(provider.call, argument)
    empty = isinstance(given, cst.List | cst.Tuple) and not given.elements
    if (given is not None and not empty) or is_hidden(provider.call):
        return "it is given what exports from it"
    if any(method in facts.adds for facts in module.project.files.values()):
        return "something puts a processor or reader on a provider"
    if any(isinstance(up, _BRANCHES) for up in module.walk.ancestors(provider.call)):
        return "it is used under a condition only"
    together = module.project.reach.together(module.path)
    if any(name.partition(".")[0] in _vendors() for facts in together for name in facts.imports):
        return "a distribution may put a processor or reader on it"
    if provider.kind != otel.SDK_PROVIDER:
        return None
    if any(facts.holding - {provider.kind} for facts in together):
        return "another signal is exported, which needs it for its ids"
    if any(not _IDS.isdisjoint(facts.calls) for facts in together):
        return "the ids of its spans are used"
    return None


@functools.cache
def _vendors() -> frozenset[str]:
    """The packages, other than OpenTelemetry's own, that set telemetry up."""
    names = {name.partition(".")[0] for each in known.distros().values() for name in (*each.calls, *each.imports)}
    return frozenset(names - {"opentelemetry"})


def _of_global(module: Module) -> Iterator[Idle]:
    for kind, setter in otel.SET_PROVIDER.items():
        for call in module.calls(setter):
            given = call.args[0].value if call.args else None
            if isinstance(given, cst.Call) and module.api(given.func) == otel.GET_PROVIDER[kind]:
                yield Idle(call, kind, "itself")
        for call in module.calls(*otel.ADD_PROCESSOR[kind]):
            if not isinstance(call.func, cst.Attribute) or not _is_global(module, call.func.value, kind):
                continue
            if not module.silenced(call, not _is_early(module, call, kind) and "a provider may be set before"):
                yield Idle(call, kind, "early")


def _is_global(module: Module, owner: cst.BaseExpression, kind: str) -> bool:
    """`trace.get_tracer_provider()`, also by a variable that holds nothing else."""
    origins = module.origins(owner)
    return bool(origins) and all(
        isinstance(each, cst.Call) and module.api(each.func) == otel.GET_PROVIDER[kind] for each in origins
    )


def _is_early(module: Module, call: cst.Call, kind: str) -> bool:
    """Whether certainly no provider is set when the call is made."""
    if any(isinstance(up, cst.Try | cst.If | cst.ExceptHandler) for up in module.walk.ancestors(call)):
        return False
    project, function = module.project, module.function_of(call)
    setters = module.calls(otel.SET_PROVIDER[kind])
    elsewhere = [facts for facts in project.files.values() if otel.SET_PROVIDER[kind] in facts.calls]
    if any(facts.path != module.path for facts in elsewhere) or not _is_bare(module):
        return False
    if not setters:
        return function is None and project.reach.is_program(module.path)
    flow = module.flow(function or module.tree)
    same = all(module.function_of(each) is function for each in setters)
    return same and not any(flow.reaches(each, call) for each in setters)


def _is_bare(module: Module) -> bool:
    """Whether nothing but the project's own code sets providers up."""
    deployments = module.project.deployments
    deployment = deployments.for_path(module.path) if deployments is not None else None
    if deployment is not None and (deployment.launches or deployment.hints):
        return False
    together = module.project.reach.together(module.path)
    return not any(name.partition(".")[0] in _vendors() for facts in together for name in facts.imports)
