"""From one module to its `Facts`: what other files of the project need to know of it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.names import Binding
from otlint.model.code.optional import requires
from otlint.model.errors.strays import apart
from otlint.model.facts.data import ClassFacts, Facts, FunctionFacts
from otlint.model.metrics.conflicts import made
from otlint.model.setup.correlation import correlates
from otlint.model.setup.exported_logs import switches_on
from otlint.model.setup.installing import installs
from otlint.model.setup.late import hurried
from otlint.model.setup.pools import may_not_fork
from otlint.model.setup.providers import sends
from otlint.model.spans.generators import driven
from otlint.model.spans.unawaited import coroutines

if TYPE_CHECKING:
    from otlint.model.module import Module


def outline(module: Module) -> Facts:
    """What is known of a file before anything of it is looked at: what it imports."""
    names = module.names
    imports = frozenset([*names.star_modules, *names.imports_everywhere, *_left_out(module)])
    return Facts(module.path, names.module_name, imports=imports, requires=requires(module))


def _left_out(module: Module) -> Iterator[str]:
    """Instrumentors that the file switches on and does not import: `FastAPIInstrumentor.instrument_app(app)`.

    Whoever has commented the import out imports it again.
    """
    if "Instrumentor" not in module.source.text:
        return
    for dotted in filter(None, (each.cls for each in known.instrumentors().values())):
        for name in module.walk.named(dotted.rpartition(".")[2], module.tree):
            if module.names.dotted(name) == f"builtins.{name.value}":
                yield dotted


def collect(module: Module) -> Facts:
    """The facts of a file as it is seen within its present project."""
    aliases, typed = _bound(module)
    return dataclasses.replace(
        outline(module),
        aliases=tuple(sorted(aliases.items())),
        stars=tuple(module.names.star_modules),
        values=tuple(sorted(typed.items())),
        functions=tuple(
            _function(module, function)
            for function in module.walk.all(cst.FunctionDef)
            if _is_visible(module, function) and not (module.is_test and function.name.value.startswith("test_"))
        ),
        classes=tuple(_class(module, each) for each in module.walk.all(cst.ClassDef) if _is_visible(module, each)),
        calls=frozenset(api for api in module.apis_called if otel.is_otel(api) or _is_set_up(api)),
        under_span=frozenset(_under_span(module)),
        handled=tuple(sorted(_handled(module).items())),
        registered=tuple(sorted((name, entry.key) for name, entry in module.entries.elsewhere())),
        enters=frozenset() if module.is_test else frozenset(_enters(module)),
        script=_is_script(module),
        holding=frozenset(each.kind for each in module.providers if each.batch is not None),
        sends=sends(module),
        correlates=correlates(module),
        exports_logs=not module.is_test and any(map(switches_on, module.calls(otel.INSTRUMENT_LOGGING))),
        may_not_fork=may_not_fork(module),
        instruments=tuple(made(module)),
        hurried=frozenset(hurried(module)),
        installs=installs(module),
        apart=tuple(apart(module)),
        driven=tuple(driven(module)),
        coroutines=frozenset(coroutines(module)),
        adds=frozenset(name for name in otel.FEEDS_PROVIDER if module.walk.named(name, module.tree)),
    )


def _bound(module: Module) -> tuple[dict[str, str], dict[str, str]]:
    """The names at the top of a file: what they stand for, by dotted name, or else the types of what they hold."""
    names, values = module.names, module.values
    aliases: dict[str, str] = {}
    typed: dict[str, str] = {}
    for name, bindings in names.in_scope(module.tree).items():
        left = _left(module, bindings)
        meanings = {names.meaning(each) for each in left if not _is_none(each.value)}
        dotted = meanings.pop() if len(meanings) == 1 else None
        kind = values.held(left) if dotted is None else None
        if kind is not None:
            typed[name] = kind
        elif dotted is not None and dotted != f"{names.module_name}.{name}":
            aliases[name] = dotted
    return aliases, typed


def _left(module: Module, bindings: Sequence[Binding]) -> list[Binding]:
    """The bindings that can be in force when others import the file: those from the last that certainly runs on."""
    sure = [i for i, each in enumerate(bindings) if _is_top(module, each.node)]
    return [
        each
        for i, each in enumerate(bindings)
        if each.kind != "del" and (i >= sure[-1] if sure and module.walk.function_of(each.node) is None else True)
    ]


def _is_top(module: Module, node: cst.CSTNode) -> bool:
    above = module.walk.parent[node]
    return isinstance(above, cst.Module) or module.walk.parent[above] is module.tree


def _is_none(value: cst.CSTNode | None) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"


def _is_script(module: Module) -> bool:
    """Whether the file has an `if __name__ == "__main__":`, or works in a block at its top level."""
    return any(isinstance(each, cst.With | cst.While) or _is_guard(each) for each in module.tree.body)


def _is_guard(statement: cst.CSTNode) -> bool:
    test = statement.test if isinstance(statement, cst.If) else None
    left = test.left if isinstance(test, cst.Comparison) else None
    return isinstance(left, cst.Name) and left.value == "__name__"


def _function(module: Module, function: cst.FunctionDef) -> FunctionFacts:
    facts = module.helpers.of(function)
    if facts.returns != "builtins.str":
        return facts
    return dataclasses.replace(facts, text=module.texts.returned(function))


def _is_visible(module: Module, definition: cst.FunctionDef | cst.ClassDef) -> bool:
    """Whether other files can name it: not inside a function."""
    return module.walk.function_of(definition) is None


def _is_set_up(api: str) -> bool:
    """Calls that say how a project starts or stops telemetry, whoever provides them."""
    return api in _starters() or api in known.runs() or api.rpartition(".")[2] in {"shutdown", "force_flush"}


@functools.cache
def _starters() -> frozenset[str]:
    """What switches instrumentors on, by dotted name, where the name is not OpenTelemetry's own."""
    calls = {call for distro in known.distros().values() for call in distro.calls}
    for each in known.instrumentors().values():
        calls.update(each.calls, (f"{each.cls}.{method}" for method in ("instrument", *each.objects)))
    for native in known.table("instrumentors").get("native", {}).values():
        calls.update(native.get("calls", ()))
    for wraps in known.table("propagators")["targets"]["wrapped"].values():
        calls.update(wraps)
    return frozenset(calls)


