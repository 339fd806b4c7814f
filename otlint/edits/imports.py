"""How an API can be written at a node, and the import that makes it so.

The edits are `shared`: two fixes that need the same import hold the same edits, and different imports go together.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint.edits import layout
from otlint.edits.expressions import behind_item, remove_item
from otlint.edits.statements import delete_statement
from otlint.fix import Edit, Leftover

if TYPE_CHECKING:
    from otlint.model.module import Module

Edits = tuple[Edit, ...]
Import = cst.Import | cst.ImportFrom


def reference(module: Module, dotted: str, at: cst.CSTNode) -> tuple[str, Edits]:
    """The text that means `opentelemetry.trace.StatusCode` (or `contextvars.copy_context`) at a node.

    An import in reach is used or extended; else one is added beside those of the same package. Classes, constants and
    the modules of `opentelemetry` are imported by name, functions by their module. A name that is taken gets an alias.
    """
    written = module.names.local(dotted, at) or _by_whole_name(module, dotted, at)
    if written is not None and not _is_for_types(module, written, at):
        return written, ()
    package, _, name = dotted.rpartition(".")
    if package.rpartition(".")[2][:1].isupper():  # a member of a class cannot be imported
        owner, edits = reference(module, package, at)
        return f"{owner}.{name}", edits
    base = module.names.local(package, at) if package != "opentelemetry" else None
    if base is not None and not _is_for_types(module, base, at):
        return f"{base}.{name}", ()
    free = module.names.is_free
    by_name = name[:1].isupper() or package == "opentelemetry" or _extendable(module, package, at) is not None
    if by_name and free(name, at):
        return name, _import(module, package, name, at)
    if package == "opentelemetry":
        return _aliased(module, package, name, at)
    parent, _, last = package.rpartition(".")
    if free(last, at):
        return f"{last}.{name}", _import(module, parent, last, at)
    alias, edits = _aliased(module, parent, last, at)
    return f"{alias}.{name}", edits


def remove_import(module: Module, statement: Import, alias: cst.ImportAlias) -> Edits:
    """Remove one name of an import, or the whole statement with its last name."""
    assert not isinstance(statement.names, cst.ImportStar)
    names = list(statement.names)
    if names == [alias]:
        return delete_statement(module, statement)
    items = [(*module.range(each), each.comma) for each in names]
    return remove_item(module, items, names.index(alias))


def leftover_imports(module: Module, *gone: cst.CSTNode) -> Edits:
    """Remove the imported names that nothing needs any more when these nodes are gone."""
    removed: dict[Import, Edits] = {}
    for statement, alias, uses in _imported(module, gone):
        if statement not in removed and all(any(module.walk.inside(each, node) for node in gone) for each in uses):
            removed[statement] = remove_import(module, statement, alias)
    return tuple(edit for edits in removed.values() for edit in edits)


def leftover_with_others(module: Module, gone: cst.CSTNode) -> tuple[Leftover, ...]:
    """The imported names that other fixes of the file, too, make free of uses: once the last of them is made."""
    found = []
    for statement, alias, uses in _imported(module, [gone]):
        if not all(module.walk.inside(each, gone) for each in uses):
            places = tuple(module.range(each)[0] for each in uses)
            found.append(Leftover(remove_import(module, statement, alias), places))
    return tuple(found)


def _imported(
    module: Module, gone: Sequence[cst.CSTNode]
) -> Iterator[tuple[cst.ImportFrom, cst.ImportAlias, list[cst.Name]]]:
    """The names in some nodes that one import brings: the import, the name there, and all uses in the file."""
    exported = {each.evaluated_value for each in module.walk.all(cst.SimpleString)}
    used = [each for node in gone for each in module.walk.all(cst.Name, within=node)]
    for name in used if not module.path.endswith("__init__.py") else ():
        bindings = module.names.bindings(name.value, name)
        statement = bindings[0].node if len(bindings) == 1 else None
        if not isinstance(statement, cst.ImportFrom) or isinstance(statement.names, cst.ImportStar):
            continue
        alias = next(
            (each for each in statement.names if name.value == (each.evaluated_alias or each.evaluated_name)), None
        )
        if alias is not None and name.value not in exported:
            named = module.walk.named(name.value, module.tree)
            yield statement, alias, [each for each in named if not module.walk.inside(each, statement)]


def _aliased(module: Module, package: str, name: str, at: cst.CSTNode) -> tuple[str, Edits]:
    first = f"otel_{name}" if package.startswith("opentelemetry") else f"_{name}"
    aliases = itertools.chain([first], (f"{first}_{number}" for number in itertools.count(2)))
    alias = next(alias for alias in aliases if module.names.is_free(alias, at))
    return alias, _import(module, package, f"{name} as {alias}", at)


def _import(module: Module, package: str, item: str, at: cst.CSTNode) -> Edits:
    statement = _extendable(module, package, at) if package else None
    edits = _extend(module, statement, item) if statement is not None else _add(module, package, item, at)
    return tuple(dataclasses.replace(edit, shared=True) for edit in edits)


# -- which imports are in reach ---------------------------------------------------------------------------------


def _extendable(module: Module, package: str, at: cst.CSTNode) -> cst.ImportFrom | None:
    """The import from a package to which a name can be added for a use at the node."""
    found = [
        (rank, statement)
        for rank, statement in _in_reach(module, at)
        if isinstance(statement, cst.ImportFrom)
        and not isinstance(statement.names, cst.ImportStar)
        and _package(statement) == package
    ]
    return found[-1][1] if found else None


def _in_reach(module: Module, at: cst.CSTNode) -> list[tuple[int, Import]]:
    """Imports that have run when the node runs, best last: 0 of the module, 1 of its functions, 2 guarded ones."""
    found = []
    for statement in module.walk.all(cst.Import, cst.ImportFrom):
        assert isinstance(statement, cst.Import | cst.ImportFrom)
        rank = _rank(module, statement, at)
        if rank is not None and _package(statement) != "__future__":
            found.append((rank, statement))
    return sorted(found, key=lambda each: -each[0])


def _by_whole_name(module: Module, dotted: str, at: cst.CSTNode) -> str | None:
    """`import contextvars` lets one write `contextvars.copy_context`."""
    package, top = dotted.rpartition(".")[0], dotted.partition(".")[0]
    plain = any(
        alias.asname is None and _written(alias.name) == package
        for _, statement in _in_reach(module, at)
        if isinstance(statement, cst.Import)
        for alias in statement.names
    )
    return dotted if plain and all(found.kind == "import" for found in module.names.bindings(top, at)) else None


def _rank(module: Module, statement: Import, at: cst.CSTNode) -> int | None:
    walk = module.walk
    function = walk.function_of(statement)
    before = walk.order[statement] < walk.order[at]
    block = walk.parent[walk.parent[statement]]
    if function is not None:
        inside = before and walk.inside(at, block) and not isinstance(block, cst.ClassDef)
        return 1 if inside and function in walk.ancestors(at) else None
    if not before and walk.function_of(at) is None:
        return None
    if isinstance(block, cst.Module):
        return 0
    guards = [up for up in walk.ancestors(statement) if isinstance(up, cst.BaseCompoundStatement | cst.ExceptHandler)]
    if any(not isinstance(up, cst.Try | cst.If) or _tests_types(up) for up in guards):
        return None
    return 2


def _is_for_types(module: Module, written: str, at: cst.CSTNode) -> bool:
    """Whether a name is bound only below `if TYPE_CHECKING`."""
    return any(
        _tests_types(up)
        for binding in module.names.bindings(written.partition(".")[0], at)
        for up in module.walk.ancestors(binding.node)
    )


def _tests_types(node: cst.CSTNode) -> bool:
    if not isinstance(node, cst.If):
        return False
    test = node.test.attr if isinstance(node.test, cst.Attribute) else node.test
    return isinstance(test, cst.Name) and test.value == "TYPE_CHECKING"


def _package(statement: Import) -> str | None:
    """The module imported from (absolute only), or the first one of `import a, b`."""
    if isinstance(statement, cst.Import):
        return _written(statement.names[0].name)
    return None if statement.relative or statement.module is None else _written(statement.module)


def _written(name: cst.BaseExpression) -> str:
    if isinstance(name, cst.Attribute):
        return f"{_written(name.value)}.{name.attr.value}"
    assert isinstance(name, cst.Name)
    return name.value


# -- one more name ----------------------------------------------------------------------------------------------


def _extend(module: Module, statement: cst.ImportFrom, item: str) -> Edits:
    assert not isinstance(statement.names, cst.ImportStar)
    names = list(statement.names)
    position = _place([_written(alias.name) for alias in names], item.partition(" ")[0])
    if position == 0:
        start = module.range(names[0])[0]
        indent = layout.own_line(module, start) if statement.lpar else None
        separator = ", " if indent is None else f",{module.source.newline}{indent}"
        return (Edit(start, start, item + separator),)
    start, end = module.range(names[position - 1])
    if statement.lpar is None:
        return (Edit(end, end, f", {item}"),)
    comma = names[position - 1].comma
    return behind_item(module, start, end, comma if isinstance(comma, cst.Comma) else None, item)


def _place(names: Sequence[str], name: str) -> int:
    """Where a name belongs in an import: in order if the names are in one of the usual orders, else at the end."""
    orders: list[Callable[[str], tuple[int, str]]] = [_by_type, lambda name: (0, name), lambda name: (0, name.lower())]
    for order in orders:
        if list(names) == sorted(names, key=order):
            return sum(order(other) <= order(name) for other in names)
    return len(names)


def _by_type(name: str) -> tuple[int, str]:
    """Constants, classes, variables: the order that import sorters make."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name


