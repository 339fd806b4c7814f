"""Where each node's text lies, from one code generation pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from libcst import ClassDef, Comment, IndentedBlock
from libcst._nodes.internal import CodegenState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import libcst as cst

    from otlint.model.code.walk import Walk

Range = tuple[int, int]


def positions(tree: cst.Module, text: str | None = None) -> dict[cst.CSTNode, Range]:
    """Start and end offset of every node in the module's text, layout nodes included.

    A range leaves out the whitespace, comments and line ends around a node, and the parentheses of an expression.
    LibCST forgets some blanks (form feeds in an indentation, for one): give the `text` that was parsed, and they
    count. Raises ValueError when the tree is not of this text.
    """
    state = _State(tree)
    tree._codegen(state)
    if text is not None and "".join(state.tokens) != text:
        state = _Aligned(tree, text)
        tree._codegen(state)
        state.finish()
    state.ranges[tree] = (0, state.length)
    return state.ranges


class Ranges:
    """The ranges of a file's nodes, found when they are asked for.

    A statement of the module, or of a class of the module, is generated alone where its text stands in the file once:
    a finding in a file of 6,000 lines does not take all of them. Whoever asks for a node that no statement is known to
    hold (a comma, a comment) gets those of the whole file.
    """

    def __init__(self, walk: Walk, text: str) -> None:
        self._walk = walk
        self._text = text
        self._known: dict[cst.CSTNode, Range] = {walk.tree: (0, len(text))}
        self._tried: set[cst.CSTNode] = set()
        self._whole = False

    def __getitem__(self, node: cst.CSTNode) -> Range:
        if node not in self._known and not self._whole and not self._part(node):
            return self.all()[node]
        return self._known[node]

    def all(self) -> dict[cst.CSTNode, Range]:
        """Those of every node, layout and comments included."""
        if not self._whole:
            self._known = positions(self._walk.tree, self._text)
            self._whole = True
        return self._known

    def _part(self, node: cst.CSTNode) -> bool:
        """Learn the ranges of the statement around a node; whether that was possible."""
        above = [*self._walk.ancestors(node)]
        around = [node, *above]
        if not above:
            return False
        state, statement = _State(self._walk.tree), around[-2]
        if isinstance(statement, ClassDef) and len(around) > 3 and around[-3] is statement.body:
            if not isinstance(statement.body, IndentedBlock):
                return False
            state.increase_indent(statement.body.indent or state.default_indent)
            statement = around[-4]
        if statement in self._tried:
            return False
        self._tried.add(statement)
        statement._codegen(state)
        code = "".join(state.tokens)
        start = self._text.find(code)
        if start < 0 or self._text.find(code, start + 1) >= 0:
            return False
        self._known.update((each, (start + first, start + last)) for each, (first, last) in state.ranges.items())
        return node in self._known


def comments(ranges: Mapping[cst.CSTNode, Range]) -> list[Range]:
    """The ranges of all comments, in source order."""
    return sorted(found for node, found in ranges.items() if isinstance(node, Comment))


class _State(CodegenState):
    """Counts characters while the code is generated and notes where nodes begin and end."""

    __slots__ = ("length", "ranges", "starts")

    def __init__(self, tree: cst.Module) -> None:
        super().__init__(default_indent=tree.default_indent, default_newline=tree.default_newline)
        self.length = 0
        self.starts: list[int] = []
        self.ranges: dict[cst.CSTNode, Range] = {}

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.add_token(token)

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.length += len(value)

    def pop_trailing_newline(self) -> None:
        if self.tokens:
            self.length -= len(self.tokens.pop())

    def before_codegen(self, node: cst.CSTNode) -> None:  # noqa: ARG002
        self.starts.append(self.length)

    def after_codegen(self, node: cst.CSTNode) -> None:
        self.ranges.setdefault(node, (self.starts.pop(), self.length))

    def record_syntactic_position(  # type: ignore[override]
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _Recorder:
        return _Recorder(self, node, start_node, end_node)


_BLANKS = re.compile(r"(?:[ \t\f\r\n]|\\(?:\r\n|\n|\r))*")


class _Aligned(_State):
    """Follows the text: blanks that the tree lacks are skipped, blanks that it invents are dropped."""

    __slots__ = ("skipped", "text")

    def __init__(self, tree: cst.Module, text: str) -> None:
        super().__init__(tree)
        self.text = text
        self.skipped: dict[int, int] = {}

    def add_token(self, value: str) -> None:
        at = self.length
        if not self.text.startswith(value, at):
            if not value.strip():
                return
            found = _BLANKS.match(self.text, at)
            at = found.end() if found else at
            if not self.text.startswith(value, at):
                raise ValueError("the syntax tree is not of this text")
            self.skipped[self.length] = at
        self.tokens.append(value)
        self.length = at + len(value)

    def finish(self) -> None:
        """Ranges begin behind the blanks that were skipped."""
        if self.text[self.length :].strip():
            raise ValueError("the syntax tree is not of this text")
        self.length = len(self.text)
        for node, (start, end) in self.ranges.items():
            if start in self.skipped:
                self.ranges[node] = (self.skipped[start], max(self.skipped[start], end))


class _Recorder:
    """The context that a node opens around its significant text."""

    __slots__ = ("end_node", "node", "start", "start_node", "state")

    def __init__(
        self, state: _State, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None
    ) -> None:
        self.state = state
        self.node = node
        self.start_node = start_node
        self.end_node = end_node

    def __enter__(self) -> None:
        self.start = self.state.length

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            return
        ranges = self.state.ranges
        start = self.start if self.start_node is None else ranges[self.start_node][0]
        end = self.state.length if self.end_node is None else ranges[self.end_node][1]
        ranges[self.node] = (start, end)
