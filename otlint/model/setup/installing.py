"""What makes a provider the global one of its process. OpenTelemetry takes the first, and only warns of the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.walk import Node
from otlint.model.facts.reach import is_test

if TYPE_CHECKING:
    from otlint.deployment.services import Evidence
    from otlint.model.facts.data import Facts
    from otlint.model.module import Module

_KINDS = {api: kind for kind, api in otel.SET_PROVIDER.items()}
_SIGNALS = {"traces": otel.SDK_PROVIDER, "metrics": otel.METER_PROVIDER, "logs": otel.LOGGER_PROVIDER}
# Whoever asks for the global provider first knows what there is.
_ASKS = re.compile(r"get_(?:tracer|meter|logger)_provider|isinstance\(")
_ONCE = re.compile(r"(?i)init|config|set_?up|done|ready|already|started|provider|instrumented|enabled$|tracer\b|_once")
# Tests put the global provider back by force.
_RESET = re.compile(
    r"_PROVIDER_SET_ONCE|\breset_(?:trace|metrics|logging)_globals\b"
    r"|\b(?:trace|trace_api|metrics|_logs|otel_trace)\._\w*PROVIDER"
)
_SWITCH = re.compile(r"(?i)disable|local|global")
_BRANCHES = (cst.If, cst.IfExp, cst.BooleanOperation, cst.ExceptHandler, cst.MatchCase, cst.While, cst.For, cst.Else)
_DEFERS = "OTEL_AWS_PYTHON_DEFER_TO_WORKERS_ENABLED"
# Launches that bring a distribution with them, which sets the providers up. A Lambda layer does so by its wrapper only.
_BRINGS = re.compile("inject-python|otel-instrument|EXEC_WRAPPER|otel-auto-instrumentation")
_PROGRAM = re.compile(r"([\w./-]+)\.py\b|(?:-m|--module)[ =]([\w.]+)|\b([A-Za-z_][\w.]*):[A-Za-z_]")


@dataclass(frozen=True, eq=False, slots=True)
class Install:
    """One place at which a provider of a kind becomes the global one, if none is.

    `name`: the function or file that does it there, None where the node does so itself. `once`: that does it only the
    first time. `sure`: nothing decides whether it is done.
    """

    node: Node
    kind: str
    name: str | None = None
    once: bool = False
    sure: bool = True
    call: cst.Call | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Again:
    """A place at which the provider is refused. `first` is what was there before, `why` says it in words."""

    install: Install
    why: str
    first: Node | None = None


def installs(module: Module) -> tuple[tuple[str, str, bool], ...]:
    """The functions of a file that certainly install a provider of a kind, "" for its import, and whether only once."""
    found = set()
    for each in _calls(module):
        function = module.function_of(each.node)
        if each.sure and not isinstance(function, cst.Lambda):
            name = module.names.qualified(function) if function is not None else ""
            found.add((name.removeprefix(f"{module.names.module_name}."), each.kind, each.once))
    return tuple(sorted(found))


def events(module: Module) -> list[Install]:
    """The places of a file at which a provider may become the global one, in source order."""
    return sorted([*_calls(module), *_imports(module)], key=lambda each: module.walk.order[each.node])


def _calls(module: Module) -> Iterator[Install]:
    for call in module.calls(*_KINDS):
        yield from _guarded(module, call, _KINDS[module.api(call.func) or ""], None, call)
    for distro in known.distros().values():
        for call in module.calls(*distro.calls) if distro.installs else ():
            if not any(arg.keyword is not None and _SWITCH.search(arg.keyword.value) for arg in call.args):
                for signal in sorted(distro.installs):
                    yield from _guarded(module, call, _SIGNALS[signal], module.api(call.func))
    for name, kind, once in _installers(module):
        for call in module.calls(name):
            yield from _guarded(module, call, kind, name, once=once)


def _installers(module: Module) -> Iterator[tuple[str, str, bool]]:
    """The functions of the project that are called here and install a provider, of which kind, whether only once."""
    for api in module.apis_called:
        yield from ((api, kind, once) for kind, once in _installed_by(module, api))


def _imports(module: Module) -> Iterator[Install]:
    for statement, dotted in module.names.imported():
        other = module.project.imported(dotted, module.path)
        if other is not None and other.path != module.path and module.function_of(statement) is None:
            for kind in {kind for name, kind, _ in other.installs if not name}:
                yield from _guarded(module, statement, kind, other.path, once=True)


def _guarded(
    module: Module, node: Node, kind: str, name: str | None, call: cst.Call | None = None, *, once: bool = False
) -> Iterator[Install]:
    """Nothing where the global provider is asked for first."""
    tests = list(_tests(module, node))
    if any(_ASKS.search(each) for each in tests):
        return
    flags = [_ONCE.search(each) is not None and " " not in each.removeprefix("not ") for each in tests]
    yield Install(node, kind, name, once or any(flags), all(flags), call)


def _tests(module: Module, node: Node) -> Iterator[str]:
    """What decides whether a node is evaluated: the conditions around it, and those of an earlier `return`."""
    function = module.function_of(node)
    for up in module.walk.ancestors(node):
        if up is function:
            break
        if isinstance(up, cst.If):
            yield _text(module, up.test)
        elif isinstance(up, _BRANCHES):
            yield "in some cases"
    for left in module.walk.own(function.body, cst.Return) if function is not None else ():
        if module.walk.order[left] < module.walk.order[node]:
            test = next((up for up in module.walk.ancestors(left) if isinstance(up, _BRANCHES)), None)
            yield _text(module, test.test) if isinstance(test, cst.If) else "in some cases"


def _text(module: Module, test: cst.BaseExpression) -> str:
    """A condition as it is written. Of most files in which one is asked for no position is."""
    return module.tree.code_for_node(test.with_changes(lpar=(), rpar=()))


def refused(module: Module) -> list[Again]:
    """The places at which a provider comes too late; the call of a function that holds one is none of its own."""
    found = events(module)
    if not found or _RESET.search(module.source.text):
        return []
    late = [each for each in found if isinstance(each.node, cst.Call)]
    ways = [_after(module, each, found) or _launched(module, each) or _beside(module, each) for each in late]
    again = [each for each in ways if each is not None]
    holders = {module.function_of(each.install.node) for each in again if each.install.name is None} - {None}
    return [each for each in again if module.values.function(each.install.name) not in holders]


def _after(module: Module, late: Install, found: list[Install]) -> Again | None:
    """What has certainly been done before, by the same function or when the file was imported."""
    function = module.function_of(late.node)
    for each in found:
        if each is late or each.kind != late.kind or each.node is late.node or _is_same(module, each, late):
            continue
        flow = module.flow(function or module.tree)
        if module.function_of(each.node) is function:
            done = flow.reaches(each.node, late.node) and flow.always_before(each.node, late.node)
        else:
            done = module.function_of(each.node) is None and each.sure and not _is_behind(module, each, function)
        if done:
            return Again(late, _words(each), each.node)
    return None


def _is_same(module: Module, first: Install, late: Install) -> bool:
    """Whether both set the same provider, or are calls of what does it once."""
    if first.name is not None and first.name == late.name:
        return first.once
    if late.once and first.name is not None and _share(module, first.name, late):
        return True
    one, two = _given(module, first), _given(module, late)
    return first.node in two or not set(one).isdisjoint(two)


def _share(module: Module, first: str, late: Install) -> bool:
    """Whether a function that does it once does it for both: for a call or an import, and for a later call."""
    project = module.project
    if first.endswith(".py"):
        alone = all(once for name, kind, once in project.installs(first) if not name and kind == late.kind)
        facts = project.files.get(first) if alone else None
        reached = project.called_by(_may_call(module, facts)) if facts is not None else frozenset()
    else:
        reached = project.called_by([first])
    both = reached & project.called_by([late.name or ""])
    return any(once and kind == late.kind for name in both for kind, once in _installed_by(module, name))


def _may_call(module: Module, facts: Facts) -> Iterator[str]:
    """What the import of a file may call to install a provider: its own functions that do, and what it imports."""
    yield from (f"{facts.module}.{name}" for name, _, _ in facts.installs if name)
    yield from module.project.aliases(facts)


def _installed_by(module: Module, api: str) -> Iterator[tuple[str, bool]]:
    """The providers that a function of the project installs, by kind, and whether only once."""
    if module.values.function(api) is not None:
        path, name = module.path, api.removeprefix(f"{module.names.module_name}.")
    elif (symbol := module.values.symbol(api)) is not None and symbol.function is not None:
        path, name = symbol.facts.path, symbol.function.name
    else:
        return
    yield from ((kind, once) for each, kind, once in module.project.installs(path) if each == name)


def _given(module: Module, each: Install) -> list[cst.BaseExpression]:
    """Where the provider comes from."""
    return module.origins(each.call.args[0].value) if each.call is not None and each.call.args else []


def _is_behind(module: Module, first: Install, function: Node | None) -> bool:
    """Whether what was done at the import was done by the very function, or by a file that may use it."""
    if first.name is None or not isinstance(function, cst.FunctionDef):
        return False
    if first.name.endswith(".py"):
        return any(facts.path == module.path for facts in module.project.reach.with_imported(first.name))
    return module.names.qualified(function) in module.project.called_by([first.name])


def _words(first: Install) -> str:
    if first.name is None:
        return "one is set before"
    verb = "the import of" if first.name.endswith(".py") else "the call of"
    return f"{verb} `{first.name if verb.startswith('the i') else first.name.rpartition('.')[2]}` sets one before"


def _launched(module: Module, late: Install) -> Again | None:
    """`opentelemetry-instrument python app.py`: the launcher sets tracer and meter providers before anything else."""
    if late.call is None or not late.sure or late.kind == otel.LOGGER_PROVIDER or is_test(module.path):
        return None
    launch = launcher(module)
    if launch is None or _is_given_on(module, late.call):
        return None
    return Again(late, f"`{launch.word}` in `{launch.path}` has set one")


def launcher(module: Module) -> Evidence | None:
    """What starts the file's process and sets up providers before anything else; None where none is known to."""
    deployment = module.project.deployments.for_path(module.path) if module.project.deployments is not None else None
    if deployment is None or _DEFERS in deployment.env:
        return None
    launch = next((each for each in deployment.launches if _sets_up(each, deployment.pins)), None)
    return launch if launch is not None and _starts(module, launch) else None


