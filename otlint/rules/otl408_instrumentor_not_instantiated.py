"""OTL408: `instrument()` called on an instrumentor's class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

_METHODS = frozenset({"instrument", "uninstrument"})


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    import libcst as cst

    for call in module.walk.all(cst.Call):
        # RequestsInstrumentor.instrument(tracer_provider=provider)
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value not in _METHODS:
            continue
        cls = _class(module, func.value)
        if cls is None or module.silenced(call, _gives_instance(call) and "the instance is given as an argument"):
            continue
        name, method = cls.rpartition(".")[2], func.attr.value
        written = module.code(func.value)
        yield module.finding(
            call,
            f"`{method}` is called on the class `{name}`, which raises TypeError; call it on `{name}()`",
            fix=Fix(f"call it on `{name}()`", Safety.SAFE, edits.replace(module, func.value, f"{written}()")),
        )


def _class(module: Module, expression: cst.BaseExpression) -> str | None:
    """The instrumentor that an expression is, not an instance of it; one of them for the variable of a loop."""
    import libcst as cst

    if isinstance(expression, cst.Name):
        bindings = module.names.reaching(expression.value, expression)
        each = bindings[0] if len(bindings) == 1 else None
        if each is not None and each.kind == "for" and isinstance(each.value, cst.List | cst.Tuple | cst.Set):
            found = [_class(module, element.value) for element in each.value.elements]
            return found[0] if found and None not in found else None
    dotted = module.api(expression)
    return dotted if dotted is not None and _is_instrumentor(module, dotted) else None


def _is_instrumentor(module: Module, dotted: str) -> bool:
    if dotted.startswith(otel.INSTRUMENTATION):
        return dotted.endswith("Instrumentor") and dotted not in otel.INSTRUMENTORS
    definition, symbol = module.values.cls(dotted), module.values.symbol(dotted)
    bases = module.values.bases(definition) if definition is not None else []
    bases += symbol.cls.bases if symbol is not None and symbol.cls is not None else ()
    return not otel.INSTRUMENTORS.isdisjoint(bases)


def _gives_instance(call: cst.Call) -> bool:
    """`Base.instrument(self)` is how a subclass calls its base."""
    return any(arg.keyword is None for arg in call.args)
