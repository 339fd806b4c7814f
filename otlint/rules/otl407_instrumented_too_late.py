"""OTL407: an instrumentor that is switched on after what it replaces was looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module
    from otlint.model.setup.late import Late

# How an instrumentor is told of one object: by a method of its own, or by an argument of `instrument()`.
_METHOD = "instrument_app"
_ARGUMENT = {"sqlalchemy": "engine"}


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.late import late

    if module.is_spared_test:
        return
    for found in late(module):
        # from flask import Flask
        # FlaskInstrumentor().instrument()
        name = found.name.rpartition(".")[2]
        before = f"`{found.other}` has imported" if found.other is not None else f"`{name}` has been looked up"
        what = f"`{name}` before it calls this" if found.other is not None else "before"
        yield module.finding(
            found.call,
            f"{before} {what}, so what is made of it is not instrumented; "
            f"{_advice(found)}, or call this before `{name}` is imported",
            related=[(found.taken, f"`{name}` is looked up here")] if found.taken is not None else [],
            fix=_fix(module, found),
        )


def _advice(found: Late) -> str:
    how = _how(found)
    if how is None:
        return "look it up in its module when it is called"
    return f"use `{_METHOD}()`" if how == _METHOD else f"give `{how}=`"


def _how(found: Late) -> str | None:
    from otlint import known

    key = found.name.partition(".")[0]
    has = any(found.name in each.replaces and _METHOD in each.objects for each in known.instrumentors().values())
    return _METHOD if has else _ARGUMENT.get(key)


def _fix(module: Module, found: Late) -> Fix | None:
    """Name the one thing that has been made in the same place, before."""
    how = _how(found)
    name = _variable(module, found.made[0], found.call) if len(found.made) == 1 else None
    if how is None or name is None or any(arg.keyword is None for arg in found.call.args):
        return None
    if how != _METHOD:
        return Fix(f"give `{how}={name}`", Safety.SAFE, edits.set_argument(module, found.call, how, name))
    renamed = edits.rename_function(module, found.call, _METHOD)
    given = edits.insert_argument(module, found.call, name)
    return Fix(f"use `{_METHOD}({name})`", Safety.SAFE, (*renamed, *given))


def _variable(module: Module, made: cst.Call, at: cst.Call) -> str | None:
    """The only name of what a call makes, where it is certainly bound at a later node of the same function."""
    import libcst as cst

    statement = module.walk.parent[made]
    if not isinstance(statement, cst.Assign | cst.AnnAssign) or module.function_of(made) is not module.function_of(at):
        return None
    target = statement.targets[0].target if isinstance(statement, cst.Assign) else statement.target
    if not isinstance(target, cst.Name) or module.walk.order[made] > module.walk.order[at]:
        return None
    bindings = module.names.reaching(target.value, at)
    block = module.walk.parent[module.walk.parent[statement]]
    sure = len(bindings) == 1 and bindings[0].node is statement and module.walk.inside(at, block)
    return target.value if sure else None
