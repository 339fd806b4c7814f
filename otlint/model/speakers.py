"""Which files of a project give telemetry to the files that import them."""

from __future__ import annotations

from collections.abc import Iterator
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
_AT_ONCE = frozenset[str]()


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
        return any(self._names(facts, re_exports=False))

    def _hands_on(self, facts: Facts) -> bool:
        named = (*(target for _, target in facts.aliases), *facts.stars)
        return any(otel.is_otel(each) or self._gives(each, facts.path) for each in named)

    def _gives(self, dotted: str, path: str) -> bool:
        """Whether any telemetry can be had from an imported name."""
        symbol = self._project.symbol(dotted, path)
        if symbol is not None and symbol.kind == "module":
            return any(each is symbol.facts for each in self.files())
        return self.given(dotted, path) is not None

    def gives(self, dotted: str, path: str, data: bytes) -> bool:
        """Whether a file with these bytes gets telemetry, or a part of it, from the name that it imports."""
        words = self.given(dotted, path)
        if words is None:
            return False
        hands_on = path.endswith("__init__.py") or not (b"def " in data or b"class " in data)
        return hands_on or not words or any(word.encode() in data for word in words)

    def given(self, dotted: str, path: str) -> frozenset[str] | None:
        """The names by which telemetry is had from an imported name: a class's methods, say.

        None where none can be had. Nothing else has to be named where the imported name is a tracer, a span helper, or
        sets telemetry up.
        """
        symbol = self._project.symbol(dotted, path)
        if symbol is None:
            return None
        if symbol.kind == "foreign":
            return _AT_ONCE if otel.is_otel(symbol.dotted) else None
        if symbol.kind == "value":
            return None if symbol.type is None else self._of_type(symbol.type, symbol.facts)
        if symbol.function is not None:
            if self._speaks(symbol.function):
                return _AT_ONCE
            return None if symbol.function.returns is None else self._of_type(symbol.function.returns, symbol.facts)
        if symbol.cls is not None:
            return self._of_class(symbol.facts, symbol.cls)
        if symbol.kind == "module" and any(each is symbol.facts for each in self.files()):
            return _AT_ONCE if symbol.facts.stars else frozenset(self._names(symbol.facts, re_exports=True)) or None
        return None

    def _names(self, facts: Facts, *, re_exports: bool) -> Iterator[str]:
        """What is defined in a file, or imported there for others, and gives telemetry."""
        yield from (name for name, kind in facts.values if self._of_type(kind, facts) is not None)
        yield from (each.name.rpartition(".")[2] for each in facts.functions if self._speaks(each))
        yield from (each.name for each in facts.classes if self._of_class(facts, each) is not None)
        if re_exports:
            yield from (name for name, target in facts.aliases if self._gives(target, facts.path))

    def _of_type(self, dotted: str, facts: Facts) -> frozenset[str] | None:
        if _gives_telemetry(dotted):
            return _AT_ONCE
        symbol = self._project.symbol(dotted, facts.path)
        return self._of_class(symbol.facts, symbol.cls) if symbol is not None and symbol.cls is not None else None

    def _of_class(self, facts: Facts, cls: ClassFacts, depth: int = 0) -> frozenset[str] | None:
        """The members of a class and its bases that give telemetry; `depth` bases are followed already."""
        members = {name for name, kind in cls.attributes if otel.is_otel(kind)}
        for each in facts.functions:
            owner, _, name = each.name.rpartition(".")
            if owner == cls.name and self._speaks(each):
                members.add("__init__" if self._sets_up(each) else name)
        for base in cls.bases if depth < _MAX_BASES else ():
            symbol = self._project.symbol(base, facts.path)
            if symbol is not None and symbol.cls is not None:
                members |= self._of_class(symbol.facts, symbol.cls, depth + 1) or set()
        if not members:
            return None
        return _AT_ONCE if any(name.startswith("__") for name in members) else frozenset(members)

    def _speaks(self, function: FunctionFacts) -> bool:
        """Whether a call brings telemetry to the caller; what it makes of it by itself is of no matter there."""
        return (
            function.span is not None
            or (function.returns is not None and _gives_telemetry(function.returns))
            or bool(function.ambient or function.writes or function.passes)
            or any(effects - {"keep", "alias", "return", "capture"} for _, effects in function.effects)
            or self._sets_up(function)
        )

    def _sets_up(self, function: FunctionFacts) -> bool:
        """Whether it sets telemetry up: whoever imports that belongs to the program that is traced."""
        return not self._setting_up.isdisjoint(function.calls)


def _gives_telemetry(kind: str) -> bool:
    """Whether a type, or one of a tuple, is OpenTelemetry's."""
    return any(otel.is_otel(each) for each in kind.removeprefix("~tuple(").split("; "))


def _re_exports(facts: Facts) -> bool:
    """Whether a file may be there for what it imports: a package, a star import, a file that defines nothing."""
    return facts.path.endswith("__init__.py") or bool(facts.stars) or not (facts.functions or facts.classes)
