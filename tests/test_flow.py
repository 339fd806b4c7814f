"""The flow of a function: pages in tests/model/flow.md, and CPython itself as the oracle."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import libcst as cst
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otlint.model.flow import Exit, Flow
from otlint.model.positions import positions
from otlint.model.walk import Node, Walk

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


# Random functions. Every call has its own number. `cond`, `pick` and `loop` never raise, what they give is decided
# by the driver; `step`, `manager` and `yield` may raise. Lines that end in `#!` only keep the run finite and traceable.

EXCEPTIONS = ("ValueError", "KeyError", "Exception", "KeyboardInterrupt", "(KeyError, ValueError)", "BaseException", "")
LONGEST = 60  # decisions in one run


@dataclass
class Writer:
    draw: Callable[[st.SearchStrategy[int]], int]
    generator: bool
    raises: bool
    reraises: bool
    unused: list[str] = field(default_factory=lambda: ["ValueError", "KeyError", "KeyboardInterrupt"])
    count: int = 0
    steps: list[int] = field(default_factory=list)
    managers: list[int] = field(default_factory=list)

    def pick(self, below: int) -> int:
        return self.draw(st.integers(0, below - 1))

    def number(self) -> int:
        self.count += 1
        return self.count

    def step(self) -> str:
        self.steps.append(self.number())
        return f"step({self.count})"

    def any(self, *forms: Callable[[], str]) -> str:
        return forms[self.pick(len(forms))]()

    def cond(self) -> str:
        return f"cond({self.number()})"

    def condition(self) -> str:
        cond, step = self.cond, self.step
        return self.any(
            cond, cond, cond,
            lambda: f"not {cond()}",
            lambda: f"{cond()} and {step()}",
            lambda: f"{step()} or {cond()}",
            lambda: f"not ({step()} and {cond()}) or {cond()}",
            lambda: f"({cond()} if {cond()} else {step()})",
            lambda: "True",
            lambda: "0",
        )  # fmt: skip

    def expression(self) -> str:
        step, condition = self.step, self.condition
        return self.any(
            step, step, step, step, step,
            lambda: f"use({step()}, {step()})",
            lambda: f"{step()} and {step()} and {step()}",
            lambda: f"{step()} or use({step()}, {step()})",
            lambda: f"{step()} if {condition()} else {step()}",
            lambda: f"(lambda: {step()}, {step()})",
            lambda: f"[{step()} for _ in loop({self.number()}) if {condition()}]",
            lambda: f"(x := {step()}) < {step()} < {step()}",
        )  # fmt: skip

    def block(self, depth: int, loop: bool, handler: bool) -> list[str]:
        lines: list[str] = []
        for _ in range(1 + self.pick(3)):
            lines += self.statement(depth, loop, handler)
        return ["    " + line for line in lines]

    def statement(self, depth: int, loop: bool, handler: bool) -> list[str]:
        kind = self.pick(9 if depth > 2 else 20)
        if kind < 5:
            return [self.expression()]
        if kind < 9:
            return self.simple(loop, handler)
        compound = [self.if_, self.while_, self.for_, self.try_, self.try_, self.finally_, self.finally_, self.with_]
        compound += [self.with_, self.match_, self.if_]
        return compound[kind - 9](depth + 1, loop, handler)

    def simple(self, loop: bool, handler: bool) -> list[str]:
        number = self.number()
        forms = [[f"return {number}"], [f"return {number}"], [f"assert {self.cond()}, {number}"]]
        if loop:
            forms += [["break"], ["continue"]]
        if self.raises:
            forms.append([f"raise {('ValueError', 'KeyboardInterrupt')[self.pick(2)]}({number})"])
        if handler and self.reraises:
            forms.append([f"mark({number})  #!", f"raise  # {number}"])
        if self.generator:
            forms += [[f"yield {number}"], [f"yield {number}"]]
        return forms[self.pick(len(forms))]

    def if_(self, depth: int, loop: bool, handler: bool) -> list[str]:
        lines = [f"if {self.condition()}:", *self.block(depth, loop, handler)]
        if self.pick(3) == 0:
            lines += [f"elif {self.condition()}:", *self.block(depth, loop, handler)]
        if self.pick(2):
            lines += ["else:", *self.block(depth, loop, handler)]
        return lines

    def while_(self, depth: int, loop: bool, handler: bool) -> list[str]:
        test = "True" if self.pick(3) == 0 else self.condition()
        lines = [f"while {test}:", "    tick()  #!", *self.block(depth, True, handler)]
        return lines + (["else:", *self.block(depth, loop, handler)] if self.pick(3) == 0 else [])

    def for_(self, depth: int, loop: bool, handler: bool) -> list[str]:
        lines = [f"for _ in loop({self.number()}):", *self.block(depth, True, handler)]
        return lines + (["else:", *self.block(depth, loop, handler)] if self.pick(3) == 0 else [])

    def try_(self, depth: int, loop: bool, handler: bool) -> list[str]:
        lines = ["try:", *self.block(depth, loop, handler)]
        for index in range(1 + self.pick(2)):
            name = self.exception(last=index > 0)
            lines += ["except Abort: raise  #!"] if index == 0 else []
            lines += [f"except {name}:" if name else "except:", *self.block(depth, loop, True)]
            if not name:
                break
        if self.pick(3) == 0:
            lines += ["else:", *self.block(depth, loop, handler)]
        return lines + (self.final(depth, loop, handler) if self.pick(3) == 0 else [])

    def exception(self, *, last: bool) -> str:
        """For a complete comparison no class is caught twice: a flow does not know what an inner handler took."""
        if self.reraises:
            return EXCEPTIONS[self.pick(len(EXCEPTIONS) - (not last))]
        choices = ["Exception", "BaseException", *self.unused]
        choice = choices[self.pick(len(choices))]
        self.unused = [name for name in self.unused if name != choice]
        return choice

    def finally_(self, depth: int, loop: bool, handler: bool) -> list[str]:
        return ["try:", *self.block(depth, loop, handler), *self.final(depth, loop, handler)]

    def final(self, depth: int, loop: bool, handler: bool) -> list[str]:
        return ["finally:", "    check()  #!", *self.block(depth, loop, False)]

    def with_(self, depth: int, loop: bool, handler: bool) -> list[str]:
        items = [self.manager() for _ in range(1 + self.pick(2))]
        return [f"with {', '.join(items)}:", *self.block(depth, loop, handler)]

    def manager(self) -> str:
        if self.pick(4) == 0:
            return f"suppress({self.exception(last=False)})"
        self.managers.append(self.number())
        return f"manager({self.count})"

    def match_(self, depth: int, loop: bool, handler: bool) -> list[str]:
        lines = [f"match pick({self.number()}):"]
        for pattern in ("0", f"1 if {self.condition()}", "_")[: 2 + self.pick(2)]:
            lines += [f"    case {pattern}:", *("    " + line for line in self.block(depth, loop, handler))]
        return lines


@dataclass(frozen=True)
class Program:
    code: str
    start: int
    stops: frozenset[int]

    def analysed(self) -> str:
        """What the flow is built from: the code without the lines that only serve the run."""
        return "".join(line for line in self.code.splitlines(keepends=True) if not line.endswith("#!\n"))

    def __repr__(self) -> str:
        return f"start {self.start}, stops {sorted(self.stops)}\n{self.code}"


@st.composite
def programs(draw, *, reraises: bool) -> Program:
    generator = draw(st.integers(0, 3)) == 0
    writer = Writer(draw, generator, raises=draw(st.booleans()), reraises=reraises)
    lines = writer.block(0, False, False)
    code = "\n".join(["def f():", *lines, *(["    yield 0"] if generator else [])]) + "\n"
    places = [n for n in writer.steps + writer.managers if f"({n})" in code] or [0]
    chosen = [places[writer.pick(len(places))] for _ in range(1 + writer.pick(3))]
    return Program(code, chosen[0], frozenset(chosen[1:]) - {chosen[0]})


class Abort(BaseException):
    """The run is too long."""


class Run:
    """One execution under a list of decisions; those beyond the list are 0. `arity` tells how many each had."""

    def __init__(self, program: Program, decisions: list[int]) -> None:
        self.program = program
        self.decisions = decisions
        self.arity: list[int] = []
        self.active = False
        self.aborted = False
        self.ways: set[tuple[str, int, bool]] = set()
        self.after: set[int] = set()

    def decide(self, ways: int) -> int:
        index = len(self.arity)
        self.arity.append(ways)
        return self.decisions[index] if index < len(self.decisions) else 0

    def tick(self) -> None:
        if len(self.arity) > LONGEST:
            self.aborted = True
        self.arity.append(1)
        self.check()

    def check(self) -> None:
        if self.aborted:
            raise Abort

    def perhaps(self, number: int) -> bool:
        """Raise one of the exceptions, or give a truth value."""
        self.tick()
        choice = self.decide(6)
        if choice < 2:
            return bool(choice)
        error = (ValueError, KeyError, OSError, KeyboardInterrupt)[choice - 2]()
        error.number = number
        error.kind = "exception"
        raise error

    def passed(self, number: int) -> bool:
        """Whether it is the start or a stop, which never raise."""
        if number == self.program.start:
            if self.active:
                self.ways.add(("loop", number, False))
            self.active = True
        elif number in self.program.stops:
            self.active = False
        return number == self.program.start or number in self.program.stops

    def step(self, number: int) -> bool:
        if self.active and number not in self.program.stops:
            self.after.add(number)
        return bool(self.decide(2)) if self.passed(number) else self.perhaps(number)

    @contextlib.contextmanager
    def manager(self, number: int) -> Iterator[None]:
        self.perhaps(number)
        if number == self.program.start:
            self.passed(number)
        try:
            yield
        finally:
            self.check()
            if number in self.program.stops:
                self.active = False
            self.perhaps(number)

    def loop(self, number: int) -> Iterator[int]:
        while self.decide(2):
            self.tick()
            yield number

    def mark(self, number: int) -> None:
        error = sys.exc_info()[1]
        error.kind, error.number = "raise", number

    def names(self) -> dict[str, Any]:
        return {
            "step": self.step, "cond": lambda _: bool(self.decide(2)), "pick": lambda _: self.decide(3),
            "loop": self.loop, "manager": self.manager, "tick": self.tick, "check": self.check, "mark": self.mark,
            "use": lambda *_: True, "suppress": contextlib.suppress, "Abort": Abort,
        }  # fmt: skip

    def run(self, code: Any) -> None:
        names = self.names()
        exec(code, names)
        self.active = self.program.start == 0
        try:
            value = names["f"]()
            value = self.drive(value) if hasattr(value, "throw") else value
        except Abort:
            return
        except BaseException as error:
            kind = getattr(error, "kind", "exception" if isinstance(error, AssertionError) else "raise")
            number = error.number if hasattr(error, "number") else error.args[0]
            self.leave(kind, number, kind != "yield" and not isinstance(error, Exception))
        else:
            self.leave("end" if value is None else "return", value or 0)

    def drive(self, generator: Any) -> object:
        """Iterate, close or throw at every yield, as decided; a generator that ignores being closed goes on."""
        try:
            number = next(generator)
            while True:
                self.arity.append(1)
                if len(self.arity) > LONGEST:
                    self.aborted = True
                    generator.throw(Abort())
                choice = self.decide(6)
                if choice == 0:
                    number = next(generator)
                else:
                    error = (ValueError, KeyboardInterrupt, GeneratorExit, KeyError, OSError)[choice - 1]()
                    error.number, error.kind = number, "yield" if choice == 3 else "exception"
                    number = generator.throw(error)
        except StopIteration as stop:
            return stop.value

    def leave(self, kind: str, number: int, base: bool = False) -> None:
        if self.active:
            self.ways.add((kind, number, base))


def observed(program: Program, limit: int) -> tuple[set[tuple[str, int, bool]], set[int], bool]:
    """All ways out that were seen after the start without a stop, what ran there, and whether all was tried."""
    ways: set[tuple[str, int, bool]] = set()
    after: set[int] = set()
    todo: list[list[int]] = [[]]
    complete = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        code = compile(program.code, "program", "exec")
    for runs, decisions in enumerate(todo):
        if runs >= limit:
            complete = False
            break
        run = Run(program, decisions)
        run.run(code)
        complete = complete and not run.aborted
        ways |= run.ways
        after |= run.after
        for index in range(len(decisions), len(run.arity)):
            prefix = [*decisions, *[0] * (index - len(decisions))]
            todo += [[*prefix, choice] for choice in range(1, run.arity[index])]
    return ways, after, complete


class Predicted:
    def __init__(self, program: Program) -> None:
        tree = cst.parse_module(program.analysed())
        walk = self.walk = Walk(tree)
        self.numbers: dict[Node, int] = {}
        for call in walk.all(cst.Call):
            if len(call.args) == 1 and isinstance(call.args[0].value, cst.Integer):
                self.numbers[call] = int(call.args[0].value.value)
        self.function = walk.all(cst.FunctionDef)[0]
        flow = self.flow = Flow(self.function, walk, may_raise=self.may_raise)
        special = {program.start, *program.stops}
        self.special = special
        items = {item.item: item for item in walk.all(cst.WithItem)}
        nodes: dict[int, Node] = {number: items.get(node, node) for node, number in self.numbers.items()}
        self.start: Node = nodes[program.start] if program.start else self.function
        self.stops = {nodes[number] for number in program.stops}
        self.code = tree.code_for_node
        self.ways = {
            (way.kind, self.number(way.node, way.kind)): way.only_base_exceptions
            for way in flow.escapes(self.start, self.stops, every=True)
        }
        if self.start is self.function:
            body = {(way.kind, way.node) for way in flow.leaves(self.function.body, self.stops, every=True)}
            ways = {(way.kind, way.node) for way in flow.escapes(self.function, self.stops, every=True)}
            assert {(kind, self.function if kind == "end" else node) for kind, node in body} == ways
        seen = flow.after(self.start, self.stops)
        self.after = {self.numbers[node] for node in seen if self.is_step(node)}

    @property
    def assumes(self) -> bool:
        """Whether a handler is only reached because its `try` is assumed to raise, which these do not."""
        reasons = [(point.node, reason) for point in self.flow._graph.points for reason in point.reasons]
        return any(reason.kind == "exception" and node and not self.may_raise(node) for node, reason in reasons)

    def is_step(self, node: Node) -> bool:
        return isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "step"

    def may_raise(self, node: Node) -> bool:
        if isinstance(node, cst.WithItem):
            return self.may_raise(node.item)
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
            if node.func.value == "manager":
                return True
            return node.func.value == "step" and self.numbers[node] not in self.special
        return isinstance(node, cst.Yield | cst.Assert)

    def number(self, node: Node, kind: str) -> int:
        if kind == "end":
            return 0
        if isinstance(node, cst.WithItem):
            node = node.item
        if node in self.numbers:
            return self.numbers[node]
        text = self.code(self.walk.parent[node]).strip()
        return int(text.removesuffix(")").replace("#", " ").replace("(", " ").split()[-1])


def check(program: Program, limit: int, *, complete: bool) -> None:
    ways, after, tried_all = observed(program, limit)
    predicted = Predicted(program)
    for kind, number, base in ways:
        assert (kind, number) in predicted.ways, f"missed: {kind} {number}"
        assert base or not predicted.ways[kind, number], f"not only base exceptions: {kind} {number}"
    assert after <= predicted.after
    if complete and tried_all and not predicted.assumes:
        assert after == predicted.after
        assert set(predicted.ways) == {(kind, number) for kind, number, _ in ways}
        ordinary = {(kind, number) for kind, number, base in ways if not base}
        assert {key for key, only in predicted.ways.items() if not only and key[0] != "raise"} <= ordinary


COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=150, derandomize=True)


@COMMON
@given(programs(reraises=True))
def test_every_way_out_that_cpython_takes_is_predicted(program: Program) -> None:
    check(program, 150, complete=False)


@COMMON
@given(programs(reraises=False))
def test_every_predicted_way_out_is_taken_by_some_run(program: Program) -> None:
    check(program, 800, complete=True)
