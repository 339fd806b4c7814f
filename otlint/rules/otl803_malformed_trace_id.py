"""OTL803: a trace or span id as text that nobody else would know it by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.attributes.ids import Written
    from otlint.model.module import Module

_WIDTHS = {"trace_id": "032x", "span_id": "016x"}


@rule(Level.WARNING, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.attributes.ids import written

    if module.is_spared_test:
        return
    for text in written(module):
        function = otel.FORMAT_IDS[text.field].rpartition(".")[2]
        yield module.finding(
            text.node,
            f"`{text.field}` does not look like the exported id, as {text.fault}; write it with `{function}`",
            fix=None if text.is_number else _fix(module, text),
        )


def _fix(module: Module, text: Written) -> Fix:
    import libcst as cst

    value = module.code(text.value)
    if isinstance(text.node, cst.FormattedStringExpression):
        width = _WIDTHS[text.field]
        return Fix("write all digits", Safety.SAFE, edits.replace(module, text.node, f"{{{value}:{width}}}"))
    function, imports = edits.reference(module, otel.FORMAT_IDS[text.field], text.node)
    changes = (*edits.replace(module, text.node, f"{function}({value})"), *imports)
    return Fix("write all digits", Safety.SAFE, changes)
