"""Who has to end a span, detach a token, or use a context: where a value goes in the function that gets it.

A value is followed through names, aliases, conditional expressions, project helpers and closures. `Custody` says where
it is discharged (a span ended, a token detached), where it passes to another owner, and which ways out of the function
miss both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.conditions import Conditions
from otlint.model.code.names import Binding, Names
from otlint.model.code.values import Values
from otlint.model.code.walk import Node, Walk
from otlint.model.flow.ways import Exit, Flow

if TYPE_CHECKING:
    from otlint.model.functions.helpers import Helpers

# What discharges a value, as an effect of `Helpers`, and the methods that do so.
SPAN = "end"
TOKEN = "detach"
MANAGER = "enter"
_METHODS = {SPAN: frozenset({"end", "__exit__"}), TOKEN: frozenset(), MANAGER: frozenset({"__enter__", "__aenter__"})}
_CASTS = frozenset({"typing.cast", "typing_extensions.cast"})
_BORROWS = frozenset(
    {"builtins.next", "builtins.iter", "builtins.hash", "builtins.len", "builtins.vars", "builtins.dir"}
)


@dataclass(slots=True)
class Custody:
    """What becomes of the value that one call gives.

    `start`: from where on it has to be discharged: the call, or the `with` item that binds it. `names`: the variables
    that hold it, the first one first. `discharged`: where it certainly is. `handed`: where something else becomes
    responsible for it: returned, stored, passed to an unknown function, captured by a closure that discharges it.
    `lent`: where others can get at it for a while: yielded by a context manager, put into a context. `uses`: all
    places where the value is used.
    """

    start: Node
    function: cst.FunctionDef | cst.Lambda | cst.Module
    names: list[str] = field(default_factory=list)
    bindings: list[Node] = field(default_factory=list)
    discharged: list[Node] = field(default_factory=list)
    handed: list[Node] = field(default_factory=list)
    lent: list[Node] = field(default_factory=list)
    uses: list[Node] = field(default_factory=list)
    dropped: bool = False

    @property
    def owned(self) -> bool:
        """Whether nobody but this function can discharge it."""
        return not self.handed and not (self.lent and not self.discharged)


class Ownership:
    """Answers for the values of one file."""

    def __init__(self, walk: Walk, names: Names, values: Values, helpers: Helpers) -> None:
        self.walk = walk
        self.names = names
        self.values = values
        self.helpers = helpers
        self._found: dict[tuple[Node, str], Custody] = {}

    def of(self, call: cst.Call, kind: str) -> Custody:
        """Where the value of a call goes; `kind` is what discharges it: `SPAN`, `TOKEN`, or `MANAGER` for entering."""
        key = (call, kind)
        if key not in self._found:
            function = self.walk.function_of(call) or self.walk.tree
            found = self._found[key] = Custody(call, function)
            _Trace(self, found, kind).value(call)
        return self._found[key]

    def exits(self, custody: Custody, flow: Flow, also: frozenset[Node] = frozenset()) -> list[Exit]:
        """The ways out on which the value is neither discharged nor handed over, nor passes one of `also`.

        Of exceptions only the first. Left out: what only a KeyboardInterrupt or a cancellation can do; once a function
        hands the value over, exceptions before that, as it is building something, unless they are those of a function
        that it wraps; and exceptions in the code around the discharge itself (see `_care`) or in what describes the
        value.
        """
        if custody.start in custody.handed:
            return []
        known = Conditions(self.walk, self.names, custody.start, custody.names)
        ends = {*custody.discharged, *(test for node in custody.discharged for test in known.correlated(node))}
        loans = {node for node in custody.handed if self._is_loan(node, ends, flow, known)}
        handed = [node for node in custody.handed if node not in loans]
        if handed:
            ends.update(test for node in custody.discharged for test in known.left_to_others(node))
        stops = {*ends, *handed, *also, *(() if ends else custody.lent)}
        found = flow.escapes(
            custody.start,
            stops,
            known=known.known,
            # A handler around it all is a guard for telemetry, no sign that something raises before it is handed over.
            quiet=lambda node: self.describes(node, custody) or (bool(handed) and not flow.may_raise(node)),
            every=True,
        )
        found = [way for way in found if not way.only_base_exceptions]
        care = self._care(custody)
        sudden = [way for way in found if way.kind == "exception" and self._is_sudden(way.node, custody, care, loans)]
        if handed:
            found = [way for way in found if way.kind != "yield"]
            sudden = [way for way in sudden if self._is_wrapped(way.node)]
        return [way for way in found if way.kind != "exception" or way in sudden[:1]]

    def _is_wrapped(self, node: Node) -> bool:
        """Whether the node calls a function that this one was given: `wrapped(*args)`."""
        call = node.expression if isinstance(node, cst.Await) else node
        if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Name):
            return False
        bindings = self.names.reaching(call.func.value, call.func)
        return bool(bindings) and all(each.kind == "param" for each in bindings)

    def _is_loan(self, node: Node, ends: set[Node], flow: Flow, known: Conditions) -> bool:
        """Whether an unknown function only borrows the value: whatever comes after the call discharges it."""
        if not ends or not isinstance(node, cst.Call):
            return False
        after = flow.escapes(node, ends, known=known.known)
        fails = any(isinstance(up, cst.ExceptHandler) for up in self.walk.ancestors(node))  # `fail(span); raise`
        return not any(way.kind in ({*_ON, "raise"} if fails else _ON) for way in after)

    def _is_sudden(self, node: Node, custody: Custody, care: list[Node], loans: set[Node]) -> bool:
        """Whether an exception at the node is one that ordinary work may raise."""
        if node in loans or any(self.walk.inside(node, each) for each in care):
            return False
        if isinstance(node, cst.Yield):  # a generator is closed at a `yield`; only `with` throws there
            return self._is_manager(custody.function)
        if isinstance(node, cst.Call) and (self.values.api(node.func) or "").startswith(_API):
            return False
        return not self.describes(node, custody)

    def describes(self, node: Node, custody: Custody) -> bool:
        """`describe(span, order)`, `span.set_attribute("total", total(order))` as statements of their own."""
        statement = self.walk.statement_of(node)
        call = statement.value if isinstance(statement, cst.Expr) else None
        if not isinstance(call, cst.Call) or isinstance(node, cst.Await):
            return False
        uses = custody.uses
        on_value = isinstance(call.func, cst.Attribute) and call.func.value in uses
        return on_value or any(arg.value in uses for arg in call.args)

    def _is_manager(self, function: Node) -> bool:
        return isinstance(function, cst.FunctionDef) and self.values.is_manager(function)

    def _care(self, custody: Custody) -> list[Node]:
        """Code that only prepares or performs the discharge.

        token = attach(ctx)
        scope = enter()            plain statements between the start and the `try`
        try: work()
        finally:                   the block that discharges: cleaning up is not expected to fail
            close(); detach(token)
        """
        found: list[Node] = []
        for node in custody.discharged:
            for up in self.walk.ancestors(node):
                if up is custody.function:
                    break
                if isinstance(up, cst.Finally | cst.ExceptHandler):
                    found.append(up)
                    guard = self.walk.parent[up]
                    if isinstance(up, cst.Finally) or up.type is None or _is_broad(up.type):
                        found.extend(self._gap(custody.start, guard))
        return found

    def _gap(self, start: Node, guard: Node) -> list[Node]:
        """The statements between the start's own and a `try` further down in the same block, if none of them works."""
        line = next((up for up in self.walk.ancestors(start) if isinstance(up, cst.SimpleStatementLine)), None)
        block = self.walk.parent[guard]
        if line is None or self.walk.parent[line] is not block or not isinstance(block, cst.BaseSuite | cst.Module):
            return []
        lines = list(block.body)
        between = lines[lines.index(line) + 1 : lines.index(guard)]
        work = (cst.Await, cst.While, cst.With, cst.Try)
        return [] if any(self.walk.own(each, *work) for each in between) else list(between)


