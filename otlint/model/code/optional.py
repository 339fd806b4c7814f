"""Programs that also run where OpenTelemetry is not installed: what a repair adds must not be their end.

`try: from opentelemetry import trace` / `except ImportError: trace = None`
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.walk import Function, Node

if TYPE_CHECKING:
    from otlint.model.module import Module

# What a condition asks that stands for "is OpenTelemetry there?".
_ASKS = re.compile(r"(?i)otel|open_?telemetry|telemetry|trac(?:e|ing)|observab|span")
_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def requires(module: Module) -> bool | None:
    """Whether the file cannot be imported without OpenTelemetry; None when it does not import it for others."""
    found = {_is_tried(module, each) for each in _imports(module) if module.walk.function_of(each) is None}
    return (False in found) if found else None


def is_available(module: Module, at: Node) -> bool:
    """Whether OpenTelemetry is installed when the node runs, as far as imports and the conditions around it tell."""
    function = module.walk.function_of(at)
    return _depends(module, at, function) or _is_imported(module, at) or _others_require(module)


def is_tested(module: Module, name: str, at: Node) -> bool:
    """Whether the code around a node asks if the variable holds anything: `if span:`, `if span is not None:`."""
    function = module.walk.function_of(at)
    for each in module.walk.named(name, function.body if function is not None else module.tree):
        up = module.walk.parent[each]
        if isinstance(up, cst.UnaryOperation | cst.BooleanOperation):
            up = module.walk.parent[up]
        if isinstance(up, cst.Comparison):
            up = up if any(_is_none(target.comparator) for target in up.comparisons) else each
            up = module.walk.parent[up]
        if isinstance(up, cst.If | cst.IfExp | cst.BooleanOperation) and not _is_branch(up, each):
            return True
    return False


def _is_branch(up: Node, name: Node) -> bool:
    return isinstance(up, cst.IfExp) and name in {up.body, up.orelse}


def _is_none(value: Node) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"


def _depends(module: Module, at: Node, function: Function | None) -> bool:
    """Whether the node runs on a condition: `tracer.start_as_current_span("a") if tracer else nullcontext()`."""
    for up in module.walk.ancestors(at):
        if up is function:
            return False
        if (
            isinstance(up, cst.If | cst.IfExp)
            and not module.walk.inside(at, up.test)
            and _ASKS.search(module.code(up.test))
        ):
            return True
    return False


def _is_imported(module: Module, at: Node) -> bool:
    """Whether an import that ends the program, or the function, where it fails has run before."""
    above = {None, *module.walk.ancestors(at)}
    return any(
        module.walk.function_of(each) in above and (not _is_tried(module, each) or _shares_block(module, each, at))
        for each in _imports(module)
    )


def _shares_block(module: Module, statement: Node, at: Node) -> bool:
    return module.walk.inside(at, module.walk.parent[module.walk.parent[statement]])


def _others_require(module: Module) -> bool:
    """Whether no file that this one imports, or one of those, can do without; files that never need it do not count."""
    if requires(module) is not None:
        return False
    facts = module.project.files.get(module.path)
    waiting, seen, found = [facts] if facts is not None else [], {module.path}, set()
    while waiting:
        this = waiting.pop()
        for name in sorted(this.imports):
            other = module.project.imported(name, this.path)
            if other is not None and other.path not in seen:
                seen.add(other.path)
                found.add(other.requires)
                waiting.append(other)
    return True in found or False not in found


def _imports(module: Module) -> list[Node]:
    return [
        each
        for each in module.walk.all(cst.Import, cst.ImportFrom)
        if _top(each) == "opentelemetry" and not any(_tests_types(up) for up in module.walk.ancestors(each))
    ]


def _is_tried(module: Module, statement: Node) -> bool:
    """Whether the program goes on where the import fails."""
    below = statement
    for up in module.walk.ancestors(statement):
        if isinstance(up, cst.Try) and module.walk.inside(below, up.body) and any(map(_goes_on, up.handlers)):
            return True
        if isinstance(up, cst.If):
            return True
        if isinstance(up, cst.FunctionDef):
            return False
    return False


def _goes_on(handler: cst.ExceptHandler) -> bool:
    kind = handler.type
    types = [each.value for each in kind.elements] if isinstance(kind, cst.Tuple) else [kind]
    names = {getattr(each, "value", None) for each in types}
    last = handler.body.body[-1]
    raises = isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Raise)
    return not raises and (kind is None or not _IMPORT_ERRORS.isdisjoint(names))


def _top(statement: Node) -> str:
    assert isinstance(statement, cst.Import | cst.ImportFrom)
    if isinstance(statement, cst.ImportFrom):
        name = None if statement.relative else statement.module
    else:
        name = statement.names[0].name
    while isinstance(name, cst.Attribute):
        name = name.value  # type: ignore[assignment]
    return name.value if isinstance(name, cst.Name) else ""


def _tests_types(node: Node) -> bool:
    if not isinstance(node, cst.If):
        return False
    test = node.test.attr if isinstance(node.test, cst.Attribute) else node.test
    return isinstance(test, cst.Name) and test.value == "TYPE_CHECKING"
