"""OTL115: a span that continues the caller's trace by hand, beside the one that an instrumentor makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.code.walk import Node
    from otlint.model.context.siblings import Sibling
    from otlint.model.module import Module


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.context.siblings import siblings

    if module.is_spared_test:
        return
    for found in siblings(module):
        attached = module.api(found.call.func) == otel.ATTACH
        what = "the spans that follow become siblings" if attached else "the span becomes a sibling"
        yield module.finding(
            found.call,
            f"{found.why.text}, so {what} of the request's span; "
            + ("attach nothing" if attached else "leave `context=` out"),
            fix=None if attached else _fix(module, found),
        )


def _fix(module: Module, found: Sibling) -> Fix | None:
    """Leaves the context out, and what is there for it alone: the statement that extracts it, the import for that."""
    import libcst as cst

    call, given = found.call, found.given
    at = next((at for at, arg in enumerate(call.args) if arg.value is given), None)
    if at is None or any(arg.keyword is None for arg in call.args[at + 1 :]):
        return None
    statement = _extraction(module, given) if isinstance(given, cst.Name) else None
    if statement is None and not isinstance(given, cst.Call):
        return None
    made = edits.remove_argument(module, call, call.args[at])
    gone: list[Node] = [call.args[at]]
    if statement is not None:
        gone.append(statement)
        made = (*made, *edits.delete_statement(module, statement))
    made = (*made, *edits.leftover_imports(module, *gone))
    return Fix("leave `context=` out", Safety.UNSAFE, made)


def _extraction(module: Module, given: cst.Name) -> cst.Assign | None:
    """`ctx = extract(request.headers)`, where nothing else names `ctx`."""
    import libcst as cst

    bindings, function = module.names.reaching(given.value, given), module.function_of(given)
    statement = bindings[0].node if len(bindings) == 1 else None
    if not isinstance(statement, cst.Assign) or len(statement.targets) != 1 or function is None:
        return None
    if module.function_of(statement) is not function or not isinstance(statement.value, cst.Call):
        return None
    named = [each for each in module.walk.named(given.value, function) if each is not given]
    return statement if named == [statement.targets[0].target] else None
