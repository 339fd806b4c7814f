"""What a name holds: the type of an expression, and the API that a callable expression means.

A type is the dotted name of a class (`opentelemetry.trace.Span`, `threading.Thread`, `app.jobs.Worker`), followed
through assignments, annotations, with-targets, parameters, class attributes and functions of the project that
return it. Calls of unknown functions keep their spelling (`psycopg2.connect()`), so that tables can speak of
`psycopg2.connect().cursor().execute`. Unknown is None.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence

import libcst as cst

from otlint import known, otel
from otlint.model.code import annotations as notes
from otlint.model.code import elements, inferred, partials, results, stars, stowed
from otlint.model.code.mapped import Mapped
from otlint.model.code.names import Binding, Names, is_accessor, is_static
from otlint.model.code.walk import N, Node, Walk
from otlint.model.project import Project, Symbol

_LITERALS: dict[type[Node], str] = {
    cst.SimpleString: "builtins.str",
    cst.ConcatenatedString: "builtins.str",
    cst.FormattedString: "builtins.str",
    cst.Integer: "builtins.int",
    cst.Float: "builtins.float",
    cst.Dict: "builtins.dict",
    cst.DictComp: "builtins.dict",
    cst.List: "builtins.list",
    cst.ListComp: "builtins.list",
    cst.Tuple: "builtins.tuple",
    cst.Set: "builtins.set",
    cst.SetComp: "builtins.set",
    cst.GeneratorExp: "~generator",
    cst.Lambda: "~lambda",
}
_ENUMS = frozenset(f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"))
_CONFUSED = frozenset({otel.CONTEXT, otel.SPAN_CONTEXT})
_MANAGER_DECORATORS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
# `x = x.f()` a thousand times over must not end in a RecursionError; asked in the order of the source, it never does.
_DEPTH = 30
_UNASKED = "~unasked"
# A stand-in for a span or manager when tracing is off does not change what the name is for.
_STAND_IN = re.compile(r"(?i)(?:^|\.)_?(?:contextlib\.nullcontext|\w*(?:no_?op|null|dummy|fake)\w*)(?:\(\))?$")


class Values:
    """The types of one file's expressions. Answers are remembered; a cycle has no answer."""

    def __init__(self, walk: Walk, names: Names, project: Project, path: str) -> None:
        self.walk = walk
        self.names = names
        self.project = project
        self.path = path
        self.stowed = stowed.Stowed(walk, names)
        self.mapped = Mapped(self)
        self._types: dict[Node, str | None] = {}
        self._depth = 0
        self._apis: dict[Node, str | None] = {}
        self._returned: dict[Node, str | None] = {}
        self._classes = {names.qualified(each): each for each in walk.all(cst.ClassDef)}
        self._functions = {names.qualified(each): each for each in walk.all(cst.FunctionDef) if not is_accessor(each)}
        self._lineages: dict[str, list[str]] = {}
        self._call_sites: dict[Node, list[cst.Call]] | None = None

    # -- questions ------------------------------------------------------------------------------------------

    def api(self, expression: Node) -> str | None:
        """The dotted name of what is called or accessed: `self.tracer.start_span` → `…trace.Tracer.start_span`."""
        found = self._apis.get(expression, _UNASKED)
        if found is _UNASKED:
            self._apis[expression] = None
            found = self._api(expression)
            self._apis[expression] = found = inferred.start_by_kind(self, expression, found)
        return found

    def type(self, expression: Node) -> str | None:
        """The type of an expression's value, None when unknown."""
        if expression not in self._types:
            if self._depth > _DEPTH:
                return None
            self._depth += 1
            self._types[expression] = None
            self._types[expression] = self._type(expression)
            self._depth -= 1
        return self._types[expression]

    def function(self, dotted: str | None) -> cst.FunctionDef | None:
        """The function of this file with that dotted name."""
        return self._functions.get(dotted) if dotted else None

    def cls(self, dotted: str | None) -> cst.ClassDef | None:
        """The class of this file with that dotted name."""
        return self._classes.get(dotted) if dotted else None

    def symbol(self, dotted: str | None) -> Symbol | None:
        """The project's symbol of a dotted name as this file sees it."""
        return self.project.symbol(dotted, self.path) if dotted else None

    # -- APIs -----------------------------------------------------------------------------------------------

    def _api(self, expression: Node) -> str | None:
        if type(expression) is not cst.Name and type(expression) is not cst.Attribute:
            return None
        dotted = self.names.dotted(expression)
        if dotted is not None:
            return stowed.method(self, expression) or self.followed(dotted)
        if type(expression) is cst.Attribute:
            cls = self.super_of(expression.value)
            if cls is not None:
                return self._inherited(self.lineage(cls)[1:], expression.attr.value)
            owner = self.type(expression.value)
            owner = owner or self.api(expression.value)
            return self.member(owner, expression.attr.value) if owner is not None else None
        assert isinstance(expression, cst.Name)
        found = {self._callable(binding) for binding in self.names.reaching(expression.value, expression)}
        starred = stars.brought(self, expression) if not found else None
        return starred.dotted if starred is not None else found.pop() if len(found) == 1 else None

    def _callable(self, binding: Binding) -> str | None:
        if binding.kind != "assign" or binding.value is None:
            return None
        return self.api(partials.called(self, binding.value))

    def followed(self, dotted: str) -> str | None:
        """An imported or defined name, canonical, and seen through project re-exports and module variables."""
        dotted = otel.canonical(dotted)
        if otel.is_otel(dotted) or dotted.startswith("builtins."):
            return dotted
        if dotted in self._functions or dotted in self._classes:
            return dotted
        declared = self.project.wrappers.below_tracer(dotted)
        if declared:
            return otel.TRACER + declared
        own = self._own_member(dotted)
        if own is not None:
            return own
        symbol = self.symbol(dotted)
        if symbol is None:
            return dotted
        return symbol.dotted

    def _own_member(self, dotted: str) -> str | None:
        """`module.Class.method` where a base class of this file defines it; `Class.tracer.start_span`; `task.delay`."""
        owner, _, name = dotted.rpartition(".")
        if owner in self._functions:
            made = self.decorated(self._functions[owner])
            return f"{made}.{name}" if made is not None else None
        if owner not in self._classes:
            cls, _, attribute = owner.rpartition(".")
            owner = (self.attribute(cls, attribute) if cls in self._classes else None) or ""
        return self.member(owner, name) if owner else None

    def decorated(self, function: cst.FunctionDef) -> str | None:
        """The type that a library's decorator makes of a function: a task of Celery, an actor."""
        table = known.decorated()
        made = (table.get(self.api(_decorator(each)) or "") for each in function.decorators)
        return next(filter(None, made), None)

    def member(self, owner: str, name: str) -> str | None:
        """The dotted name of a method found by class: own, inherited in this file, in the project, or foreign."""
        if owner in self._classes:
            return self._inherited(self._lineage(owner), name)
        symbol = self.symbol(owner)
        if symbol is not None and symbol.kind == "class":
            found = self.project.member(symbol, name)
            return found.dotted if found is not None else f"{symbol.dotted}.{name}"
        return otel.canonical(f"{owner}.{name}")

    def _inherited(self, lineage: list[str], name: str) -> str | None:
        for base in lineage:
            if f"{base}.{name}" in self._functions:
                return f"{base}.{name}"
            if base not in self._classes:
                return self.member(base, name)
        return f"{lineage[0]}.{name}" if lineage else None

    def _lineage(self, owner: str) -> list[str]:
        """The class and its bases, depth first, each once; classes of other files end a branch."""
        if owner in self._lineages:
            return self._lineages[owner]
        found: dict[str, None] = {}
        waiting = [owner]
        while waiting:
            dotted = waiting.pop(0)
            if dotted in found or dotted == "builtins.object":
                continue
            found[dotted] = None
            definition = self._classes.get(dotted)
            if definition is not None:
                waiting = self.bases(definition) + waiting
        self._lineages[owner] = list(found)
        return self._lineages[owner]

    def lineage(self, definition: cst.ClassDef) -> list[str]:
        """The dotted names of a class of this file and of its known bases, nearest first."""
        return self._lineage(self.names.qualified(definition))

    def bases(self, definition: cst.ClassDef) -> list[str]:
        """The dotted names of a class's known bases."""
        return [base for arg in definition.bases if (base := self.api(arg.value)) is not None]

    def is_enum(self, kind: str | None) -> bool:
        """Whether a type is an enum of the standard library or the project."""
        if kind in _ENUMS:
            return True
        cls = self.cls(kind)
        if cls is not None:
            return not _ENUMS.isdisjoint(self.bases(cls))
        symbol = self.symbol(kind)
        return symbol is not None and symbol.cls is not None and not _ENUMS.isdisjoint(symbol.cls.bases)

    # -- types ----------------------------------------------------------------------------------------------

    def _type(self, node: Node) -> str | None:
        literal = _LITERALS.get(type(node))
        if literal is not None:
            return literal
        if type(node) is cst.Call:
            return results.of_call(self, node)
        if type(node) is cst.Name or type(node) is cst.Attribute:
            if self.project.wrappers.tracers and self._is_declared_tracer(node):
                return otel.TRACER
            return self._name_type(node) if isinstance(node, cst.Name) else self._attribute_type(node)
        if type(node) is cst.Await:
            return self.type(node.expression)
        if type(node) is cst.NamedExpr:
            return self.type(node.value)
        if type(node) is cst.IfExp:
            return self.agreed([node.body, node.orelse]) or self._default(node.body, node.orelse)
        if type(node) is cst.BooleanOperation:
            if isinstance(node.operator, cst.And):
                return self.type(node.right)
            found = self.agreed([node.left, node.right]) or self.type(node.left)  # a default is of the same type
            return found or self._default(node.left, node.right)
        if type(node) is cst.Subscript:
            owner = self.type(node.value)
            found = known.clients().item(owner) if owner is not None else None
            return inferred.kept(self, node) or self.mapped.at(node) or found
        return None

    def _default(self, given: Node, default: Node) -> str | None:
        """`tracer or trace.get_tracer("shop")`: what may be given for a parameter without annotation is like that."""
        bindings = self.names.reaching(given.value, given) if isinstance(given, cst.Name) else ()
        bare = bool(bindings) and all(each.kind == "param" and each.annotation is None for each in bindings)
        return self.type(default) if bare else None

    def _is_declared_tracer(self, node: Node) -> bool:
        dotted = self.names.dotted(node)
        return dotted is not None and self.project.wrappers.below_tracer(dotted) == ""

    def agreed(self, expressions: Sequence[Node]) -> str | None:
        """The one type that all of these have; None, INVALID_SPAN and no-op stand-ins do not count."""
        given = [each for each in expressions if not _is_none(each) and self.api(each) != otel.INVALID_SPAN]
        return _one({self.type(each) for each in given})

    def super_of(self, node: Node) -> cst.ClassDef | None:
        """The class for which `super()` stands."""
        if type(node) is not cst.Call or self.api(node.func) != "builtins.super":
            return None
        return next((up for up in self.walk.ancestors(node) if isinstance(up, cst.ClassDef)), None)

    def entered(self, kind: str | None, method: str = "__enter__") -> str | None:
        """What `with` binds for a context manager of that type; a foreign class returns itself."""
        return results.entered(self, kind, method)

    def _name_type(self, name: cst.Name) -> str | None:
        bindings = self.names.reaching(name.value, name)
        starred = stars.brought(self, name) if not bindings else None
        return self.held(bindings) if starred is None else starred.type if starred.kind == "value" else None

    def held(self, bindings: Sequence[Binding]) -> str | None:
        """The one type of the values that the bindings give; None and no-op stand-ins do not count."""
        return _one({self._bound(binding) for binding in bindings if self._tells(binding)})

    def _tells(self, binding: Binding) -> bool:
        """Whether a binding may give more than None, as `x: Tracer | None = None` does; `x: Any = None` does not."""
        declared = binding.annotation
        return not _is_none(binding.value) or (declared is not None and not notes.is_open(self, declared))

    def _bound(self, binding: Binding) -> str | None:
        if binding.kind == "param" and (gathered := _gathers(binding.node, self.walk)) is not None:
            return gathered
        if binding.annotation is not None:
            declared = self.annotated(binding.annotation)
            if declared is not None or binding.kind == "param":
                return declared or self._parameter(binding)
        if binding.kind == "param":
            return self._parameter(binding)
        if binding.kind == "assign" and binding.value is not None:
            return self.type(binding.value)
        if binding.kind == "for":
            return elements.iterated(self, binding)
        if binding.kind == "unpack" and binding.value is not None:
            return inferred.element(self.type(binding.value), binding.index)
        if binding.kind == "with" and binding.value is not None:
            block = self.walk.parent[binding.node]
            is_async = isinstance(block, cst.With) and block.asynchronous is not None
            return self.entered(self.type(binding.value), "__aenter__" if is_async else "__enter__")
        if binding.kind == "import" and binding.dotted is not None:
            symbol = self.symbol(binding.dotted)
            return symbol.type if symbol is not None and symbol.kind == "value" else None
        if binding.kind == "except" and binding.value is not None and not isinstance(binding.value, cst.Tuple):
            return self.api(binding.value)
        return None

    def _parameter(self, binding: Binding) -> str | None:
        function = self.walk.parent[self.walk.parent[binding.node]]
        assert isinstance(binding.node, cst.Param)
        name = binding.node.name
        if isinstance(function, cst.FunctionDef):
            owner = self.walk.class_of(function)
            first = [*function.params.posonly_params, *function.params.params][:1]
            if owner is not None and first and first[0] is binding.node and not is_static(function):
                return self.names.qualified(owner)
            if binding.value is None or _is_none(binding.value):
                return self._passed(function, name.value)
        return self.type(binding.value) if binding.value is not None and not _is_none(binding.value) else None

    def _passed(self, function: cst.FunctionDef, parameter: str) -> str | None:
        """The type that every call in this file whose argument is known passes for the parameter."""
        found = set()
        for call in self.call_sites(function):
            value = argument(call, parameter, parameters(function))
            if value is not None:
                found.add(self.type(value))
        return found.pop() if len(found) == 1 else None

    def call_sites(self, function: cst.FunctionDef) -> list[cst.Call]:
        """The calls in this file that certainly call the function."""
        if self._call_sites is None:
            self._call_sites = {}
            for call in self.walk.all(cst.Call):
                target = self._target(call)
                if target is not None:
                    self._call_sites.setdefault(target, []).append(call)
        return self._call_sites.get(function, [])

    def _target(self, call: cst.Call) -> cst.FunctionDef | None:
        """The function of this file that is called, by name or as `self.method`; asks no types."""
        if type(call.func) is cst.Attribute:
            if type(call.func.value) is not cst.Name:
                return None
            owner = self.names.owner_class(call.func.value)
            return self.function(f"{self.names.qualified(owner)}.{call.func.attr.value}") if owner is not None else None
        definition = self.names.definition(call.func)
        return definition if isinstance(definition, cst.FunctionDef) else None

    def _attribute_type(self, node: cst.Attribute) -> str | None:
        name = node.attr.value
        owner = self.names.owner_class(node.value) if isinstance(node.value, cst.Name) else None
        dotted = self.names.qualified(owner) if owner is not None else self.type(node.value)
        found = self.attribute(dotted, name) if dotted is not None else None
        if found is not None or owner is not None:
            return found
        written = self.names.dotted(node) if dotted is None else None
        symbol = self.symbol(otel.canonical(written)) if written is not None else None
        kept = symbol.type if symbol is not None and symbol.kind == "value" else None
        return kept or stowed.of_attribute(self, node.value, name)

    def attribute(self, owner: str, name: str) -> str | None:
        """The type of an attribute or property of a class."""
        for base in self._lineage(owner):
            definition = self._classes.get(base)
            if definition is None:
                symbol = self.symbol(base)
                found = self.project.member(symbol, name) if symbol is not None and symbol.kind == "class" else None
                if found is not None and found.kind in {"value", "function"}:
                    return found.type
                given = otel.MEMBERS.get((base, name)) or known.clients().attribute(base, name)
                if given is not None:
                    return given
                continue
            prop = self._functions.get(f"{base}.{name}")
            if prop is not None:
                return self.returns(prop) if self.is_property(prop) else None
            bindings = self.names.attributes.get((definition, name), [])
            bindings = bindings + self.names.in_class(definition, name)
            present = [binding for binding in bindings if self._tells(binding)]
            if present:
                return _one({self._bound(binding) for binding in present})
        return None

    def is_property(self, function: cst.FunctionDef) -> bool:
        """Whether reading the attribute calls the function."""
        return any(
            (self.api(each.decorator) or "").rpartition(".")[2] in {"property", "cached_property"}
            for each in function.decorators
        )

    # -- functions ------------------------------------------------------------------------------------------

    def returns(self, function: cst.FunctionDef) -> str | None:
        """The type that a call of the function gives; `~manager(T)` for a context manager that yields T."""
        if function not in self._returned:
            self._returned[function] = None
            self._returned[function] = self._returns(function)
        return self._returned[function]

    def _returns(self, function: cst.FunctionDef) -> str | None:
        if self.is_manager(function):
            yields = [
                each.value for each in self.own(function, cst.Yield) if isinstance(each.value, cst.BaseExpression)
            ]
            declared = self.annotated(function.returns.annotation) if function.returns is not None else None
            inner = (
                declared.removeprefix("~yields(").removesuffix(")") if declared and declared != "~yields()" else None
            )
            return f"~manager({inner or self.agreed(list(yields)) or ''})"
        values = [each.value for each in self.own(function, cst.Return) if each.value is not None]
        if function.returns is not None:
            declared = self.annotated(function.returns.annotation)
            slip = declared in _CONFUSED or (declared or "").startswith("builtins.")
            if slip and self.agreed(values) in _CONFUSED:
                return self.agreed(values)  # the annotation may be a slip
            if declared in otel.INTERFACES and otel.is_otel(made := self.agreed(values)):
                return made
            if declared is not None and declared not in {"typing.Any", "builtins.object"}:
                return declared
        if self.own(function, cst.Yield):
            return "~generator"
        return (inferred.of_tuples(self, values) or self.agreed(values)) if values else None

    def is_manager(self, function: cst.FunctionDef) -> bool:
        """Whether the function is a generator turned into a context manager."""
        return any(self.api(_decorator(each)) in _MANAGER_DECORATORS for each in function.decorators)

    def own(self, function: cst.FunctionDef, kind: builtins.type[N]) -> list[N]:
        """The nodes of one type that the function's own body evaluates, nested functions left out."""
        return self.walk.own(function.body, kind)

    def annotated(self, annotation: Node) -> str | None:
        """The type that an annotation names."""
        return notes.annotated(self, annotation)


