"""OTL516: a provider that exports telemetry of a service without a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module
    from otlint.model.reason import Reason

_VARIABLES = ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES")
_CREATES = frozenset({otel.RESOURCE, otel.RESOURCE_CREATE})
_SIGNALS = {otel.SDK_PROVIDER: "traces", otel.METER_PROVIDER: "metrics", otel.LOGGER_PROVIDER: "logs"}


@rule(Level.INFO)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.exporters import exporters

    if not (module.providers or module.calls(otel.RESOURCE_MERGE)) or module.is_spared_test:
        return
    if module.silenced(module.tree, _named_outside(module)):
        return
    remote = {each.signal for each in exporters(module) if each.is_remote}
    for provider in module.providers:
        if not _is_nameless(module, provider.call):
            continue
        local = _SIGNALS[provider.kind] not in remote
        if module.silenced(provider.call, local and "nothing in this file is known to export from it"):
            continue
        if module.silenced(provider.call, _drops_all(module, provider.call) and "its sampler drops everything"):
            continue
        yield module.finding(
            provider.call,
            f"this provider names no service, so its {_SIGNALS[provider.kind]} are those of `unknown_service`; "
            "give it a `Resource` with `service.name`, or set OTEL_SERVICE_NAME",
        )
    for call in module.calls(otel.RESOURCE_MERGE):
        other = module.argument(call, "other")
        func = call.func
        if other is None or not _is_plain(module, other) or not _is_named(module, func):
            continue
        yield module.finding(
            other,
            "this resource names no service, and what is merged in wins, so `service.name` becomes `unknown_service`; "
            "merge the other way round",
        )


def _named_outside(module: Module) -> Reason | str | None:
    """What names the service, other than the resource."""
    from otlint.model.reason import Reason

    said = next((name for name in _VARIABLES if name in module.source.text), None)
    if said is not None:
        return f"the file speaks of {said}"
    deployments = module.project.deployments
    if deployments is None:
        return None
    own = deployments.for_path(module.path)
    for each in (own, *deployments.units.values()):
        attributes = each.env.get("OTEL_RESOURCE_ATTRIBUTES", "")
        if "OTEL_SERVICE_NAME" in each.env or "service.name" in attributes:
            return "a file that deploys the project sets the variable that names the service"
    return Reason(f"it is launched with what may name it ({own.evidence.path})") if own.evidence is not None else None


def _drops_all(module: Module, call: cst.Call) -> bool:
    """`sampler=ALWAYS_OFF`, and `ParentBased(ALWAYS_OFF)` for what begins here."""
    import libcst as cst

    given = module.argument(call, "sampler")
    if isinstance(given, cst.Call) and module.api(given.func) == otel.PARENT_BASED and given.args:
        given = given.args[0].value
    return given is not None and module.api(given) in otel.DROPS_ALL


def _is_nameless(module: Module, call: cst.Call) -> bool:
    """Whether a provider certainly has no resource of its own, or one without a name, on every way."""
    from otlint.model.code.values import is_hidden

    given = module.argument(call, "resource")
    if given is None:
        return not is_hidden(call)
    found = module.origins(given)
    return bool(found) and all(_is_plain(module, each) for each in found)


def _is_plain(module: Module, expression: cst.BaseExpression) -> bool:
    """`Resource.create()`, `Resource.create({"host.name": host})`, `None`."""
    import libcst as cst

    from otlint.model.setup.resources import keys

    if isinstance(expression, cst.Name) and expression.value == "None":
        return True
    if not isinstance(expression, cst.Call) or module.api(expression.func) not in _CREATES:
        return False
    names = keys(module, expression)
    return names is not None and "service.name" not in names


def _is_named(module: Module, method: cst.BaseExpression) -> bool:
    """Whether a resource that something is merged into has a name."""
    import libcst as cst

    from otlint.model.setup.resources import keys

    found = module.origins(method.value) if isinstance(method, cst.Attribute) else []
    calls = [each for each in found if isinstance(each, cst.Call) and module.api(each.func) in _CREATES]
    return bool(found) and len(calls) == len(found) and all("service.name" in (keys(module, c) or ()) for c in calls)
