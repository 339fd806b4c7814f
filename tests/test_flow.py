"""The flow of a function: pages in tests/model/flow.md, and CPython itself as the oracle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import libcst as cst
from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from otlint.model.code.positions import positions
from otlint.model.code.walk import Node, Walk
from otlint.model.flow.ways import Exit, Flow
from tests import programs

PAGE = Path(__file__).parent / "model" / "flow.md"

# The pages


@dataclass(frozen=True)
class Example:
    """A code block of the page; `row` is where its code begins, from 0."""

    section: str
    row: int
    code: str


def examples() -> Iterator[Example]:
    section, code, first = "", None, 0
    for row, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines()):
        if line.startswith("## "):
            section = line[3:]
        if line.startswith("```"):
            if code is not None:
                yield Example(section, first, "".join(code))
            code, first = (None if code is not None else []), row + 1
        elif code is not None:
            code.append(line + "\n")


class Asked:
    """An example's flow, asked the question of its section."""

    def __init__(self, example: Example) -> None:
        self.tree = cst.parse_module(example.code)
        self.walk = walk = Walk(self.tree)
        functions = [node for node in walk.all(cst.FunctionDef) if node.name.value == "f"]
        self.flow = Flow(functions[0] if functions else self.tree, walk)
        self.ranges = positions(self.tree)
        self.rows = example.code.splitlines()
        self.starts = self.called("start")
        self.stops = self.called("stop")

    def called(self, name: str) -> list[Node]:
        """The calls of a function; where it makes a context manager, the item of the `with`."""
        calls = [node for node in self.walk.all(cst.Call) if getattr(node.func, "value", None) == name]
        return [up if isinstance(up := self.walk.parent[node], cst.WithItem) else node for node in calls]

    def row(self, node: Node) -> int:
        return self.tree.code[: self.ranges[node][0]].count("\n")

    def claims(self, section: str) -> dict[int, set[str]]:
        """The words that belong on each row."""
        found: dict[int, set[str]] = {}
        ask = {"Leaving the function": self.escapes, "Leaving a block": self.leaves}
        ask |= {"What comes after": self.after, "What came before": self.before}
        for node, word in ask[section]():
            found.setdefault(self.row(node), set()).add(word)
        return found

    def escapes(self) -> Iterator[tuple[Node, str]]:
        for way in self.flow.escapes(self.starts[0], self.stops, known=known_started):
            yield way.node, f"base {way.kind}" if way.only_base_exceptions else way.kind

    def leaves(self) -> Iterator[tuple[Node, str]]:
        row = next(row for row, line in enumerate(self.rows) if "# region" in line)
        compound = (cst.With, cst.If, cst.For, cst.While, cst.Try, cst.ExceptHandler)
        region = next(node for node in self.walk.all(*compound) if self.row(node) == row)
        yield region, "region"
        for way in self.flow.leaves(region, self.stops):
            yield way.node, f"base {way.kind}" if way.only_base_exceptions else way.kind

    def letters(self) -> list[Node]:
        return [node for name in "abcdez" for node in self.called(name)]

    def after(self) -> Iterator[tuple[Node, str]]:
        after = self.flow.after(self.starts[0], self.stops)
        for node in self.letters():
            assert (node in after) is self.flow.reaches(self.starts[0], node, self.stops)
            if node in after:
                yield node, "after"

    def before(self) -> Iterator[tuple[Node, str]]:
        for node in self.letters():
            if self.flow.always_before(self.starts, node):
                yield node, "always"


def known_started(test: Node) -> bool | None:
    return True if isinstance(test, cst.Name) and test.value == "started" else None


def claimed(line: str) -> set[str]:
    words = line.partition("  # ")[2]
    return {word.strip() for word in words.split(",")} if words else set()


def write_anew() -> None:
    rows = PAGE.read_text(encoding="utf-8").splitlines()
    for example in examples():
        claims = Asked(example).claims(example.section)
        for row in range(example.row, example.row + example.code.count("\n")):
            words = sorted(claims.get(row - example.row, ()), key=lambda word: (word != "region", word))
            rows[row] = rows[row].partition("  # ")[0] + ("  # " + ", ".join(words) if words else "")
    PAGE.write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_pages() -> None:
    if os.environ.get("OTLINT_UPDATE_GOLDEN") == "1":
        write_anew()
    for example in examples():
        claims = Asked(example).claims(example.section)
        for row, line in enumerate(example.code.splitlines()):
            place = f"flow.md:{example.row + row + 1}: {line}"
            assert claimed(line) == claims.get(row, set()), place


