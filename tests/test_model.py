"""The model's answers: the pages of tests/model, one test per example.

A comment asks about its line: `# type: opentelemetry.trace.Span`. The subject is the line's first expression that is
no target: the value assigned, the item of a `with`, a decorator, an argument on a line of its own, or the function
that a `def` defines. `# todo: type: …` is the right answer where the model has another one; it fails once they agree.
`OTLINT_UPDATE_GOLDEN=1` writes the model's answers into the pages, except those that are `todo`.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import libcst as cst
import pytest

from otlint import otel
from otlint.gather import Gathered, gather
from otlint.model.code.walk import Node
from otlint.model.errors.handlers import Handler
from otlint.model.errors.outcome import outcome
from otlint.model.facts.data import SpanFacts
from otlint.model.module import Module
from otlint.model.spans.span import Span
from otlint.parse import parse
from otlint.source import Source
from tests import spec

PAGES = [Path(__file__).parent / "model" / f"{name}.md" for name in
         ("names", "values", "spans", "helpers", "text", "project", "handlers", "ownership", "attributes")]  # fmt: skip

# -- questions ----------------------------------------------------------------------------------------------------


def _call(node: Node) -> Node:
    """The call behind `await` and `:=`, or the expression itself."""
    while isinstance(node, cst.Await | cst.NamedExpr):
        node = node.expression if isinstance(node, cst.Await) else node.value
    return node


def _callee(node: Node) -> Node:
    node = _call(node)
    return node.func if isinstance(node, cst.Call) else node


def _reaching(module: Module, node: Node) -> str:
    name = next(each for each in module.walk.below(node) if isinstance(each, cst.Name))
    bindings = module.names.reaching(name.value, name)
    return _listed(f"{each.kind} {module.row(each.node)}" for each in bindings)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "nothing"


def _kind(dotted: str | None) -> str:
    return "?" if dotted is None else dotted.removeprefix(f"{otel.SPAN_KIND}.").removeprefix("~parameter:")


def _flags(span: Span | SpanFacts, ends: bool | None) -> Iterable[str]:
    """What a span does other than usual."""
    yield "current" if span.current else "detached"
    for name, usual in (("records", True), ("sets_status", True), ("ends", ends)):
        if getattr(span, name) is not usual:
            yield f"{name}={getattr(span, name)}"


def _span(module: Module, span: Span | None) -> str:
    if span is None:
        return "None"
    name = module.code(span.name) if span.name is not None else "-"
    ends = span.manner in {"with", "decorator", "entered"} or span.api == otel.START_AS_CURRENT_SPAN
    return " ".join([name, _kind(span.kind), span.manner, *_flags(span, ends)])


def _spans(module: Module, node: Node) -> str:
    """The spans that start on the subject's row."""
    found = [span for span in module.spans if module.row(span.start) == module.row(node)]
    return "; ".join(_span(module, span) for span in found) or "None"


def _name(module: Module, span: Span | None) -> str:
    return module.code(span.name or span.start) if span is not None else "None"


def _starts(module: Module, node: Node) -> str:
    facts = module.helpers.of(node).span  # type: ignore[arg-type]
    if facts is None:
        return "None"
    kept = ["kept"] if facts.kept else []
    name = "-" if facts.name is None else f'"{facts.name}"'
    name = name.strip('"').removeprefix("~parameter:") if "~parameter:" in name else name
    return " ".join([name, _kind(facts.kind), facts.form, *_flags(facts, True), *kept])


def _effects(module: Module, node: Node) -> str:
    facts = module.helpers.of(node)  # type: ignore[arg-type]
    every = [*facts.effects, ("current span", facts.ambient)]
    return _listed(f"{name} {'+'.join(sorted(effects))}" for name, effects in every if effects)


def _on(module: Module, node: Node) -> str:
    call = _call(node)
    effects = module.helpers.on(call, call.args[0].value)  # type: ignore[attr-defined]
    return "unknown" if effects is None else "+".join(sorted(effects)) or "nothing"


