"""Spans and contexts that stay current while a generator waits for its consumer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.conditions import Conditions
from otlint.model.code.walk import Node
from otlint.model.context.tasks import mentions
from otlint.model.spans.span import Span

if TYPE_CHECKING:
    from otlint.model.module import Module

# Decorators that leave a generator function one. What others make of it is not known.
_KEEPING = frozenset(
    {"builtins.staticmethod", "builtins.classmethod", "builtins.property", "abc.abstractmethod", "functools.wraps"}
    | {
        f"{module}.{name}"
        for module in ("typing", "typing_extensions")
        for name in ("final", "override", "no_type_check", "overload")
    }
)
_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
# FastAPI runs the endpoint while such a generator waits.
_DEPENDS = frozenset(
    f"{module}.{name}"
    for module in ("fastapi", "fastapi.params", "fastapi.param_functions")
    for name in ("Depends", "Security")
)
_CASTS = frozenset({"typing.cast", "typing_extensions.cast"})


@dataclass(frozen=True, slots=True)
class Held:
    """`node` makes a span or context current, and it still is at `at`, where the generator waits.

    `way`: `with` (the statement), `entered` (by hand or through an exit stack), `attach`, or `decorator` of a generator
    function: that span is over before the generator's first line, and `at` is its first `yield`.
    """

    node: Node
    way: str
    at: Node


@dataclass(slots=True)
class Generators:
    """The generator functions of one file, with those yields that can be reached."""

    module: Module
    _yields: dict[Node, list[cst.Yield]] = field(default_factory=dict)
    _judged: dict[Node, tuple[list[cst.Yield], str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for each in self.module.walk.all(cst.Yield):
            function = self.module.function_of(each)
            if isinstance(function, cst.FunctionDef):
                self._yields.setdefault(function, []).append(each)

    @property
    def functions(self) -> list[cst.FunctionDef]:
        """The generator functions, in source order."""
        return [each for each in self._yields if isinstance(each, cst.FunctionDef)]

    def hands_over(self, function: cst.FunctionDef) -> bool:
        """Whether a consumer takes the values of a generator function, and may stop at any of them."""
        return bool(self._handing_over(function.body))

    def held(self) -> Iterator[Held]:
        """What is current across a `yield`, each start once."""
        if self._yields:
            seen: set[Node] = set()
            for each in [*self._spans(), *self._entered(), *self._attached()]:
                if each.node not in seen:
                    seen.add(each.node)
                    yield each

    def _spans(self) -> Iterator[Held]:
        for span in self.module.spans:
            if not span.current:
                continue
            if span.manner == "decorator":
                yield from self._decorating(span)
            elif span.managed_by is not None:
                yield from self._within(span.managed_by, "with", span.managed_by)
            elif span.manner == "entered":
                yield from self._on_stack(span)

    def _within(self, node: Node, way: str, block: cst.With) -> Iterator[Held]:
        inside = (each for each in self._handing_over(block) if self.module.walk.inside(each, block.body))
        first = next(inside, None)
        if first is not None:
            yield Held(node, way, first)

    def _on_stack(self, span: Span) -> Iterator[Held]:
        """`with ExitStack() as stack: stack.enter_context(start_as_current_span("a")); yield row`."""
        call = self.module.walk.parent[self.module.walk.parent[span.start]]
        owner = call.func.value if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) else None
        bindings = self.module.names.reaching(owner.value, owner) if isinstance(owner, cst.Name) else []
        if len(bindings) != 1 or bindings[0].kind != "with":
            return
        block = self.module.walk.parent[bindings[0].node]
        if isinstance(block, cst.With) and self.module.walk.inside(span.start, block.body):
            yield from self._open(span.start, "entered", (), within=block.body)

    def _entered(self) -> Iterator[Held]:
        """`manager.__enter__()`, a `yield`, `manager.__exit__(…)`."""
        module = self.module
        for call in module.walk.all(cst.Call):
            method = call.func
            if not isinstance(method, cst.Attribute) or method.attr.value != "__enter__":
                continue
            if module.type(method.value) == otel.SPAN_MANAGER:
                leaving = [each for each in module.walk.all(cst.Call) if self._leaves(each, method.value)]
                yield from self._open(call, "entered", leaving)

    def _leaves(self, call: cst.Call, manager: Node) -> bool:
        method = call.func
        if not isinstance(method, cst.Attribute) or method.attr.value != "__exit__":
            return False
        return method.value.deep_equals(manager)

    def _attached(self) -> Iterator[Held]:
        module = self.module
        detaches = module.calls(otel.DETACH)
        for call in module.calls(otel.ATTACH):
            custody = module.custody(call)
            if all(isinstance(each, cst.Assign | cst.AnnAssign) for each in custody.handed):  # kept on an object
                yield from self._open(call, "attach", [*custody.discharged, *detaches], names=custody.names)

    def _open(
        self, start: Node, way: str, stops: Sequence[Node], *, within: Node | None = None, names: Sequence[str] = ()
    ) -> Iterator[Held]:
        """What is open from `start` on until a stop; `names` are the variables by which a stop may be guarded."""
        module, function = self.module, self.module.function_of(start)
        waiting = self._handing_over(start)
        if not waiting or not isinstance(function, cst.FunctionDef):
            return
        conditions = Conditions(module.walk, module.names, start, list(names))
        guarded = {*stops, *(each for stop in stops for each in conditions.correlated(stop))}
        for each in waiting:
            inside = within is None or module.walk.inside(each, within)
            if inside and module.flow(function).reaches(start, each, guarded, known=conditions.known):
                yield Held(start, way, each)
                return

    def _handing_over(self, node: Node) -> list[cst.Yield]:
        """The yields of the node's function that hand a value to a consumer and let other code run."""
        function = self.module.function_of(node)
        if not isinstance(function, cst.FunctionDef) or function not in self._yields:
            return []
        if function not in self._judged:
            self._judged[function] = self._judge(function)
        yields, why = self._judged[function]
        self.module.silenced(node, not yields and why)
        return yields

    def _judge(self, function: cst.FunctionDef) -> tuple[list[cst.Yield], str]:
        """The yields, and why there may be none."""
        module, name = self.module, function.name.value
        yields = self._reachable(function)
        if name == "__await__" or ("lifespan" in name and len(yields) == 1):
            return [], "the generator yields once, to what drives it"
        if not all(self._api(each) in _KEEPING or self._hands_out(each) for each in function.decorators):
            return [], "a decorator makes something else of the generator, such as a context manager"
        given = [up for each in mentions(module, function) if isinstance(up := module.walk.parent[each], cst.Arg)]
        takers = {module.api(call.func) for up in given if isinstance(call := module.walk.parent[up], cst.Call)}
        takers |= set(self._takers_elsewhere(module.names.qualified(function)))
        if takers - _DEPENDS - _CASTS:
            return [], "the generator function is handed to something that may drive it in a way of its own"
        # A bare `yield` pauses for whoever drives it: a hook, a scheduler.
        handing = [each for each in yields if each.value is not None or takers & _DEPENDS]
        return handing, "its `yield` gives no value to a consumer, it pauses for what drives the generator"

    def _takers_elsewhere(self, name: str) -> Iterator[str]:
        """What other files make something of the function with."""
        project = self.module.project
        for facts in project.files.values():
            for given, taker in facts.driven:
                found = project.symbol(given, facts.path)
                if found is not None and found.dotted == name:
                    yield taker

    def _reachable(self, function: cst.FunctionDef) -> list[cst.Yield]:
        reached = set(self.module.flow(function).after(function))
        return [each for each in self._yields.get(function, ()) if each in reached]

    # -- decorators -----------------------------------------------------------------------------------------

    def _decorating(self, span: Span) -> Iterator[Held]:
        function = span.function
        if not isinstance(function, cst.FunctionDef) or function not in self._yields:
            return
        at = next(i for i, each in enumerate(function.decorators) if each.decorator is span.start)
        below = function.decorators[at + 1 :]
        plain = all(self._api(each) in _KEEPING | _MANAGERS for each in below)
        yields = self._reachable(function)
        helper = span.helper.span if span.helper is not None else None
        if plain and yields and (helper is None or helper.hands_out):
            yield Held(span.start, "decorator", yields[0])

    def _hands_out(self, decorator: cst.Decorator) -> bool:
        """Whether a decorator of the project gives the generator of what it decorates to the caller."""
        facts = self.module.helpers.named(decorator.decorator)
        owner, _, name = (self._api(decorator) or "").rpartition(".")
        if facts is None and otel.is_otel(owner):  # a project that is itself a part of OpenTelemetry's namespace
            file = self.module.project.module(owner, self.module.path)
            functions = self.module.project.definitions(file) if file is not None else ()
            facts = next((each for each in functions if each.name == name), None)
        return facts is not None and facts.hands_out

    def _api(self, decorator: cst.Decorator) -> str | None:
        expression = decorator.decorator
        return self.module.api(expression.func if isinstance(expression, cst.Call) else expression)


def driven(module: Module) -> Iterator[tuple[str, str]]:
    """The functions of other files that a call makes a context manager or a dependency of, and what is called."""
    for call in module.calls(*_MANAGERS, *_DEPENDS):
        given = call.args[0].value if call.args and not call.args[0].star else None
        name = module.api(given) if isinstance(given, cst.Name | cst.Attribute) else None
        if name is not None and module.values.function(name) is None:
            yield name, module.api(call.func) or ""


def held(module: Module) -> Iterator[Held]:
    """Every span and context of a file that is current across a `yield`, or decorates a generator function.

    None in tests: there such a generator stands in for a library, or shows what happens.
    """
    if not module.is_spared_test:
        yield from Generators(module).held()
