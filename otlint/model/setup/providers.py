"""The SDK providers that a file builds, what of theirs waits in memory, and what makes them send it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import is_hidden
from otlint.model.code.walk import Node
from otlint.model.reason import Elsewhere, Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

SENDS = frozenset({"shutdown", "force_flush"})
# Exporters with which nothing is lost that anybody waits for.
_LOCAL = re.compile(r"(?:Console|InMemory|NoOp|File)\w*")
# What a thing of another library is called that may send what a provider holds.
_TELEMETRY = re.compile(r"(?i)otel|telemetry|trac|span|metric|instrument|provider|export|observ|logfire|langfuse")
# Arguments that the `shutdown` of executors and schedulers takes.
_EXECUTOR_ARGUMENTS = frozenset({"wait", "cancel_futures", "cancel_jobs"})
_BY_NAME = frozenset({"builtins.getattr", "builtins.hasattr", "operator.methodcaller"})


@dataclass(frozen=True, eq=False, slots=True)
class Provider:
    """One provider of the SDK.

    `kind` is its class. `batch` is what keeps telemetry in memory for a while on its way to another process: a batch
    processor or a periodic reader; None when it is not known to have one. `at_exit` is `shutdown_on_exit`, None when
    that is not known; `at_exit_argument` the argument that says it.
    """

    call: cst.Call
    kind: str
    batch: Node | None
    at_exit: bool | None = True
    at_exit_argument: cst.BaseExpression | None = None


def providers(module: Module) -> list[Provider]:
    """The providers that the file builds, in source order."""
    built = module.calls(*otel.SDK_PROVIDERS)
    kinds = [module.api(call.func) or "" for call in built]
    return [_provider(module, call, kind, kinds.count(kind) == 1) for call, kind in zip(built, kinds, strict=True)]


def _provider(module: Module, call: cst.Call, kind: str, alone: bool) -> Provider:
    at_exit = module.argument(call, "shutdown_on_exit")
    meant = module.origins(at_exit) if at_exit is not None else []
    says = meant[0].value if len(meant) == 1 and isinstance(meant[0], cst.Name) else None
    value = {"True": True, "False": False}.get(says or "", None if at_exit is not None or is_hidden(call) else True)
    return Provider(call, kind, next(_batches(module, call, kind, alone), None), value, at_exit)


def _batches(module: Module, call: cst.Call, kind: str, alone: bool) -> Iterator[Node]:
    """What holds the provider's telemetry back: given to it, or added where the file certainly means this one."""
    for name in ("active_span_processor", "multi_log_record_processor"):
        given = module.argument(call, name)
        if given is not None and _holds_back(module, given):
            yield given
    if kind == otel.METER_PROVIDER and (module.argument(call, "metric_readers") is not None or is_hidden(call)):
        for reader in module.calls(otel.PERIODIC_READER):
            together = module.function_of(reader) is module.function_of(call)
            if (alone or together) and _holds_back(module, reader):
                yield reader
    for add in module.calls(*otel.ADD_PROCESSOR[kind]):
        processor = add.args[0].value if add.args else None
        if processor is not None and _holds_back(module, processor):
            assert isinstance(add.func, cst.Attribute)
            if alone or any(origin is call for origin in module.origins(add.func.value)):
                yield processor


def _holds_back(module: Module, processor: cst.BaseExpression) -> bool:
    """Whether it is a batch processor or periodic reader, and not certainly of an exporter to this process."""
    if not _is_batch(module, module.type(processor)):
        return False
    for origin in module.origins(processor):
        exporter = None
        if isinstance(origin, cst.Call):
            exporter = module.argument(origin, "span_exporter") or module.argument(origin, "exporter")
        kind = module.type(exporter) if exporter is not None else None
        if kind is not None and _LOCAL.fullmatch(kind.rpartition(".")[2]):
            return False
    return True


def _is_batch(module: Module, kind: str | None) -> bool:
    """Whether a type is one of the SDK's that hold telemetry back, or derived from one."""
    definition = module.values.cls(kind)
    symbol = module.values.symbol(kind)
    bases = module.values.lineage(definition) if definition is not None else []
    bases += symbol.cls.bases if symbol is not None and symbol.cls is not None else ()
    return not otel.BATCH_PROCESSORS.isdisjoint([*bases, kind])


