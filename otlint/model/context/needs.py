"""What functions do, all the way down, that takes its parent from the current span."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otlint import known, otel

if TYPE_CHECKING:
    from otlint.model.facts.data import FunctionFacts
    from otlint.model.module import Module

_OWN_CONTEXT = frozenset({otel.ATTACH, "contextvars.Context.run", *otel.EXTRACTS})


class Needs:
    """What functions do that are called without a current span: `called` holds every name that they call.

    A function that brings a context of its own is not looked into.
    """

    def __init__(self, module: Module, names: set[str]) -> None:
        self.module = module
        self.called: set[str] = set()
        self.starts_spans = False
        waiting = sorted(names)
        while waiting:
            name = waiting.pop()
            self.called.add(name)
            facts = self._facts(name)
            if facts is None:
                self.starts_spans |= name in otel.STARTS or module.project.wrappers.starts_span(name)
            elif not self._brings_context(facts):
                self.starts_spans |= facts.parent == "current"
                waiting.extend(sorted(facts.calls - otel.STARTS - self.called))

    def instrumented(self) -> str | None:
        """An operation among what they call that an instrumentor gives a span of its own."""
        for name in sorted(self.called):
            operation = known.clients().operation(name)
            if operation is not None and self.module.instrumentation.of(operation.instrumentors | operation.beneath):
                return name
        return None

    def _facts(self, name: str) -> FunctionFacts | None:
        return facts_of(self.module, name)

    def _brings_context(self, facts: FunctionFacts) -> bool:
        if facts.parent == "given" or facts.calls & _OWN_CONTEXT:
            return True
        if otel.USE_SPAN in facts.calls and facts.parent is None:
            return True
        inner = (facts_of(self.module, each) for name in facts.calls for each in (name, f"{name}.__enter__"))
        return any(each is not None and otel.ATTACH in each.calls for each in inner)


def facts_of(module: Module, name: str) -> FunctionFacts | None:
    """The facts of a function of this file, nested ones included, or of another file of the project."""
    function = module.values.function(name)
    return module.helpers.of(function) if function is not None else module.project.function(name)