def _text(module: Module, node: Node) -> str:
    verdict = module.text(node)
    return " ".join([verdict.bound.value, *([module.code(verdict.source)] if verdict.source is not None else [])])


def _joins(module: Module, node: Node) -> str:
    joined = module.texts.returned(node)  # type: ignore[arg-type]
    return "unknown" if joined is None else _listed(joined)


def _symbol(module: Module, node: Node) -> str:
    symbol = module.values.symbol(module.names.dotted(_callee(node)))
    return "None" if symbol is None else f"{symbol.kind} {symbol.dotted}"


def _handler(module: Module, node: Node) -> Handler:
    return next(each for each in module.handlers if module.row(each.node) == module.row(node))


def _fate(module: Module, node: Node) -> str:
    handler = _handler(module, node)
    return outcome(handler, handler.spans[0]).fate.name.lower().replace("_", " ")


def _tells(module: Module, node: Node) -> str:
    told = ((_name(module, mark.span) if mark.span else "?", mark.does) for mark in _handler(module, node).marks)
    return _listed(f"{name} {'+'.join(sorted(does))}" for name, does in told)


def _logs(module: Module, node: Node) -> str:
    return _listed(f"{log.level}{'!' if log.carries else ''}" for _, log in _handler(module, node).logs)


def _opened(module: Module, node: Node) -> cst.Call:
    """The call in the subject that starts a span or attaches a context."""
    calls = (each for each in module.walk.below(node) if isinstance(each, cst.Call))
    return next(each for each in calls if module.spans.started_by(each) or module.api(each.func) == otel.ATTACH)


def _custody(module: Module, node: Node) -> str:
    custody = module.custody(_opened(module, node))
    fates = (("ended", custody.discharged), ("handed", custody.handed), ("lent", custody.lent))
    rows = [f"{fate} {row}" for fate, nodes in fates for row in sorted({module.row(each) for each in nodes})]
    return _listed([*rows, *(["dropped"] if custody.dropped else [])])


def _exits(module: Module, node: Node) -> str:
    return _listed(f"{way.kind} {module.row(way.node)}" for way in module.exits(module.custody(_opened(module, node))))


def _writes(module: Module, node: Node) -> str:
    """The attributes that the calls on the subject's row write."""
    rows = module.row(node)
    return _listed(
        f"{each.signal} {each.name or '?'}={module.code(each.value) if each.value is not None else '?'}"
        for each in module.attributes
        if module.row(each.call) == rows
    )


def _takes(module: Module, node: Node) -> str:
    facts = module.helpers.of(node)  # type: ignore[arg-type]
    return _listed(
        f"{each.signal} {each.form} {each.parameter}{each.value and '=' + each.value}" for each in facts.writes
    )


def _yes(found: object) -> str:
    return "yes" if found else "no"


QUESTIONS: dict[str, Callable[[Module, Node], str]] = {
    "dotted": lambda module, node: str(module.names.dotted(_callee(node))),
    "reaching": _reaching,
    "api": lambda module, node: str(module.api(_callee(node))),
    "type": lambda module, node: str(module.type(node)),
    "returns": lambda module, node: str(module.values.returns(node)),  # type: ignore[arg-type]
    "called": lambda module, node: _listed(str(module.row(call)) for call in module.values.call_sites(node)),  # type: ignore[arg-type]
    "span": _spans,
    "around": lambda module, node: _name(module, module.span_around(node)),
    "enclosing": lambda module, node: _listed(_name(module, span) for span in module.spans.enclosing(node)),
    "holds": lambda module, node: _name(module, module.spans.of(node)),
    "ambient": lambda module, node: _yes(module.spans.is_ambient(node)),
    "starts": _starts,
    "effects": _effects,
    "on": _on,
    "text": _text,
    "joins": _joins,
    "symbol": _symbol,
    "fate": _fate,
    "in": lambda module, node: _listed(_name(module, span) for span in _handler(module, node).spans),
    "tells": _tells,
    "logs": _logs,
    "custody": _custody,
    "exits": _exits,
    "writes": _writes,
    "takes": _takes,
    "active": lambda module, node: _yes(module.active(node)),
}