def variable(module: Module, provider: Provider, at: Node) -> str | None:
    """The name of a variable that certainly holds the provider at a node."""
    statement = module.walk.parent.get(provider.call)
    target = statement.targets[0].target if isinstance(statement, cst.Assign) else None
    if not isinstance(target, cst.Name):
        return None
    bindings = module.names.reaching(target.value, at)
    held = len(bindings) == 1 and bindings[0].value is provider.call
    together = module.function_of(at) is module.function_of(provider.call)
    before = module.walk.order[provider.call] < module.walk.order[at]
    return target.value if held and (before or not together) else None


def is_global(module: Module, provider: Provider) -> bool:
    """Whether the file makes the provider the global one."""
    for call in module.calls(otel.SET_PROVIDER[provider.kind]):
        given = call.args[0].value if call.args else None
        if given is None:
            continue
        if any(origin is provider.call for origin in module.origins(given)):
            return True
        if isinstance(given, cst.Attribute) and isinstance(given.value, cst.Name):
            cls = module.names.owner_class(given.value)
            bound = module.names.attributes.get((cls, given.attr.value), []) if cls is not None else []
            if len(bound) == 1 and bound[0].value is provider.call:
                return True
    return False


def registered_again(module: Module) -> Iterator[tuple[cst.Call, cst.Expr | None]]:
    """Every `atexit.register(provider.shutdown)` for a provider that has done so itself, and the statement it is."""
    for call in module.calls("atexit.register"):
        method = call.args[0].value if len(call.args) == 1 else None
        if not isinstance(method, cst.Attribute) or method.attr.value != "shutdown":
            continue
        origins = module.origins(method.value)
        if origins and all(
            any(each.call is origin and each.at_exit for each in module.providers) for origin in origins
        ):
            statement = module.walk.parent[call]
            yield call, statement if isinstance(statement, cst.Expr) else None


def sending(module: Module) -> Node | None:
    """The first shutdown or flush of what may be a provider."""
    named = [each for name in sorted(SENDS) for each in module.walk.named(name, module.tree)]
    found = ((each, module.walk.parent[each]) for each in named)
    return next(
        (up for each, up in found if isinstance(up, cst.Attribute) and up.attr is each and may_send(module, up)), None
    )


def sends(module: Module) -> bool:
    """Whether anything in the file may make a provider send what it holds: any shutdown or flush of what it may be."""
    walk = module.walk
    if not any(name in module.source.text for name in SENDS):
        return False
    return sending(module) is not None or any(
        each.raw_value in SENDS and isinstance(up := walk.parent[walk.parent[each]], cst.Call) and _by_name(module, up)
        for each in walk.all(cst.SimpleString)
    )


def kept(module: Module, provider: Provider) -> Reason:
    """Why nothing of what a provider holds is known to be lost at the end."""
    if provider.batch is None:
        return Reason("it is not known to hold anything back: no batch processor exports to another process")
    if module.declared.shutdown_handled:
        return Reason("`shutdown-handled` of the configuration says that it is shut down")
    if sends(module):
        return Reason("something in this file shuts providers down or flushes them", sending(module))
    if module.sends:
        return Reason("something that runs with it may send what it holds", partial(_sender, module))
    if provider.at_exit is None:
        return Reason("whether it shuts itself down at exit is not known", provider.at_exit_argument)
    return Reason("it shuts itself down at exit, and nothing is known by which the process ends without that")


def _sender(module: Module) -> Elsewhere | None:
    """The file whose facts say that it sends."""
    path = module.project.reach.sender(module.path)
    return Elsewhere(path, sending) if path is not None else None


def _by_name(module: Module, call: cst.Call) -> bool:
    return module.api(call.func) in _BY_NAME


def may_send(module: Module, attribute: cst.Attribute) -> bool:
    """Whether `x.shutdown` or `x.force_flush` may be that of a provider: all that is not certainly another's."""
    call = module.walk.parent.get(attribute)
    if isinstance(call, cst.Call) and any(
        arg.keyword and arg.keyword.value in _EXECUTOR_ARGUMENTS for arg in call.args
    ):
        return False
    api = module.api(attribute)
    if api is None or otel.is_otel(api):
        return True
    own = module.values.function(api) is not None or module.values.symbol(api) is not None
    if own or api.partition(".")[0] in sys.stdlib_module_names:
        return False  # what is the project's own says itself what it does
    return _TELEMETRY.search(api) is not None
