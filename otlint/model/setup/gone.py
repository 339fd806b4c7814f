"""Names of OpenTelemetry that a file uses and that its version does not have, or will not have for long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.attributes.outdated import opts_in
from otlint.paths import module_name

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.module import Module

NEWEST = "1.45"  # the version of known/api.toml
_OLDEST = "1.20"  # the first of known/past.toml
_PACKAGE = 2  # `opentelemetry.sdk`


@dataclass(frozen=True, eq=False, slots=True)
class Gone:
    """A use of what is not there. `renamed` is its new dotted name where nothing else has changed."""

    node: Node
    name: str
    use: str | None
    renamed: str | None = None


def gone(module: Module) -> Iterator[Gone]:
    """Every import, attribute and argument of the file that the version it runs with does not know."""
    for statement, dotted in module.names.imported():
        found = _gone(module, statement, dotted)
        if found is not None and not module.silenced(statement, _is_fallback(module, statement) and "another is tried"):
            yield found
    for attribute in module.walk.all(cst.Attribute):
        yield from _attribute(module, attribute)
    for call in module.calls(*otel.STARTS):
        for arg in call.args:
            if arg.keyword is not None and arg.keyword.value == "parent":
                yield Gone(arg, "parent", "`context=set_span_in_context(span)`")


def deprecated(module: Module) -> Iterator[Gone]:
    """Every import and attribute of the file that works and that is announced to be taken away."""
    for statement, dotted in module.names.imported():
        found = _listed(module, "deprecated", statement, dotted)
        if found is not None and not module.silenced(statement, _kept(module, found)):
            yield found
    for attribute in module.walk.all(cst.Attribute):
        written = module.names.dotted(attribute) if _is_use(module, attribute) else None
        found = _listed(module, "deprecated", attribute, written) if written is not None else None
        if found is not None and found.name == written and not module.silenced(attribute, _kept(module, found)):
            yield found


def _kept(module: Module, found: Gone) -> str | None:
    """Why a deprecated name is used on purpose."""
    if isinstance(found.node, cst.Import | cst.ImportFrom) and _is_fallback(module, found.node):
        return "another is tried"
    chosen = found.name == otel.METRIC_NAMES and opts_in(module)
    return "its user chooses between old and new names" if chosen else None


def may_lack(module: Module, found: Gone) -> bool:
    """Whether the project allows versions that do not have the name that has taken the place of a deprecated one."""
    row = known.table("deprecated")[found.name]
    return module.instrumentation.otel_may_precede(row["since"])


def is_within(module: Module, package: str) -> bool:
    """Whether the file is one of the package itself: `src/opentelemetry/sdk/trace/export.py` of `opentelemetry.sdk`."""
    return f".{package}." in f".{module_name(module.path)}."


def _is_own(module: Module, dotted: str) -> bool:
    """Whether the name is of the package that the file is of, which decides itself what it has."""
    return is_within(module, ".".join(dotted.split(".")[:_PACKAGE]))


def _listed(module: Module, table: str, node: Node, dotted: str) -> Gone | None:
    """What a table says of a name, or of the longest start of it."""
    rows = known.table(table) if otel.is_otel(dotted) and not _is_own(module, dotted) else {}
    for length in range(dotted.count(".") + 1, 0, -1):
        start = ".".join(dotted.split(".")[: length + 1])
        row = rows.get(start)
        if row is not None and module.instrumentation.otel_at_least(row["since"]):
            if dotted[len(start) + 1 :].partition(".")[0] in row.get("others", ()):
                return None
            use = row["use"]
            return Gone(node, start, use if " " in use else f"`{use}`", use if row.get("renamed") else None)
    return None


def _gone(module: Module, node: Node, dotted: str) -> Gone | None:
    if not otel.is_otel(dotted) or _is_own(module, dotted):
        return None
    found = _listed(module, "removed", node, dotted)
    if found is not None:
        return found
    owner, _, name = dotted.rpartition(".")
    return Gone(node, dotted, None) if name != "*" and _lacks(module, owner, name) else None


def _lacks(module: Module, owner: str, name: str) -> bool:
    """Whether a module or type does not have a name in the version that the project runs."""
    names = known.table("api").get(owner)
    if names is None or name in names:
        return False
    if module.instrumentation.otel_at_least(NEWEST):
        return True
    never = not name.startswith("_") and name not in known.table("past").get(owner, ())
    return never and module.instrumentation.otel_at_least(_OLDEST)


def _attribute(module: Module, attribute: cst.Attribute) -> Iterator[Gone]:
    """`trace.set_global_textmap`, `tracer.get_current_span`."""
    up = module.walk.parent[attribute]
    if not _is_use(module, attribute):
        return
    written = module.names.dotted(attribute)
    if written is not None:
        if otel.is_otel(written):
            found = _gone(module, attribute, written)
            if found is not None and not isinstance(up, cst.Attribute):
                yield found
        return
    kind = module.type(attribute.value)
    name = attribute.attr.value
    if kind is None or name in known.table("api").get(kind, (name,)):
        return
    # What is a function of the module has never been a method, in whichever version.
    if name in known.table("api")["opentelemetry.trace"] or _lacks(module, kind, name):
        yield Gone(attribute, f"{kind.rpartition('.')[2]}.{name}", None)


def _is_use(module: Module, attribute: cst.Attribute) -> bool:
    """Whether a public attribute is read, not imported or written."""
    up = module.walk.parent[attribute]
    return not attribute.attr.value.startswith("_") and not isinstance(
        up, cst.Import | cst.ImportFrom | cst.ImportAlias | cst.AssignTarget
    )


def _is_fallback(module: Module, statement: Node) -> bool:
    """Whether the import stands in the handler of a `try`, or in one whose handlers import something else instead."""
    return any(
        isinstance(up, cst.ExceptHandler)
        or (isinstance(up, cst.Try) and any(_imports(module, each) for each in up.handlers))
        for up in module.walk.ancestors(statement)
    )


def _imports(module: Module, handler: cst.ExceptHandler) -> bool:
    return any(any(module.walk.all(kind, within=handler)) for kind in (cst.Import, cst.ImportFrom))


def uses(module: Module, found: Gone) -> list[Node]:
    """Where a name that has only been renamed is used, its import included; empty where it has an alias."""
    if not isinstance(found.node, cst.ImportFrom) or isinstance(found.node.names, cst.ImportStar):
        return []
    if found.renamed is None:
        return []
    name = found.name.rpartition(".")[2]
    alias = next(
        (each for each in found.node.names if isinstance(each.name, cst.Name) and each.name.value == name), None
    )
    if alias is None or alias.asname is not None:
        return []
    others = [each for each in module.walk.named(name, module.tree) if module.names.dotted(each) == found.name]
    return [alias.name, *(each for each in others if each is not alias.name)]
