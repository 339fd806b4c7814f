"""Which files of a project give telemetry to the files that import them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from otlint import known, otel
from otlint.model.facts.reach import is_test

if TYPE_CHECKING:
    from otlint.model.facts.data import ClassFacts, Facts, FunctionFacts
    from otlint.model.project import Project, Symbol

# What a function calls to set telemetry up: whoever calls that belongs to the program that is traced.
_SETS_UP = frozenset({*otel.SDK_PROVIDERS, *otel.SET_PROVIDER.values()})
_AT_ONCE = frozenset({""})
# What a file names that has to do with the start of the program, or with its end, in which what was set up has to be
# shut down.
_ENDS = frozenset({"_exit(", "signal.", "atexit", "uvicorn", "hypercorn", "granian", "waitress", "run_app("})
_BASES = re.compile(rb"(?m)^[ \t]*class[ \t]+\w+[ \t]*\(([^)]*)\)")


class Speakers:
    """The answers for a project as it is now."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files: list[Facts] | None = None
        self._classes: dict[tuple[str, str], frozenset[str]] = {}

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

    @cached_property
    def _imported(self) -> set[str | None]:
        """The files that known ones import: what these call may make telemetry through them. Tests say nothing."""
        project = self._project
        files = (facts for facts in project.files.values() if not is_test(facts.path))
        return {path or package for facts in files for path, package in project.targets(facts)}

    def _makes_telemetry(self, facts: Facts) -> bool:
        # Most files that do are known by one of their functions, without a look at others.
        return any(map(_tells, facts.functions)) or any(words for _, words in self._defined(facts))

    def _hands_on(self, facts: Facts) -> bool:
        return any(self._alias(each, facts) for each in (*(target for _, target in facts.aliases), *facts.stars))

    def gives(self, dotted: str, path: str, data: bytes, others: Callable[[str], bool]) -> bool:
        """Whether a file with these bytes gets telemetry from a name that it imports, for itself or for others.

        `others`: whether a word stands in any of the files of which nothing is known yet.
        """
        words = self.given(dotted, path)
        hands_on = path.endswith("__init__.py") or not (b"def " in data or b"class " in data)
        if not words or hands_on or path in self._imported:
            return bool(words)
        if any(word.encode() in data for word in words):
            return True
        return _inherits(dotted.rpartition(".")[2], data) and any(others(word) for word in words - _ENDS)

    def given(self, dotted: str, path: str) -> frozenset[str]:
        """What a file may write to get telemetry by an imported name: methods of a class, say; none if there is none.

        There is `""`, which all files hold, where nothing more is needed: the name is a tracer, a span helper, or sets
        telemetry up.
        """
        symbol = self._project.symbol(dotted, path)
        if symbol is not None and symbol.kind == "module":
            return self._in_module(symbol.facts)
        return self._of_symbol(symbol)

    def _of_symbol(self, symbol: Symbol | None) -> frozenset[str]:
        if symbol is None:
            return frozenset()
        if symbol.cls is not None:
            return self._of_class(symbol.facts, symbol.cls)
        if symbol.function is not None and (words := self._of_function(symbol.facts, symbol.function)):
            return words
        kind = symbol.dotted if symbol.kind == "foreign" else symbol.type
        return self._of_type(kind, symbol.facts) if kind is not None else frozenset()

    def _in_module(self, facts: Facts) -> frozenset[str]:
        if all(each is not facts for each in self.files()):
            return frozenset()
        if facts.stars:
            return _AT_ONCE
        given = [*self._defined(facts), *((name, self._alias(target, facts)) for name, target in facts.aliases)]
        return frozenset().union(*({name} if "" in words else words for name, words in given))

    def _defined(self, facts: Facts) -> Iterator[tuple[str, frozenset[str]]]:
        """The names that a file defines, each with what it gives."""
        yield from ((name, self._of_type(kind, facts)) for name, kind in facts.values)
        yield from ((each.name.rpartition(".")[2], self._of_function(facts, each)) for each in facts.functions)
        yield from ((each.name, self._of_class(facts, each)) for each in facts.classes)

    def _alias(self, dotted: str, facts: Facts) -> frozenset[str]:
        """What a name gives that a file imports: a module as a whole, so that modules may import each other."""
        symbol = self._project.symbol(dotted, facts.path)
        if symbol is not None and symbol.kind == "module":
            return _AT_ONCE if any(each is symbol.facts for each in self.files()) else frozenset()
        return _AT_ONCE if otel.is_otel(dotted) else self._of_symbol(symbol)

    def _of_type(self, kind: str, facts: Facts) -> frozenset[str]:
        if _gives_telemetry(kind):
            return _AT_ONCE
        symbol = self._project.symbol(kind, facts.path)
        return (
            self._of_class(symbol.facts, symbol.cls) if symbol is not None and symbol.cls is not None else frozenset()
        )

    def _of_class(self, facts: Facts, cls: ClassFacts) -> frozenset[str]:
        key = facts.path, cls.name
        if key not in self._classes:
            self._classes[key] = frozenset()  # a class that inherits from itself ends here
            self._classes[key] = frozenset(self._members(facts, cls))
        return self._classes[key]

    def _members(self, facts: Facts, cls: ClassFacts) -> Iterator[str]:
        """The members of a class and its bases that give telemetry."""
        yield from (name for name, kind in cls.attributes if otel.is_otel(kind))
        for each in facts.functions:
            owner, _, name = each.name.rpartition(".")
            if owner == cls.name and _gives(each):
                yield "" if name.startswith("__") else name
            elif owner == cls.name and self._speaks(facts, each):
                yield from _ENDS
        for base in cls.bases:
            symbol = self._project.symbol(base, facts.path)
            if symbol is not None and symbol.cls is not None:
                yield from self._of_class(symbol.facts, symbol.cls)

    def _of_function(self, facts: Facts, function: FunctionFacts) -> frozenset[str]:
        if _tells(function) or self._sets_up(function):
            return _AT_ONCE  # a decorator that makes spans, too, whatever it does with them
        return _ENDS if self._speaks(facts, function) else frozenset()

    def _speaks(self, facts: Facts, function: FunctionFacts) -> bool:
        return f"{facts.module}.{function.name}" in self._project.telemetry or self._sets_up(function)

    def _sets_up(self, function: FunctionFacts) -> bool:
        """Whether it sets telemetry up: whoever imports that belongs to the program that is traced."""
        return not self._setting_up.isdisjoint(function.calls)


