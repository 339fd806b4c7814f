"""Statements and the rest of their blocks: what a repair can wrap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.ownership import Custody

Statement = cst.BaseSmallStatement | cst.BaseCompoundStatement


def plain_statement(module: Module, node: Node) -> cst.Expr | cst.Assign | None:
    """The statement that is nothing but this expression, or its assignment to one name."""
    up = module.walk.parent[node]
    if isinstance(up, cst.Await):
        return plain_statement(module, up)
    if isinstance(up, cst.Assign) and len(up.targets) == 1 and isinstance(up.targets[0].target, cst.Name):
        return up
    return up if isinstance(up, cst.Expr) else None


def following(module: Module, statement: Node) -> list[Statement]:
    """The statements behind one in its own block."""
    line = module.walk.parent[statement] if isinstance(statement, cst.BaseSmallStatement) else statement
    found: list[Statement] = []
    if isinstance(line, cst.SimpleStatementLine | cst.SimpleStatementSuite):
        smalls = list(line.body)
        found.extend(smalls[smalls.index(statement) + 1 :])  # type: ignore[arg-type]
    block = line if isinstance(line, cst.SimpleStatementSuite) else module.walk.parent[line]
    if isinstance(block, cst.IndentedBlock | cst.Module):
        body = list(block.body)
        for each in body[body.index(line) + 1 :]:  # type: ignore[arg-type]
            found.extend(each.body if isinstance(each, cst.SimpleStatementLine) else [each])  # type: ignore[list-item]
    return found


def rest_of_block(module: Module, statement: Node) -> tuple[list[Statement], cst.If | None]:
    """What follows a statement; for the last one of an `if` without `else`, what follows that, and the `if`."""
    found = following(module, statement)
    if found:
        return found, None
    block = module.walk.parent[statement]
    if not isinstance(block, cst.SimpleStatementSuite):
        block = module.walk.parent[block]
    branch = module.walk.parent.get(block)
    alone = isinstance(branch, cst.If) and branch.body is block and branch.orelse is None
    if not isinstance(branch, cst.If) or not alone or isinstance(module.walk.parent[branch], cst.If):
        return [], None
    return following(module, branch), branch


def is_wrappable(module: Module, statements: list[Statement], *, yields: bool = False) -> bool:
    """Whether statements can move into a block: no definitions of a module, and no `yield` unless `yields`."""
    definitions = (cst.FunctionDef, cst.ClassDef, cst.Import, cst.ImportFrom)
    if module.function_of(statements[0]) is None and any(isinstance(each, definitions) for each in statements):
        return False
    return yields or not any(module.walk.own(each, cst.Yield) for each in statements)


@dataclass(slots=True)
class Guarded:
    """What has to move into a `try`, so that a `finally` can discharge a value.

    `statement` starts it, `inside` follows, up to the statement that discharges now or to the end of the block; `gone`
    are those statements. `ending` is what they say, None when there is none. `branch` is the `if` that alone knows the
    start, `unset` whether the variable has no value without it. `exact`: nothing else runs before the discharge that
    used to run after it.
    """

    statement: Statement
    inside: list[Statement]
    gone: list[Statement] = field(default_factory=list)
    ending: str | None = None
    branch: cst.If | None = None
    unset: bool = False
    exact: bool = True


def guarded(module: Module, custody: Custody) -> Guarded | None:
    """How the discharge of a value can move into a `finally`, None when it takes more than that."""
    statement = plain_statement(module, custody.start)
    if statement is None or custody.handed:
        return None
    rest, branch = rest_of_block(module, statement)
    gone: list[Statement] = []
    for node in custody.discharged:
        plain = plain_statement(module, node)
        if not isinstance(plain, cst.Expr) or _is_alone_in_clause(module, plain):
            return None
        gone.append(_with_its_test(module, plain, custody.names))
    last = max((rest.index(each) for each in gone if each in rest), default=len(rest))
    inside = rest[:last]
    if not inside or not all(each in rest or _within(module, each, inside) for each in gone):
        return None
    endings = [module.code(node) for node in custody.discharged]
    if len({"".join(each.split()) for each in endings}) > 1 or _read_later(module, custody, inside):
        return None
    exact = all(each in rest[last:] or _leaves_at_once(module, each) for each in gone)
    unset = branch is not None and not _is_set_to_none(module, custody.names, branch)
    return Guarded(statement, inside, gone, endings[-1] if endings else None, branch, unset, exact)


def _read_later(module: Module, custody: Custody, inside: list[Statement]) -> bool:
    """Whether the discharge reads what `inside` sets: a `finally` may run before it is."""
    return any(
        _within(module, binding.node, inside)
        for node in custody.discharged
        for name in module.walk.all(cst.Name, within=node)
        if name.value not in custody.names
        for binding in module.names.bindings(name.value, name)
    )


def _with_its_test(module: Module, statement: Statement, names: list[str]) -> Statement:
    """`if span: span.end()` goes as a whole."""
    line = module.walk.parent[statement]
    block = line if isinstance(line, cst.SimpleStatementSuite) else module.walk.parent[line]
    branch = module.walk.parent.get(block)
    if not isinstance(branch, cst.If) or branch.orelse is not None or len(getattr(block, "body", ())) != 1:
        return statement
    if isinstance(module.walk.parent[branch], cst.If) or "#" in module.code(branch):
        return statement
    looks = {name for each in names for name in (each, f"{each} is not None")}
    return branch if module.code(branch.test) in looks else statement


def _is_set_to_none(module: Module, names: list[str], branch: cst.If) -> bool:
    """Whether `span = None` stands before the branch."""
    block = module.walk.parent[branch]
    return any(
        module.walk.order[each.node] < module.walk.order[branch]
        and isinstance(each.value, cst.Name)
        and each.value.value == "None"
        and module.walk.inside(each.node, block)
        for each in (module.names.bindings(names[0], branch) if names else ())
    )


def _within(module: Module, statement: Node, blocks: list[Statement]) -> bool:
    return any(module.walk.inside(statement, each) for each in blocks)


def _is_alone_in_clause(module: Module, statement: Node) -> bool:
    """Taking it away would leave an empty `finally` or `except`."""
    line = module.walk.parent[statement]
    block = line if isinstance(line, cst.SimpleStatementSuite) else module.walk.parent[line]
    clause = module.walk.parent.get(block)
    return isinstance(clause, cst.Finally | cst.ExceptHandler) and len(getattr(block, "body", ())) == 1


def _leaves_at_once(module: Module, statement: Node) -> bool:
    after = following(module, statement)
    jumps = isinstance(after[0], cst.Return | cst.Raise | cst.Continue | cst.Break) if after else False
    return jumps and not module.walk.own(after[0], cst.Call, cst.Await)
