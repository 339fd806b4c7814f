"""Tests whose context is put back after each of them, or is their own: what they attach reaches no other test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

_ISOLATED = frozenset({"unittest.IsolatedAsyncioTestCase", "unittest.async_case.IsolatedAsyncioTestCase"})
_BEFORE = frozenset({"setUp", "asyncSetUp", "setup_method"})
_AFTER = frozenset({"tearDown", "asyncTearDown", "teardown_method", "doCleanups"})


def renewed(module: Module, function: cst.FunctionDef) -> Reason | None:
    """Why nothing stays current behind a test, None where it does or where the function is no test."""
    name = function.name.value
    if not module.is_test or not (name.startswith("test") or name in _BEFORE or name == "asyncTearDown"):
        return None
    cls = module.walk.class_of(function)
    if cls is not None and not _ISOLATED.isdisjoint(module.values.lineage(cls)):
        return Reason("`IsolatedAsyncioTestCase` runs each test in a context of its own", cls)
    if not name.startswith("test"):
        return None
    if function.asynchronous is not None:
        return Reason("an asynchronous test runs in a task, and has a context of its own", function)
    around = _method_around(module, cls) if cls is not None else _fixture(module)
    if around is not None:
        return Reason("what runs after each of these tests puts the context back", around)
    folder = f"{module.path.rpartition('/')[0]}/".lstrip("/")
    for path, facts in module.project.files.items():
        above, _, file = path.rpartition("/")
        is_near = file == "conftest.py" and folder.startswith(f"{above}/".lstrip("/"))
        if is_near and {otel.ATTACH, otel.DETACH} <= facts.calls:
            return Reason(f"a fixture in `{path}` may put the context back")
    return None


def _method_around(module: Module, cls: cst.ClassDef) -> Node | None:
    """The method that puts back what was current when each test of the class began."""
    methods = {each.name.value: each for each in module.walk.own(cls.body, cst.FunctionDef)}
    before = [methods[name] for name in sorted(_BEFORE & methods.keys())]
    after = [methods[name] for name in sorted(_AFTER & methods.keys())]
    for each in before:
        if _calls(module, each, otel.ATTACH) and any(_names(module, end, "detach") for end in (*before, *after)):
            return each
        if _calls(module, each, otel.GET_CURRENT_CONTEXT):
            return next((end for end in after if _calls(module, end, otel.ATTACH)), None)
    return None


def _fixture(module: Module) -> Node | None:
    """A fixture for every test of the file that attaches and detaches."""
    for each in module.walk.all(cst.FunctionDef):
        written = " ".join(module.code(decorator.decorator) for decorator in each.decorators)
        if "autouse=True" in written and _calls(module, each, otel.ATTACH) and _calls(module, each, otel.DETACH):
            return each
    return None


def _names(module: Module, function: cst.FunctionDef, name: str) -> bool:
    return bool(module.walk.named(name, function))


def _calls(module: Module, function: cst.FunctionDef, api: str) -> bool:
    return any(module.walk.inside(call, function) for call in module.calls(api))