@functools.cache
def _inherits(name: str, data: bytes) -> bool:
    """Whether a class of a file has an imported class as its base, or one in an imported module."""
    tail = re.escape(name.encode())
    named = re.compile(rb"\b(?:%s)\b" % b"|".join([tail, *re.findall(rb"\b%s[ \t]+as[ \t]+(\w+)" % tail, data)]))
    return any(named.search(bases) for bases in _BASES.findall(data))


def _tells(function: FunctionFacts) -> bool:
    """Whether the facts of a function alone say that who imports it gets telemetry."""
    return function.telemetry or _gives(function)


def _gives(function: FunctionFacts) -> bool:
    """Whether a call brings telemetry to the caller; what it makes of it by itself is of no matter there."""
    return (
        function.span is not None
        or (function.returns is not None and _gives_telemetry(function.returns))
        or bool(function.ambient or function.writes or function.passes)
        or any(effects - {"keep", "alias", "return", "capture"} for _, effects in function.effects)
    )


def _gives_telemetry(kind: str) -> bool:
    """Whether a type, or one of a tuple, is OpenTelemetry's."""
    return any(otel.is_otel(each) for each in kind.removeprefix("~tuple(").split("; "))


def _re_exports(facts: Facts) -> bool:
    """Whether a file may be there for what it imports: a package, a star import, a file that defines nothing."""
    return facts.path.endswith("__init__.py") or bool(facts.stars) or not (facts.functions or facts.classes)
