"""Which libraries are instrumented for a file: by calls in reach, by how the service is launched, or by themselves.

Two questions, for two kinds of rule: `of` wants proof that an instrumentor is on, `possible` whether one cannot be
excluded. Rules that report *because* something is instrumented ask the first, rules that report because nothing is ask
the second. Reach: a call counts in its unit, in units below it, and in units that import the calling file.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from otlint import known, otel
from otlint.deployment.services import Deployment, Evidence
from otlint.model.code.walk import Node
from otlint.model.reason import Elsewhere, Reason

if TYPE_CHECKING:
    from otlint.model.facts.data import Facts
    from otlint.model.module import Module

# Every instrumentor depends on it, so that it is installed says nothing.
_BASE = "opentelemetry-instrumentation"
_DECLARED = Reason("`[instrumentation]` of the configuration says that it is instrumented")
_OTEL = ("opentelemetry-sdk", "opentelemetry-api", "opentelemetry-exporter-otlp")
# Packages of version 0.66b0 go with an SDK of version 1.45, and with no other one.
_BETA = ("opentelemetry-semantic-conventions", "opentelemetry-distro", _BASE)
_AHEAD = 21

# `python shop/server.py`, `python -m shop`, `uwsgi --module shop.wsgi`, `uvicorn shop.main:app`
_PROGRAM = re.compile(r"([\w./-]+)\.py\b|(?:-m|--module)[ =]([\w.]+)|\b([A-Za-z_][\w.]*):[A-Za-z_]")


class Instrumentation:
    """The answers for one file."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._project = module.project
        self._path = module.path
        self._others: dict[str, Instrumentation] = {self._path: self}

    def at(self, path: str) -> Instrumentation:
        """The answers for another file of the project."""
        if path not in self._others:
            other = Instrumentation(self._module)
            other._path, other._others = path, self._others
            self._others[path] = other
        return self._others[path]

    def of(self, keys: Iterable[str], native: Iterable[str] = ()) -> Reason | None:
        """Why one of these instrumentors (keys of instrumentors.toml) or natives is certainly on, None otherwise."""
        wanted = frozenset(keys)
        if wanted & self._declared:
            return _DECLARED
        for key in sorted(wanted & self._switched_on & self._around):  # not another program
            name = known.instrumentors()[key].cls or key
            return Reason(
                f"`{name}` is enabled in this project",
                partial(self._switch, key, self._project.reach.files(self._path)),
            )
        launched = self._deployment.evidence
        if launched is not None and wanted & self._deployment.launched_instrumentation:
            return Reason(f"`{launched.word}` in {launched.path} instruments it", launched)
        for key in native:
            since = _natives()[key].get("since")
            if since is not None and self._deployment.at_least(_natives()[key].get("package", key), since):
                return Reason(f"{key} {since} and later makes its own spans")
        return None

    def possible(self, keys: Iterable[str], native: Iterable[str] = (), does: str = "") -> Reason | None:
        """Why one of them may be on: switched on, imported, launched with, or native in a version not known.

        `does`: what it is wanted for, "producer" or "consumer"; by their objects, one may be on for the other only.
        """
        wanted = frozenset(keys) - (self._on_for_others(does) if does else frozenset())
        if self._instruments_itself:
            return Reason("the project has an instrumentor of its own, and what that wraps is not known")
        if wanted & self._declared:
            return _DECLARED
        for key in sorted(wanted & self._around):
            return Reason(f"`{_short(key)}` may be switched on", partial(self._switch, key, self._near))
        launched = self.launched(wanted)
        if launched is not None:
            return launched
        for key in sorted(wanted & self._installed_unused):
            return Reason(f"`{_short(key)}` is installed, and no file uses it: something else may switch it on")
        return next((Reason(f"`{key}` may make its own spans") for key in native if self._may_be_native(key)), None)

    def launched(self, keys: Iterable[str]) -> Reason | None:
        """Why the way in which the service is launched may switch one of them on."""
        launches = (*self._deployment.launches, *self._deployment.hints)
        launched = next((each for each in launches if not self._starts_another(each)), None)
        installed = self._deployment.installed_instrumentation
        if launched is None or (installed and installed.isdisjoint(keys)):
            return None
        return Reason(f"`{launched.word}` may instrument it when the service is launched", launched)

    def native(self, key: str) -> bool | None:
        """Whether a library makes its own spans, by its version; None when that is not known."""
        since = _natives()[key].get("since")
        return self._deployment.at_least(_natives()[key].get("package", key), since) if since is not None else None

    def variable(self, name: str) -> str | None:
        """What an environment variable of OpenTelemetry is set to where the service is launched."""
        return self._deployment.env.get(name)

    def by_hand(self, kind: str, besides: str = "") -> Reason | None:
        """Why a span of that kind may be current in a handler: a middleware of the project makes one for each call.

        `besides` is a file that does not count.
        """
        made = sorted(facts.path for facts in self._near if kind in facts.enters and facts.path != besides)
        name = kind.rpartition(".")[2]
        return Reason(f"`{made[0]}` makes {name} spans, perhaps for all that comes in") if made else None

    def _starts_another(self, launch: Evidence) -> bool:
        """Whether a command launches other programs only, while this file is one that is run by itself."""
        found = _PROGRAM.findall(launch.text.partition(launch.word)[2].partition("`")[0])
        named = {part for name in found for part in re.split(r"[./]", "".join(name)) if part}
        if not named or not named.isdisjoint(self._path.removesuffix(".py").split("/")):
            return False
        return self._project.reach.is_program(self._path)

    def _may_be_native(self, key: str) -> bool:
        entry = _natives()[key]
        since = entry.get("since")
        if self._reached & set(entry.get("calls", ())):
            return True
        return since is not None and self._deployment.at_least(entry.get("package", key), since) is not False

    def _switch(self, key: str, files: Iterable[Facts]) -> Elsewhere | None:
        """The first of the files that switches an instrumentor on, or else imports it."""
        each = known.instrumentors()[key]
        distros = (distro for distro in known.distros().values() if not distro.instruments.isdisjoint({key, "*"}))
        switches = frozenset([*_switches(each), *(call for distro in distros for call in distro.calls)])
        calling = [facts.path for facts in files if not switches.isdisjoint(facts.calls)]
        importing = [facts.path for facts in files if each.cls in facts.imports]
        paths = sorted(calling) or sorted(importing)
        return Elsewhere(paths[0], partial(_named, switches, each.cls or key)) if paths else None

    @cached_property
    def _near(self) -> list[Facts]:
        """The files that run in this one's process, or else wherever it is imported."""
        return self._project.reach.process(self._path, self._is_foreign) or self._project.reach.around(self._path)

    def otel_at_least(self, version: str) -> bool:
        """Whether the project runs OpenTelemetry of that version or later; the newest one where nothing says more.

        `version` is that of the API and the SDK, `1.45`; what the configuration says counts before any pin.
        """
        given = self._module.declared.version
        if given is not None:
            return _numbers(given) >= _numbers(version)
        pins = self._deployment.pins
        return all(
            self._deployment.at_least(package, needed) is not False
            for package, needed in _distributions(version).items()
            if package in pins
        )

    def otel_may_precede(self, version: str) -> bool:
        """Whether what the project asks for leaves room for versions of OpenTelemetry before that one."""
        if self._module.declared.version is not None:
            return not self.otel_at_least(version)
        pins = self._deployment.pins
        return any(
            self._deployment.at_least(package, needed) is not True
            for package, needed in _distributions(version).items()
            if pins.get(package)
        )

    @cached_property
    def _around(self) -> frozenset[str]:
        """The instrumentors that some file may switch on for this one."""
        calls = frozenset().union(*(facts.calls for facts in self._near))
        imports = frozenset().union(*(facts.imports for facts in self._near))
        return self._on(calls) | _imported(imports)

    def _on_for_others(self, does: str) -> frozenset[str]:
        """`ConfluentKafkaInstrumentor().instrument_producer(…)` does nothing for a consumer."""
        calls = frozenset().union(*(facts.calls for facts in self._near))
        found = set()
        for key, each in known.instrumentors().items():
            if f"instrument_{does}" in each.objects:
                on = {name for name in ("instrument", *each.objects) if f"{each.cls}.{name}" in calls}
                if on and on.isdisjoint({"instrument", f"instrument_{does}"}):
                    found.add(key)
        return frozenset(found)

    @cached_property
    def _instruments_itself(self) -> bool:
        """Whether the project has instrumentors of its own: what they wrap is not known."""
        bases = {base for facts in self._project.files.values() for cls in facts.classes for base in cls.bases}
        return not bases.isdisjoint(otel.INSTRUMENTORS)

    @cached_property
    def _installed_unused(self) -> frozenset[str]:
        """The instrumentors that are installed and that no file imports: something else has to switch them on."""
        everywhere = frozenset().union(*(facts.imports for facts in self._project.files.values()))
        found = self._deployment.installed_instrumentation - _imported(everywhere)
        for distro in known.distros().values():
            module = min((call.partition(".")[0] for call in distro.calls), default="")
            used = any(name == module or name.startswith(f"{module}.") for name in everywhere)
            if distro.package != _BASE and not used and self._deployment.depends_on(distro.package):
                found |= known.instrumentors().keys() if "*" in distro.instruments else distro.instruments
        return found

    def _is_foreign(self, package: str) -> bool:
        """Whether a package is certainly none of the project's own."""
        if package in sys.stdlib_module_names or package in _libraries():
            return True
        names = self._project.reach.names
        return self._deployment.depends_on(package) or bool(names and package not in names)

    @property
    def _declared(self) -> frozenset[str]:
        """The instrumentors that the configuration says are on; `auto` stands for all that are installed."""
        declared = self._module.declared
        names = {known.distribution(name) for name in declared.libraries}
        found = {
            key
            for key, each in (known.instrumentors().items() if names else ())
            if not names.isdisjoint({key, *map(known.distribution, each.libraries)})
        }
        if declared.auto:
            found |= self._deployment.installed_instrumentation or known.instrumentors().keys()
        return frozenset(found)

    @cached_property
    def _deployment(self) -> Deployment:
        deployments = self._project.deployments
        return deployments.for_path(self._path) if deployments is not None else Deployment()

    @cached_property
    def _reached(self) -> frozenset[str]:
        return self._project.reach.calls(self._path)

    @cached_property
    def _switched_on(self) -> frozenset[str]:
        """The instrumentors that a call in reach switches on."""
        return self._on(self._reached)

    def _on(self, calls: frozenset[str]) -> frozenset[str]:
        on = {key for key, each in known.instrumentors().items() if not calls.isdisjoint(_switches(each))}
        for distro in known.distros().values():
            if calls.intersection(distro.calls):
                everything = "*" in distro.instruments
                installed = self._deployment.installed_instrumentation
                on |= (installed or known.instrumentors().keys()) if everything else distro.instruments
        return frozenset(on)


