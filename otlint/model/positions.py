"""Where each node's text lies, from one code generation pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from libcst._nodes.internal import CodegenState

if TYPE_CHECKING:
    from types import TracebackType

    import libcst as cst

Range = tuple[int, int]


def positions(tree: cst.Module) -> dict[cst.CSTNode, Range]:
    """Start and end offset of every node in `tree.code`, layout nodes included.

    A range leaves out the whitespace, comments and line ends around a node, and the parentheses of an expression.
    """
    return generate(tree)[1]


def generate(tree: cst.Module) -> tuple[str, dict[cst.CSTNode, Range]]:
    """The module's code and the `positions` in it."""
    state = _State(tree)
    tree._codegen(state)
    code = "".join(state.tokens)
    state.ranges[tree] = (0, len(code))
    return code, state.ranges


class _State(CodegenState):
    """Counts characters while the code is generated and notes where nodes begin and end."""

    __slots__ = ("length", "ranges", "starts")

    def __init__(self, tree: cst.Module) -> None:
        super().__init__(default_indent=tree.default_indent, default_newline=tree.default_newline)
        self.length = 0
        self.starts: list[int] = []
        self.ranges: dict[cst.CSTNode, Range] = {}

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        self.length += sum(map(len, self.indent_tokens))

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
