"""OTL204: a metric attribute with no bound on its values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.attributes import Attribute
    from otlint.model.module import Module


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
        unbounded = verdict.is_unbounded and not _is_index(module, verdict.origin)
        if not unbounded and not _is_error_text(module, attribute.value):
            continue
        seen.add(attribute.key)
        if module.silenced(attribute.call, _is_filtered(module) and "a view of the project may drop the attribute"):
            continue
        yield module.finding(
            attribute.key,
            f"{_named(attribute)} has no bound on its values, and each of them is a time series of its own; "
            "leave it out, or put it on a span",
            related=[] if module.walk.inside(attribute.key, attribute.call) else [(attribute.call, "measured here")],
        )


def _named(attribute: Attribute) -> str:
    return f"`{attribute.name}`" if attribute.name is not None else "this attribute"


def _is_error_text(module: Module, value: cst.BaseExpression) -> bool:
    """`str(exc)`, `exc` or `f"failed: {exc}"` of the exception that is handled."""
    import libcst as cst

    if isinstance(value, cst.FormattedString):
        parts = [each.expression for each in value.parts if isinstance(each, cst.FormattedStringExpression)]
        return any(_is_error_text(module, each) for each in parts)
    if isinstance(value, cst.Call):
        converts = module.api(value.func) in {"builtins.str", "builtins.repr"} and len(value.args) == 1
        return converts and _is_error_text(module, value.args[0].value)
    if not isinstance(value, cst.Name):
        return False
    bindings = module.names.reaching(value.value, value)
    return bool(bindings) and all(each.kind == "except" for each in bindings)


def _is_index(module: Module, origin: cst.CSTNode | None) -> bool:
    """Whether a number counts things of the program, of which there may be few: the turn of a loop, a length."""
    import libcst as cst

    call = origin.iter if isinstance(origin, cst.For | cst.CompFor) else origin
    counts = {"builtins.len", "builtins.range", "builtins.enumerate"}
    return isinstance(call, cst.Call) and module.api(call.func) in counts


def _is_filtered(module: Module) -> bool:
    """Whether some file of the project makes a view, which can leave attributes out."""
    return any(otel.VIEW in facts.calls for facts in module.project.files.values())
