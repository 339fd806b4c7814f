"""A module with just the questions that the makers of edits ask, and a way to read their result."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import libcst as cst

from otlint.fix import Edit
from otlint.model.code.names import Names
from otlint.model.code.positions import positions
from otlint.model.code.walk import Walk
from otlint.model.project import Project
from otlint.source import Source


class StandIn:
    path = "a.py"
    project = Project(sources=dict.fromkeys(("a.py", "b.py", "shop/__init__.py", "shop/orders.py"), b""))

    def __init__(self, text: str) -> None:
        self.source = Source("a.py", text)
        self.tree = cst.parse_module(text)
        self.walk = Walk(self.tree)
        self.names = Names(self.walk, "a", "")

    @cached_property
    def ranges(self) -> dict[cst.CSTNode, tuple[int, int]]:
        return positions(self.tree, self.source.text)

    def range(self, node: cst.CSTNode) -> tuple[int, int]:
        return self.ranges[node]

    def code(self, node: cst.CSTNode) -> str:
        start, end = self.ranges[node]
        return self.source.text[start:end]

    def find(self, code: str, *kinds: type[cst.CSTNode]) -> Any:
        """The first node (of a kind) that is written so, or starts so when the code ends with dots."""
        for node in self.walk.order:
            written = self.code(node)
            same = written.startswith(code[:-3]) if code.endswith("...") else written == code
            if same and isinstance(node, kinds or (cst.CSTNode,)) and not isinstance(node, cst.Module):
                return node
        raise AssertionError(f"no {code!r}")

    def statement(self, code: str) -> Any:
        return self.find(code, cst.BaseSmallStatement, cst.BaseCompoundStatement)


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that may touch but not overlap."""
    parts, at = [], 0
    for edit in edits:
        assert at <= edit.start <= edit.end <= len(text), edits
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])
