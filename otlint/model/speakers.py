"""Which files of a project give telemetry to the files that import them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from otlint import known, otel

if TYPE_CHECKING:
    from otlint.model.data import ClassFacts, Facts, FunctionFacts
    from otlint.model.project import Project

# A class that inherits from itself under a longer name would be followed for ever.
_MAX_BASES = 20
# What a function calls to set telemetry up: whoever calls that belongs to the program that is traced.
_SETS_UP = frozenset({*otel.SDK_PROVIDERS, *otel.SET_PROVIDER.values()})


class Speakers:
    """The answers for a project as it is now."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files: list[Facts] | None = None

    def files(self) -> list[Facts]:
        """The files that other files can get telemetry from, themselves or by re-exports."""
        if self._files is None:
            files = self._project.files.values()
            self._files = [facts for facts in files if self._makes_telemetry(facts)]
            speaking = {facts.path for facts in self._files}
            silent = [facts for facts in files if facts.path not in speaking and _re_exports(facts)]
            while more := [facts for facts in silent if self._hands_on(facts)]:
                self._files += more
                speaking |= {facts.path for facts in more}
                silent = [facts for facts in silent if facts.path not in speaking]
        return self._files

    @cached_property
    def _setting_up(self) -> frozenset[str]:
        switches = {f"{each.cls}.instrument" for each in known.instrumentors().values() if each.replaces}
        return self._project.leading_to(_SETS_UP | switches)

    def _makes_telemetry(self, facts: Facts) -> bool:
        return (
            any(_is_telemetry(each) or self._of_class(each[1], facts) for each in facts.values)
            or any(self._speaks(facts, each) for each in facts.functions)
            or any(self._class_speaks(facts, each) for each in facts.classes)
        )

    def _hands_on(self, facts: Facts) -> bool:
        named = (*(target for _, target in facts.aliases), *facts.stars)
        return any(otel.is_otel(each) or self.gives(each, facts.path) for each in named)

    def gives(self, dotted: str, path: str) -> bool:
        """Whether an imported name is a tracer, a span helper, or a function or class that makes telemetry."""
        symbol = self._project.symbol(dotted, path)
        if symbol is None:
            return False
        if symbol.kind == "foreign":
            return otel.is_otel(symbol.dotted)
        if symbol.kind == "value":
            return symbol.type is not None and (otel.is_otel(symbol.type) or self._of_class(symbol.type, symbol.facts))
        if symbol.function is not None:
            gives = symbol.function.returns
            return self._speaks(symbol.facts, symbol.function) or (
                gives is not None and self._of_class(gives, symbol.facts)
            )
        if symbol.cls is not None:
            return self._class_speaks(symbol.facts, symbol.cls)
        return symbol.kind == "module" and any(each is symbol.facts for each in self.files())

    def _of_class(self, dotted: str, facts: Facts) -> bool:
        symbol = self._project.symbol(dotted, facts.path)
        return symbol is not None and symbol.cls is not None and self._class_speaks(symbol.facts, symbol.cls)

    def _class_speaks(self, facts: Facts, cls: ClassFacts, depth: int = 0) -> bool:
        methods = [each for each in facts.functions if each.name.rpartition(".")[0] == cls.name]
        if any(self._speaks(facts, each) for each in methods) or any(map(_is_telemetry, cls.attributes)):
            return True
        bases = (self._project.symbol(base, facts.path) for base in cls.bases) if depth < _MAX_BASES else ()
        return any(base and base.cls and self._class_speaks(base.facts, base.cls, depth + 1) for base in bases)

    def _speaks(self, facts: Facts, function: FunctionFacts) -> bool:
        return (
            function.span is not None
            or (function.returns is not None and _gives_telemetry(function.returns))
            or bool(function.ambient)
            or any(effects - {"keep", "alias", "return", "capture"} for _, effects in function.effects)
            or f"{facts.module}.{function.name}" in self._project.telemetry
            or not self._setting_up.isdisjoint(function.calls)
        )


def _gives_telemetry(kind: str) -> bool:
    """Whether a type, or one of a tuple, is OpenTelemetry's."""
    return any(otel.is_otel(each) for each in kind.removeprefix("~tuple(").split("; "))


def _re_exports(facts: Facts) -> bool:
    """Whether a file may be there for what it imports: a package, a star import, a file that defines nothing."""
    return facts.path.endswith("__init__.py") or bool(facts.stars) or not (facts.functions or facts.classes)


def _is_telemetry(named: tuple[str, str]) -> bool:
    return otel.is_otel(named[1])