_ON = frozenset({"return", "end", "loop", "yield"})


def _is_broad(clause: Node) -> bool:
    return isinstance(clause, cst.Name) and clause.value in {"Exception", "BaseException"}


class _Trace:
    """One walk along the uses of a value."""

    def __init__(self, ownership: Ownership, custody: Custody, kind: str) -> None:
        self.walk = ownership.walk
        self.names = ownership.names
        self.values = ownership.values
        self.helpers = ownership.helpers
        self.ownership = ownership
        self.custody = custody
        self.kind = kind
        self._bound: set[tuple[Node, str]] = set()

    def value(self, node: Node) -> None:
        """Follow the value of one expression to where its place in the source takes it."""
        self.custody.uses.append(node)
        up = self.walk.parent[node]
        if isinstance(up, cst.Await | cst.NamedExpr | cst.IfExp | cst.BooleanOperation):
            self._through(node, up)
        elif isinstance(up, cst.Assign | cst.AnnAssign):
            self._assigned(up)
        elif isinstance(up, cst.Arg):
            self._passed(node, up)
        elif isinstance(up, cst.Attribute):
            self._attribute(up)
        elif isinstance(up, cst.WithItem):
            self._entered(node, up)
        elif isinstance(up, cst.Expr):
            self.custody.dropped = node is self.custody.start
        elif isinstance(up, cst.Element | cst.DictElement | cst.StarredElement):
            self._element(node, up)
        elif isinstance(up, cst.Yield):
            self._yielded(up)
        elif not isinstance(up, _READS):
            self._hand(node, up)

    def _through(self, node: Node, up: Node) -> None:
        if isinstance(up, cst.NamedExpr):
            if node is not up.target:
                self._bind(up.target, up)
                self.value(up)
        elif isinstance(up, cst.IfExp):
            if node is not up.test:
                self.value(up)
        elif not (isinstance(up, cst.BooleanOperation) and isinstance(up.operator, cst.And) and node is up.left):
            self.value(up)

    def _assigned(self, up: cst.Assign | cst.AnnAssign) -> None:
        targets = [each.target for each in up.targets] if isinstance(up, cst.Assign) else [up.target]
        for target in targets:
            self._bind(target, up)

    def _bind(self, target: Node, statement: Node) -> None:
        if not isinstance(target, cst.Name) or self.names.is_elsewhere(target.value, statement):
            self._hand(target, statement)
        elif (statement, target.value) not in self._bound:
            self._bound.add((statement, target.value))
            self.custody.bindings.append(statement)
            if target.value not in self.custody.names:
                self.custody.names.append(target.value)
            for use in self._uses(target.value, statement):
                self._use(use)

    def _uses(self, name: str, statement: Node) -> Iterator[cst.Name]:
        scope = self.names.scope_of(statement)
        for use in self.walk.named(name, scope):
            if self._is_load(use) and any(each.node is statement for each in self._reaching(use)):
                yield use

    def _reaching(self, use: cst.Name) -> list[Binding]:
        return self.names.reaching(use.value, use)

    def _is_load(self, use: cst.Name) -> bool:
        below: Node = use
        up = self.walk.parent[use]
        if isinstance(up, cst.Attribute):
            return up.value is use
        while isinstance(up, cst.Element | cst.StarredElement | cst.Tuple | cst.List):
            below, up = up, self.walk.parent[up]
        if isinstance(up, cst.Arg | cst.NamedExpr | cst.AnnAssign | cst.AugAssign | cst.CompFor | cst.For):
            return below is getattr(up, "value", None) or below is getattr(up, "iter", None)
        kinds = (cst.AssignTarget, cst.Param, cst.AsName, cst.FunctionDef, cst.ClassDef, cst.NameItem, cst.ImportAlias)
        return not isinstance(up, kinds)

    def _use(self, use: cst.Name) -> None:
        function = self.walk.function_of(use) or self.walk.tree
        if function is self.custody.function or not isinstance(function, cst.FunctionDef | cst.Lambda):
            self.value(use)
        else:
            self._captured(use, function)

    def _captured(self, use: cst.Name, function: cst.FunctionDef | cst.Lambda) -> None:
        """A nested function that only sets attributes takes nothing over; one that ends the span or keeps it does."""
        if not self.helpers.use(use) & {"end", "detach", "keep", "return", "alias", "attach"}:
            self.custody.uses.append(use)
            return
        outer: Node = function
        for up in self.walk.ancestors(function):
            if up is self.custody.function:
                break
            if isinstance(up, cst.FunctionDef | cst.Lambda):
                outer = up
        calls = self._calls(outer) if self.kind in self.helpers.use(use) else None
        if calls:
            self.custody.discharged.extend(calls)
        else:
            before = self.walk.order[outer] < self.walk.order[self.custody.start]
            self.custody.handed.append(self.custody.start if before else outer)

    def _calls(self, nested: Node) -> list[cst.Call] | None:
        """The calls of a nested function in the function around it, None when it is used in another way."""
        if not isinstance(nested, cst.FunctionDef) or nested.asynchronous or self.walk.own(nested.body, cst.Yield):
            return None
        found: list[cst.Call] = []
        for use in self.walk.named(nested.name.value, self.custody.function):
            call = self.walk.parent[use]
            if use is nested.name:
                continue
            here = self.walk.function_of(use) in {self.custody.function, None}
            if not isinstance(call, cst.Call) or call.func is not use or not here:
                return None
            found.append(call)
        return found

    # -- where a value can go -------------------------------------------------------------------------------

    def _hand(self, node: Node, up: Node) -> None:
        if isinstance(up, cst.Return | cst.Assign | cst.AnnAssign | cst.AugAssign | cst.NamedExpr):
            self.custody.handed.append(up)
        else:
            self.custody.handed.append(node)

    def _element(self, node: Node, up: cst.Element | cst.DictElement | cst.StarredElement) -> None:
        """An element of a tuple that is unpacked at once is still one value; in any other container it is stored."""
        container = self.walk.parent[up]
        above = self.walk.parent[container]
        if isinstance(up, cst.DictElement) and node is up.key:
            return
        if isinstance(container, cst.Tuple) and isinstance(above, cst.Assign) and len(above.targets) == 1:
            target = above.targets[0].target
            if isinstance(target, cst.Tuple | cst.List) and len(target.elements) == len(container.elements):
                place = next(at for at, each in enumerate(container.elements) if each is up)
                self._bind(target.elements[place].value, above)
                return
        self._hand(node, above if isinstance(above, cst.Return) else container)

    def _attribute(self, up: cst.Attribute) -> None:
        above = self.walk.parent[up]
        called = isinstance(above, cst.Call) and above.func is up
        if up.attr.value not in _METHODS[self.kind]:
            return
        (self.custody.discharged if called else self.custody.handed).append(above if called else up)

    def _entered(self, node: Node, item: cst.WithItem) -> None:
        """`with span:` ends it; `with manager as span:` binds a span that the manager leaves open."""
        if node is not self.custody.start or self.values.type(node) != otel.SPAN_MANAGER:
            self.custody.discharged.append(item)
        elif item.asname is None:
            self.custody.dropped = True
            self.custody.start = item
        else:
            self.custody.start = item
            self._bind(item.asname.name, item)

    def _yielded(self, up: cst.Yield) -> None:
        function = self.custody.function
        manager = isinstance(function, cst.FunctionDef) and self.values.is_manager(function)
        (self.custody.lent if manager else self.custody.handed).append(up)

    def _passed(self, node: Node, arg: cst.Arg) -> None:
        call = self.walk.parent[arg]
        if not isinstance(call, cst.Call):
            self.custody.handed.append(node)
            return
        called = self.values.api(call.func)
        if called in _CASTS:
            self.value(call)
            return
        if called == otel.SET_SPAN_IN_CONTEXT:
            self._in_context(call)
            return
        if called == otel.USE_SPAN:
            self._made_current(call)
        if called in _BORROWS or (called is not None and called.startswith(_API) and called not in _TAKES):
            return
        effects = self.helpers.on(call, node)
        if effects is None:
            effects = self.helpers.use(node)
        if self.kind in effects:
            facts = self.helpers.called(call)
            (self.custody.handed if facts is not None and facts.generator else self.custody.discharged).append(call)
        elif effects & {"keep", "capture", "alias", "end", "detach"}:
            self.custody.handed.append(call)
        elif "return" in effects:
            self.value(call)

    def _made_current(self, call: cst.Call) -> None:
        """`with use_span(span) as current:` is another name for the span."""
        item = self.walk.parent[call]
        if isinstance(item, cst.WithItem) and item.asname is not None:
            self._bind(item.asname.name, item)

    def _in_context(self, call: cst.Call) -> None:
        """A context that holds the span: whoever gets it can end the span, if nobody here does."""
        inner = Custody(call, self.custody.function)
        _Trace(self.ownership, inner, TOKEN).value(call)
        self.custody.lent.extend(inner.handed + inner.lent)
        for use in inner.uses:
            up = self.walk.parent[use]
            above = self.walk.parent[up]
            if isinstance(above, cst.Call) and self.values.api(above.func) == otel.ATTACH:
                token = self.ownership.of(above, TOKEN)
                if not token.discharged:
                    self.custody.lent.append(above)


# Places that look at a value and leave it where it is.
_READS = (
    cst.Comparison,
    cst.ComparisonTarget,
    cst.If,
    cst.While,
    cst.Assert,
    cst.UnaryOperation,
    cst.FormattedStringExpression,
    cst.Del,
    cst.Index,
    cst.Subscript,
    cst.IfExp,
    cst.Match,
)
# The API's own modules look at spans and contexts; instrumentations of the same namespace may keep them.
_API = tuple(f"opentelemetry.{module}." for module in ("trace", "context", "propagate", "propagators", "baggage"))
_TAKES = frozenset({otel.USE_SPAN, otel.DETACH})