def _under_span(module: Module) -> Iterator[str]:
    """What is called inside the span blocks of the file, by dotted name."""
    for span in module.spans:
        for region in span.regions:
            yield from filter(_is_own, module.helpers.callees.within(region))


def _handled(module: Module) -> dict[str, frozenset[str]]:
    """The functions that handle what enters the process, and those that they call → by framework."""
    found: dict[str, set[str]] = {}
    for function, entry in module.entries.all():
        names = found.setdefault(entry.key, set())
        names.add(module.names.qualified(function))
        names.update(filter(_is_own, module.helpers.callees.of(function)))
    for name, entry in module.entries.elsewhere():
        found.setdefault(entry.key, set()).add(name)
    return {key: frozenset(names) for key, names in found.items()}


def _enters(module: Module) -> Iterator[str]:
    for span in module.spans:
        by_hand = span.kind == otel.KIND_SERVER and not module.entries.handles(span.function)
        if span.kind is not None and (by_hand or (span.kind == otel.KIND_CONSUMER and _is_wrapper(span.function))):
            yield span.kind


def _is_wrapper(function: cst.CSTNode | None) -> bool:
    """Whether it is a function such as `def wrapper(*args, **kwargs):`."""
    return isinstance(function, cst.FunctionDef) and isinstance(function.params.star_arg, cst.Param)


def _is_own(api: str) -> bool:
    return not otel.is_otel(api) and not api.startswith("builtins.")


def _class(module: Module, definition: cst.ClassDef) -> ClassFacts:
    dotted = module.names.qualified(definition)
    names = {name for (owner, name) in module.names.attributes if owner is definition}
    names |= set(module.names.in_scope(definition))
    methods = {each.name.value for each in module.walk.all(cst.FunctionDef) if module.walk.class_of(each) is definition}
    attributes = {
        name: kind for name in sorted(names - methods) if (kind := module.values.attribute(dotted, name)) is not None
    }
    return ClassFacts(
        name=dotted.removeprefix(module.names.module_name + "."),
        bases=tuple(module.values.bases(definition)),
        attributes=tuple(attributes.items()),
        methods=frozenset(methods),
    )