def flow_of(code: str, kind: type[Any] = cst.FunctionDef, **beliefs: Any) -> tuple[Flow, Walk]:
    walk = Walk(cst.parse_module(code))
    return Flow(walk.all(kind)[0], walk, **beliefs), walk


def test_lambda() -> None:
    flow, walk = flow_of("call = lambda x: use(x) and other(x)\n", cst.Lambda)
    use, other = walk.all(cst.Call)
    assert [way.kind for way in flow.escapes(use, ())] == ["exception", "end"]
    assert [(way.kind, way.node) for way in flow.escapes(use, other)] == [("end", flow.function)]


def test_the_function_itself_is_a_start() -> None:
    flow, walk = flow_of("def f(x):\n    if x:\n        return\n    stop()\n")
    assert [way.kind for way in flow.escapes(flow.function, walk.all(cst.Call))] == ["return"]


def test_every_exception_when_asked_for() -> None:
    flow, walk = flow_of("def f():\n    a()\n    b()\n    c()\n")
    first, *others = walk.all(cst.Call)
    assert [way.node for way in flow.escapes(first, (), every=True)] == [*others, flow.function]
    assert [way.node for way in flow.leaves(walk.all(cst.FunctionDef)[0].body, every=True)][:3] == [first, *others]


def test_beliefs() -> None:
    code = "def f():\n    start()\n    with quiet():\n        log()\n        fail()\n    stop()\n"
    calm, walk = flow_of(code, may_raise=lambda node: False)
    start, _, _, fail, stop = walk.all(cst.Call)
    assert calm.escapes(start, stop) == []
    strict, walk = flow_of(code, no_return=lambda call: call.func.value == "fail", may_raise=lambda node: False)
    start, _, _, fail, stop = walk.all(cst.Call)
    assert strict.escapes(start, stop) == [Exit("raise", fail)]
    assert not strict.reaches(start, stop)
    quiet, walk = flow_of(code, swallows=lambda item: True)
    start, _, _, fail, stop = walk.all(cst.Call)
    assert quiet.reaches(fail, stop, avoiding=fail)


def test_what_is_not_evaluated_here_is_not_found() -> None:
    flow, walk = flow_of("def f():\n    a()\n    return lambda: b()\n")
    a, b = walk.all(cst.Call)
    assert a in flow
    assert b not in flow
    assert flow.escapes(b, ()) == flow.leaves(b) == flow.after(b) == []
    assert not flow.reaches(b, a)


def test_generators() -> None:
    code = "async def f():\n    yield 1\n    def g():\n        yield 2\n    x = [(yield from y)]\n    lambda: (yield)\n"
    flow, walk = flow_of(code)
    assert flow.is_generator
    assert flow.yields == (walk.all(cst.Yield)[0], walk.all(cst.Yield)[2])
    assert not flow_of("def f():\n    lambda: (yield)\n")[0].is_generator


def test_long_chains_and_deep_blocks_are_no_problem() -> None:
    terms = ["a()"] * 500
    lines = ["start()", "x = " + " + ".join(terms), "x = " + " or ".join(terms), "x" + ".a()" * 500]
    lines += ["if a(): pass", *["elif b(): return 1"] * 500, "x = (" + "f'{a()}' " * 500 + ")"]
    nested = [" " * depth + part for depth in range(1, 40) for part in ("try:", " if x: return 1", "finally:")]
    code = "def f():\n " + "\n ".join(lines) + "\n" + "\n".join(nested) + "\n" + " " * 40 + "stop()\n"
    flow, walk = flow_of(code)
    start, *calls = walk.all(cst.Call)
    assert len(flow.escapes(start, (), every=True)) == len([*calls, *walk.all(cst.Return), "end"])


# CPython as the oracle