def _one(found: set[str | None]) -> str | None:
    """The one type, stand-ins aside; None when there are several."""
    if len(found) > 1:
        found = {each for each in found if each is None or not stands_in(each)}
    return found.pop() if len(found) == 1 else None


def stands_in(kind: str) -> bool:
    """Whether a type or name is that of something that stands for a span or manager where there is no tracing."""
    return _STAND_IN.search(kind) is not None


def parameters(function: cst.FunctionDef | cst.Lambda) -> tuple[str, ...]:
    """The names of the parameters that can be given by position, in order, self included."""
    return tuple(each.name.value for each in [*function.params.posonly_params, *function.params.params])


def argument(call: cst.Call, name: str, positions: tuple[str, ...]) -> cst.BaseExpression | None:
    """The expression given for a parameter by keyword or position, None when it is left out or hidden by * or **.

    `positions` are the callee's positional parameters; a leading self or cls of a method call is skipped.
    """
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return arg.value
    if positions[:1] in {("self",), ("cls",)} and isinstance(call.func, cst.Attribute):
        positions = positions[1:]
    if name not in positions:
        return None
    index = positions.index(name)
    for i, arg in enumerate(call.args[: index + 1]):
        if arg.star or arg.keyword is not None:
            return None
        if i == index:
            return arg.value
    return None


def is_hidden(call: cst.Call) -> bool:
    """Whether arguments come through `*args` or `**kwargs`, so that an absent one is not known to be absent."""
    return any(arg.star for arg in call.args)


def _gathers(parameter: Node, walk: Walk) -> str | None:
    """What `*args` and `**kwargs` are, whatever is said of their items; None for other parameters."""
    parameters = walk.parent[parameter]
    assert isinstance(parameters, cst.Parameters)
    if parameters.star_arg is parameter:
        return "builtins.tuple"
    return "builtins.dict" if parameters.star_kwarg is parameter else None


def _decorator(decorator: cst.Decorator) -> cst.BaseExpression:
    return decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator


def _is_none(value: Node | None) -> bool:
    return type(value) is cst.Name and value.value == "None"
