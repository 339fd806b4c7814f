"""OTL204: a metric attribute with no bound on its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.attributes.written import Attribute
    from otlint.model.module import Module
    from otlint.model.text.bounds import Text


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    if module.is_spared_test:
        return
    allowed = module.options.get("allow-values")
    texts = module.texts.allowing(allowed)
    seen: set[cst.CSTNode] = set()
    for attribute in module.attributes:
        # requests.add(1, {"path": request.path})
        if attribute.signal != "metric" or attribute.value is None or attribute.key in seen:
            continue
        verdict = texts.of(attribute.value)
        unbounded = verdict.is_unbounded and not texts.is_count(verdict)
        if (
            not unbounded
            and not _is_said(attribute, verdict)
            and not _holds(module, attribute.value, _is_error)
            and not _holds(module, attribute.value, _is_measured)
        ):
            continue
        seen.add(attribute.key)
        if module.silenced(
            attribute.call, module.project.calls(otel.VIEW) and "a view of the project may drop the attribute"
        ):
            continue
        if module.silenced(
            attribute.call, _knows_routes(module, attribute, verdict) and "paths without a route are measured otherwise"
        ):
            continue
        yield module.finding(
            attribute.key,
            f"{_named(attribute)} has no bound on its values, and each of them is a time series of its own; "
            "leave it out, or put it on a span",
            related=[] if module.walk.inside(attribute.key, attribute.call) else [(attribute.call, "measured here")],
        )


def _is_said(attribute: Attribute, verdict: Text) -> bool:
    """Whether the key says that each thing has a value of its own, where nothing is known of what it is set to."""
    import libcst as cst

    from otlint.model.text.bounds import Bound
    from otlint.model.text.wording import is_identity, says_unbounded

    if verdict.bound is not Bound.UNKNOWN or not isinstance(attribute.value, cst.Name | cst.Subscript):
        return False
    key = (attribute.name or "").replace(".", "_").replace("-", "_")
    return is_identity(key) and says_unbounded(key)


def _knows_routes(module: Module, attribute: Attribute, verdict: Text) -> bool:
    """Whether it is the path of a request, and the code around asks for 404: how many others there are is not known.

    if status != 404: duration.record(taken, {"path": request.url.path})
    """
    import libcst as cst

    from otlint.model.text.pieces import last_name

    if verdict.origin is None or last_name(verdict.origin) != "path":
        return False
    around = [up for up in module.walk.ancestors(attribute.call) if isinstance(up, cst.FunctionDef)]
    tests = module.walk.all(cst.Comparison, within=around[-1]) if around else ()
    return any("404" in (text := module.code(test)) or "NOT_FOUND" in text for test in tests)


def _named(attribute: Attribute) -> str:
    return f"`{attribute.name}`" if attribute.name is not None else "this attribute"


def _holds(module: Module, value: cst.BaseExpression, is_unbounded: Callable[[Module, cst.Name], bool]) -> bool:
    """`exc`, `str(exc)` or `f"failed: {exc}"`."""
    import libcst as cst

    if isinstance(value, cst.FormattedString):
        parts = [each.expression for each in value.parts if isinstance(each, cst.FormattedStringExpression)]
        return any(_holds(module, each, is_unbounded) for each in parts)
    if isinstance(value, cst.Call):
        converts = module.api(value.func) in {"builtins.str", "builtins.repr", "builtins.round"} and value.args
        return bool(converts) and _holds(module, value.args[0].value, is_unbounded)
    return isinstance(value, cst.Name) and is_unbounded(module, value)


def _is_error(module: Module, name: cst.Name) -> bool:
    """Whether it is the exception that is handled."""
    bindings = module.names.reaching(name.value, name)
    return bool(bindings) and all(each.kind == "except" for each in bindings)


def _is_measured(module: Module, name: cst.Name) -> bool:
    """Whether it is a number that was measured: `lag_ms`, `longitude`."""
    from otlint.model.text.bounds import Bound
    from otlint.model.text.wording import is_measured

    is_text = module.type(name) in {"builtins.str", "builtins.bool"}
    return is_measured(name.value) and not is_text and module.texts.of(name).bound is not Bound.BOUNDED
