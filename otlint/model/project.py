"""What otlint knows of a whole project: one small frozen `Facts` per file, and the names that join them.

Names are followed through re-exports: `from app.obs import tracer` finds the file, the symbol and what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otlint import otel
from otlint.model.facts.constants import Constants
from otlint.model.facts.data import ClassFacts, Facts, FunctionFacts
from otlint.model.facts.reach import Reach
from otlint.model.facts.speakers import Speakers
from otlint.model.facts.state import State
from otlint.model.facts.watch import FILE, STARS, Name, Watch
from otlint.paths import module_name
from otlint.settings.declared import Wrappers

if TYPE_CHECKING:
    from otlint.deployment.services import Deployments

# A module that imports itself under a longer name would be followed for ever.
_MAX_RE_EXPORTS = 20


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name that was followed to the project file that defines it. `dotted` is unique in the project.

    Of its facts no more is to be used than where the file is; for the rest see `Project.around`.
    """

    kind: str  # module, function, class or value
    dotted: str
    facts: Facts
    function: FunctionFacts | None = None
    cls: ClassFacts | None = None
    type: str | None = None


class Project:
    """All facts of a project, joined by names. `sources`: all its files, those without facts included."""

    def __init__(
        self,
        deployments: Deployments | None = None,
        wrappers: Wrappers | None = None,
        sources: Mapping[str, bytes] | None = None,
    ) -> None:
        self.watch = Watch()
        self._state = State(self)
        self.deployments = deployments
        self.wrappers = wrappers or Wrappers()
        self.paths = paths = frozenset(sources or ())
        self._constants = Constants(sources or {}, self.path_of)
        self._files: dict[str, Facts] = {}
        self._by_tail: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._leading: dict[tuple[str, str], tuple[str, ...]] = {}
        self._targets: dict[str, tuple[frozenset[str], set[tuple[str | None, str | None]]]] = {}
        self._symbols: dict[tuple[str, str], tuple[Symbol | None, set[Name]]] = {}
        self._functions: dict[str, FunctionFacts] = {}
        self._depth = 0
        self._starring: list[tuple[str, list[str]]] = []
        self._tables: dict[str, dict[str, Symbol | str]] = {}
        for path in paths:
            self._name(module_name(path), path)
        self._forget_joined()

    def put(self, facts: Facts) -> None:
        """Take over the facts of a file, in place of earlier ones; what was joined from those is forgotten."""
        if facts.path not in self._files and facts.path not in self.paths:
            self._name(facts.module, facts.path)
        self._files[facts.path] = facts
        self._functions |= {f"{facts.module}.{each.name}": each for each in facts.functions}
        self._forget(facts.path)

    def _name(self, module: str, path: str) -> None:
        """Let a file be found by the name of its module."""
        self._found.clear()
        self._leading.clear()
        self._targets.clear()
        parts = tuple(module.split("."))
        self._by_tail.setdefault(parts[-1], []).append((parts, path))

    def calls(self, api: str) -> bool:
        """Whether any file calls an API."""
        return any(api in facts.calls for facts in self.files.values())

    def drop(self, path: str) -> None:
        """Forget a file."""
        facts = self._files.pop(path)
        for each in facts.functions:
            self._functions.pop(f"{facts.module}.{each.name}", None)
        self._forget(path)

    def _forget(self, path: str) -> None:
        self._tables.pop(path, None)
        self._symbols.clear()
        self._state.forget(path)
        self._forget_joined()

    def _forget_joined(self) -> None:
        self._speakers: Speakers | None = None
        self._telemetry: frozenset[str] | None = None
        self._reach: Reach | None = None
        self._under_span: dict[str, str] | None = None
        self._handled: dict[str, list[tuple[str, str]]] | None = None
        self._registered: dict[str, str] | None = None
        self._users: dict[str, list[str]] | None = None
        self._callers: dict[str, set[str]] | None = None

    @property
    def state(self) -> State:
        """Digests of what is known."""
        return self._state

    def known(self, path: str) -> Facts | None:
        """The facts of a file for whoever watches, who is not watched."""
        return self._files.get(path)

    def known_paths(self) -> Iterable[str]:
        """The files that there are facts of."""
        return self._files

    @property
    def files(self) -> Mapping[str, Facts]:
        """The facts of all files, by path."""
        self.watch.questions.add(("surroundings",))
        return self._files

    def module(self, dotted: str, path: str) -> Facts | None:
        """The project file that `import dotted` loads when written in the file at `path`, None when it is foreign."""
        found = self.path_of(dotted, path)
        if found is not None and found not in self._files:
            self.watch.names.add((found, FILE))
        return self._files.get(found) if found is not None else None

    def path_of(self, dotted: str, path: str) -> str | None:
        """The file that a module's name stands for in the file at `path`, whether its facts are known or not."""
        tail = dotted.rpartition(".")[2]
        if tail not in self._by_tail and tail != "__init__":
            return None
        key = (dotted, path.rpartition("/")[0])
        if key not in self._found:
            self._found[key] = self._find_module(dotted, path)
        return self._found[key]

    def leading(self, dotted: str, path: str) -> tuple[str, ...]:
        """The files of a module or what is in it, and of the packages above: what `symbol` may look at first."""
        key = (dotted, path.rpartition("/")[0])
        if key not in self._leading:
            parts = dotted.split(".")
            names = (".".join(parts[:cut]) for cut in range(len(parts), 0, -1))
            self._leading[key] = tuple(filter(None, (self.path_of(name, path) for name in names)))
        return self._leading[key]

    def _find_module(self, dotted: str, path: str) -> str | None:
        wanted = tuple(dotted.split("."))
        here = tuple(path.split("/"))[:-1]
        for cut in range(len(here), -1, -1):
            stem = "/".join((*here[:cut], *wanted))
            for found in (f"{stem}.py", f"{stem}/__init__.py"):
                if found in self.paths:
                    return found
        candidates = [
            (parts[: len(parts) - len(wanted)], file)
            for parts, file in self._by_tail.get(wanted[-1], ())
            if parts[-len(wanted) :] == wanted
        ]
        above = [item for item in candidates if here[: len(item[0])] == item[0]]
        if above:
            return max(above, key=lambda item: len(item[0]))[1]
        if len(candidates) != 1 or not (len(wanted) > 1 or _is_source_root(candidates[0][0])):
            return None
        return candidates[0][1]

    def constant(self, dotted: str, path: str) -> str | None:
        """The text that a dotted name written in the file at `path` is a constant for, in whatever file that is."""
        self.watch.questions.add(("constant", dotted, path))
        return self._constants.of(dotted, path)

    def symbol(self, dotted: str, path: str) -> Symbol | None:
        """What a dotted name written in the file at `path` stands for in this project; follows re-exports."""
        key = (dotted, path.rpartition("/")[0])
        if key not in self._symbols:
            self._symbols[key] = None, set()  # a cycle of re-exports ends here
            if self._depth < _MAX_RE_EXPORTS:
                self._depth += 1
                with self.watch.within() as seen:
                    self._symbols[key] = self._find_symbol(dotted, path), seen
                self._depth -= 1
        found, seen = self._symbols[key]
        self.watch.names |= seen
        return found

    def _find_symbol(self, dotted: str, path: str) -> Symbol | None:
        if otel.is_otel(dotted) or dotted.startswith("builtins."):
            return None
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            facts = self.module(".".join(parts[:cut]), path)
            if facts is None:
                continue
            rest = parts[cut:]
            found = self._in_module(facts, rest) if rest else Symbol("module", facts.module, facts)
            if found is not None or cut == len(parts):
                return found
        return None

    def _in_module(self, facts: Facts, rest: list[str]) -> Symbol | None:
        entry = self.entry(facts, rest[0])
        if entry is None:
            return self._through_stars(facts, rest)
        if isinstance(entry, str):
            if f".{facts.module}.{rest[0]}".endswith("." + entry.rpartition(".")[0]):
                return None  # `from app.settings import settings` in app itself, of a file that is not judged
            target = ".".join([entry, *rest[1:]])
            found = self.symbol(target, facts.path)
            return found or Symbol("foreign", otel.canonical(target), facts)
        for i, part in enumerate(rest[1:], 1):
            entry = self._member(entry, part, rest[i:])
            if entry is None or entry.kind == "foreign":
                return entry
        return entry

    def _through_stars(self, facts: Facts, rest: list[str]) -> Symbol | None:
        # Settings that take all of each other ask for `base.X`, `base.base.X`, … without end, three ways each time.
        if any(path == facts.path and rest[-len(before) :] == before for path, before in self._starring):
            return None
        self.watch.names.add((facts.path, STARS))
        self._starring.append((facts.path, rest))
        try:
            every = (self.symbol(".".join([star, *rest]), facts.path) for star in facts.stars)
            return next((each for each in every if each is not None), None)
        finally:
            self._starring.pop()

    def _member(self, owner: Symbol, name: str, rest: list[str]) -> Symbol | None:
        if owner.kind == "class":
            found = self.member(owner, name)
            if found is not None and found.kind == "foreign":
                return Symbol("foreign", ".".join([found.dotted, *rest[1:]]), found.facts)
            return found
        if owner.kind == "value" and owner.type is not None:
            cls = self.symbol(owner.type, owner.facts.path)
            if cls is not None and cls.kind == "class":
                return self.member(cls, name)
            return Symbol("foreign", otel.canonical(".".join([owner.type, *rest])), owner.facts)
        if owner.function is not None and owner.function.decorated is not None:
            return Symbol("foreign", ".".join([owner.function.decorated, *rest]), owner.facts)
        return None

    def member(self, cls: Symbol, name: str, depth: int = 0) -> Symbol | None:
        """A method or attribute of a project class or of its bases; a foreign base gives a `foreign` symbol."""
        assert cls.cls is not None
        entry = self.entry(cls.facts, f"{cls.cls.name}.{name}")
        if isinstance(entry, Symbol):
            return entry
        for attribute, kind in cls.cls.attributes:
            if attribute == name:
                return Symbol("value", f"{cls.dotted}.{name}", cls.facts, type=kind)
        for base in cls.cls.bases:
            found = self.symbol(base, cls.facts.path)
            if found is not None and found.kind == "class" and depth < 20:
                inherited = self.member(found, name, depth + 1)
                if inherited is not None:
                    return inherited
            elif found is None and base != "builtins.object":
                return Symbol("foreign", otel.canonical(f"{base}.{name}"), cls.facts)
        return None

    def entry(self, facts: Facts, name: str) -> Symbol | str | None:
        """What a file says of one name: what it defines, or the dotted name of what it has imported."""
        self.watch.names.add((facts.path, name))
        return self._table(facts).get(name)

    def _table(self, facts: Facts) -> dict[str, Symbol | str]:
        table = self._tables.get(facts.path)
        if table is None:
            table = self._tables[facts.path] = dict(facts.aliases)
            table |= {name: Symbol("value", f"{facts.module}.{name}", facts, type=kind) for name, kind in facts.values}
            table |= {
                each.name: Symbol("function", f"{facts.module}.{each.name}", facts, function=each, type=each.returns)
                for each in facts.functions
            }
            table |= {
                each.name: Symbol("class", f"{facts.module}.{each.name}", facts, cls=each) for each in facts.classes
            }
        return table

    @property
    def speakers(self) -> Speakers:
        """Which files and names give telemetry to others."""
        self.watch.questions.add(("everything",))
        if self._speakers is None:
            self._speakers = Speakers(self)
        return self._speakers

    @property
    def telemetry(self) -> frozenset[str]:
        """The dotted names of the functions that make spans, themselves or through project functions they call."""
        self.watch.questions.add(("telemetry",))
        if self._telemetry is None:
            self._telemetry = self.leading_to(name for name, each in self._functions.items() if each.telemetry)
        return self._telemetry

    def leading_to(self, names: Iterable[str]) -> frozenset[str]:
        """These names and the functions of the project that call them, directly or through others."""
        if self._users is None:
            self._users = {}
            for name, each in self._functions.items():
                for called in each.calls:
                    self._users.setdefault(called, []).append(name)
        found = set(names)
        waiting = list(found)
        while waiting:
            new = set(self._users.get(waiting.pop(), ())) - found
            found |= new
            waiting.extend(new)
        return frozenset(found)

    def installs(self, path: str) -> tuple[tuple[str, str, bool], ...]:
        """The providers that the functions of a file install; see `otlint.model.setup.installing.installs`."""
        self.watch.questions.add(("installs", path))
        facts = self._files.get(path)
        return facts.installs if facts is not None else ()

    def definitions(self, facts: Facts) -> tuple[FunctionFacts, ...]:
        """The functions of a file, for who reads one by one what they do."""
        self.watch.questions.add(("definitions", facts.path))
        return facts.functions

    def aliases(self, facts: Facts) -> Iterable[str]:
        """The dotted names of all that the top of a file imports."""
        self.watch.questions.add(("aliases", facts.path))
        return (dotted for _, dotted in facts.aliases)

    def around(self, symbol: Symbol) -> Facts:
        """The file that a symbol is in, for what that says besides its definitions."""
        self.watch.questions.add(("outside", symbol.facts.path))
        return symbol.facts

    def function(self, dotted: str) -> FunctionFacts | None:
        """The facts of the function with that full dotted name."""
        self.watch.questions.add(("function", dotted))
        return self._functions.get(dotted)

    def called_by(self, names: Iterable[str]) -> frozenset[str]:
        """These names and everything that the project's functions among them call, directly or through others."""
        found = set(names)
        self.watch.questions.add(("called by", *sorted(found)))
        waiting = list(found)
        while waiting:
            facts = self._functions.get(waiting.pop())
            if facts is not None:
                new = facts.calls - found
                found |= new
                waiting.extend(new)
        return frozenset(found)

    @property
    def reach(self) -> Reach:
        """What counts for which files."""
        self.watch.questions.add(("surroundings",))
        if self._reach is None:
            self._reach = Reach(self)
        return self._reach

    def above(self, names: Iterable[str]) -> Iterator[str]:
        """These functions and all that call them, directly or not; a method also where its base's is called."""
        waiting = list(names)
        self.watch.questions.add(("above", *waiting))
        found = set(waiting)
        while waiting:
            name = waiting.pop(0)
            yield name
            new = self._calling.get(name, set()) - found
            found |= new
            waiting.extend(sorted(new))

    def callers(self, name: str) -> frozenset[str]:
        """The functions of the project that call a function, and the methods that it overrides."""
        self.watch.questions.add(("callers", name))
        return frozenset(self._calling.get(name, ()))

    @property
    def _calling(self) -> dict[str, set[str]]:
        """Each function → those that call it, and the methods that it overrides."""
        if self._callers is None:
            self._callers = {}
            for name, each in self._functions.items():
                for called in each.calls:
                    self._callers.setdefault(called, set()).add(name)
            for facts in self._files.values():
                for cls in facts.classes:
                    for base in cls.bases:
                        self._add_overridden(facts, cls, base)
        return self._callers

    def _add_overridden(self, facts: Facts, cls: ClassFacts, base: str) -> None:
        symbol = self.symbol(base, facts.path)
        if symbol is None or symbol.kind != "class" or self._callers is None:
            return
        for method in cls.methods:
            inherited = self.member(symbol, method)
            if inherited is not None and inherited.kind == "function":
                self._callers.setdefault(f"{facts.module}.{cls.name}.{method}", set()).add(inherited.dotted)

    @property
    def under_span(self) -> dict[str, str]:
        """The functions that some file calls inside a span → that file; to be asked of what is `above` something."""
        if self._under_span is None:
            self._under_span = {name: facts.path for facts in self._files.values() for name in facts.under_span}
        return self._under_span

    @property
    def handled(self) -> dict[str, list[tuple[str, str]]]:
        """The functions that handlers call, and the handlers → the framework that they serve and the file it is in.

        To be asked of what is `above` something; of a single function ask `handlers`.
        """
        if self._handled is None:
            self._handled = {}
            for facts in self._files.values():
                for key, names in facts.handled:
                    for name in names:
                        self._handled.setdefault(name, []).append((key, facts.path))
        return self._handled

    def handlers(self, name: str) -> list[tuple[str, str]]:
        """What `handled` says of one function."""
        self.watch.questions.add(("handled", name))
        return self.handled.get(name, [])

    @property
    def registered(self) -> dict[str, str]:
        """The functions that another file hands to a framework → the framework."""
        self.watch.questions.add(("registered",))
        if self._registered is None:
            self._registered = {}
            for facts in self._files.values():
                for name, key in facts.registered:
                    symbol = self.symbol(name, facts.path)
                    if symbol is not None:
                        self._registered[symbol.dotted] = key
        return self._registered

    def imports(self, facts: Facts) -> Iterator[Facts]:
        """The project files that a file imports from, for who asks for the surroundings as a whole; see `imported`."""
        for path, package in self.targets(facts):
            found = self._files.get(path or "") or self._files.get(package or "")
            if found is not None:
                yield found

    def targets(self, facts: Facts) -> set[tuple[str | None, str | None]]:
        """For each name that a file imports, the file if it is a module, and that of the module that it is in."""
        known = self._targets.get(facts.path)
        if known is None or known[0] != facts.imports:
            above = {name: name.rpartition(".")[0] or name for name in facts.imports}
            pairs = {(self.path_of(name, facts.path), self.path_of(up, facts.path)) for name, up in above.items()}
            known = self._targets[facts.path] = facts.imports, pairs
        return known[1]

    def sources(self, facts: Facts, names: Iterable[str]) -> set[str]:
        """The project files that names imported by a file come from."""
        return {found.path for name in names if (found := self.imported(name, facts.path)) is not None}

    def imported(self, dotted: str, path: str) -> Facts | None:
        """The project file that an imported name comes from: the name is a module, or something in one.

        Of its facts only those are to be used that `otlint.model.facts.state.outside` tells from its definitions.
        """
        found = self.module(dotted, path) or self.module(dotted.rpartition(".")[0] or dotted, path)
        if found is not None:
            self.watch.questions.add(("outside", found.path))
        return found


def _is_source_root(parts: tuple[str, ...]) -> bool:
    return not parts or parts[-1] in {"src", "lib", "app", "backend", "server", "python"}
