"""The propagators that an expression makes, by class, and what shows that a project speaks their format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import libcst as cst

from otlint import known, otel
from otlint.model.setup.exporters import REMOTE, signal_of

if TYPE_CHECKING:
    from otlint.model.module import Module


_BOUND_AND_GIVEN = 2  # how often a list is named that is made and given, and nothing else


def _table() -> Mapping[str, Any]:
    found: Mapping[str, Any] = known.table("propagators")["propagator"]
    return found


def carries(names: list[str]) -> set[str | None]:
    """What propagators of these classes carry: "trace", "baggage", None for a format of their own."""
    return {_table()[name].get("carries") for name in names}


def _listed(name: str, what: str) -> Iterator[str]:
    yield from _table()[name].get(what, ())


def made(module: Module, given: cst.BaseExpression) -> list[str] | None:
    """The classes of the propagators that are given on every way, None when one is not known."""
    found: list[str] = []
    ways = module.origins(given)
    for each in ways:
        names = _names(module, each)
        if names is None:
            return None
        found += names
    return list(dict.fromkeys(found)) if ways else None


def _names(module: Module, given: cst.BaseExpression) -> list[str] | None:
    if not isinstance(given, cst.Call):
        return None
    dotted = module.names.dotted(given.func) or ""
    name = dotted.rpartition(".")[2]
    if not otel.is_otel(dotted) or not name.startswith("Composite"):
        return [name] if otel.is_otel(dotted) and name in _table() else None
    listed = parts(given) or _named_parts(module, given)
    if listed is None:
        return None
    found = [_names(module, each.value) if isinstance(each, cst.Element) else None for each in listed.elements]
    return None if None in found else [name for names in found for name in names or ()]


def parts(composite: cst.Call) -> cst.List | None:
    """The list that a composite propagator is made of."""
    value = composite.args[0].value if len(composite.args) == 1 and not composite.args[0].star else None
    return value if isinstance(value, cst.List) else None


def _named_parts(module: Module, composite: cst.Call) -> cst.List | None:
    """The same where the list has a name that nothing is appended to."""
    given = composite.args[0].value if len(composite.args) == 1 and not composite.args[0].star else None
    if not isinstance(given, cst.Name) or len(module.walk.named(given.value, module.tree)) > _BOUND_AND_GIVEN:
        return None
    origins = module.origins(given)
    return origins[0] if len(origins) == 1 and isinstance(origins[0], cst.List) else None


def is_estate(module: Module, names: list[str]) -> bool:
    """Whether a header, a library or the only back end of the same format is used beside the propagator.

    Headers of a mesh count where it knows no `traceparent`.
    """
    headers = tuple(each for name in names for each in _listed(name, "headers"))
    libraries = {each for name in names for each in _listed(name, "libraries")}
    imports = module.names.imports_everywhere.union(*(each.imports for each in module.project.files.values()))
    if any(each.partition(".")[0] in libraries for each in imports) or _is_of_backend(module, names):
        return True
    deployments = module.project.deployments
    deployed: frozenset[str] = deployments.headers if deployments is not None else frozenset()
    if headers and otel.TRACEPARENT not in deployed and any(each.startswith(headers) for each in deployed):
        return True
    texts = (str(each.evaluated_value).lower() for each in module.walk.all(cst.SimpleString))
    return bool(headers) and any(text.startswith(headers) for text in texts)


def _is_of_backend(module: Module, names: list[str]) -> bool:
    """Whether all spans of the file go to a back end that brought the format along."""
    packages = tuple(f"{each}." for name in names for each in _listed(name, "exporters"))
    imported = (each for each in module.names.imports_everywhere if each.startswith(REMOTE))
    sent = [each for each in imported if signal_of(each) == "traces"]
    return bool(sent) and bool(packages) and all(each.startswith(packages) for each in sent)
