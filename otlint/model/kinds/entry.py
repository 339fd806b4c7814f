"""Where work enters a process: the functions that handle requests, calls, invocations or messages."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.model.code.values import argument, parameters
from otlint.model.code.walk import Node
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module


# How a middleware is called, by frameworks that know it by its name.
_AROUND = frozenset({"__call__", "__acall__", "dispatch", "intercept_service"})


@functools.cache
def _by_method() -> dict[str, set[str]]:
    """The methods by which frameworks are told of handlers and hooks, by their names."""
    found: dict[str, set[str]] = {}
    for entry in known.entries().values():
        for api in (*entry.decorators, *entry.hooks):
            found.setdefault(api.rpartition(".")[2], set()).add(api)
    return found


class Entries:
    """The entry points of one file."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._found: dict[Node, known.Entry | None] = {}
        self._registered: dict[Node, known.Entry] | None = None
        self._others: list[tuple[str, known.Entry]] = []

    def of(self, function: Node) -> known.Entry | None:
        """The framework that calls the function for each request or message, None when none is known to."""
        if not isinstance(function, cst.FunctionDef):
            return None
        key = self._module.project.registered.get(self._module.names.qualified(function))
        return self._here(function) or (known.entries()[key] if key is not None else None)

    def _here(self, function: cst.FunctionDef) -> known.Entry | None:
        """The same, by what this file says."""
        if function not in self._found:
            self._found[function] = next(self._matches(function), None)
        return self._found[function]

    def behind(self, function: cst.FunctionDef) -> known.Entry | None:
        """The framework whose handlers do nothing but call the function, so that it does the work of all of them."""
        found = None
        for call in self._module.values.call_sites(function):
            caller = self._module.function_of(call)
            found = self.of(caller) if caller is not None and _only_calls(caller, call) else None
            if found is None:
                return None
        return found

    def all(self) -> Iterator[tuple[cst.FunctionDef, known.Entry]]:
        """The functions of this file that a framework calls, by what this file says."""
        for function in self._module.walk.all(cst.FunctionDef):
            entry = self._here(function)
            if entry is not None:
                yield function, entry

    def handles(self, function: Node | None) -> bool:
        """Whether a function handles one kind of request or message, and does not stand around the handlers of all."""
        return (
            isinstance(function, cst.FunctionDef)
            and self._here(function) is not None
            and function.name.value not in _AROUND
        )

    def stands_around(self, function: cst.FunctionDef) -> bool:
        """Whether a function is named as what runs around the handlers of all requests."""
        return function.name.value in _AROUND

    def elsewhere(self) -> Iterator[tuple[str, known.Entry]]:
        """The functions of other files that a call in this one hands to a framework, by dotted name."""
        self._registrations()
        yield from self._others

    def around(self, function: cst.FunctionDef) -> tuple[known.Entry, bool] | None:
        """The framework that runs the function around or before each request, and whether it is around."""
        for decorator in function.decorators:
            api = self._decorator(decorator) or ""
            for entry in known.entries().values():
                if api in entry.hooks and api.endswith(("middleware", ".before_request", ".on_request")):
                    return entry, len(function.params.params) > 1
        return None

    def hooked(self, function: Node) -> known.Entry | None:
        """The framework that runs the function in the span of each request, beside its handlers."""
        if not isinstance(function, cst.FunctionDef):
            return None
        decorators = {self._decorator(each) for each in function.decorators}
        return next((entry for entry in known.entries().values() if decorators & set(entry.hooks)), None)

    def is_below(self, function: cst.FunctionDef, inner: Node) -> bool:
        """Whether a decorator stands below all those that hand the function to a framework, which gets its result."""
        seen = False
        for decorator in function.decorators:
            seen = seen or decorator.decorator is inner
            if seen and self._decorator(decorator) in known.decorators():
                return False
        return seen

    def decorated(self, expression: Node) -> tuple[cst.FunctionDef | None, int]:
        """The function that an expression decorates, and its place among the decorators, from the top."""
        for up in self._module.walk.ancestors(expression):
            if isinstance(up, cst.FunctionDef):
                inside = self._module.walk.inside
                places = [i for i, each in enumerate(up.decorators) if inside(expression, each)]
                return (up, places[0]) if places else (None, 0)
        return None, 0

    def keeper_below(self, function: cst.FunctionDef, place: int) -> int | None:
        """The place of the last decorator below that keeps the very function it is given, whatever stands above it."""
        below = range(place + 1, len(function.decorators))
        return next((i for i in reversed(below) if known.keeps(self._decorator(function.decorators[i]))), None)

    def instrumented(self, function: Node) -> Reason | None:
        """Why a span of an instrumentor is certainly current while the function handles something."""
        entry = self.of(function)
        if entry is None:
            return None
        why = self._module.instrumentation.of(entry.instrumentors, entry.native)
        if why is None:
            return None
        return Reason(f"it handles what enters through {entry.key.partition('.')[2]}, and {why}", why.where)

    def _matches(self, function: cst.FunctionDef) -> Iterator[known.Entry]:
        decorators = {self._decorator(each) for each in function.decorators}
        registered = self._registrations().get(function)
        if registered is not None:
            yield registered
        cls = self._module.walk.class_of(function)
        bases = self._module.values.lineage(cls) if cls is not None else []
        found = {entry.key for api in decorators for entry in _decorating(api)}
        found |= {each.key for base in bases for each in _serving(base) if each.handles(base, function.name.value)}
        for key, handler in _conventional(function.name.value):
            if key not in found and self._by_convention(handler, function, cls is not None):
                found.add(key)
        if found:
            yield from (entry for key, entry in known.entries().items() if key in found)

    def _decorator(self, decorator: cst.Decorator) -> str | None:
        expression = decorator.decorator
        target = expression.func if isinstance(expression, cst.Call) else expression
        return self._module.api(target) or self._of_parameter(target)

    def _of_parameter(self, method: Node) -> str | None:
        """`@app.before_request` in `def set_up(app)`: of the only framework that has it and that the file imports."""
        if not isinstance(method, cst.Attribute) or not isinstance(method.value, cst.Name):
            return None
        bindings = self._module.names.reaching(method.value.value, method.value)
        if not bindings or any(each.kind != "param" or each.annotation is not None for each in bindings):
            return None
        packages = {name.partition(".")[0] for name in self._module.names.imports_everywhere}
        named = {api for api in _by_method().get(method.attr.value, ()) if api.partition(".")[0] in packages}
        return named.pop() if len(named) == 1 else None

    def _by_convention(self, handler: known.Handler, function: cst.FunctionDef, method: bool) -> bool:
        if (handler.method and not method) or (handler.built and not self._is_built_with(function, handler.built)):
            return False
        given = [*function.params.posonly_params, *function.params.params]
        given = given[1:] if method else given
        if handler.returns:
            if method or len(given) < len(handler.parameters) or not self._answers(function, handler.returns):
                return False
        elif len(given) != len(handler.parameters):
            return False
        for parameter, (name, kind) in zip(given, handler.parameters, strict=False):
            if kind is None:
                if parameter.name.value.lstrip("_") != name:
                    return False
            elif parameter.annotation is None or self._module.values.annotated(parameter.annotation.annotation) != kind:
                return False
        return True

    def _answers(self, function: cst.FunctionDef, makers: frozenset[str]) -> bool:
        """Whether the function stands at the top of its file and returns what one of these makes."""
        if self._module.walk.function_of(function) is not None:
            return False
        returned = [each.value for each in self._module.walk.own(function.body, cst.Return)]
        return any(isinstance(each, cst.Call) and self._module.api(each.func) in makers for each in returned)

    def _is_built_with(self, method: cst.FunctionDef, names: tuple[str, ...]) -> bool:
        """Whether the constructor of a method's class takes parameters of these names."""
        cls = self._module.walk.class_of(method)
        made = self._module.names.in_class(cls, "__init__") if cls is not None else []
        return any(isinstance(each.node, cst.FunctionDef) and set(names) <= {*parameters(each.node)} for each in made)

    def _registrations(self) -> dict[Node, known.Entry]:
        """Functions of this file that a call hands to a framework: `app.add_api_route("/", handler)`."""
        if self._registered is None:
            self._registered = {}
            for entry in known.entries().values():
                for api, slot in entry.registers.items():
                    for call in self._module.calls(api):
                        self._register(call, slot, entry)
                if entry.settings:
                    self._configure(entry)
        return self._registered

    def _configure(self, entry: known.Entry) -> None:
        """`class WorkerSettings: functions = [handle]`, beside other settings of the framework."""
        framework = entry.key.partition(".")[2]
        if not any(each.partition(".")[0] == framework for each in self._module.names.imports_everywhere):
            return
        for cls in self._module.walk.all(cst.ClassDef):
            for attribute, others in entry.settings.items():
                if not any(self._module.names.in_class(cls, each) for each in others):
                    continue
                listed = [each.value for each in self._module.names.in_class(cls, attribute)]
                for value in listed:
                    for each in value.elements if isinstance(value, cst.List | cst.Tuple) else ():
                        self._note(each.value, entry)

    def _register(self, call: cst.Call, slot: known.Slot, entry: known.Entry) -> None:
        assert self._registered is not None
        given = [argument(call, keyword, ()) for keyword in slot.keywords]
        if slot.position is not None and slot.position < len(call.args):
            arg = call.args[slot.position]
            if arg.keyword is None and not arg.star:
                given.append(arg.value)
        for value in given:
            self._note(value, entry)

    def _note(self, value: Node | None, entry: known.Entry) -> None:
        assert self._registered is not None
        api = self._module.api(value) if value is not None else None
        function = self._module.values.function(api)
        if function is not None:
            self._registered[function] = entry
        elif api is not None:
            self._others.append((api, entry))