class Predicted:
    """The flow of a random function, by the numbers in it."""

    def __init__(self, code: str) -> None:
        tree = cst.parse_module(programs.analysed(code))
        self.walk = Walk(tree)
        self.code = tree.code_for_node
        self.function = self.walk.all(cst.FunctionDef)[0]
        self.flow = Flow(self.function, self.walk, may_raise=self.may_raise)
        self.numbers: dict[Node, int] = {}
        for call in self.walk.all(cst.Call):
            if name_of(call) in {"step", "manager"}:
                up = self.walk.parent[call]
                self.numbers[up if isinstance(up, cst.WithItem) else call] = self.number(call)
        self.nodes: dict[int, Node] = {number: node for node, number in self.numbers.items()}

    def may_raise(self, node: Node) -> bool:
        node = node.item if isinstance(node, cst.WithItem) else node
        return name_of(node) in {"step", "manager"} or isinstance(node, cst.Yield | cst.Assert)

    @property
    def assumes(self) -> bool:
        """Whether a handler is only reached because its `try` is assumed to raise, which these do not."""
        reasons = [(point.node, reason) for point in self.flow._graph.points for reason in point.reasons]
        return any(reason.kind == "exception" and node and not self.may_raise(node) for node, reason in reasons)

    def number(self, node: Node) -> int:
        if isinstance(node, cst.Call):
            return int(node.args[0].value.value)
        text = self.code(self.walk.parent[node]).strip()
        return int(text.removesuffix(")").replace("#", " ").replace("(", " ").split()[-1])

    def ways(self, start: int, stops: set[int]) -> dict[tuple[str, int], bool]:
        """Kind and number of each exit, and whether only base exceptions take it."""
        found = self.flow.escapes(self.node(start), {self.nodes[number] for number in stops}, every=True)
        numbers = {self.function: 0, **self.numbers}
        return {
            (way.kind, numbers[way.node] if way.node in numbers else self.number(way.node)): way.only_base_exceptions
            for way in found
        }

    def after(self, start: int, stops: set[int]) -> set[int]:
        """The steps that may be evaluated."""
        seen = self.flow.after(self.node(start), {self.nodes[number] for number in stops})
        return {self.numbers[node] for node in seen if name_of(node) == "step"}

    def node(self, start: int) -> Node:
        return self.nodes[start] if start else self.function


def name_of(node: Node) -> str | None:
    return node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) else None


def observed(runs: programs.Runs, start: int, stops: set[int]) -> tuple[set[tuple[str, int, bool]], set[int]]:
    """The exits taken after the start without a stop, and the steps evaluated there."""
    ways: set[tuple[str, int, bool]] = set()
    after: set[int] = set()
    for events, base in runs.traces:
        active = begun = start == 0  # `begun` does not mind that the start is evaluated again
        for what, number in events:
            if what == "arrive" and begun and number not in stops:
                after.add(number)
            if what in {"arrive", "leave"} and number in stops:
                active = begun = False
            elif what in {"arrive", "entered"} and number == start and active:
                ways.add(("loop", number, False))
                active = False
            elif what in {"return", "raise", "exception", "yield", "end"} and active:
                ways.add((what, number, base))
            if what in {"done", "entered"} and number == start:
                active = begun = True
    return ways, after


def check(seed: int, *, complete: bool) -> None:
    """All that is seen is predicted and, where `complete` and it can be told, all that is predicted is seen."""
    random = Random(seed)
    code = programs.program(random, reraises=not complete)
    note(code)
    runs = programs.Runs(code, random)
    predicted = Predicted(code)
    questions = [question(random, sorted(predicted.nodes)) for _ in range(6)]
    runs.try_some(80)
    questions = [each for each in questions if unseen(predicted, runs, *each)]
    if complete and questions and not predicted.assumes:
        runs.try_some(200)
        runs.try_all(400)
        questions = [each for each in questions if unseen(predicted, runs, *each)]
        assert not (questions and runs.all), f"impossible: {unseen(predicted, runs, *questions[0])}"
    event(f"{6 - len(questions)} questions with nothing unseen")


def question(random: Random, numbers: list[int]) -> tuple[int, set[int]]:
    """A start and stops; 0 is the function."""
    start = random.choice([0, *numbers])
    return start, set(random.sample(numbers, random.randrange(min(4, len(numbers) + 1)))) - {start}


def unseen(predicted: Predicted, runs: programs.Runs, start: int, stops: set[int]) -> set[object]:
    """What is predicted but was not seen; fail if anything was seen that is not predicted."""
    expected, expected_after = predicted.ways(start, stops), predicted.after(start, stops)
    ways, after = observed(runs, start, stops)
    asked = f"start {start}, stops {stops}"
    for kind, number, base in ways:
        assert (kind, number) in expected, f"{asked}: missed {kind} {number}"
        assert base or not expected[kind, number], f"{asked}: not only base exceptions: {kind} {number}"
    assert after <= expected_after, asked
    taken = {(kind, number) for kind, number, _ in ways}
    ordinary = {(kind, number) for kind, number, base in ways if not base or kind == "raise"}
    return {
        *(expected.keys() - taken),
        *({way for way in expected if not expected[way]} - ordinary),
        *(expected_after - after),
    }


COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=120, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)


@COMMON
@given(SEEDS)
def test_every_way_out_that_cpython_takes_is_predicted(seed: int) -> None:
    check(seed, complete=False)


@COMMON
@given(SEEDS)
def test_every_predicted_way_out_is_taken_by_some_run(seed: int) -> None:
    check(seed, complete=True)