def _sets_up(launch: Evidence, pins: object) -> bool:
    """Whether the launch finds a distribution, without which it leaves the providers alone."""
    if _BRINGS.search(launch.word):
        return True
    if any(launch.word in distro.launch and distro.providers for distro in known.distros().values()):
        return True
    return launch.word == "opentelemetry-instrument" and any("distro" in str(name) for name in iter(pins))  # type: ignore[call-overload]


def _starts(module: Module, launch: Evidence) -> bool:
    """Whether the command may start what the file belongs to: it names the file, an importer of it, or no file."""
    named = _PROGRAM.findall(launch.text.partition(launch.word)[2])
    tails = {(file.rpartition("/") if file else (name or app).rpartition("."))[2] for file, name, app in named}
    if not tails:
        return not module.project.reach.is_program(module.path)
    names = {facts.path.removesuffix(".py").rpartition("/")[2] for facts in module.project.reach.importers(module.path)}
    packages = {module.path.rpartition("/")[0].rpartition("/")[2]} if "/__" in module.path else set()
    return bool(tails & (names | packages)) or module.path.rpartition("/")[2].removesuffix(".py") in tails


def _is_given_on(module: Module, call: cst.Call) -> bool:
    """Whether the provider is used itself as well, so that its being refused harms less."""
    given = call.args[0].value if call.args else None
    if not isinstance(given, cst.Name):
        return False
    for use in module.walk.named(given.value, module.tree):
        up = module.walk.parent[use]
        if isinstance(up, cst.Arg) and up.keyword is not None and up.keyword.value.endswith("_provider"):
            return True
        if isinstance(up, cst.Attribute) and up.value is use and up.attr.value in {"get_tracer", "get_meter"}:
            return True
    return False


def _beside(module: Module, late: Install) -> Again | None:
    """The import of a file of a package sets a provider, and so does another file of that package."""
    project, reach = module.project, module.project.reach
    if late.call is None or not late.sure or module.function_of(late.node) is not None:
        return None
    package = module.path.partition("/")[0]
    if f"{package}/__init__.py" not in project.paths or len(reach.importers(module.path)) < 2:
        return None
    for path, facts in sorted(project.files.items()):
        if path == module.path or not path.startswith(f"{package}/") or not _sets(facts, late.kind):
            continue
        at_import = any(not name and kind == late.kind for name, kind, _ in facts.installs)
        used = len(reach.importers(path)) > 1 and not _is_aside(path)
        if used and not reach.is_program(path) and not (at_import and path > module.path):
            return Again(late, f"`{path}` sets one as well")
    return None


def _sets(facts: Facts, kind: str) -> bool:
    return otel.SET_PROVIDER[kind] in facts.calls


def _is_aside(path: str) -> bool:
    parts = path.split("/")
    return parts[-1].startswith("test_") or not {"test", "tests", "examples", "docs"}.isdisjoint(parts)