def _named(apis: frozenset[str], cls: str, module: Module) -> Node | None:
    """The first call of one of these APIs, or else where the class is named."""
    return next(iter([*module.calls(*apis), *module.walk.named(cls.rpartition(".")[2], module.tree)]), None)


@functools.cache
def _distributions(version: str) -> dict[str, str]:
    """The normalised name of each OpenTelemetry distribution → its version in the release of that version."""
    major, minor, *_ = (*_numbers(version), 0)
    wanted = dict.fromkeys(_OTEL, version)
    if major == 1:
        contrib = (each.package for each in known.instrumentors().values() if each.package.startswith(f"{_BASE}-"))
        wanted |= dict.fromkeys((*_BETA, *contrib), f"0.{minor + _AHEAD}b0")
    return {known.distribution(package): needed for package, needed in wanted.items()}


def _short(key: str) -> str:
    """What people call an instrumentor: its class, or its key where it has none."""
    return (known.instrumentors()[key].cls or key).rpartition(".")[2]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _switches(each: known.Instrumentor) -> list[str]:
    methods = [f"{each.cls}.{name}" for name in ("instrument", *each.objects)] if each.cls else []
    return [*methods, *each.calls]


def _imported(names: frozenset[str]) -> frozenset[str]:
    """The instrumentors that are imported, whatever is done with them."""
    return frozenset(key for key, each in known.instrumentors().items() if each.cls and each.cls in names)


@functools.cache
def _libraries() -> frozenset[str]:
    """The packages that the tables speak of."""
    names = {name for each in known.instrumentors().values() for name in each.libraries}
    names |= {*known.clients().operations, *known.clients().makes, "opentelemetry"}
    return frozenset(name.partition(".")[0] for name in names)


def _natives() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = known.table("instrumentors").get("native", {})
    return found
