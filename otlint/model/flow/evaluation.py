"""Expressions in the control-flow graph: the order in which operands are evaluated, and which may be skipped."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import libcst as cst

from otlint.model.code.walk import Node, Walk, significant
from otlint.model.flow import raised
from otlint.model.flow.trail import Ends, Point, Reason, Trail

_CONSTANTS = (cst.SimpleString, cst.Integer, cst.Float, cst.Imaginary, cst.Ellipsis)


class Evaluation:
    """Adds the points of expressions to a trail."""

    def __init__(self, trail: Trail, walk: Walk) -> None:
        self.trail = trail
        self._walk = walk

    def branch(self, test: Node) -> tuple[Ends, Ends]:
        """Evaluate a condition: what follows when it is true, and when it is false."""
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            true, false = self.branch(test.expression)
            return false, true
        if isinstance(test, cst.BooleanOperation):
            return self._junction(test)
        constant = _constant(test)
        if constant is not None:
            label = self.trail.label()
            return ([label.next], []) if constant else ([], [label.next])
        self.expression(test)
        choice = self.trail.place(Point(self.trail.frame, test=test))
        return [choice.next], [choice.otherwise]

    def _junction(self, node: cst.BooleanOperation) -> tuple[Ends, Ends]:
        """`a and b`, `a or b`: the right side is evaluated on one outcome of the left side."""
        operands, is_and = _operands(node)
        shortcut: Ends = []
        for operand in operands[:-1]:
            true, false = self.branch(operand)
            self.trail.here = true if is_and else false
            shortcut += false if is_and else true
        true, false = self.branch(operands[-1])
        return (true, false + shortcut) if is_and else (true + shortcut, false)

    def expression(self, node: Node) -> None:
        """Points for the operands in the order of evaluation, then for the node. Chains do not recurse."""
        stack: list[tuple[Node, bool]] = [(node, False)]
        while stack:
            node, evaluated = stack.pop()
            special = _EXPRESSIONS.get(type(node))
            if evaluated:
                self._evaluated(node)
            elif special is not None:
                special(self, node)
            else:
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(_children(node)))

    def _evaluated(self, node: Node) -> None:
        if isinstance(node, cst.Call) and self.trail.beliefs.no_return(node):
            name = "SystemExit" if raised.leaves_process(node) else raised.ANY
            self.trail.jump(node, [Reason("raise", node, name)])
        elif isinstance(node, cst.BaseExpression) and not isinstance(node, _CONSTANTS):
            self.trail.emit(node)

    def _yield(self, node: cst.Yield) -> None:
        if node.value is not None:
            self.expression(node.value)
        point = self.trail.emit(node)
        point.reasons += (Reason("yield", node, raised.GENERATOR_EXIT),)

    def _boolean(self, node: cst.BooleanOperation) -> None:
        operands, is_and = _operands(node)
        done: Ends = []
        for operand in operands[:-1]:
            true, false = self.branch(operand)
            self.trail.here = true if is_and else false
            done += false if is_and else true
        self.expression(operands[-1])
        self.trail.here += done
        self.trail.emit(node)

    def _conditional(self, node: cst.IfExp) -> None:
        self.trail.here, false = self.branch(node.test)
        self.expression(node.body)
        done, self.trail.here = self.trail.here, false
        self.expression(node.orelse)
        self.trail.here += done
        self.trail.emit(node)

    def _comparison(self, node: cst.Comparison) -> None:
        self.expression(node.left)
        done: Ends = []
        for target in node.comparisons:
            if target is not node.comparisons[0]:
                done.append(self.trail.label().next)
            self.expression(target.comparator)
        self.trail.here += done
        self.trail.emit(node)

    def _walrus(self, node: cst.NamedExpr) -> None:
        self.expression(node.value)
        self.store(node.target)
        self.trail.emit(node)

    def _lambda(self, node: cst.Lambda) -> None:
        self.parameters(node.params)
        self.trail.emit(node)

    def _comprehension(self, node: cst.BaseSimpleComp | cst.DictComp) -> None:
        """A generator expression is taken to be consumed where it stands."""
        heads: list[Point] = []
        clause: cst.CompFor | None = node.for_in
        while clause is not None:
            self.expression(clause.iter)
            heads.append(self.trail.emit(clause))
            self.store(clause.target)
            for condition in clause.ifs:
                self.trail.here, false = self.branch(condition.test)
                for ends in false:
                    ends.append(heads[-1])
            clause = clause.inner_for_in
        parts = [node.key, node.value] if isinstance(node, cst.DictComp) else [node.elt]
        for part in parts:
            self.expression(part)
        for ends in self.trail.here:
            ends.append(heads[-1])
        for outer, inner in itertools.pairwise(heads):
            inner.next.append(outer)
        self.trail.here = [heads[0].next]
        self.trail.emit(node)

    def store(self, target: Node) -> None:
        if isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self.store(element.value)
        elif isinstance(target, cst.Attribute):
            self.expression(target.value)
        elif isinstance(target, cst.Subscript):
            self.expression(target.value)
            for index in target.slice:
                self.expression(index)
        self.trail.emit(target, load=False)

    def parameters(self, params: cst.Parameters) -> None:
        for param in self._walk.below(params):
            if isinstance(param, cst.Param):
                for part in (param.default, param.annotation and param.annotation.annotation):
                    if part is not None and self._outermost(param, params):
                        self.expression(part)

    def _outermost(self, param: Node, params: Node) -> bool:
        """Not a parameter of a lambda that is somewhere in a default."""
        return next(up for up in self._walk.ancestors(param) if isinstance(up, cst.Parameters)) is params


def _children(node: Node) -> list[Node]:
    """The operands of an expression, or of a part of one, in the order of evaluation."""
    if isinstance(node, cst.Arg | cst.Attribute):
        return [node.value]
    if isinstance(node, cst.Name):
        return []
    return significant(node)


def _operands(node: cst.BooleanOperation) -> tuple[list[Node], bool]:
    """`a and b and c` as [a, b, c], and whether it is `and`."""
    kind = type(node.operator)
    operands: list[Node] = []
    left: Node = node
    while isinstance(left, cst.BooleanOperation) and isinstance(left.operator, kind):
        operands.append(left.right)
        left = left.left
    return [left, *reversed(operands)], kind is cst.And


def _constant(test: Node) -> bool | None:
    if isinstance(test, cst.Name):
        return {"True": True, "False": False, "None": False}.get(test.value)
    return bool(test.evaluated_value) if isinstance(test, cst.Integer | cst.SimpleString) else None


_EXPRESSIONS: dict[type[Node], Callable[[Evaluation, Any], None]] = {
    cst.BooleanOperation: Evaluation._boolean,
    cst.Comparison: Evaluation._comparison,
    cst.DictComp: Evaluation._comprehension,
    cst.GeneratorExp: Evaluation._comprehension,
    cst.IfExp: Evaluation._conditional,
    cst.Lambda: Evaluation._lambda,
    cst.ListComp: Evaluation._comprehension,
    cst.NamedExpr: Evaluation._walrus,
    cst.SetComp: Evaluation._comprehension,
    cst.Yield: Evaluation._yield,
}
