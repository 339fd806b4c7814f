"""Scopes and bindings: from an expression to the dotted name it certainly means, or None.

One answer or None, never a set: a name with several possible meanings has none, except that `None` fallbacks
(`except ImportError: trace = None`) do not count as a meaning.
"""

from __future__ import annotations

import bisect
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, cast

import libcst as cst

from otlint.model.code import fallbacks
from otlint.model.code.walk import Function, Node, Regions, Walk

_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_NAMES = frozenset({cst.Name, cst.Attribute})
_LOOPS = frozenset({cst.For, cst.While})
_HANDLERS = frozenset({cst.ExceptHandler, cst.ExceptStarHandler})
_BLOCKS = frozenset({cst.IndentedBlock, cst.SimpleStatementSuite, cst.Module, cst.MatchCase})
Comprehension: TypeAlias = cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp
Scope: TypeAlias = cst.Module | cst.FunctionDef | cst.Lambda | cst.ClassDef | Comprehension


@dataclass(frozen=True, eq=False, slots=True)
class Binding:
    """One place that gives a name a meaning.

    `kind`: import, assign, unpack, aug, for, with, except, param, def, class, match, del. `value` is the expression
    assigned, iterated, entered, caught or deleted; `annotation` the declared type; `dotted` the imported name, None
    for a relative import from outside of the project.
    """

    kind: str
    node: Node
    value: cst.BaseExpression | None = None
    annotation: cst.BaseExpression | None = None
    dotted: str | None = None
    index: int | None = None


