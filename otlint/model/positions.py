"""Where each node's text lies, from one code generation pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from libcst import Comment, EmptyLine, ParenthesizedWhitespace
from libcst._nodes.internal import CodegenState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import libcst as cst

Range = tuple[int, int]


def positions(tree: cst.Module, text: str | None = None) -> dict[cst.CSTNode, Range]:
    """Start and end offset of every node in the module's text, layout nodes included.

    A range leaves out the whitespace, comments and line ends around a node, and the parentheses of an expression.
    LibCST forgets form feeds in an indentation: with `text`, what was parsed, they are counted all the same.
    Raises ValueError when the tree still does not give back the text.
    """
    return generate(tree, text)[1]


def generate(tree: cst.Module, text: str | None = None) -> tuple[str, dict[cst.CSTNode, Range]]:
    """The module's code and the `positions` in it."""
    state = _State(tree)
    tree._codegen(state)
    if text is not None and not _same("".join(state.tokens), text):
        state = _FormFeeds(tree, text)
        tree._codegen(state)
        if not _same("".join(state.tokens), text):
            raise ValueError("the syntax tree does not give back the text")
    code = "".join(state.tokens)
    state.ranges[tree] = (0, len(code))
    return code, state.ranges


def _same(code: str, text: str) -> bool:
    return code in (text, text.removesuffix("\r"))  # LibCST drops a final lone `\r`


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


_INDENT = re.compile(r"[ \t\f]*")


class _FormFeeds(_State):
    """Takes the indentation of statements from the text, where LibCST leaves out form feeds."""

    __slots__ = ("open", "text")

    def __init__(self, tree: cst.Module, text: str) -> None:
        super().__init__(tree)
        self.text = text
        self.open: list[cst.CSTNode] = []

    def add_indent_tokens(self) -> None:
        found = _INDENT.match(self.text, self.length)
        if found is None or isinstance(self.open[-1], EmptyLine | ParenthesizedWhitespace):
            super().add_indent_tokens()
        else:
            self.add_token(found.group())

    def before_codegen(self, node: cst.CSTNode) -> None:
        super().before_codegen(node)
        self.open.append(node)

    def after_codegen(self, node: cst.CSTNode) -> None:
        super().after_codegen(node)
        self.open.pop()


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
