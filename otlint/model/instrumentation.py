"""Which libraries are instrumented for a file: by calls in reach, by how the service is launched, or by themselves.

Two questions, for two kinds of rule: `of` wants proof that an instrumentor is on, `possible` whether one cannot be
excluded. Rules that report *because* something is instrumented ask the first, rules that report because nothing is ask
the second. Reach: a call counts in its unit, in units below it, and in units that import the calling file.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from otlint import known
from otlint.deployment import Deployment

if TYPE_CHECKING:
    from otlint.model.module import Module


class Instrumentation:
    """The answers for one file."""

    def __init__(self, module: Module) -> None:
        self._project = module.project
        self._path = module.path

    def of(self, keys: Iterable[str], native: Iterable[str] = ()) -> str | None:
        """Why one of these instrumentors (keys of instrumentors.toml) or natives is certainly on, None otherwise."""
        wanted = frozenset(keys)
        for key in sorted(wanted & self._switched_on):
            return f"`{known.instrumentors()[key].cls or key}` is enabled in this project"
        launched = self._deployment.evidence
        if launched is not None and wanted & self._deployment.launched_instrumentation:
            return f"`{launched.word}` in {launched.path} instruments it"
        for key in native:
            since = _natives()[key].get("since")
            if since is not None and self._deployment.at_least(_natives()[key].get("package", key), since):
                return f"{key} {since} and later makes its own spans"
        return None

    def possible(self, keys: Iterable[str], native: Iterable[str] = ()) -> bool:
        """Whether one of them may be on: switched on, imported, launched with, or native in a version not known."""
        wanted = frozenset(keys)
        if wanted & (self._switched_on | self._imported):
            return True
        if self._deployment.auto_instrumented or self._deployment.hints:
            installed = self._deployment.installed_instrumentation
            return not installed or bool(wanted & installed)
        for key in native:
            entry = _natives()[key]
            since = entry.get("since")
            if self._reached & set(entry.get("calls", ())):
                return True
            if since is not None and self._deployment.at_least(entry.get("package", key), since) is not False:
                return True
        return False

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
        on = {key for key, each in known.instrumentors().items() if self._calls(each)}
        for distro in known.distros().values():
            if self._reached.intersection(distro.calls):
                everything = "*" in distro.instruments
                installed = self._deployment.installed_instrumentation
                on |= (installed or known.instrumentors().keys()) if everything else distro.instruments
        return frozenset(on)

    def _calls(self, each: known.Instrumentor) -> bool:
        methods = [f"{each.cls}.{name}" for name in ("instrument", *each.objects)] if each.cls else []
        return not self._reached.isdisjoint([*methods, *each.calls])

    @cached_property
    def _imported(self) -> frozenset[str]:
        """The instrumentors that a file in reach imports, whatever it does with them."""
        imports = self._project.reach.imports(self._path)
        return frozenset(key for key, each in known.instrumentors().items() if each.cls and each.cls in imports)


def _natives() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = known.table("instrumentors").get("native", {})
    return found
