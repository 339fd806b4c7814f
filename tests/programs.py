"""Random functions and what CPython does with them, for tests/test_flow.py.

Every call in a function has its own number. `cond`, `pick` and `loop` never raise, what they give is decided by the
run; `step`, `manager` and `yield` may raise. Lines that end in `#!` only keep a run finite and traceable.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

EXCEPTIONS = ("ValueError", "KeyError", "Exception", "KeyboardInterrupt", "(KeyError, ValueError)", "BaseException", "")
RAISED = (ValueError, KeyError, OSError, KeyboardInterrupt, SystemExit)
LONGEST = 80  # decisions in one run

Event = tuple[str, int]  # what happened, to which number


@dataclass
class Writer:
    """Writes one function. `reraises`: also bare `raise`, and classes that several handlers take."""

    random: Random
    generator: bool
    raises: bool
    reraises: bool
    unused: list[str] = field(default_factory=lambda: ["ValueError", "KeyError", "KeyboardInterrupt"])
    count: int = 0

    def pick(self, below: int) -> int:
        return self.random.randrange(below)

    def number(self) -> int:
        self.count += 1
        return self.count

    def step(self) -> str:
        return f"step({self.number()})"

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
        kind = self.pick(9 if depth > 3 else 20)
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
        """Not deep: CPython copies the block for each way into it, and the copies in it again."""
        return ["finally:", "    check()  #!", *self.block(max(depth, 3), loop, False)]

    def with_(self, depth: int, loop: bool, handler: bool) -> list[str]:
        items = [self.manager() for _ in range(1 + self.pick(2))]
        return [f"with {', '.join(items)}:", *self.block(depth, loop, handler)]

    def manager(self) -> str:
        if self.pick(4) == 0:
            return f"suppress({self.exception(last=False)})"
        return f"manager({self.number()})"

    def match_(self, depth: int, loop: bool, handler: bool) -> list[str]:
        lines = [f"match pick({self.number()}):"]
        for pattern in ("0", f"1 if {self.condition()}", "_")[: 2 + self.pick(2)]:
            lines += [f"    case {pattern}:", *("    " + line for line in self.block(depth, loop, handler))]
        return lines


def program(random: Random, *, reraises: bool) -> str:
    """The code of a function `f`."""
    generator = random.randrange(4) == 0
    writer = Writer(random, generator, raises=random.random() < 0.5, reraises=reraises)
    lines = writer.block(0, False, False)
    return "\n".join(["def f():", *lines, *(["    yield 0"] if generator else [])]) + "\n"


def analysed(code: str) -> str:
    """The code without the lines that only serve the run."""
    return "".join(line for line in code.splitlines(keepends=True) if not line.endswith("#!\n"))


class Abort(BaseException):
    """The run is too long."""


class Run:
    """One execution. `decide(n)` is asked for numbers below n.

    Events: `arrive` and `done` at a step, `enter`, `entered` and `leave` at a context manager, and in the end how the
    function was left: the kind of exit, and in `base` whether by no `Exception`.
    """

    def __init__(self, decide: Callable[[int], int]) -> None:
        self._decide = decide
        self.arity: list[int] = []
        self.aborted = False
        self.events: list[Event] = []
        self.base = False

    def decide(self, ways: int) -> int:
        self.arity.append(ways)
        return self._decide(ways)

    def tick(self) -> None:
        if len(self.arity) > LONGEST:
            self.aborted = True
        self.check()

    def check(self) -> None:
        if self.aborted:
            raise Abort

    def perhaps(self, number: int) -> bool:
        """Raise one of the exceptions, or give a truth value."""
        self.tick()
        choice = self.decide(2 + len(RAISED))
        if choice < 2:
            return bool(choice)
        raise marked(RAISED[choice - 2](), "exception", number)

    def step(self, number: int) -> bool:
        self.events.append(("arrive", number))
        result = self.perhaps(number)
        self.events.append(("done", number))
        return result

    @contextlib.contextmanager
    def manager(self, number: int) -> Iterator[None]:
        self.events.append(("enter", number))
        self.perhaps(number)
        self.events.append(("entered", number))
        try:
            yield
        finally:
            self.check()
            self.events.append(("leave", number))
            self.perhaps(number)

    def loop(self, number: int) -> Iterator[int]:
        while self.decide(2):
            self.tick()
            yield number

    def mark(self, number: int) -> None:
        marked(sys.exc_info()[1], "raise", number)

    def names(self) -> dict[str, Any]:
        return {
            "step": self.step, "cond": lambda _: bool(self.decide(2)), "pick": lambda _: self.decide(3),
            "loop": self.loop, "manager": self.manager, "tick": self.ticked, "check": self.check, "mark": self.mark,
            "use": lambda *_: True, "suppress": contextlib.suppress, "Abort": Abort,
        }  # fmt: skip

    def ticked(self) -> None:
        self.arity.append(1)
        self._decide(1)
        self.tick()

    def run(self, code: Any) -> None:
        names = self.names()
        exec(code, names)
        try:
            value = names["f"]()
            value = self.drive(value) if hasattr(value, "throw") else value
        except Abort:
            return
        except BaseException as error:
            kind = getattr(error, "kind", "exception" if isinstance(error, AssertionError) else "raise")
            number = error.number if hasattr(error, "number") else error.args[0]
            self.base = not isinstance(error, Exception) and kind != "yield"
            self.events.append((kind, number))
        else:
            self.events.append(("end" if value is None else "return", value or 0))

    def drive(self, generator: Any) -> object:
        """Iterate, close or throw at every yield, as decided; a generator that ignores being closed goes on."""
        try:
            number = next(generator)
            while True:
                if len(self.arity) > LONGEST:
                    self.aborted = True
                    generator.throw(Abort())
                choice = self.decide(2 + len(RAISED))
                if choice == 0:
                    number = next(generator)
                elif choice == 1:
                    number = generator.throw(marked(GeneratorExit(), "yield", number))
                else:
                    number = generator.throw(marked(RAISED[choice - 2](), "exception", number))
        except StopIteration as stop:
            return stop.value


def marked(error: Any, kind: str, number: int) -> Any:
    """The exception, with where it was raised."""
    error.kind, error.number = kind, number
    return error


class Runs:
    """What was seen of one function."""

    def __init__(self, code: str, random: Random) -> None:
        self.random = random
        self.traces: dict[tuple[tuple[Event, ...], bool], None] = {}
        self.all = False  # every run that there is
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            self.code = compile(code, "program", "exec")

    def try_some(self, count: int) -> None:
        """Runs with random decisions, of which most let things go well."""
        random = self.random
        for index in range(count):
            luck = (index % 10) / 10
            self._run(lambda ways, luck=luck: random.randrange(2 if ways > 2 and random.random() < luck else ways))

    def try_all(self, limit: int) -> None:
        """All decisions, the first ones first."""
        todo: list[list[int]] = [[]]
        self.all = True
        for decisions in todo:
            given = iter(decisions)
            run = self._run(lambda _, given=given: next(given, 0))
            for index in range(len(decisions), len(run.arity)):
                prefix = [*decisions, *[0] * (index - len(decisions))]
                todo += [[*prefix, choice] for choice in range(1, run.arity[index])]
                if run.aborted or len(todo) > limit:
                    self.all = False
                    return

    def _run(self, decide: Callable[[int], int]) -> Run:
        run = Run(decide)
        run.run(self.code)
        self.traces[tuple(run.events), run.base] = None
        return run
