"""Where statements and the headers of blocks stand in the source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from otlint.model.code.walk import Node, Walk

_BLOCKS = (
    cst.BaseCompoundStatement,
    cst.Else,
    cst.ExceptHandler,
    cst.ExceptStarHandler,
    cst.Finally,
    cst.MatchCase,
)
Ranges = Mapping[cst.CSTNode, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Extent:
    """A line of simple statements, a decorator, or the header of a block, from `start` to `end` in offsets.

    `whole` is the end of what it belongs to: for a decorator that of the header below it.
    """

    node: Node
    start: int
    end: int
    whole: int


def extents(walk: Walk, ranges: Ranges) -> list[Extent]:
    """The statements and headers of a file, in source order."""
    return sorted(_extents(walk, ranges), key=lambda each: (each.start, each.end, each.whole))


def _extents(walk: Walk, ranges: Ranges) -> Iterator[Extent]:
    for node in walk.order:
        start, end = ranges[node]
        if isinstance(node, cst.SimpleStatementLine):
            yield Extent(node, start, end, end)
        elif isinstance(node, _BLOCKS):
            end = header_end(node, ranges)
            yield Extent(node, start, end, end)
            for decorator in getattr(node, "decorators", ()):
                yield Extent(decorator, *ranges[decorator], end)


def header_end(node: Node, ranges: Ranges) -> int:
    """Where the header of a block ends, its colon included."""
    if isinstance(node, cst.Match):
        return ranges[node.whitespace_after_colon][0]
    block = getattr(node, "body", None)
    if isinstance(block, cst.IndentedBlock):
        return ranges[block.header][0]
    assert isinstance(block, cst.BaseSuite)
    return ranges[block][1]
