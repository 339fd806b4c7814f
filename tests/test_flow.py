"""The flow of a function: pages in tests/model/flow.md, and CPython itself as the oracle."""

from __future__ import annotations

import libcst as cst

from otlint.model.flow import Flow
from otlint.model.walk import Walk


def exits(code: str) -> list[tuple[str, str, bool]]:
    tree = cst.parse_module(code)
    walk = Walk(tree)
    calls = {tree.code_for_node(node.func): node for node in walk.all(cst.Call)}
    flow = Flow(walk.all(cst.FunctionDef)[0], walk)
    found = flow.escapes(calls["start"], {calls["stop"]} if "stop" in calls else ())
    return [(way.kind, tree.code_for_node(way.node).strip(), way.only_base_exceptions) for way in found]


def test_finally_stops_every_way():
    assert exits("def f():\n    start()\n    try:\n        return g()\n    finally:\n        stop()\n") == []


def test_exception_edge():
    assert exits("def f():\n    start()\n    g()\n    stop()\n") == [("exception", "g()", False)]
