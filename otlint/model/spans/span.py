"""Spans as the source shows them: where one starts, how it is made current, and which code runs inside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from otlint import otel
from otlint.model.code.names import Binding
from otlint.model.code.partials import filled, is_partial
from otlint.model.code.values import Values, argument, is_hidden
from otlint.model.code.walk import Function, Node, Walk
from otlint.model.facts.data import FunctionFacts, SpanFacts
from otlint.model.functions.helpers import Helpers
from otlint.model.spans.flags import flag, forwarded, said
from otlint.model.spans.objects import entered

_ENTERING = frozenset({"enter_context", "enter_async_context"})


@dataclass(eq=False, slots=True)
class Span:
    """One place that starts a span, or (for `use_span`) makes one current.

    `manner` is how the call's result is used: "with", "decorator", "entered" (given to an ExitStack), "assigned"
    (to a plain name), "stored" (on an object or in a container), "passed", "returned", "statement", "chained".
    `api` is the API that starts it, also behind a project helper (`helper` says which). `kind` is the dotted SpanKind,
    None when unknown. `records` and `sets_status`: what happens to an `Exception` that leaves its block, None when
    unknown. `regions` are the blocks in which it is the current span. `first`: see `Spans.of`.
    """

    start: cst.Call
    api: str
    manner: str
    current: bool
    name: cst.BaseExpression | None
    kind: str | None
    kind_argument: cst.BaseExpression | None
    records: bool | None
    sets_status: bool | None
    ends: bool
    function: Function | None
    helper: FunctionFacts | None = None
    variable: str | None = None
    binding: Node | None = None
    managed_by: cst.With | None = None
    regions: list[Node] = field(default_factory=list)
    used: Span | None = None
    first: Span | None = None


class Spans:
    """The spans of one file."""

    def __init__(self, walk: Walk, values: Values, helpers: Helpers) -> None:
        self.walk = walk
        self.values = values
        self.helpers = helpers
        self.all: list[Span] = []
        self._by_start: dict[Node, Span] = {}
        self._by_binding: dict[Node, Span] = {}
        self._by_with: dict[Node, list[Span]] = {}
        self._by_function: dict[Node, list[Span]] = {}
        for call in walk.all(cst.Call):
            span = self._start(call)
            if span is not None:
                self._add(span)
        for decorator in walk.all(cst.Decorator):
            self._decorate(decorator)
        for item in walk.all(cst.WithItem):
            self._enter(item)
        for span in self.all:
            self._place(span)
        self._join()
        for span in self.all:
            if span.api == otel.USE_SPAN:
                subject = argument(span.start, "span", otel.PARAMETERS[otel.USE_SPAN])
                span.used = self.of(subject) if subject is not None else None

    def __iter__(self) -> Iterator[Span]:
        return iter(self.all)

    # -- questions ------------------------------------------------------------------------------------------

    def started_by(self, call: Node) -> Span | None:
        """The span that this call starts."""
        return self._by_start.get(call)

    def around(self, node: Node) -> Span | None:
        """The innermost span that is certainly current where the node is evaluated, by this function's own text."""
        below = node
        for up in self.walk.ancestors(node):
            if isinstance(up, cst.With) and below is up.body:
                current = [span for span in self._by_with.get(up, ()) if span.current]
                if current:
                    return current[-1]
            if isinstance(up, cst.FunctionDef | cst.Lambda) and below is up.body:
                decorating = self._by_function.get(up, [])
                if decorating:
                    return decorating[-1]
                before = [span for span in self._entered(up, node) if span.current]
                return before[-1] if before else None
            below = up
        return None

    def enclosing(self, node: Node) -> list[Span]:
        """The spans whose block holds the node, innermost first, whether they are made current or not.

        Those of `with`, decorators and exit stacks; a span in a variable is not bound to a block.
        """
        found: list[Span] = []
        below = node
        for up in self.walk.ancestors(node):
            if isinstance(up, cst.With) and below is up.body:
                found += reversed(self._by_with.get(up, ()))
            if isinstance(up, cst.FunctionDef | cst.Lambda) and below is up.body:
                return [*found, *reversed(self._entered(up, node)), *reversed(self._by_function.get(up, []))]
            below = up
        return found

    def _entered(self, function: Node, node: Node) -> list[Span]:
        """The spans that were given to an exit stack before the node, and whose stack is still open there."""
        entered = [span for span in self.all if span.manner == "entered" and span.function is function]
        return [
            span
            for span in entered
            if self.walk.order[span.start] < self.walk.order[node] and self.walk.inside(node, self.stack(span))
        ]

    def stack(self, span: Span) -> Node:
        """The block at whose end the span's exit stack is closed; the whole file where nobody says so."""
        call = next(up for up in self.walk.ancestors(span.start) if isinstance(up, cst.Call))
        stack = call.func.value if isinstance(call.func, cst.Attribute) else None
        bindings = self.values.names.reaching(stack.value, stack) if isinstance(stack, cst.Name) else []
        opened = [self.walk.parent[each.node] for each in bindings if each.kind == "with"]
        return opened[0].body if len(opened) == 1 and isinstance(opened[0], cst.With) else self.walk.tree

    def of(self, expression: Node) -> Span | None:
        """The span that an expression certainly holds; `get_current_span()` is the innermost span around it.

        Where one of several may be meant that differ in nothing but their names and parents, it is the first.
        """
        if isinstance(expression, cst.Call):
            started = self._by_start.get(expression)
            if started is not None:
                return started
            if self.helpers.is_current(expression):
                return self.around(expression)
            entering = isinstance(expression.func, cst.Attribute) and expression.func.attr.value in _ENTERING
            return self._by_start.get(expression.args[0].value) if entering and expression.args else None
        if isinstance(expression, cst.NamedExpr):
            return self.of(expression.value)
        if not isinstance(expression, cst.Name):
            return None
        found = {self._bound(binding) for binding in self.values.names.reaching(expression.value, expression)}
        if len(found) > 1:
            found = {(each.first or each) if each is not None else None for each in found}
        return found.pop() if len(found) == 1 else None

    def names_for_callers(self, span: Span) -> bool:
        """Whether the span's name is a parameter of a helper, so that the spans of its callers have the names."""
        if not isinstance(span.name, cst.Name) or not isinstance(span.function, cst.FunctionDef):
            return False
        starts = self.helpers.of(span.function).span
        return starts is not None and starts.name == f"~parameter:{span.name.value}"

    def is_ambient(self, expression: Node) -> bool:
        """Whether the expression holds the caller's current span: `get_current_span()` outside of any own span."""
        if isinstance(expression, cst.Call):
            return self.helpers.is_current(expression) and self.around(expression) is None
        if isinstance(expression, cst.Name):
            bindings = self.values.names.reaching(expression.value, expression)
            return bool(bindings) and all(
                binding.kind == "assign" and binding.value is not None and self.is_ambient(binding.value)
                for binding in bindings
            )
        return False

    def _bound(self, binding: Binding) -> Span | None:
        if binding.node in self._by_binding:
            return self._by_binding[binding.node]
        if binding.kind == "assign" and binding.value is not None and not isinstance(binding.value, cst.Name):
            return self.of(binding.value)
        return None

    # -- collection -----------------------------------------------------------------------------------------

    def _add(self, span: Span) -> None:
        self.all.append(span)
        self._by_start[span.start] = span

    def _start(self, call: cst.Call) -> Span | None:
        called = self.values.api(call.func)
        if called in otel.STARTS or called == otel.USE_SPAN:
            return self._api_start(call, called)
        facts = self.helpers.called(call)
        if facts is not None and facts.span is not None and facts.span.form != "decorator":
            return self._helper_start(call, facts, facts.span) if entered(self.walk, call, facts) else None
        return None

    def _api_start(self, call: cst.Call, called: str) -> Span:
        positions = otel.PARAMETERS[called]
        given = filled(self.values, call)
        kind = argument(given, "kind", positions)
        use = called == otel.USE_SPAN
        manager = called == otel.START_AS_CURRENT_SPAN
        return Span(
            start=call,
            api=called,
            manner="",
            current=called != otel.START_SPAN,
            name=None if use else argument(given, "name", positions),
            kind=None if use else self._kind(given, kind),
            kind_argument=kind,
            records=flag(given, "record_exception", positions),
            sets_status=flag(given, "set_status_on_exception", positions),
            ends=(flag(given, "end_on_exit", positions, default=manager) is not False) if use or manager else False,
            function=self.walk.function_of(call),
        )

    def _helper_start(self, call: cst.Call, facts: FunctionFacts, starts: SpanFacts) -> Span:
        name = self._given(call, facts, starts.name)
        kind = starts.kind
        kind_argument = None
        if kind is not None and kind.startswith("~parameter:"):
            kind_argument = self._given(call, facts, kind)
            default = facts.default(kind.removeprefix("~parameter:"))
            hidden = is_hidden(call) or is_partial(self.values, call.func)
            kind = self._kind(call, kind_argument) if kind_argument is not None else None if hidden else default
        elif kind is None and starts.forwards:
            kind_argument = argument(call, "kind", ())
            kind = self._kind(call, kind_argument)
        return Span(
            start=call,
            api=otel.START_AS_CURRENT_SPAN if starts.current and starts.form == "manager" else otel.START_SPAN,
            manner="",
            current=starts.current,
            name=name,
            kind=kind,
            kind_argument=kind_argument,
            records=forwarded(call, starts, "record_exception", starts.records),
            sets_status=forwarded(call, starts, "set_status_on_exception", starts.sets_status),
            ends=starts.form != "live" and said(self._given(call, facts, f"~parameter:{starts.ends_by}"), starts.ends),
            function=self.walk.function_of(call),
            helper=facts,
        )

    def _given(self, call: cst.Call, facts: FunctionFacts, parameter: str | None) -> cst.BaseExpression | None:
        if parameter is None or not parameter.startswith("~parameter:"):
            return None
        return self.helpers.given(call, facts, parameter.removeprefix("~parameter:"))

    def _kind(self, call: cst.Call, kind: cst.BaseExpression | None) -> str | None:
        if kind is None:
            return None if is_hidden(call) else otel.KIND_INTERNAL
        dotted = self.values.api(kind)
        return dotted if dotted in otel.KINDS.values() else None

    def _decorate(self, decorator: cst.Decorator) -> None:
        function = self.walk.parent.get(decorator)
        if not isinstance(function, cst.FunctionDef):
            return
        call = decorator.decorator
        span = self._by_start.get(call) if isinstance(call, cst.Call) else None
        if span is None:
            facts = self.helpers.called(call) if isinstance(call, cst.Call) else self.helpers.named(call)
            if facts is None or facts.span is None or facts.span.form != "decorator":
                return
            site = call if isinstance(call, cst.Call) else cst.Call(func=call)
            span = self._helper_start(site, facts, facts.span)
            if site is call:
                self._by_start[call] = span
            else:
                span.start = call  # type: ignore[assignment]
            self.all.append(span)
        if span.current:
            span.manner = "decorator"
            span.function = function
            if self._lasts(span, function):
                span.regions.append(function.body)
                self._by_function.setdefault(function, []).append(span)

    def _lasts(self, span: Span, function: cst.FunctionDef) -> bool:
        """Whether the span of a decorator is open while the function's body runs, not only while it is called."""
        starts = span.helper.span if span.helper is not None else None
        if self.values.own(function, cst.Yield):
            return starts is not None and starts.iterates
        return function.asynchronous is None or starts is None or starts.awaits

    def _enter(self, item: cst.WithItem) -> None:
        statement = self.walk.parent[item]
        assert isinstance(statement, cst.With)
        for call in self._managers(item.item, 0):
            span = self._by_start.get(call)
            if span is None:
                continue
            span.manner = "with"
            span.managed_by = statement
            span.ends = span.ends or span.api == otel.START_SPAN
            if span.current:
                span.regions.append(statement.body)
            self._by_with.setdefault(statement, []).append(span)
            if item.asname is not None and isinstance(item.asname.name, cst.Name):
                span.variable, span.binding = item.asname.name.value, item
                self._by_binding[item] = span

    def _managers(self, expression: Node, depth: int) -> Iterator[cst.Call]:
        """The calls whose result `with expression` enters: itself, a branch of a conditional, or an assigned name."""
        if isinstance(expression, cst.Call):
            yield expression
        elif isinstance(expression, cst.IfExp):
            yield from self._managers(expression.body, depth)
            yield from self._managers(expression.orelse, depth)
        elif isinstance(expression, cst.NamedExpr | cst.Await):
            inner = expression.value if isinstance(expression, cst.NamedExpr) else expression.expression
            yield from self._managers(inner, depth)
        elif isinstance(expression, cst.Name) and depth < 5:
            for binding in self.values.names.reaching(expression.value, expression):
                if binding.kind == "assign" and binding.value is not None:
                    yield from self._managers(binding.value, depth + 1)

    def _place(self, span: Span) -> None:
        """How the result of the call is used, where `with` and decorators have not said so already."""
        if span.manner:
            return
        child: Node = span.start
        for up in self.walk.ancestors(span.start):
            if isinstance(up, cst.IfExp | cst.BooleanOperation | cst.NamedExpr | cst.Await):
                if isinstance(up, cst.NamedExpr):
                    self._bind(span, up.target, up)
                    return
                child = up
                continue
            break
        else:
            return
        span.manner = self._manner(span, child, up)

    def _join(self) -> None:
        """`span = tracer.start_span(…)` in several branches, and after them `span` is one of these."""
        groups: dict[object, list[Span]] = {}
        for span in self.all:
            if span.manner == "assigned":
                alike = (span.function, span.variable, span.api, span.kind, span.records, span.sets_status)
                groups.setdefault(alike, []).append(span)
        for first, *others in groups.values():
            for span in others:
                uses = self.walk.named(span.variable or "", span.function or self.walk.tree)
                reaching = ({each.node for each in self.values.names.reaching(use.value, use)} for use in uses)
                if any({first.binding, span.binding} <= nodes for nodes in reaching):
                    span.first = first

    def _manner(self, span: Span, child: Node, up: Node) -> str:
        if isinstance(up, cst.Assign | cst.AnnAssign):
            targets = [each.target for each in up.targets] if isinstance(up, cst.Assign) else [up.target]
            if len(targets) == 1:
                return self._bind(span, targets[0], up)
            return "stored"
        if isinstance(up, cst.Expr):
            return "statement"
        if isinstance(up, cst.Return | cst.Yield | cst.Lambda | cst.From):
            return "returned"
        if isinstance(up, cst.Attribute):
            return "chained"
        if isinstance(up, cst.Arg):
            call = self.walk.parent[up]
            if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
                return "entered" if call.func.attr.value in _ENTERING else "passed"
            return "passed"
        return "stored" if child is not span.start or isinstance(up, cst.Element | cst.DictElement) else "other"

    def _bind(self, span: Span, target: Node, node: Node) -> str:
        if isinstance(target, cst.Name):
            span.variable, span.binding, span.manner = target.value, node, "assigned"
            self._by_binding.setdefault(node, span)
            return "assigned"
        return "stored"
