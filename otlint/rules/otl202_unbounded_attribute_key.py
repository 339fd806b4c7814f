"""OTL202: an attribute key that is built from something without bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import otel
from otlint.finding import Finding, Level
from otlint.known import semconv
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

# What is written once in the life of a process, so that its keys are few whatever they hold.
_ONCE = frozenset({"resource", "scope"})


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    if module.is_spared_test:
        return
    texts = module.texts.allowing(module.options.get("allow-values"))
    seen: set[cst.CSTNode] = set()
    for write in module.attributes:
        if write.name is not None or write.signal in _ONCE or write.key in seen:
            continue
        seen.add(write.key)
        text = texts.of(write.key)
        few = text.words if not text.is_unbounded else texts.is_count(text) and "it counts, and mostly not far"
        if module.silenced(write.key, few) or text.source is None:
            continue
        known = _start(write.key)
        if module.silenced(write.key, semconv.template(known) and f"the conventions have keys below `{known}`"):
            continue
        viewed = write.signal == "metric" and module.project.calls(otel.VIEW)
        if module.silenced(write.call, viewed and "a view of the project may drop the attribute"):
            continue
        yield module.finding(
            write.key,
            f"the key holds {module.quoted(text.source)}, and each of its countless values is an attribute of its own; "
            "use a constant key and put the value into the value",
            related=[] if module.walk.inside(write.key, write.call) else [(write.call, "written here")],
        )


def _start(key: cst.BaseExpression) -> str:
    """The words that the key starts with, whatever it holds: `http.request.header.`."""
    import libcst as cst

    if isinstance(key, cst.FormattedString):
        first = key.parts[0]
        return first.value if isinstance(first, cst.FormattedStringText) else ""
    if isinstance(key, cst.BinaryOperation):
        return _start(key.left)
    value = key.evaluated_value if isinstance(key, cst.SimpleString) else None
    return value if isinstance(value, str) else ""