# -- the harness --------------------------------------------------------------------------------------------------

_WORDS = "|".join([*QUESTIONS, "judged"])
_CLAIM = re.compile(
    rf"[ ]*# (?P<todo>todo: )?(?P<question>{_WORDS}): (?P<answer>.*?)(?=[ ]+# (?:todo: )?(?:{_WORDS}):|$)"
)


def _is_subject(module: Module, node: Node) -> bool:
    """Whether the node is an expression that the line evaluates."""
    if not isinstance(node, cst.BaseExpression):
        return False
    below = node
    for up in module.walk.ancestors(node):
        if below in (getattr(up, "keyword", None), getattr(up, "asname", None), getattr(up, "annotation", None)):
            return False
        if below is getattr(up, "target", None) or isinstance(up, cst.ImportAlias | cst.ImportFrom):
            return False
        if isinstance(up, cst.Param | cst.NameItem):
            return below is getattr(up, "default", None)
        if isinstance(up, cst.BaseStatement | cst.BaseSmallStatement):
            return below is not getattr(up, "name", None)
        below = up
    return True


def _subjects(module: Module) -> dict[int, Node]:
    """What a comment on a row (from 1) asks about."""
    found: dict[int, Node] = {}
    for node in module.walk.order:
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            found[module.row(node.name)] = node
        elif _is_subject(module, node):
            found.setdefault(module.row(node), node)
    return found


def _gathered(example: spec.Example) -> Gathered:
    files = {block.path: "".join(_CLAIM.sub("", line) + "\n" for line in block.body.splitlines())
             for block in example.files}  # fmt: skip
    return gather({path: text.encode() for path, text in files.items()}, str, None)


def _answers(example: spec.Example) -> Iterable[tuple[spec.Block, int, re.Match[str], str]]:
    """Block, row in it from 0, claim and the model's answer."""
    gathered = _gathered(example)
    for block in example.files:
        lines = block.body.splitlines()
        module = gathered.modules.get(block.path)
        if module is None:
            source = Source(block.path, "".join(_CLAIM.sub("", line) + "\n" for line in lines))
            module = Module(source, parse(source), block.path, project=gathered.project)
        subjects = _subjects(module)
        for row, line in enumerate(lines):
            for claim in _CLAIM.finditer(line):
                question = claim["question"]
                if question == "judged":
                    yield block, row, claim, _yes(block.path in gathered.modules)
                else:
                    yield block, row, claim, QUESTIONS[question](module, subjects[row + 1])


@functools.cache
def _examples() -> list[tuple[Path, spec.Example]]:
    return [(page, each) for page in PAGES if page.exists() for each in spec.examples(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "example"), _examples(), ids=[f"{p.stem}/{e.key}" for p, e in _examples()])
def test_page(page: Path, example: spec.Example) -> None:
    wrong = []
    asked = 0
    for block, row, claim, answer in _answers(example):
        asked += 1
        if (answer == claim["answer"]) is bool(claim["todo"]):
            wrong.append(f"{page.name}:{block.first + row + 2}: {claim['question']}: {answer}, not {claim['answer']}")
            if os.environ.get("OTLINT_UPDATE_GOLDEN") == "1" and not claim["todo"]:
                _write(page, block.first + row + 1, claim, answer)
    assert asked, "an example that asks nothing"
    assert not wrong, "\n".join(["", *wrong])


def _write(page: Path, row: int, claim: re.Match[str], answer: str) -> None:
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    old = f"# {claim['question']}: {claim['answer']}"
    lines[row] = lines[row].replace(old, f"# {claim['question']}: {answer}", 1)
    page.write_text("".join(lines), encoding="utf-8")
