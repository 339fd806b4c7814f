"""Spans of kind CLIENT or SERVER for what an instrumentor, or the library itself, makes a span of that kind for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.kinds import work as working
from otlint.model.kinds.purpose import entering

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.reason import Reason
    from otlint.model.spans.span import Span

# Calls for which an instrumentor certainly makes one CLIENT span each.
_ROLES = frozenset({"http", "db", "rpc"})


def doubled(module: Module) -> Iterator[tuple[Span, str, Reason]]:
    """The spans, what each stands for in words, and why there is another one of that kind."""
    for span in module.spans:
        if span.helper is not None or module.argument(span.start, "context") is not None:
            continue  # one with a parent of its own stands beside the other one: a matter of its own
        if span.kind == otel.KIND_CLIENT:
            yield from _calling(module, span)
        elif span.kind == otel.KIND_SERVER:
            yield from _serving(module, span)


def _calling(module: Module, span: Span) -> Iterator[tuple[Span, str, Reason]]:
    work = working.of_span(module, span)
    done = work.single(module) if work is not None and work.other is None else None
    if done is None or done.operation.role not in _ROLES:
        return
    reason = module.instrumentation.of(done.operation.instrumentors)
    if reason is not None:
        yield span, f"the call of `{done.name(module)}`", reason


def _serving(module: Module, span: Span) -> Iterator[tuple[Span, str, Reason]]:
    entry = module.entries.of(span.function) if isinstance(span.function, cst.FunctionDef) else None
    if entry is None or entry.kind != "SERVER" or entering(module, span) is None:
        return
    reason = module.instrumentation.of(entry.instrumentors, entry.native)
    if reason is not None:
        yield span, f"the request that {entry.key.partition('.')[2]} hands over", reason
