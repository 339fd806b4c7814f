"""Whether somebody wants what an attribute holds: asks for it, gives it for that, or sends it to where it is looked at.

if settings.capture_content: ...
if not telemetry.get("requested"): return
headers={"Authorization": os.environ["BRAINTRUST_API_KEY"]}

A capability that is missing (`if span is None`) is no such question.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module

_DEPTH = 3
_PLACES = (cst.If, cst.BaseSmallStatement, cst.BaseCompoundStatement, cst.Module)


def is_asked_for(module: Module, place: Node, depth: int = 0) -> bool:
    """Whether a test around a place, an early return before it, or all of its callers ask whether it is wanted."""
    table = known.table("sensitive")
    for up in module.walk.ancestors(place):
        if isinstance(up, cst.If) and module.walk.inside(place, up.body) and _mentions(module, up.test, table["asked"]):
            return True
        if isinstance(up, cst.FunctionDef):
            return _is_asked_in(module, up, place) or _is_asked_by_callers(module, up, depth)
    return False


def _is_asked_in(module: Module, function: cst.FunctionDef, place: Node) -> bool:
    """`if not should_send_prompts(): return`, and tests that decide what the content is replaced by."""
    table = known.table("sensitive")
    for test in module.walk.own(function.body, cst.If):
        if module.walk.order[test] > module.walk.order[place]:
            break
        leaves = any(isinstance(each, cst.Return) for each in module.walk.below(test.body))
        if _mentions(module, test.test, table["asked"] if leaves else table["decides"]):
            return True
        if leaves and _reads_settings(module, test.test):
            return True
    return False


def _is_asked_by_callers(module: Module, function: cst.FunctionDef, depth: int) -> bool:
    sites = module.values.call_sites(function) if depth < _DEPTH else []
    if not sites and "capture" in words(function.name.value):
        return True  # `capture_messages(span, messages)`, for other files: they ask before they call it
    return bool(sites) and all(is_asked_for(module, site, depth + 1) for site in sites)


def is_asked_inside(module: Module, call: cst.Call) -> bool:
    """Whether a function of the file that is given the content leaves before it writes, unless it is asked for."""
    function = module.values.function(module.api(call.func))
    writes = [each for each in module.walk.own(function.body, cst.Call) if _writes(module, each)] if function else []
    return isinstance(function, cst.FunctionDef) and bool(writes) and _is_asked_in(module, function, writes[0])


def _writes(module: Module, call: cst.Call) -> bool:
    return (api := module.api(call.func)) in otel.ATTRIBUTES or api in otel.ATTRIBUTE


def _mentions(module: Module, test: Node, asked: Sequence[str]) -> bool:
    names = [each.value for each in module.walk.all(cst.Name, within=test)]
    names += [str(each.evaluated_value) for each in module.walk.all(cst.SimpleString, within=test)]
    return any(word in asked for name in names for word in words(name))


def _reads_settings(module: Module, test: Node) -> bool:
    """`telemetry.get("requested")`, `otel["request"]`: what whoever called says of telemetry."""
    wanted = known.table("sensitive")["settings"]
    reads = [each.value for each in module.walk.all(cst.Subscript, within=test)]
    calls = (each.func for each in module.walk.all(cst.Call, within=test))
    reads += [func.value for func in calls if isinstance(func, cst.Attribute) and func.attr.value == "get"]
    return any(word in wanted for owner in reads for word in words(module.code(owner)))


def is_left_to_callers(module: Module, call: Node, value: cst.BaseExpression) -> bool:
    """Whether a function takes a value to put it on a span and for nothing else, if its callers, who are unknown, want.

    `def start(name, user=None): …; if user: span.set_attribute("user.email", user.email)`
    """
    function = module.function_of(call)
    if not isinstance(function, cst.FunctionDef) or module.values.call_sites(function):
        return False
    params = [*function.params.params, *function.params.kwonly_params]
    optional = {each.name.value for each in params if each.default is not None}
    told = {each.call for each in module.attributes}
    root = _root(module, value)
    return root in optional and _is_only_told(module, root, function, told)


def _root(module: Module, value: cst.BaseExpression, depth: int = 0) -> str:
    """The name that a value is a part of: `user` for `user.email`, also by way of `contact = user.contact`."""
    while isinstance(value, cst.Attribute):
        value = value.value
    origins = module.origins(value)
    if len(origins) == 1 and isinstance(origins[0], cst.Attribute) and depth < _DEPTH:
        return _root(module, origins[0], depth + 1)
    return value.value if isinstance(value, cst.Name) else ""


def _is_only_told(module: Module, name: str, function: cst.FunctionDef, told: set[cst.Call], depth: int = 0) -> bool:
    """Whether all that a function does with a name is to test it and to put it, or its parts, on spans."""
    for use in module.walk.named(name, function.body):
        up = next(each for each in module.walk.ancestors(use) if each in told or isinstance(each, _PLACES))
        if up in told or (isinstance(up, cst.If) and module.walk.inside(use, up.test)):
            continue
        target = up.targets[0].target if isinstance(up, cst.Assign) and len(up.targets) == 1 else None
        if not isinstance(target, cst.Name) or depth == _DEPTH:
            return False
        if target.value != name and not _is_only_told(module, target.value, function, told, depth + 1):
            return False
    return True


def is_for_backend(module: Module) -> bool:
    """Whether the file names a back end that is there to show what language models are given and answer."""
    names = set(known.table("sensitive")["backends"])
    if any(each.partition(".")[0] in names for each in module.names.imports_everywhere):
        return True
    return any(not names.isdisjoint(words(text)) and _is_access(text) for text in _texts(module))


def _texts(module: Module) -> Iterator[str]:
    return (str(each.evaluated_value) for each in module.walk.all(cst.SimpleString))


def _is_access(text: str) -> bool:
    """Whether a text is an address or the name of a key: `https://api.braintrust.dev/otel`, `BRAINTRUST_API_KEY`."""
    return "://" in text or re.fullmatch(r"(?i)[\w-]+[_-](?:key|token|secret)", text) is not None


@functools.lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """`user.apiKey` → user, api, key."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return tuple(word for word in re.split(r"[^a-z0-9]+", snake.lower()) if word)