@dataclass(eq=False, slots=True)
class Names:
    """The scopes of one file. `package` is the dotted package for relative imports, "" when unknown."""

    walk: Walk
    module_name: str
    package: str
    imports: list[cst.Import | cst.ImportFrom] = field(default_factory=list)
    star_modules: list[str] = field(default_factory=list)
    attributes: dict[tuple[Node, str], list[Binding]] = field(default_factory=dict)
    _bindings: dict[tuple[Node, str], list[Binding]] = field(default_factory=dict)
    _elsewhere: dict[tuple[Node, str], Scope] = field(default_factory=dict)
    _nonlocal: dict[tuple[Scope, str], list[Binding]] = field(default_factory=dict)
    _reaching: dict[Node, list[Binding]] = field(default_factory=dict)
    _imported: set[str] | None = None
    _scopes: Regions[Scope] = field(init=False)
    _firsts: set[str | None] = field(init=False)  # of the parameters of every function: `self`, `cls`

    def __post_init__(self) -> None:
        self._firsts = {_first(function) for function in self.walk.all(cst.FunctionDef)}
        self._scopes = Regions(sorted(self._regions(), key=lambda region: region[0]), self.walk.tree)
        self._declare_elsewhere()
        self._bind_imports()
        self._bind_assignments()
        self._bind_blocks()
        self._bind_definitions()
        self._join_nonlocals()
        for bindings in self._bindings.values():
            bindings.sort(key=lambda binding: self.walk.order[binding.node])
            if len(bindings) > 1:
                fallbacks.leave_out(self.walk, bindings)

    # -- scopes ---------------------------------------------------------------------------------------------

    def scope_of(self, node: Node) -> Scope:
        """The scope in which a name at this node is looked up first."""
        return self._scopes.of(self.walk.order.get(node, 0))

    def _regions(self) -> Iterator[tuple[int, int, Scope | None]]:
        """Where the scopes are; defaults, annotations and what a comprehension goes over first belong outside."""
        walk = self.walk
        functions: list[Function] = [*walk.all(cst.FunctionDef), *walk.all(cst.Lambda)]
        for function in functions:
            yield *walk.extent(function.body), function
            yield *walk.extent(function.params), function
        for parameter in walk.all(cst.Param):
            for part in (parameter.annotation, parameter.default):
                if part is not None:
                    yield *walk.extent(part), None
        for definition in walk.all(cst.ClassDef):
            yield *walk.extent(definition.body), definition
        for comprehension in cast("list[Comprehension]", walk.all(*_COMPREHENSIONS)):
            start, end = walk.extent(comprehension)
            yield start + 1, end, comprehension
            yield *walk.extent(comprehension.for_in.iter), None

    def bindings(self, name: str, at: Node) -> list[Binding]:
        """Every binding that a use of the name at this node may see, in source order; [] when it is a builtin."""
        scope: Scope = self.scope_of(at)
        first = True
        while True:
            is_class = type(scope) is cst.ClassDef
            if first or not is_class:
                owner = self._elsewhere.get((scope, name), scope) if self._elsewhere else scope
                found = self._bindings.get((owner, name), [])
                if is_class and not any(self._runs_before(each, at) for each in found):
                    found = []  # `name = name` in a class: what is not bound there yet is looked up outside
                if found:
                    return found
            if type(scope) is cst.Module:
                return []
            first = False
            scope = self.scope_of(scope)

    def reaching(self, name: str, at: Node) -> list[Binding]:
        """The bindings that can be the one in force at a use in the same function: overwritten ones are left out."""
        if type(at) is not cst.Name or at.value != name:
            return self._find_reaching(name, at)
        found = self._reaching.get(at)
        if found is None:
            found = self._reaching[at] = self._find_reaching(name, at)
        return found

    def _find_reaching(self, name: str, at: Node) -> list[Binding]:
        found = self.bindings(name, at)
        if len(found) < 2 or self._function_of(found[0]) is not self.walk.function_of(at):
            return [binding for binding in found if binding.kind != "del"]
        split = bisect.bisect_left(found, self.walk.order[at], key=lambda binding: self.walk.order[binding.node])
        around, before, sure = [], [], None
        for i in range(split - 1, -1, -1):
            if self._binds(found[i], at):
                around.append(found[i])
                continue
            before.append(found[i])
            if self._dominates(found[i].node, at):
                sure = found[i]
                break
        # What every round of a loop binds anew before the use, no earlier round matters for.
        later = [*around, *found[split:]]
        if later:
            loops = [up for up in self.walk.ancestors(at) if type(up) in _LOOPS]
            loops = [loop for loop in loops if sure is None or not self.walk.inside(sure.node, loop)]
            later = [each for each in later if any(self._repeats(loop, each.node) for loop in loops)]
        return [binding for binding in [*reversed(before), *later] or found if binding.kind != "del"]

    def _repeats(self, loop: Node, node: Node) -> bool:
        return node is not loop and self.walk.inside(node, loop)

    def _function_of(self, binding: Binding) -> Node | None:
        """The function in whose calls the binding happens."""
        if binding.kind == "param":
            return self.walk.parent[self.walk.parent[binding.node]]
        return self.walk.function_of(binding.node)

    def _runs_before(self, binding: Binding, at: Node) -> bool:
        return self.walk.order[binding.node] < self.walk.order[at] and not self._binds(binding, at)

    def _binds(self, binding: Binding, at: Node) -> bool:
        """Whether the use stands inside the very statement that binds: `x = f(x)` sees the x before."""
        return binding.value is not None and self.walk.inside(at, binding.value)

    def _dominates(self, node: Node, at: Node) -> bool:
        """Whether the binding's block holds the use, so that the binding certainly ran before."""
        if type(node) is cst.For or type(node) in _HANDLERS:
            return self.walk.inside(at, node.body)  # type: ignore[attr-defined]
        below, part = node, None  # the operand of `and` with a `:=` in it
        for up in self.walk.ancestors(node):
            if part is None and type(up) in _BLOCKS:
                return self.walk.inside(at, up)
            if type(up) is cst.BooleanOperation and below is up.right and isinstance(up.operator, cst.And):
                part = part or below
            elif part is not None and type(up) is not cst.BooleanOperation:
                held = up.body if isinstance(up, cst.If | cst.While) and below is up.test else part
                return self.walk.inside(at, held)
            elif _may_skip(up, below):
                return self.walk.inside(at, below)
            below = up
        return False

    def in_scope(self, scope: Node) -> dict[str, list[Binding]]:
        """Every name that the module, class or function binds itself."""
        return {name: bindings for (owner, name), bindings in self._bindings.items() if owner is scope}

    def in_class(self, definition: cst.ClassDef, name: str) -> list[Binding]:
        """The bindings of a name in the class's own body."""
        return self._bindings.get((definition, name), [])

    @property
    def imports_everywhere(self) -> set[str]:
        """The dotted name of everything imported anywhere in the file."""
        if self._imported is None:
            found = {each.dotted for each in self._all() if each.kind == "import" and each.dotted is not None}
            found |= {_written(alias.name) for each in self.walk.all(cst.Import) for alias in each.names}
            self._imported = found
        return self._imported

    def imported(self) -> Iterator[tuple[cst.Import | cst.ImportFrom, str]]:
        """Every import statement of the file, wherever it stands, with the dotted name of each thing it imports."""
        for statement in self.walk.all(cst.Import, cst.ImportFrom):
            if isinstance(statement, cst.Import):
                yield from ((statement, _written(alias.name)) for alias in statement.names)
            elif isinstance(statement, cst.ImportFrom) and (module := self.absolute(statement)) is not None:
                aliases = () if isinstance(statement.names, cst.ImportStar) else statement.names
                yield from ((statement, f"{module}.{_written(alias.name)}") for alias in aliases)

    def _all(self) -> Iterator[Binding]:
        for bindings in self._bindings.values():
            yield from bindings

    def is_elsewhere(self, name: str, at: Node) -> bool:
        """Whether the name is declared `global` or `nonlocal` in the function that holds the node."""
        return (self.scope_of(at), name) in self._elsewhere

    def is_free(self, name: str, at: Node) -> bool:
        """Whether a new binding of the name would hide nothing that is visible at the node."""
        return not self.bindings(name, at) and not any(key[1] == name for key in self._bindings)

    # -- names ----------------------------------------------------------------------------------------------

    def dotted(self, expression: Node) -> str | None:
        """`trace.get_tracer` → `opentelemetry.trace.get_tracer` by imports, aliases and definitions of this file."""
        return self._dotted(expression, 0)

    def _dotted(self, expression: Node, depth: int) -> str | None:
        if depth > 20:
            return None
        if type(expression) is cst.Attribute:
            base = self._dotted(expression.value, depth + 1)
            return None if base is None else f"{base}.{expression.attr.value}"
        if type(expression) is not cst.Name:
            return None
        bindings = [b for b in self.reaching(expression.value, expression) if not _is_none(b.value)]
        if not bindings:
            return None if self.bindings(expression.value, expression) else self._unbound(expression.value)
        found = {self.meaning(binding, depth + 1) for binding in bindings}
        return found.pop() if len(found) == 1 else None

    def _unbound(self, name: str) -> str | None:
        """A name that nothing here binds: a builtin, or what the file's only star import brings."""
        if not self.star_modules or hasattr(builtins, name):
            return f"builtins.{name}"
        return f"{self.star_modules[0]}.{name}" if len(self.star_modules) == 1 else None

    def meaning(self, binding: Binding, depth: int = 0) -> str | None:
        """The dotted name that a binding gives to its name, None when it holds a value."""
        if binding.kind == "import":
            return binding.dotted
        if binding.kind in {"def", "class"}:
            return self.qualified(binding.node)
        if binding.kind == "assign" and type(binding.value) in _NAMES and binding.value is not None:
            return self._dotted(binding.value, depth)
        return None

    def qualified(self, definition: Node) -> str:
        """The dotted name of a function or class of this file, `module.Class.method`."""
        parts = [definition.name.value]  # type: ignore[attr-defined]
        above = self.walk.ancestors(definition)
        parts.extend(up.name.value for up in above if type(up) is cst.ClassDef or type(up) is cst.FunctionDef)
        return ".".join([self.module_name, *reversed(parts)])

    def definition(self, expression: Node) -> cst.FunctionDef | cst.ClassDef | None:
        """The only function or class of this file that the name can mean."""
        if not isinstance(expression, cst.Name):
            return None
        bindings = self.reaching(expression.value, expression)
        if len(bindings) == 1 and bindings[0].kind in {"def", "class"}:
            node = bindings[0].node
            assert isinstance(node, cst.FunctionDef | cst.ClassDef)
            return node
        return None

    def local(self, dotted: str, at: Node) -> str | None:
        """How an API can be written at a node with the imports that are visible there, None when it cannot."""
        best: str | None = None
        for (scope, name), bindings in self._bindings.items():
            meanings = {each.dotted if each.kind == "import" else None for each in bindings}
            imported = meanings.pop() if len(meanings) == 1 else None
            if imported is None or not (dotted == imported or dotted.startswith(imported + ".")):
                continue
            if self.bindings(name, at) is not bindings or (
                isinstance(scope, cst.FunctionDef) and self.walk.order[bindings[0].node] > self.walk.order[at]
            ):
                continue
            written = name + dotted[len(imported) :]
            if imported.count(".") == 0 and dotted != imported:
                continue  # `import opentelemetry.sdk` does not load `opentelemetry.trace`
            if best is None or len(written) < len(best):
                best = written
        return best

    # -- collection -----------------------------------------------------------------------------------------

    def _add(self, name: str, at: Node, binding: Binding, *, scope: Scope | None = None) -> None:
        owner = scope if scope is not None else self.scope_of(at)
        owner = self._elsewhere.get((owner, name), owner)
        waiting = self._nonlocal.get((owner, name))
        (self._bindings.setdefault((owner, name), []) if waiting is None else waiting).append(binding)

    def _declare_elsewhere(self) -> None:
        for statement in self.walk.all(cst.Global):
            for item in statement.names:
                self._elsewhere[self.scope_of(statement), item.name.value] = self.walk.tree
        for closed in self.walk.all(cst.Nonlocal):
            for item in closed.names:
                self._nonlocal[self.scope_of(closed), item.name.value] = []

    def _join_nonlocals(self) -> None:
        """Give the bindings of a nonlocal name to the nearest function around that binds it; outer functions first."""
        for (scope, name), bindings in self._nonlocal.items():
            owner = self.scope_of(scope)
            while (owner, name) not in self._elsewhere and not isinstance(owner, cst.Module):
                if (owner, name) in self._bindings and not isinstance(owner, cst.ClassDef):
                    break
                owner = self.scope_of(owner)
            self._elsewhere[scope, name] = owner = self._elsewhere.get((owner, name), owner)
            self._bindings.setdefault((owner, name), []).extend(bindings)

    def _bind_imports(self) -> None:
        for statement in self.walk.all(cst.Import, cst.ImportFrom):
            assert isinstance(statement, cst.Import | cst.ImportFrom)
            if isinstance(self.scope_of(statement), cst.Module):
                self.imports.append(statement)
            if isinstance(statement, cst.Import):
                self._bind_import(statement)
            else:
                self._bind_import_from(statement)

    def _bind_import(self, statement: cst.Import) -> None:
        for alias in statement.names:
            dotted = _written(alias.name)
            if alias.asname is not None:
                name = _written(alias.asname.name)
                self._add(name, statement, Binding("import", statement, dotted=dotted))
            else:
                top = dotted.partition(".")[0]
                self._add(top, statement, Binding("import", statement, dotted=top))

    def _bind_import_from(self, statement: cst.ImportFrom) -> None:
        module = self.absolute(statement)
        if isinstance(statement.names, cst.ImportStar):
            self.star_modules.extend(filter(None, [module]))
            return
        for alias in statement.names:
            name = _written(alias.asname.name) if alias.asname is not None else _written(alias.name)
            dotted = None if module is None else ".".join(filter(None, [module, _written(alias.name)]))
            self._add(name, statement, Binding("import", statement, dotted=dotted))

    def absolute(self, statement: cst.ImportFrom) -> str | None:
        """The absolute module of a from-import; relative ones are resolved against the file's package.

        "" is the project root, None lies outside of it.
        """
        module = _written(statement.module) if statement.module is not None else ""
        level = len(statement.relative)
        if not level:
            return module
        package = self.package.split(".") if self.package else []
        if level > len(package) + 1:
            return None
        base = package[: len(package) - (level - 1)]
        return ".".join([*base, *([module] if module else [])])

    def _bind_assignments(self) -> None:
        for node in self.walk.all(cst.Assign):
            for target in node.targets:
                self._bind_target(target.target, node.value, node, "assign")
        for declared in self.walk.all(cst.AnnAssign):
            self._bind_target(declared.target, declared.value, declared, "assign", declared.annotation.annotation)
        for changed in self.walk.all(cst.AugAssign):
            self._bind_target(changed.target, None, changed, "aug")
        for deleted in self.walk.all(cst.Del):
            self._bind_target(deleted.target, deleted.target, deleted, "del")
        for walrus in self.walk.all(cst.NamedExpr):
            scope = self.scope_of(walrus)
            while isinstance(scope, _COMPREHENSIONS):
                scope = self.scope_of(scope)
            if isinstance(walrus.target, cst.Name):
                self._add(walrus.target.value, walrus, Binding("assign", walrus, walrus.value), scope=scope)

    def _bind_target(
        self,
        target: Node,
        value: cst.BaseExpression | None,
        node: Node,
        kind: str,
        annotation: cst.BaseExpression | None = None,
        scope: Scope | None = None,
        index: int | None = None,
    ) -> None:
        if isinstance(target, cst.Name):
            self._add(target.value, node, Binding(kind, node, value, annotation, index=index), scope=scope)
        elif isinstance(target, cst.Attribute) and kind != "del":
            self._bind_attribute(target, Binding(kind, node, value, annotation, index=index))
        elif isinstance(target, cst.Tuple | cst.List):
            values = value.elements if isinstance(value, cst.Tuple | cst.List) and kind == "assign" else ()
            starred = any(isinstance(each, cst.StarredElement) for each in [*values, *target.elements])
            pairwise = len(values) == len(target.elements) and not starred
            for i, element in enumerate(target.elements):
                part = values[i].value if pairwise else value
                place = None if pairwise or starred or index is not None else i
                self._bind_target(element.value, part, node, kind if pairwise else _unpacked(kind), None, scope, place)

    def _bind_attribute(self, target: cst.Attribute, binding: Binding) -> None:
        """`self.x = …` and `cls.x = …` in a method belong to the class."""
        if not isinstance(target.value, cst.Name):
            return
        owner = self.owner_class(target.value)
        if owner is not None:
            self.attributes.setdefault((owner, target.attr.value), []).append(binding)

    def owner_class(self, name: cst.Name) -> cst.ClassDef | None:
        """The class whose instance (or itself) `self`, `cls` or a class name stands for."""
        if name.value not in self._firsts:
            return None
        for function in (self.walk.function_of(name), *self.walk.ancestors(name)):
            if type(function) is cst.FunctionDef and _first(function) == name.value:
                owner = self.walk.class_of(function)
                if owner is not None and not is_static(function):
                    return owner
        return None

    def _bind_blocks(self) -> None:
        for loop in self.walk.all(cst.For):
            self._bind_target(loop.target, loop.iter, loop, "for")
        for part in self.walk.all(cst.CompFor):
            scope = next(up for up in self.walk.ancestors(part) if isinstance(up, _COMPREHENSIONS))
            self._bind_target(part.target, part.iter, part, "for", None, scope)
        for item in self.walk.all(cst.WithItem):
            if item.asname is not None:
                self._bind_target(item.asname.name, item.item, item, "with")
        for handler in self.walk.all(cst.ExceptHandler, cst.ExceptStarHandler):
            assert isinstance(handler, cst.ExceptHandler | cst.ExceptStarHandler)
            if handler.name is not None and isinstance(handler.name.name, cst.Name):
                self._add(handler.name.name.value, handler, Binding("except", handler, handler.type))
        for pattern in self.walk.all(cst.MatchAs, cst.MatchStar):
            if pattern.name is not None:  # type: ignore[attr-defined]
                self._add(pattern.name.value, pattern, Binding("match", pattern))  # type: ignore[attr-defined]
        for mapping in self.walk.all(cst.MatchMapping):
            if mapping.rest is not None:
                self._add(mapping.rest.value, mapping, Binding("match", mapping))

    def _bind_definitions(self) -> None:
        for definition in self.walk.all(cst.FunctionDef, cst.ClassDef):
            kind = "def" if isinstance(definition, cst.FunctionDef) else "class"
            self._add(definition.name.value, definition, Binding(kind, definition))  # type: ignore[attr-defined]
        for parameter in self.walk.all(cst.Param):
            function = next(up for up in self.walk.ancestors(parameter) if isinstance(up, cst.FunctionDef | cst.Lambda))
            annotation = parameter.annotation.annotation if parameter.annotation is not None else None
            binding = Binding("param", parameter, parameter.default, annotation)
            self._add(parameter.name.value, parameter, binding, scope=function)


