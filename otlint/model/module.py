"""One parsed file and the questions that rules ask of it. `Module` joins the parts of the model; it analyses nothing.

Every answer may be None or empty for "unknown", and unknown means that a rule stays silent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

import libcst as cst

from otlint import known, otel
from otlint.finding import Finding, Related
from otlint.fix import Fix, downgrade, replaces_hash
from otlint.model.attributes.written import Attribute
from otlint.model.code.logs import Logs
from otlint.model.code.names import Names
from otlint.model.code.origins import Origins
from otlint.model.code.positions import Ranges, comments
from otlint.model.code.values import Values, argument
from otlint.model.code.walk import Function, Node, Walk
from otlint.model.errors.handlers import Handler, Mark, handlers, mark
from otlint.model.errors.strays import strays
from otlint.model.errors.wrapping import swallowed
from otlint.model.facts.collecting import collect, outline
from otlint.model.facts.data import Facts, FunctionFacts
from otlint.model.flow.raising import Raising
from otlint.model.flow.ways import Exit, Flow
from otlint.model.functions.helpers import Helpers
from otlint.model.functions.passing import Given
from otlint.model.kinds.entry import Entries
from otlint.model.kinds.purpose import Purpose, decided_elsewhere, misjudged
from otlint.model.kinds.work import Work
from otlint.model.metrics.instruments import Instrument, instruments
from otlint.model.project import Project
from otlint.model.reason import Listener, Reason
from otlint.model.setup.instrumentation import Instrumentation
from otlint.model.setup.providers import Provider, providers, sends
from otlint.model.spans.active import Active, active_at
from otlint.model.spans.ownership import SPAN, TOKEN, Custody
from otlint.model.spans.span import Span, Spans
from otlint.model.text.bounds import Text, Texts
from otlint.paths import is_test_name, module_name
from otlint.settings.declared import Instrumentation as Declared
from otlint.source import Source

Place = Node | Related
_TEST_FOLDERS = frozenset({"test", "tests", "testing", "unit_tests", "unittests"})
_TEST_LIBRARIES = frozenset({"pytest", "unittest", "hypothesis", "nose2", "testcontainers"})
_HELPER = re.compile(r"_?(?:\w+_)?(?:helpers?|utils?|fixtures?|mocks?|fakes?|stubs?|factor(?:y|ies)|assert(?:s|ions)?)")
_QUOTED = 60


class Module:
    """A file within its project. `path` is relative to the project root, with `/`.

    `text` is what the tree is of, where that is not the source's text but one with the same places.
    """

    def __init__(
        self,
        source: Source,
        tree: cst.Module,
        path: str,
        *,
        project: Project | None = None,
        walk: Walk | None = None,
        names: Names | None = None,
        text: str | None = None,
    ) -> None:
        self.source = source
        self.tree = tree
        self.path = path
        self.walk = walk or Walk(tree)
        name = module_name(path)
        package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
        self.names = names or Names(self.walk, name, package)
        self.project = project or Project()
        self.values = Values(self.walk, self.names, self.project, path)
        self.helpers = Helpers(self.walk, self.names, self.values)
        self.texts = Texts(self.walk, self.names, self.values, self.flow)
        self.options: Mapping[str, object] = {}
        self.declared = Declared()
        self.rule = ""
        self.listener: Listener | None = None
        self._misjudged: list[tuple[Span, Purpose]] | None = None
        self.works: dict[tuple[Node, int], Work] = {}
        self._flows: dict[Node, Flow] = {}
        self._marks: dict[Node, Mark | None] = {}
        self._ranges = Ranges(self.walk, source.text if text is None else text)

    def within(self, project: Project) -> Module:
        """The same file, seen with the facts of a project. The tree, walk and names are shared."""
        module = Module(self.source, self.tree, self.path, project=project, walk=self.walk, names=self.names)
        module._ranges = self._ranges
        return module

    def configured(self, options: Mapping[str, object], declared: Declared | None = None, *, rule: str = "") -> Module:
        """The same module, carrying the options of the rule that is about to run and what users declare for it."""
        self.options = options
        self.declared = declared or Declared()
        self.rule = rule
        return self

    def silenced(self, node: Node, why: Reason | str | bool | Callable[[], Reason | None] | None) -> bool:
        """Whether there is a reason to be silent about a node: `if module.silenced(call, is_odd and "it is odd")`.

        Whoever explains the file hears the reason; otherwise nobody does. A reason that takes more than a few words to
        give is a function, which is called only for a listener.
        """
        if why and self.listener is not None:
            reason = why() if callable(why) else why if isinstance(why, Reason) else Reason(str(why))
            if reason is not None:
                self.listener(self.rule, node, reason)
        return bool(why)

    @property
    def is_spared_test(self) -> bool:
        """Whether the file is a test, for a rule that leaves those alone."""
        return self.silenced(self.tree, self.is_test and "the file is a test, which the rule leaves alone")

    @cached_property
    def is_test(self) -> bool:
        """Whether a test runner runs the file, whatever folder it is in, or tests use it: their programs are none."""
        folder, _, name = self.path.rpartition("/")
        stem = name.removesuffix(".py")
        if is_test_name(self.path):
            return True
        if _TEST_FOLDERS.isdisjoint(folder.split("/")):
            return False
        libraries = {each.partition(".")[0] for each in self.names.imports_everywhere}
        return _HELPER.fullmatch(stem) is not None or not _TEST_LIBRARIES.isdisjoint(libraries)

    # -- names and values -----------------------------------------------------------------------------------

    def api(self, expression: Node) -> str | None:
        """The dotted name of the API or project function that an expression certainly means."""
        return self.values.api(expression)

    def type(self, expression: Node) -> str | None:
        """The dotted class of an expression's value."""
        return self.values.type(expression)

    def text(self, expression: Node) -> Text:
        """Whether a text has a bound on the number of its values."""
        return self.texts.of(expression)

    def origins(self, expression: cst.BaseExpression) -> list[cst.BaseExpression]:
        """The expressions, as they are written, that an expression's value certainly comes from on some way."""
        return list(Origins(self.walk, self.names, self.values, self.flow).of(expression))

    def calls(self, *apis: str) -> list[cst.Call]:
        """The calls of these APIs, in source order."""
        found = [call for api in set(apis) for call in self._calls_by_api.get(api, ())]
        return sorted(found, key=self.walk.order.__getitem__)

    @property
    def apis_called(self) -> set[str]:
        """The dotted names of everything that this file certainly calls."""
        return set(self._calls_by_api)

    @cached_property
    def _calls_by_api(self) -> dict[str, list[cst.Call]]:
        found: dict[str, list[cst.Call]] = {}
        for call in self.walk.all(cst.Call):
            api = self.api(call.func)
            if api is not None:
                found.setdefault(api, []).append(call)
        return found

    def argument(self, call: cst.Call, name: str) -> cst.BaseExpression | None:
        """The expression given for a parameter of an OpenTelemetry API or project function, None when left out."""
        api = self.api(call.func)
        positions_of = otel.PARAMETERS.get(api or "")
        facts = self.helpers.called(call) if positions_of is None else None
        return self.helpers.given(call, facts, name) if facts is not None else argument(call, name, positions_of or ())

    def function_of(self, node: Node) -> Function | None:
        """The function whose call evaluates the node."""
        return self.walk.function_of(node)

    def operation(self, call: cst.Call) -> known.Operation | None:
        """What a call of a known client library does: a request, a query, a message sent or taken."""
        api = self.api(call.func)
        return known.clients().operation(api) if api is not None else None

    def entry(self, function: Function) -> Reason | None:
        """Why an instrumentor's span is certainly current while the function runs, None when it is not known to be."""
        return self.entries.instrumented(function)

    def active(self, node: Node) -> Active | None:
        """The evidence that a span can be current at the node, in its own function or in a caller's."""
        return active_at(self, node)

    @cached_property
    def entries(self) -> Entries:
        """Where requests and messages enter this file."""
        return Entries(self)

    @cached_property
    def instrumentation(self) -> Instrumentation:
        """Which libraries are instrumented for this file."""
        return Instrumentation(self)

    def helper(self, call: cst.Call) -> FunctionFacts | None:
        """What the project function that the call calls does for its callers."""
        return self.helpers.called(call)

    # -- spans and flow -------------------------------------------------------------------------------------

    @cached_property
    def spans(self) -> Spans:
        """The spans that this file starts or makes current."""
        return Spans(self.walk, self.values, self.helpers)

    def span_around(self, node: Node) -> Span | None:
        """The innermost span that is certainly current at the node, by the text of its own function."""
        return self.spans.around(node)

    def misjudged(self, subject: str) -> list[tuple[Span, Purpose]]:
        """The spans that stand for a client, server, producer or consumer and have another kind; none in tests."""
        if self.is_spared_test:
            return []
        if self._misjudged is None:
            self._misjudged = list(misjudged(self))
        found = [(span, purpose) for span, purpose in self._misjudged if purpose.subject == subject]
        return [
            (span, purpose)
            for span, purpose in found
            if not self.silenced(span.start, purpose.excused or decided_elsewhere(self, span))
        ]

    def custody(self, call: cst.Call) -> Custody:
        """Where the span or token that a call gives goes, and who is responsible for it."""
        return self.helpers.ownership.of(call, TOKEN if self.api(call.func) == otel.ATTACH else SPAN)

    def exits(self, custody: Custody, also: Iterable[Node] = ()) -> list[Exit]:
        """The ways out of the function on which a span or token stays open; passing one of `also` is no such way."""
        return self.helpers.ownership.exits(custody, self.flow(custody.function), frozenset(also))

    def flow(self, function: cst.FunctionDef | cst.Lambda | cst.Module) -> Flow:
        """The control flow of a function or of the module's top level."""
        if function not in self._flows:
            raising = self._raising
            self._flows[function] = Flow(function, self.walk, may_raise=raising.may_raise, no_return=raising.no_return)
        return self._flows[function]

    def may_raise(self, node: Node) -> bool:
        """Whether evaluating a node, its operands aside, may raise an `Exception` in ordinary operation."""
        return self._raising.may_raise(node)

    @cached_property
    def handlers(self) -> list[Handler]:
        """The `except` clauses, in source order."""
        return list(handlers(self))

    @cached_property
    def kept(self) -> set[Node]:
        """The handlers that keep the exception of what they wrap, or put it on a span of their own."""
        keeping = [found.node for found in swallowed(self)]
        return {*keeping, *(found.handler.node for found in strays(self))}

    def mark(self, call: cst.Call) -> Mark | None:
        """What a call puts about a failure on a span."""
        if call not in self._marks:
            self._marks[call] = mark(self, call)
        return self._marks[call]

    @cached_property
    def marks(self) -> list[Mark]:
        """Everything in the file that puts a failure on a span, or may do so."""
        return [found for call in self.walk.all(cst.Call) if (found := self.mark(call)) is not None]

    @cached_property
    def attributes(self) -> list[Attribute]:
        """The attributes that this file writes, on whatever signal."""
        return self.helpers.attributes.all()

    @cached_property
    def told(self) -> list[Given]:
        """The exceptions, statuses and descriptions that this file gives to spans."""
        return [found for call in self.walk.all(cst.Call) for found in self.helpers.passing.of(call)]

    @cached_property
    def providers(self) -> list[Provider]:
        """The SDK providers that this file builds, in source order."""
        return providers(self)

    @cached_property
    def instruments(self) -> list[Instrument]:
        """The instruments that this file makes."""
        return list(instruments(self))

    @cached_property
    def sends(self) -> bool:
        """Whether something in this file, or in one that reaches it, may make its providers send what they hold."""
        return sends(self) or self.project.reach.sends(self.path)

    @cached_property
    def logs(self) -> Logs:
        """What the log calls of this file log."""
        return Logs(self.values)

    @cached_property
    def _raising(self) -> Raising:
        return Raising(self.walk, self.values, self.helpers)

    def outline(self) -> Facts:
        """Those of its facts that no other file can change."""
        return outline(self)

    def facts(self) -> Facts:
        """What this file contributes to its project."""
        return collect(self)

    # -- places ---------------------------------------------------------------------------------------------

    @property
    def ranges(self) -> dict[cst.CSTNode, tuple[int, int]]:
        """The range of every node, layout and comments included; see `range`."""
        return self._ranges.all()

    @cached_property
    def _comments(self) -> list[tuple[int, int]]:
        return comments(self.ranges)

    def range(self, node: Node) -> tuple[int, int]:
        """Start and end of a node as 0-based offsets in code points of the source's text; the end is exclusive."""
        return self._ranges[node]

    def code(self, node: Node) -> str:
        """The node's own source text."""
        start, end = self.range(node)
        return self.source.text[start:end]

    def quoted(self, node: Node | None, otherwise: str = "a value") -> str:
        """The node's source text for a message, or other words where it is unknown, long, or takes several lines."""
        code = self.code(node) if node is not None else ""
        return f"`{code}`" if code and "\n" not in code and len(code) <= _QUOTED else otherwise

    def row(self, node: Node) -> int:
        """The 1-based row on which the node starts."""
        return self.source.location(self.range(node)[0]).row

    def related(self, node: Node, message: str) -> Related:
        """Another place of this file that belongs to a finding."""
        start, end = self.range(node)
        return Related(message, self.source.path, self.source.location(start), self.source.location(end))

    def finding(
        self,
        node: Node,
        message: str,
        *,
        related: Iterable[tuple[Place, str]] = (),
        fix: Fix | None = None,
        hint: bool = False,
    ) -> Finding:
        """A finding at a node. A block's header stands for the block: the range ends with the header's line."""
        start, end = self.range(node)
        text = self.source.text
        if isinstance(node, cst.BaseCompoundStatement | cst.ExceptHandler | cst.ExceptStarHandler):
            end = start + len(text[start:end].splitlines()[0].rstrip())
        statement = self.walk.statement_of(node) or node
        return Finding(
            path=self.source.path,
            start=self.source.location(start),
            end=self.source.location(end),
            message=message,
            related=tuple(self._place(place, words) for place, words in related),
            fix=downgrade(fix, text, self._comments) if fix is not None and replaces_hash(fix, text) else fix,
            hint=hint,
            noqa_row=self.source.location(self._last_offset(statement)).row,
            fingerprint=f"{self._qualname(node)}\0{self._flagged(statement)}",
        )

    def _place(self, place: Place, message: str) -> Related:
        if isinstance(place, Related):
            return place
        return self.related(place, message)

    def _last_offset(self, statement: Node) -> int:
        start, end = self.range(statement)
        block = getattr(statement, "body", None)
        return self.range(block.header)[0] - 1 if isinstance(block, cst.IndentedBlock) else max(start, end - 1)

    def _qualname(self, node: Node) -> str:
        names = [up.name.value for up in self.walk.ancestors(node) if isinstance(up, cst.FunctionDef | cst.ClassDef)]
        return ".".join(reversed(names))

    def _flagged(self, statement: Node) -> str:
        start, _ = self.range(statement)
        return "".join(self.source.text[start : self._last_offset(statement) + 1].split())


def joined(names: Sequence[str]) -> str:
    """`a`, `b` and `c` for a message."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
