"""OTL515: an exporter that prints, in code that is deployed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.code.walk import Node
    from otlint.model.module import Module

# Conditions that have nothing to do with where the program runs: whether telemetry is there, or is set up already.
_NEUTRAL = re.compile(r"(?i)__name__|availab|initiali[sz]|configured|installed|\bhas_|\bis (?:not )?none|enable")
_ABOUT = re.compile(
    r"(?i)debug|console|stdout|print|dev|local|prod|environ|\benv|stag|endpoint|verbose|test|otlp|export"
)
_PURPOSE = re.compile(r"(?i)debug|console|stdout|print|(?:^|_)dev|local|(?:^|_)test|demo|example")
_OUTPUT = re.compile(r"(?i)debug|console|stdout|print")
_STREAMS = frozenset({"sys.stdout", "sys.stderr"})


@rule(Level.INFO)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.exporters import exporters, is_example

    if module.is_spared_test:
        return
    if module.silenced(module.tree, is_example(module.path) and "the file is an example, which may print"):
        return
    name = module.path.rpartition("/")[2].removesuffix(".py")
    if module.silenced(module.tree, _OUTPUT.search(name) and "the name of the file says what it is for"):
        return
    for exporter in exporters(module):
        if not exporter.is_console:
            continue
        if module.silenced(exporter.call, _elsewhere(module, exporter.call) and "it writes to something else"):
            continue
        shaped = module.argument(exporter.call, "formatter") is not None
        if module.silenced(exporter.call, shaped and "what it prints is given a form, so somebody reads it"):
            continue
        if module.silenced(exporter.call, _is_chosen(module, exporter.call) and "it is used under a condition only"):
            continue
        yield module.finding(
            exporter.call,
            f"`{exporter.name}` prints all {_what(exporter.signal)} to the output of the process, wherever it runs; "
            "leave it out, or use it only where somebody debugs",
        )


def _what(signal: str) -> str:
    return {"traces": "spans", "metrics": "metrics", "logs": "log records"}[signal]


def _elsewhere(module: Module, call: cst.Call) -> bool:
    """`ConsoleSpanExporter(out=file)`."""
    given = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "out"), None)
    return given is not None and module.api(given.value) not in _STREAMS


def _is_chosen(module: Module, call: cst.Call, depth: int = 0) -> bool:
    """Whether the call is reached under a condition, or in a function that is, or for a purpose that says so."""
    import libcst as cst

    below: Node = call
    for up in module.walk.ancestors(call):
        if isinstance(up, cst.ExceptHandler | cst.MatchCase | cst.Lambda | cst.BooleanOperation):
            return True
        branch = up if isinstance(up, cst.If | cst.IfExp) and below is not up.test else None
        if branch is not None and not (below is branch.body and _is_neutral(module, branch.test)):
            return True
        if isinstance(up, cst.BaseSuite | cst.Module) and _is_left_before(module, up, below):
            return True
        if isinstance(up, cst.ClassDef) and _PURPOSE.search(up.name.value):
            return True
        if isinstance(up, cst.FunctionDef):
            if _PURPOSE.search(up.name.value):
                return True
            sites = module.values.call_sites(up) if depth < 2 else []
            if sites and all(_is_chosen(module, site, depth + 1) for site in sites):
                return True
        below = up
    return False


def _is_left_before(module: Module, block: cst.BaseSuite | cst.Module, below: Node) -> bool:
    """`if endpoint: …; return` before it: it is what is left then."""
    import libcst as cst

    for statement in block.body:
        if statement is below:
            return False
        if isinstance(statement, cst.If) and not _is_neutral(module, statement.test):
            last = statement.body.body[-1] if statement.body.body else None
            last = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
            if isinstance(last, cst.Return | cst.Raise | cst.Continue):
                return True
    return False


def _is_neutral(module: Module, test: Node) -> bool:
    text = module.code(test)
    return _NEUTRAL.search(text) is not None and _ABOUT.search(text.replace("otel", "")) is None