# -- one more line ----------------------------------------------------------------------------------------------


def _add(module: Module, package: str, item: str, at: cst.CSTNode) -> Edits:
    code = f"from {package} import {item}" if package else f"import {item}"
    top = (package or item).partition(".")[0].partition(" ")[0]
    reach = [found for _, found in _in_reach(module, at) if isinstance(_line(module, found), cst.SimpleStatementLine)]
    kin = [found for found in reach if _is_kin(top, (_package(found) or "").partition(".")[0])]
    if kin:
        block = _block(module, kin[-1])
        return _beside(module, [found for found in kin if _block(module, found) is block], code, package or item)
    top_level = [found for found in reach if isinstance(_block(module, found), cst.Module)]
    if not top_level:
        return _first(module, code)
    if top in sys.stdlib_module_names:
        return _above(module, _line(module, top_level[0]), code, blank=True)
    return _among_foreign(module, _before_definitions(module, top_level), code, package or item)


def _among_foreign(module: Module, imports: Sequence[Import], code: str, target: str) -> Edits:
    """Between the imports of the standard library and those of the project."""
    tops = {_top(found) for found in imports if _is_own(module, found)}
    own = [found for found in imports if _top(found) in {"", *tops}]
    standard = [found for found in imports if _top(found) in sys.stdlib_module_names]
    foreign = [found for found in imports if found not in own and found not in standard]
    if foreign:
        return _beside(module, foreign, code, target)
    if standard:
        return _below(module, _line(module, standard[-1]), code, blank=True)
    return _above(module, _line(module, own[0]), code, blank=True)


