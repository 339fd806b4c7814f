"""Instrumentors that are switched on too late: what they replace has been looked up before.

    from flask import Flask
    FlaskInstrumentor().instrument()      # puts another class into `flask.Flask`
    app = Flask(__name__)                 # which this is not

Which instrumentors replace what is in instrumentors.toml.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.model.code.walk import Node
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

# With these the instrumentor is told what to instrument, whenever that was made.
_GIVEN = frozenset({"engine", "engines"})


@dataclass(frozen=True, eq=False, slots=True)
class Late:
    """A call that switches an instrumentor on after `name`, which it replaces, was looked up.

    It is `taken` at that node of this file, or by the file `other`. `made` are the calls of this file that build
    something with it.
    """

    call: cst.Call
    name: str
    taken: Node | None
    other: str | None
    made: tuple[cst.Call, ...]


def late(module: Module) -> Iterator[Late]:
    """The calls of a file that switch an instrumentor on too late."""
    for each in known.instrumentors().values():
        switches = module.calls(f"{each.cls}.instrument") if each.replaces else []
        for call in switches:
            if isinstance(call.func, cst.Attribute) and module.api(call.func.value) == each.cls:
                continue  # called on the class, which raises
            found = _here(module, each, call, switches) or _elsewhere(module, each, call)
            if found is None or _is_given(call) or module.silenced(call, _handled(module, each)):
                continue
            yield found


def taken(module: Module) -> dict[cst.Call, Node]:
    """The calls that build something which an instrumentor replaces → where the file looks up what they call."""
    found: dict[cst.Call, Node] = {}
    for call in module.calls(*_replaced()):
        if isinstance(call.func, cst.Attribute):
            found[call] = call
        elif isinstance(call.func, cst.Name):
            bindings = module.names.reaching(call.func.value, call.func)
            if len(bindings) == 1 and bindings[0].kind == "import":
                found[call] = bindings[0].node
    return found


def hurried(module: Module) -> Iterator[tuple[str, str]]:
    """What the file looks up and builds something with, and each project function that it calls after that."""
    places = taken(module)
    for build, place in places.items() if not module.is_test else ():
        if _is_native(module, build, module.path):
            continue
        for call in module.walk.all(cst.Call):
            api = module.api(call.func)
            if api is not None and module.helper(call) is not None and _precedes(module, place, call):
                yield module.api(build.func) or "", api


def _here(module: Module, each: known.Instrumentor, call: cst.Call, switches: list[cst.Call]) -> Late | None:
    places = {
        build: place
        for build, place in taken(module).items()
        if module.api(build.func) in each.replaces and not _is_native(module, build, module.path)
    }
    for build, place in places.items():
        earlier = any(not _precedes(module, place, other) for other in switches)
        if not earlier and _precedes(module, place, call):
            return Late(call, module.api(build.func) or "", place, None, tuple(places))
    return None


def _elsewhere(module: Module, each: known.Instrumentor, call: cst.Call) -> Late | None:
    """`set_up()` of this file is called by a file that has imported the class first, and makes its app of it."""
    function = module.function_of(call)
    if not isinstance(function, cst.FunctionDef):
        return None
    own = module.names.qualified(function)
    for facts in module.project.reach.around(module.path):
        for name, called in facts.hurried if facts.path != module.path else ():
            if name in each.replaces and own in module.project.called_by([called]):
                return Late(call, name, None, facts.path, ())
    return None


def _handled(module: Module, each: known.Instrumentor) -> Reason | None:
    """Why what was made before may be instrumented all the same."""
    methods = {f"{each.cls}.{name}" for name in each.objects} | set(each.calls)
    around = module.project.reach.around(module.path)
    for facts in around:
        if not methods.isdisjoint(facts.calls):
            return Reason(f"{facts.path} instruments an object by hand")
        if facts.path != module.path and f"{each.cls}.instrument" in facts.calls:
            return Reason(f"{facts.path} switches it on as well, perhaps before")
    return module.instrumentation.launched([each.key])


def _is_native(module: Module, build: cst.Call, path: str) -> bool:
    """Whether what is built may make spans of its own."""
    key = (module.api(build.func) or "").partition(".")[0]
    native = known.natives().get(key)
    if native is None or native.since is None:
        return False
    off = any(arg.keyword is not None and arg.keyword.value == native.off for arg in build.args)
    return not off and module.instrumentation.at(path).native(key) is not False


def _precedes(module: Module, place: Node, call: Node) -> bool:
    """Whether a node of the file has certainly been evaluated when another one is, if it is evaluated at all."""
    walk = module.walk
    first, then = walk.function_of(place), walk.function_of(call)
    if first is not None and first is not then:
        return False
    if walk.order[place] < walk.order[call]:
        return not any(_parts(module, up, place, call) for up in walk.ancestors(place))
    sites = module.values.call_sites(then) if isinstance(then, cst.FunctionDef) and first is None else []
    return bool(sites) and all(
        walk.function_of(site) is None and walk.order[place] < walk.order[site] for site in sites
    )


def _parts(module: Module, up: Node, one: Node, other: Node) -> bool:
    """Whether two nodes stand in branches of an `if` of which only one runs."""
    inside = module.walk.inside
    return isinstance(up, cst.If) and up.orelse is not None and inside(one, up.body) and inside(other, up.orelse)


def _is_given(call: cst.Call) -> bool:
    return any(arg.star or (arg.keyword is not None and arg.keyword.value in _GIVEN) for arg in call.args)


@functools.cache
def _replaced() -> frozenset[str]:
    return frozenset(name for each in known.instrumentors().values() for name in each.replaces)