def _only_calls(function: Node, call: cst.Call) -> bool:
    """`async def handle(event, context): return await work(event)`."""
    body = function.body.body if isinstance(function, cst.FunctionDef) else ()
    last = body[-1] if body else None
    small = last.body[0] if isinstance(last, cst.SimpleStatementLine) and len(last.body) == 1 else None
    given = small.value if isinstance(small, cst.Return | cst.Expr) else None
    if (given.expression if isinstance(given, cst.Await) else given) is not call:
        return False
    before = body[:-1]
    return not before or (len(before) == 1 and isinstance(function, cst.FunctionDef) and bool(function.get_docstring()))


@functools.lru_cache(maxsize=4096)
def _conventional(function: str) -> tuple[tuple[str, known.Handler], ...]:
    """The handlers that frameworks know by their parameters, if a function may be one by its name."""
    every = ((key, handler) for key, entry in known.entries().items() for handler in entry.handlers)
    return tuple((key, handler) for key, handler in every if not handler.names or function in handler.names)


@functools.lru_cache(maxsize=4096)
def _decorating(api: str | None) -> tuple[known.Entry, ...]:
    """The frameworks with that decorator."""
    return tuple(entry for entry in known.entries().values() if api in entry.decorators)


@functools.lru_cache(maxsize=4096)
def _serving(base: str) -> tuple[known.Entry, ...]:
    """The frameworks that call methods of classes with that base."""
    return tuple(
        entry
        for entry in known.entries().values()
        if any(base == pattern or ("*" in pattern and fnmatchcase(base, pattern)) for pattern in entry.bases)
    )