def _top(statement: Import) -> str:
    """The first part of what is imported from, "" for a relative import."""
    return (_package(statement) or "").partition(".")[0]


def _is_own(module: Module, statement: Import) -> bool:
    """Whether a file of the project is imported."""
    package = _package(statement)
    if package is None or module.project.imported(package, module.path) is not None:
        return True
    folders = module.path.split("/")[:-1]
    stems = ("/".join((*folders[:cut], *package.split("."))) for cut in range(len(folders) + 1))
    return any(f"{stem}{end}" in module.project.paths for stem in stems for end in (".py", "/__init__.py"))


def _beside(module: Module, kin: Sequence[Import], code: str, target: str) -> Edits:
    """Among the imports of the same package, in order if they are in order."""
    kin = _before_definitions(module, kin)
    keys = [(isinstance(found, cst.ImportFrom), _package(found) or "") for found in kin]
    key = (code.startswith("from "), target)
    position = sum(other <= key for other in keys) if keys == sorted(keys) else len(kin)
    if position == 0:
        return _above(module, _line(module, kin[0]), code, blank=False)
    return _below(module, _line(module, kin[position - 1]), code, blank=False)


def _first(module: Module, code: str) -> Edits:
    """Behind the docstring and the future imports."""
    body = module.tree.body
    heads = list(itertools.takewhile(_is_head, body))
    if heads:
        return _below(module, heads[-1], code, blank=True)
    if body:
        return _above(module, body[0], code, blank=True)
    end = len(module.source.text)
    return (Edit(end, end, code + module.source.newline),)


def _is_head(line: cst.CSTNode) -> bool:
    first = line.body[0] if isinstance(line, cst.SimpleStatementLine) else line
    if isinstance(first, cst.ImportFrom):
        return _package(first) == "__future__"
    return isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString | cst.ConcatenatedString)


def _is_kin(top: str, other: str) -> bool:
    return top == other or (top in sys.stdlib_module_names and other in sys.stdlib_module_names)


def _before_definitions(module: Module, imports: Sequence[Import]) -> Sequence[Import]:
    """Imports at the head of the file, or all of them when there are none."""
    definitions = (line for line in module.tree.body if isinstance(line, cst.FunctionDef | cst.ClassDef))
    first = next(definitions, None)
    head = [found for found in imports if first is None or module.walk.order[found] < module.walk.order[first]]
    return head or imports


def _line(module: Module, statement: Import) -> layout.Line:
    return layout.line_of(module, statement)


def _block(module: Module, statement: Import) -> cst.CSTNode:
    return module.walk.parent[_line(module, statement)]


def _above(module: Module, line: cst.CSTNode, code: str, *, blank: bool) -> Edits:
    newline = module.source.newline
    start = layout.line_start(module.source.text, layout.start_of(module, line))  # type: ignore[arg-type]
    return (Edit(start, start, layout.indent_of(module, line) + code + newline * (1 + blank)),)


def _below(module: Module, line: cst.CSTNode, code: str, *, blank: bool) -> Edits:
    newline = module.source.newline
    edit = layout.below(module, line, layout.indent_of(module, line) + code)  # type: ignore[arg-type]
    return (dataclasses.replace(edit, text=newline * blank + edit.text),)
