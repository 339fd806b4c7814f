"""What conditions are known to be once a value exists, so that `if span: span.end()` is not taken for a branch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from otlint.model.code.names import Binding, Names
from otlint.model.code.walk import Node, Walk

_LEAVES = (cst.Return, cst.Raise, cst.Continue, cst.Break)


class Conditions:
    """The conditions around one value: `start` is where it comes into being, `holders` the names that hold it."""

    def __init__(self, walk: Walk, names: Names, start: Node, holders: Sequence[str]) -> None:
        self.walk = walk
        self.names = names
        self.start = start
        self.holders = frozenset(holders)
        self._facts: dict[str, bool] | None = None

    def known(self, test: Node) -> bool | None:
        """Whether a condition is true after the start: it looks at the value, or repeats what led to it."""
        about = self._about_value(test)
        if about is not None:
            return about
        text, negated = _normal(test)
        fact = self._given.get(text)
        return fact if fact is None else fact is not negated

    def _about_value(self, test: Node) -> bool | None:
        """The value is there, is a span and records: a span that does not needs no end."""
        if isinstance(test, cst.Comparison):
            return _not_none(test) if root(test.left) in self.holders else None
        if isinstance(test, cst.Call):
            return self._called(test)
        if isinstance(test, cst.Attribute) and test.attr.value != "is_valid":
            return None
        return True if root(test) in self.holders else None

    def _called(self, call: cst.Call) -> bool | None:
        func = call.func
        if isinstance(func, cst.Name) and func.value in {"isinstance", "hasattr", "bool"}:
            if not call.args or root(call.args[0].value) not in self.holders:
                return None
            return not (len(call.args) > 1 and "NonRecording" in _text(call.args[1].value))
        recording = isinstance(func, cst.Attribute) and func.attr.value == "is_recording"
        return True if recording and root(func) in self.holders else None

    @property
    def _given(self) -> dict[str, bool]:
        if self._facts is None:
            self._facts = {}
            for part, truth in self.leading():
                text, negated = _normal(part)
                if self._is_stable(part):
                    self._facts.setdefault(text, truth is not negated)
        return self._facts

    def leading(self) -> Iterator[tuple[Node, bool]]:
        """The parts of the conditions that control passed on its way to the start, and what they were."""
        for test, value in self._tests():
            yield from _parts(test, value)

    def _tests(self) -> Iterator[tuple[Node, bool]]:
        below = self.start
        for up in self.walk.ancestors(self.start):
            if isinstance(up, cst.If | cst.IfExp | cst.While) and below is not up.test:
                if below is up.body:
                    yield up.test, True
                elif not isinstance(up, cst.While):
                    yield up.test, False
            elif isinstance(up, cst.BaseSuite):
                yield from self._guards(up, below)
            if isinstance(up, cst.FunctionDef | cst.Lambda):
                return
            below = up

    def _guards(self, block: cst.BaseSuite, below: Node) -> Iterator[tuple[Node, bool]]:
        """`if not enabled: return` before it."""
        for statement in block.body:
            if statement is below:
                return
            if isinstance(statement, cst.If) and statement.orelse is None and _leaves(statement.body):
                yield statement.test, False

    def _is_stable(self, test: Node) -> bool:
        """Whether nothing that the condition names is bound again after the start."""
        return not any(self._later(name) for name in self.walk.own(test, cst.Name))

    def _is_settled(self, test: Node) -> bool:
        """Whether the condition is about what was decided by the time of the start, or about a plain flag."""
        around = [up for up in self.walk.ancestors(self.start) if isinstance(up, cst.If)]
        outermost = around[-1] if around else None
        return all(
            _is_flag(binding) or (outermost is not None and self.walk.inside(binding.node, outermost))
            for name in self.walk.own(test, cst.Name)
            for binding in self._later(name)
        )

    def _later(self, name: cst.Name) -> list[Binding]:
        """The bindings of a name in the function that come after the start."""
        here, function = self.walk.order[self.start], self.walk.function_of(self.start)
        return [
            binding
            for binding in self.names.bindings(name.value, name)
            if self.walk.order[binding.node] > here and self.walk.function_of(binding.node) is function
        ]

    def correlated(self, node: Node) -> Iterator[Node]:
        """The conditions around a node that were settled before the start and go on after it: `if owns: span.end()`.

        They are taken to hold whenever the value exists. A block that returns, or a condition that looks at what came
        after the start, is a real branch.
        """
        below = node
        for up in self.walk.ancestors(node):
            if isinstance(up, cst.FunctionDef | cst.Lambda):
                return
            if isinstance(up, cst.If) and below is up.body and self._is_foregone(up):
                yield _first(up.test)
            below = up

    def left_to_others(self, node: Node) -> Iterator[Node]:
        """The conditions around a node in a final block: `finally: if not streaming: span.end()`.

        Where the function hands the value over on some way, they tell that way from the others.
        """
        tests: list[Node] = []
        below = node
        for up in self.walk.ancestors(node):
            if isinstance(up, cst.FunctionDef | cst.Lambda):
                return
            if isinstance(up, cst.Finally):
                yield from tests
                return
            if isinstance(up, cst.If) and below is up.body and not _leaves(up.body):
                tests.append(_first(up.test))
            below = up

    def _is_foregone(self, branch: cst.If) -> bool:
        outside = not self.walk.inside(self.start, branch) and self.known(branch.test) is None
        return outside and not _leaves(branch.body) and self._is_settled(branch.test)


def _first(test: Node) -> Node:
    """What of a condition is evaluated first."""
    while isinstance(test, cst.UnaryOperation | cst.BooleanOperation):
        test = test.expression if isinstance(test, cst.UnaryOperation) else test.left
    return test


def _parts(test: Node, value: bool) -> Iterator[tuple[Node, bool]]:
    """What a condition says of its parts: `a and b` being true, both are."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        yield from _parts(test.expression, not value)
    elif isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And if value else cst.Or):
        yield from _parts(test.left, value)
        yield from _parts(test.right, value)
    else:
        yield test, value


