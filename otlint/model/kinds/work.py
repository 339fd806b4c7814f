"""What a block does besides keeping books: calls of known clients, and work that otlint does not know.

with tracer.start_as_current_span("load"):
    span.set_attribute(…)              bookkeeping
    answer = requests.get(url)         an operation
    return answer.json()["id"]         bookkeeping: its answer is read
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.walk import Node, significant
from otlint.model.flow.during import extent

if TYPE_CHECKING:
    from otlint.model.module import Module
    from otlint.model.spans.span import Span

_LOOPS = (cst.For, cst.While, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_LOGGER = re.compile(r"(?i)(?:^|_)log(?:ger|ging)?$")
_METRIC = re.compile(r"(?i)count|hist|gauge|metric|latency|duration|total|errors")
_METRICS = re.compile(r"(?i)(?:^|_)(?:metrics|stats|statsd)$")
_MEASURES = frozenset({"record", "observe", "inc"})
_FINISHES = frozenset({"commit", "flush", "refresh", "rollback", "close", "aclose"})
_ANSWERS = frozenset(
    {"force_flush", "shutdown", "flush", "detach", "end", "close", "jsonify", "make_response", "render_template",
     "json_response", "respond", "set_result"}
)  # fmt: skip
_DEPTH = 3
_TELLING = frozenset({otel.SPAN, otel.SPAN_CONTEXT})
_DESCRIBES = re.compile(r"(?i)span|attr|trac(?:e|ing)|telemetry|annotat|(?:^|_)(?:tag|record)|metadata")


@dataclass(frozen=True, eq=False, slots=True)
class Done:
    """An operation and the call that does it; `loop` is the loop of the block in which it stands."""

    node: Node
    operation: known.Operation
    loop: Node | None

    def name(self, module: Module) -> str:
        """What is called, as dotted name."""
        api = module.api(self.node.func) if isinstance(self.node, cst.Call) else None
        known_as = self.operation.api
        name = api if known_as.endswith(".*") and api is not None and api.startswith(known_as[:-1]) else known_as
        return name.removesuffix(".__iter__").removesuffix(".__aiter__")


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """What a block does; `other` is the first thing that is neither an operation nor bookkeeping.

    `stages`: it prepares writes for a commit or flush. `recalls`: it does its operation only where what that gave
    before has not been kept.
    """

    done: tuple[Done, ...]
    other: Node | None
    stages: bool = False
    recalls: bool = False

    def single(self, module: Module) -> Done | None:
        """The one operation that the block is about, None if it does more, less, or something else."""
        if self.other is not None or not self.done or self.recalls:
            return None
        main = [each for each in self.done if each.name(module).rpartition(".")[2] not in _FINISHES]
        if main and self.stages and len(main) < len(self.done):
            return None  # what is staged is sent by a call of its own
        main = main or [*self.done[:1]]
        first = main[0]
        if any(each.loop is not None for each in main):
            return None
        if all(each.operation.command and each.operation.client == first.operation.client for each in main):
            return first
        return first if all(exclusive(module, first.node, each.node) for each in main[1:]) else None


def of_span(module: Module, span: Span) -> Work | None:
    """What happens while the span is open, None when its extent is not one block of this file."""
    blocks = extent(module, span)
    return work(module, blocks, around=span) if blocks else None


def work(module: Module, blocks: Sequence[Node], *, around: Span | None = None, depth: int = 0) -> Work:
    """What blocks of statements do. Nested functions count where they are called."""
    return _Worker(module, around, depth).judge(blocks)


def _of_function(module: Module, function: cst.FunctionDef, depth: int) -> Work:
    """What the body of a function does, found by a search of that depth."""
    if (function, depth) not in module.works:
        module.works[function, depth] = work(module, [function.body], depth=depth)
    return module.works[function, depth]


def received(module: Module, body: Node, stop: Node) -> Iterator[tuple[Done, frozenset[str]]]:
    """What a function has received when it comes to a node, and the names that hold it, or parts of it, there."""
    worker = _Worker(module, None, 0)
    for node in _before(module, body, stop):
        operation = worker.operation(node)
        around = not isinstance(node, cst.For) or module.walk.inside(stop, node.body)
        if operation is not None and operation.role == "receive" and around:
            yield Done(node, operation, None), holding(module, body, stop, source=node)


def holding(
    module: Module, body: Node, stop: Node, *, source: Node | None = None, given: frozenset[str] = frozenset()
) -> frozenset[str]:
    """The names that hold what `source` gives, or what some names hold from the start, when control comes to a node."""
    worker = _Worker(module, None, 0)
    worker.answers |= given
    for node in _before(module, body, stop):
        if node is source:
            worker.remember(node)
        else:
            worker.follow(node)
    return frozenset(worker.answers)


def _before(module: Module, body: Node, stop: Node) -> Iterator[Node]:
    return itertools.takewhile(lambda node: node is not stop, module.walk.below(body))


def surrounds(module: Module, function: cst.FunctionDef, span: Span, inside: Sequence[Node]) -> bool:
    """Whether a function does next to nothing outside of these blocks: it prepares, answers, reports and flushes."""
    worker, behind = _Worker(module, span, 0), False
    blocks = set(inside)
    for node in _outside(module, function.body, blocks):
        behind = behind or node in blocks
        if node in blocks or (span.managed_by is not None and module.walk.inside(node, span.managed_by)):
            continue
        if worker.operation(node) is not None or isinstance(node, cst.Yield):
            return False
        if isinstance(node, cst.Call) and node is not span.start and not worker.keeps_books(node):
            prepares = not behind and not isinstance(module.walk.parent.get(node), cst.Await)
            if not prepares and _last_name(node.func) not in _ANSWERS:
                return False
    return True


def _outside(module: Module, body: Node, blocks: set[Node]) -> Iterator[Node]:
    """The nodes of a body in source order, the insides of blocks, handlers and early exits left out."""
    waiting: list[Node] = [body]
    while waiting:
        node = waiting.pop()
        yield node
        if node in blocks or isinstance(node, cst.ExceptHandler | cst.FunctionDef | cst.Lambda | cst.ClassDef):
            continue
        if (
            isinstance(node, cst.If)
            and _leaves(node.body)
            and not any(module.walk.inside(each, node) for each in blocks)
        ):
            continue
        waiting.extend(reversed(significant(node)))


def _leaves(suite: cst.BaseSuite) -> bool:
    last = suite.body[-1] if suite.body else None
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return isinstance(small, cst.Return | cst.Raise | cst.Continue)


class _Worker:
    def __init__(self, module: Module, around: Span | None, depth: int) -> None:
        self.module = module
        self.around = around
        self.depth = depth
        self.answers: set[str] = set()

    def judge(self, blocks: Sequence[Node]) -> Work:
        done: list[Done] = []
        stages = False
        for block in blocks:
            for node in self.module.walk.below(block):
                operation = self.operation(node)
                stages = stages or self._stages(node)
                if operation is not None:
                    done.append(Done(node, operation, self._loop(node, blocks)))
                    self.remember(node)
                elif self._is_work(node):
                    return Work(tuple(done), node, stages)
                elif isinstance(node, cst.Assign | cst.AnnAssign | cst.NamedExpr | cst.For | cst.WithItem):
                    self.follow(node)
        return Work(tuple(done), None, stages, bool(done) and self._recalls(blocks, done[0].node))

    def _recalls(self, blocks: Sequence[Node], asks: Node) -> bool:
        """Whether what the operation gives is looked for first where it is put: `loaded[url] = urlopen(url)`."""
        own, inside, order = self.module.walk.own, self.module.walk.inside, self.module.walk.order
        tests = [each.test for block in blocks for each in own(block, cst.If) if order[each.test] < order[asks]]
        assigns = [each for block in blocks for each in own(block, cst.Assign)] if tests else []
        before = [each.value for each in assigns if order[each] < order[asks] and not inside(asks, each)]
        for assign in assigns:
            if not inside(asks, assign) and not self._is_answer(assign.value):
                continue
            for place in filter(None, (_place(each.target) for each in assign.targets)):
                for value in (*tests, *before):
                    if all(any(each.deep_equals(part) for each in own(value, type(part))) for part in place):
                        return True
        return False

    def _stages(self, node: Node) -> bool:
        """`session.add(order)`, `order.status = "paid"`: an object that came from the database is changed there."""
        if isinstance(node, cst.AssignTarget):
            return isinstance(node.target, cst.Attribute) and _root(node.target) in self.answers
        return isinstance(node, cst.Call) and self.module.api(node.func) in known.clients().stages

    # -- operations -----------------------------------------------------------------------------------------

    def operation(self, node: Node) -> known.Operation | None:
        if isinstance(node, cst.Call):
            return self.module.operation(node) or self._handed(node) or self._called(node) or _told(self.module, node)
        if isinstance(node, cst.For):
            kind = self.module.type(node.iter)
            method = "__aiter__" if node.asynchronous is not None else "__iter__"
            return known.clients().operations.get(f"{kind}.{method}") if kind is not None else None
        return None

    def _handed(self, call: cst.Call) -> known.Operation | None:
        """`asyncio.to_thread(requests.get, url)` calls `requests.get`."""
        position = _table("calls")["run"].get(self.module.api(call.func) or "")
        if position is None or len(call.args) <= position:
            return None
        given = call.args[position].value
        if isinstance(given, cst.Lambda):
            return self.operation(given.body)
        api = self.module.api(given)
        found = known.clients().operation(api) if api is not None else None
        return found or self._inside(self.module.values.function(api))

    def _called(self, call: cst.Call) -> known.Operation | None:
        return self._inside(self.module.values.function(self.module.api(call.func)))

    def _inside(self, function: cst.FunctionDef | None) -> known.Operation | None:
        """`self._request(path)` calls `requests.get`, and does nothing else."""
        if function is None or function.decorators or self.depth >= _DEPTH:
            return None
        done = _of_function(self.module, function, self.depth + 1).single(self.module)
        return done.operation if done is not None else None

    def _loop(self, node: Node, blocks: Sequence[Node]) -> Node | None:
        below = node
        for up in self.module.walk.ancestors(node):
            if any(up is block for block in blocks):
                return up if isinstance(up, _LOOPS) and not _once(up, below) else None
            if isinstance(up, _LOOPS) and not _once(up, below):
                return up
            below = up
        return None

    # -- answers --------------------------------------------------------------------------------------------

    def remember(self, node: Node) -> None:
        """The names that hold what an operation gives."""
        below = node
        for up in (node, *self.module.walk.ancestors(node)):
            if isinstance(up, cst.Assign | cst.AnnAssign | cst.NamedExpr | cst.WithItem) or (
                isinstance(up, cst.For) and below in {node, up.iter}
            ):
                self.follow(up, certain=True)
            if isinstance(up, cst.BaseSmallStatement | cst.BaseCompoundStatement):
                return
            below = up

    def follow(self, node: Node, certain: bool = False) -> None:
        """A name that is set from an answer holds one as well."""
        value, targets = _assignment(node)
        if value is not None and (certain or self._is_answer(value)):
            for target in targets:
                self.answers |= _targets(target)

    def _is_answer(self, value: Node) -> bool:
        names = (each.value for each in self.module.walk.own(value, cst.Name))
        return not self.answers.isdisjoint(names)

    # -- bookkeeping ----------------------------------------------------------------------------------------

    def _is_work(self, node: Node) -> bool:
        if isinstance(node, cst.Yield):
            return True
        if isinstance(node, cst.Await):
            return not isinstance(node.expression, cst.Call)
        return isinstance(node, cst.Call) and not self.keeps_books(node)

    def keeps_books(self, call: cst.Call) -> bool:
        started = self.module.spans.started_by(call)
        if started is not None and started is not self.around:
            return started.api == otel.USE_SPAN and started.used is self.around
        api = self.module.api(call.func)
        if api is not None and self._is_harmless(api):
            return True
        if isinstance(call.func, cst.Attribute) and self._is_harmless_method(call.func):
            return True
        last = call.func.attr.value if isinstance(call.func, cst.Attribute) else getattr(call.func, "value", "")
        if isinstance(last, str) and last.lstrip("_")[:1].isupper() and not last.isupper():
            return True  # an object is made: an exception, a model, a client
        if isinstance(last, str) and (self._only_describes(call, last) or self._resets(call)):
            return True
        return self._is_pure(api)

    def _resets(self, call: cst.Call) -> bool:
        """`tenant.reset(token)` after `token = tenant.set(name)`, of a context variable from anywhere."""
        token = call.args[0].value if len(call.args) == 1 else None
        if _last_name(call.func) != "reset" or not isinstance(token, cst.Name):
            return False
        made = [each.value for each in self.module.names.reaching(token.value, token)]
        return bool(made) and all(
            isinstance(each, cst.Call)
            and isinstance(each.func, cst.Attribute)
            and isinstance(call.func, cst.Attribute)
            and each.func.attr.value == "set"
            and each.func.value.deep_equals(call.func.value)
            for each in made
        )

    def _only_describes(self, call: cst.Call, name: str) -> bool:
        """`order.to_dict()`; `add_span_attributes(span, order)`, `order.add_trace(trace_id=hex(context.trace_id))`."""
        if self.module.values.function(self.module.api(call.func)) is not None or self._is_awaited(call):
            return False
        told = [self._is_of_span(arg.value) for arg in call.args]
        if not told:
            return isinstance(call.func, cst.Attribute) and name.startswith(("to_", "as_"))
        return all(told) or (told[0] and _DESCRIBES.search(name) is not None)

    def _is_awaited(self, call: cst.Call) -> bool:
        return isinstance(self.module.walk.parent.get(call), cst.Await)

    def _is_of_span(self, value: Node) -> bool:
        """Whether an argument is a span, its context, or a part of them."""
        names = [each for each in self.module.walk.own(value, cst.Name) if self.module.type(each) in _TELLING]
        return bool(names) or self.module.type(value) in _TELLING

    def _is_harmless(self, api: str) -> bool:
        calls = _table("calls")
        if api.startswith("builtins."):
            return "." in api[9:] or api[9:] in calls["builtins"]
        owner = api.rpartition(".")[0]
        if owner in _client_types() or known.clients().made_by(api) is not None:
            return True
        if owner.endswith(".Logger") or api in calls["functions"] or api in calls["run"]:
            return True
        return any(api == each or api.startswith((f"{each}.", f"{each}(")) for each in _modules(api.partition(".")[0]))

    def _is_harmless_method(self, func: cst.Attribute) -> bool:
        methods, name = _table("methods"), func.attr.value
        owner = _last_name(func.value)
        if _LOGGER.search(owner) and name in methods["logs"]:
            return True
        if _METRICS.search(owner) or (name in methods["metrics"] and (name in _MEASURES or _METRIC.search(owner))):
            return True
        if any(self.operation(each) is not None for each in _chain(func)):
            return True  # the answer is read on the spot
        root = _root(func)
        if root is None or root in {"self", "cls"}:
            return root is None and name in methods["values"]
        return root in self.answers or name in methods["values"]

    def _is_pure(self, api: str | None) -> bool:
        """A function of the project that does nothing but bookkeeping itself."""
        function = self.module.values.function(api)
        if function is None:
            return self._only_forms(api)
        if self.depth >= _DEPTH or function.decorators:
            return False
        inner = _of_function(self.module, function, self.depth + 1)
        return inner.other is None and not inner.done

    def _only_forms(self, api: str | None) -> bool:
        """A function of another file that is named for changing a form, and calls nothing that does more."""
        symbol = self.module.values.symbol(api)
        facts = symbol.function if symbol is not None else None
        if facts is None or facts.telemetry or not facts.name.lstrip("_").startswith(tuple(_table("methods")["forms"])):
            return False
        return all(self._is_harmless(each) for each in facts.calls)


def _told(module: Module, call: cst.Call) -> known.Operation | None:
    """`self.orders_collection.find_one(key)`, of a collection that comes from somewhere."""
    path: list[str] = []
    owner: Node = call.func
    tops = {each.partition(".")[0] for each in module.names.imports_everywhere}
    while isinstance(owner, cst.Attribute):
        path.insert(0, owner.attr.value)
        owner = owner.value
        name = "[]" if isinstance(owner, cst.Subscript) else _last_name(owner)
        for each in known.told():
            if tuple(path) in each.methods and each.owners.fullmatch(name) and not each.libraries.isdisjoint(tops):
                found = known.clients().operation(".".join((each.cls, *path)))
                return found if module.type(owner) is None else None
    return None


def exclusive(module: Module, one: Node, other: Node) -> bool:
    """Whether two nodes stand in different branches of one `if` or `match`, so that only one of them is evaluated."""
    above = [one, *module.walk.ancestors(one)]
    below = other
    for up in module.walk.ancestors(other):
        if up in above:
            branches = {above[above.index(up) - 1], below}
            return isinstance(up, cst.If | cst.IfExp | cst.Match) and len(branches - {_test(up)}) == 2
        below = up
    return False


def _test(branching: cst.If | cst.IfExp | cst.Match) -> Node:
    return branching.subject if isinstance(branching, cst.Match) else branching.test


def _once(loop: Node, below: Node) -> bool:
    """Whether a part of a loop is evaluated once: what is iterated."""
    return isinstance(loop, cst.For) and (below is loop.iter or below is loop.orelse)


def _assignment(node: Node) -> tuple[Node | None, list[Node]]:
    """What is assigned, iterated or entered, and the targets that get it."""
    if isinstance(node, cst.Assign):
        return node.value, [each.target for each in node.targets]
    if isinstance(node, cst.AnnAssign):
        return node.value, [node.target]
    if isinstance(node, cst.For):
        return node.iter, [node.target]
    if isinstance(node, cst.NamedExpr):
        return node.value, [node.target]
    if isinstance(node, cst.WithItem) and node.asname is not None:
        return node.item, [node.asname.name]
    return None, []


def _targets(target: Node) -> set[str]:
    """The local names that a target sets or changes."""
    if isinstance(target, cst.Name):
        return {target.value}
    if isinstance(target, cst.Tuple | cst.List):
        return {name for each in target.elements for name in _targets(each.value)}
    root = _root(target)
    return {root} if root is not None and root not in {"self", "cls"} else set()


def _place(target: Node) -> tuple[Node, ...]:
    """What says where something is kept: an attribute, or a container and its key; empty for a name."""
    if isinstance(target, cst.Subscript):
        index = target.slice[0].slice
        return (target.value, index.value) if isinstance(index, cst.Index) else (target.value,)
    return (target,) if isinstance(target, cst.Attribute) else ()


def _root(expression: Node) -> str | None:
    """The name with which a chain of attributes, calls and items begins; None when it begins with something else."""
    while isinstance(expression, cst.Attribute | cst.Call | cst.Subscript | cst.Await):
        expression = _inner(expression)
    return expression.value if isinstance(expression, cst.Name) else None


def _inner(expression: cst.Attribute | cst.Call | cst.Subscript | cst.Await) -> Node:
    if isinstance(expression, cst.Call):
        return expression.func
    return expression.expression if isinstance(expression, cst.Await) else expression.value


def _chain(expression: Node) -> Iterator[cst.Call]:
    """The calls in a chain: `a.b().c` has `a.b()`."""
    while isinstance(expression, cst.Attribute | cst.Call | cst.Subscript | cst.Await):
        if isinstance(expression, cst.Call):
            yield expression
        expression = _inner(expression)


def _last_name(expression: Node) -> str:
    if isinstance(expression, cst.Call):
        return _last_name(expression.func)
    if isinstance(expression, cst.Attribute):
        return expression.attr.value
    return expression.value if isinstance(expression, cst.Name) else ""


def _table(name: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = known.table("work")[name]
    return found


@functools.cache
def _client_types() -> frozenset[str]:
    clients = known.clients()
    return frozenset(clients.makes.values()) | frozenset(clients.gives.values())


@functools.lru_cache(maxsize=512)
def _modules(top: str) -> tuple[str, ...]:
    return tuple(each for each in _table("calls")["modules"] if each == top or each.startswith(f"{top}."))