def _may_skip(node: Node, part: Node) -> bool:
    """Whether an expression, or an `if` with its `elif`, can be evaluated without one of its parts."""
    if type(node) is cst.BooleanOperation:
        return part is node.right
    if type(node) is cst.IfExp:
        return part is not node.test
    return type(node) in _COMPREHENSIONS or (type(node) is cst.If and part is node.orelse)


def _unpacked(kind: str) -> str:
    return "unpack" if kind == "assign" else kind


def _first(function: cst.FunctionDef) -> str | None:
    parameters = function.params.posonly_params or function.params.params
    return parameters[0].name.value if parameters else None


def is_static(function: cst.FunctionDef) -> bool:
    """Whether a method is a `staticmethod`, whose first parameter is no instance."""
    return any(isinstance(d.decorator, cst.Name) and d.decorator.value == "staticmethod" for d in function.decorators)


def is_accessor(function: cst.FunctionDef) -> bool:
    """Whether the definition only adds to one of the same name: a property's setter or deleter, an overload."""
    written = [each.decorator for each in function.decorators]
    names = {each.attr.value for each in written if isinstance(each, cst.Attribute)}
    names |= {each.value for each in written if isinstance(each, cst.Name)}
    return not names.isdisjoint({"setter", "deleter", "overload"})


def _is_none(value: cst.BaseExpression | None) -> bool:
    return type(value) is cst.Name and value.value == "None"


def _written(name: Node) -> str:
    """`a.b.c` as text."""
    if isinstance(name, cst.Attribute):
        return f"{_written(name.value)}.{name.attr.value}"
    assert isinstance(name, cst.Name), name
    return name.value