def _normal(test: Node) -> tuple[str, bool]:
    """The condition's text without spaces, and whether it is the negation of what the text says."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        text, negated = _normal(test.expression)
        return text, not negated
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        operator, other = test.comparisons[0].operator, test.comparisons[0].comparator
        if isinstance(operator, cst.IsNot | cst.Is) and isinstance(other, cst.Name) and other.value == "None":
            return f"{_text(test.left)} is None", isinstance(operator, cst.IsNot)
    return _text(test), False


def _text(node: Node) -> str:
    return "".join(cst.Module([]).code_for_node(node).split())


def root(node: Node) -> str | None:
    if isinstance(node, cst.NamedExpr):
        node = node.target
    while isinstance(node, cst.Attribute | cst.Call):
        node = node.value if isinstance(node, cst.Attribute) else node.func
    return node.value if isinstance(node, cst.Name) else None


def is_unset(name: str, test: Node, truth: bool) -> bool:
    """Whether a condition that came out so says that a name is None, or holds nothing."""
    if isinstance(test, cst.Comparison):
        there = _not_none(test) if root(test.left) == name else None
        return there is not None and there is not truth
    return isinstance(test, cst.Name) and test.value == name and not truth


def _not_none(test: cst.Comparison) -> bool | None:
    if len(test.comparisons) != 1 or not isinstance(test.left, cst.Name | cst.NamedExpr):
        return None
    target = test.comparisons[0]
    if isinstance(target.comparator, cst.Name) and target.comparator.value == "None":
        if isinstance(target.operator, cst.Is | cst.Equal):
            return False
        if isinstance(target.operator, cst.IsNot | cst.NotEqual):
            return True
    return None


def _is_flag(binding: Binding) -> bool:
    return isinstance(binding.value, cst.Name) and binding.value.value in {"True", "False", "None"}


def _leaves(block: Node) -> bool:
    last = block.body[-1] if isinstance(block, cst.BaseSuite) and block.body else None
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return isinstance(last, _LEAVES)
