"""How the services of a project are deployed: launched how, by which server, with which packages and variables."""

from __future__ import annotations

import codecs
import functools
import json
import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from otlint import known
from otlint.cache.codec import decode, encode
from otlint.cache.digest import digest
from otlint.deployment import commands, launch, pins

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from otlint.cache.store import Store
    from otlint.deployment.commands import Statement

# Folders that never hold a service of the project.
# fmt: off
EXCLUDED = frozenset({
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pants.d",
    ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".otlint_cache", "__pypackages__",
    "__pycache__", "_build", "buck-out", "dist", "node_modules", "site-packages", "venv", ".claude", ".cursor",
    "cassettes",
})
# fmt: on
MAX_SIZE = 256 * 1024
MAX_LOCK_SIZE = 4 * 1024 * 1024


@dataclass(frozen=True)
class Evidence:
    """Where a fact is stated: the file relative to the root, the row from 1, the line, and the word that says it.

    `how` a server runs: see `Statement`.
    """

    path: str
    row: int
    text: str
    word: str
    wide: bool = False
    how: str = ""


@dataclass(frozen=True)
class Deployment:
    """What the files of a project say about one service, plain data.

    `bootstrapped`: the instrumentors of all libraries are installed, by opentelemetry-bootstrap, operator or layer.
    `servers`: server → the first command that starts it; `commands` are all of them, programs of Python among them.
    `pins`: normalised distribution name → version specifier, None for any.
    `env`: the variables of OpenTelemetry, and those that ask a server for workers.
    `hints`: what makes an instrumented launch likely but does not state one: a README's command, a variable.
    """

    launches: tuple[Evidence, ...] = ()
    hints: tuple[Evidence, ...] = ()
    servers: Mapping[str, Evidence] = field(default_factory=dict)
    commands: tuple[Evidence, ...] = ()
    pins: Mapping[str, str | None] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    started: bool = False
    bootstrapped: bool = False

    @property
    def auto_instrumented(self) -> bool:
        """Whether something launches the service with its libraries instrumented from outside."""
        return bool(self.launches)

    @property
    def evidence(self) -> Evidence | None:
        """The first statement of an instrumented launch."""
        return self.launches[0] if self.launches else None

    @property
    def installed_instrumentation(self) -> frozenset[str]:
        """The keys of the instrumentors that are installed; a library that brings its own is no sign of its use."""
        return frozenset(
            key
            for key, entry in known.instrumentors().items()
            if (self.bootstrapped and entry.bootstrap)
            or (entry.package in self.pins and re.search("instrumentation|opentelemetry", entry.package))
        )

    @property
    def launched_instrumentation(self) -> frozenset[str]:
        """The keys of the instrumentors that the launch switches on, as far as they are known to be installed."""
        if not self.auto_instrumented:
            return frozenset()
        disabled = {name.strip() for name in self.env.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")}
        entries = known.instrumentors()
        return frozenset(
            key for key in self.installed_instrumentation if disabled.isdisjoint({entries[key].entry, "*"})
        )

    def depends_on(self, package: str) -> bool:
        """Whether a distribution is asked for."""
        return known.distribution(package) in self.pins

    def at_least(self, package: str, version: str) -> bool | None:
        """Whether every version that the pin allows is `version` or later; None when some are and some are not."""
        return _at_least(self.pins.get(known.distribution(package)) or "", version)


@functools.cache
def _at_least(pin: str, version: str) -> bool | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        bound, specifiers = Version(version), SpecifierSet(pin)
        for item in specifiers:
            limit = Version(item.version.removesuffix(".*"))
            if item.operator in {"==", "===", "~=", ">=", ">"} and limit >= bound:
                return True
            exact = item.operator in {"==", "==="} and not item.version.endswith(".*")
            if (exact or item.operator in {"<", "<="}) and (limit < bound or (item.operator == "<" and limit == bound)):
                return False
            prefix = limit.release if item.version.endswith(".*") else limit.release[:-1]
            if prefix and (item.operator == "~=" or (item.operator == "==" and not exact)):
                above = Version(".".join(map(str, (*prefix[:-1], prefix[-1] + 1))))
                if above <= bound:
                    return False
    except (InvalidSpecifier, InvalidVersion):
        return None
    return None


@dataclass(frozen=True)
class Deployments:
    """The services of a project: the facts stated for each unit, by its folder relative to the root ("" = the root).

    `headers`: the headers of traces that YAML files list, of a mesh for instance, whatever unit they are about.
    """

    root: str
    units: Mapping[str, Deployment]
    headers: frozenset[str] = frozenset()

    def unit_of(self, path: str | os.PathLike[str]) -> str:
        """The folder of the unit that a file (absolute, or relative to the root) belongs to."""
        return _unit_of(self._folder(path), self.units)

    def for_path(self, path: str | os.PathLike[str]) -> Deployment:
        """The facts that reach a file: of its unit, and of the units around it where they speak for it too."""
        return self.for_paths([path])

    def for_paths(self, paths: Iterable[str | os.PathLike[str]]) -> Deployment:
        """The facts that reach any of these files: a file and its importers, say. The nearest comes first."""
        merged = _Facts()
        for folder in dict.fromkeys(self._folder(path) for path in paths):
            below = False
            own = _unit_of(folder, self.units)
            for unit in _upwards(folder, self.units):
                merged.take(self.units[unit], below)
                # A service that says itself how it is started is not started by what is said further up.
                below = below or self.units[unit].started
                for hint in self.units[unit].hints:
                    where = posixpath.dirname(hint.path)
                    if where == own or (where not in self.units and _inside(folder, where)):
                        merged.hints[hint] = None
            merged.started = merged.started or below
        return merged.frozen()

    def _folder(self, path: str | os.PathLike[str]) -> str:
        relative = os.path.relpath(path, self.root) if Path(path).is_absolute() else os.fspath(path)
        return posixpath.dirname(relative.replace(os.sep, "/"))


def collect(root: Path, *, excluded: Container[str] = EXCLUDED, store: Store | None = None) -> Deployments:
    """Reads the deployment files below `root` once; broken and undecodable ones say nothing.

    What the same files said before is in the store.
    """
    tree = _Tree()
    files = list(_walk(root, tree, excluded))
    sources = {path: text for path, name in files if (text := _source(root, path, name)) is not None}
    if store is None:
        return _collect(root, tree, sources)
    texts = [(path, digest(text)) for path, text in sources.items()]
    name, key = f"deployment-{digest(str(root))}", digest(repr((sorted(tree.modules), sorted(tree.markers), texts)))
    before = json.loads(store.read(name) or "[null, null]")
    if before[0] == key:
        return decode(Deployments, before[1])
    found = _collect(root, tree, sources)
    store.write(name, json.dumps([key, encode(found)]))
    return found


def _collect(root: Path, tree: _Tree, sources: Mapping[str, str]) -> Deployments:
    tree.markers.update(posixpath.dirname(path) for path, text in sources.items() if _declares_project(path, text))
    facts = {folder: _Facts() for folder in {_hoist(folder, tree) for folder in tree.markers} | {""}}
    builds = {
        file: folder
        for path, text in sources.items()
        if launch.reader(posixpath.basename(path)) is launch.compose
        for file, folder in launch.builds(path, text).items()
    }
    for path, text in sources.items():
        folder = posixpath.dirname(path)
        folder = folder if folder in tree.python else builds.get(path, _hoist(folder, tree))
        unit = _unit_of(folder, facts)
        foreign = folder not in tree.python and folder != unit
        if not foreign:
            _read_pins(path, text, facts[unit], sources)
        for statement in _statements(path, text):
            if not foreign or statement.wide or statement.kind in {"launch", "server", "script"}:
                for owner in _owners(statement, path, unit, facts, tree):
                    facts[owner].add(path, statement)
    units = {folder: facts[folder].frozen() for folder in sorted(facts)}
    listed = (text for path, text in sources.items() if path.endswith((".yaml", ".yml")))
    return Deployments(os.path.normpath(root.absolute()), units, frozenset(commands.headers(" ".join(listed))))


class _Tree:
    """What the walk has seen: Python files, the folders around them, and the folders that start a unit."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.python: set[str] = {""}
        self.markers: set[str] = set()


# Launches that bring the instrumentors with them: the operator, a Lambda layer.
_BRINGS_ALL = re.compile("inject-python|layer:|otel-instrument|EXEC_WRAPPER|otel-auto-instrumentation")


class _Facts:
    """The facts of one unit while they are collected."""

    def __init__(self) -> None:
        self.launches: dict[Evidence, None] = {}
        self.hints: dict[Evidence, None] = {}
        self.servers: dict[str, Evidence] = {}
        self.commands: dict[Evidence, None] = {}
        self.pins: pins.Pins = {}
        self.env: dict[str, str] = {}
        self.started = False
        self.bootstrapped = False

    def add(self, path: str, statement: Statement) -> None:
        how = statement.value if statement.kind in {"server", "script"} else ""
        evidence = Evidence(path, statement.row, statement.text, statement.word, statement.wide, how)
        if statement.kind == "launch":
            self.launches[evidence] = None
            self.bootstrapped = self.bootstrapped or _BRINGS_ALL.search(statement.word) is not None
        elif statement.kind == "bootstrap":
            self.bootstrapped = True
        elif statement.kind == "hint":
            self.hints[evidence] = None
        elif statement.kind == "server":
            self.servers.setdefault(statement.word, evidence)
            self.commands[evidence] = None
        elif statement.kind == "script":
            self.commands[evidence] = None
        elif statement.kind == "env":
            self.env.setdefault(statement.word, statement.value)
        else:
            self.started = True

    def take(self, other: Deployment, below: bool) -> None:
        """Adds what `other`, a unit around this one, says about it; `below`: a unit between them starts itself."""
        self.launches |= dict.fromkeys(item for item in other.launches if item.wide or not below)
        reaches = not below or any(item.wide for item in other.launches)
        self.bootstrapped = self.bootstrapped or (other.bootstrapped and reaches)
        self.servers = {word: item for word, item in other.servers.items() if item.wide or not below} | self.servers
        self.commands |= dict.fromkeys(item for item in other.commands if item.wide or not below)
        self.env = self.env if below else dict(other.env) | self.env
        pins.merge(self.pins, {name: pin for name, pin in other.pins.items() if _exact(pin) or name not in self.pins})

    def frozen(self) -> Deployment:
        launches, hints = tuple(self.launches), tuple(self.hints)
        return Deployment(
            launches, hints, self.servers, tuple(self.commands), self.pins, self.env, self.started, self.bootstrapped
        )


def _walk(root: Path, tree: _Tree, excluded: Container[str]) -> Iterator[tuple[str, str]]:
    """The files worth reading, as (path relative to the root, name)."""
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(f"{root}/{folder}"), key=lambda entry: entry.name)
        except OSError:
            continue
        if folder and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            name, path = entry.name, f"{folder}/{entry.name}".lstrip("/")
            if entry.is_dir(follow_symlinks=False):
                if name not in excluded:
                    pending.append(path)
            elif name.endswith(".py"):
                tree.modules.add(path)
                tree.python.update(_parents(path))
            if _is_marker(name):
                tree.markers.add(folder)
            if reads(name, posixpath.basename(folder)) and entry.is_file():
                yield path, name


def reads(name: str, folder: str) -> bool:
    """Whether a file of that name, in a folder of that name, is read."""
    return pins.is_pin_file(name, folder) or launch.reader(name) is not None or _is_readme(name)


def _is_readme(name: str) -> bool:
    return name.lower() in {"readme.md", "readme.rst", "readme.txt", "readme"}


def _is_marker(name: str) -> bool:
    return name in {"setup.py", "Pipfile", "Procfile", "Dockerfile", "serverless.yml", "serverless.yaml"} or (
        name.startswith("requirements") and name.endswith(".txt")
    )


def _declares_project(path: str, text: str) -> bool:
    """Whether a file starts a unit by what it says: a project, or functions that lie beside or below it."""
    if posixpath.basename(path) in {"template.yaml", "template.yml"}:
        return "AWS::Serverless::Function" in text and not re.search(r"CodeUri:\s*['\"]?\.\./", text)
    return posixpath.basename(path) == "pyproject.toml" and bool(re.search(r"(?m)^\[(?:project|tool\.poetry)\]", text))


def _parents(path: str) -> Iterator[str]:
    while path:
        path = posixpath.dirname(path)
        yield path


# Folders that speak for the folder around them.
_SUPPORT = re.compile(
    r"\.?(?:docker|deploy|build|container|ci|github|circleci|ops|infra|script|bin|conf|etc|requirement|k8s|kube|helm|chart"
    r"|manifest|compose|supervisor|systemd|terraform|env|devcontainer|packaging|aws|azure|gcp|config|image)[\w.-]*"
)


def _hoist(folder: str, tree: _Tree) -> str:
    """The folder, or the one around it that a folder such as `docker/` without Python speaks for."""
    around = folder
    while around not in tree.python:
        around = posixpath.dirname(around)
    part = folder[len(around) :].lstrip("/").split("/")[0].lower()
    return around if folder == around or _SUPPORT.fullmatch(part) else folder


def _exact(pin: str | None) -> bool:
    return pin is not None and pin.startswith("==")


def _upwards(folder: str, units: Container[str]) -> Iterator[str]:
    for above in (folder, *_parents(folder)):
        if above in units:
            yield above


def _unit_of(folder: str, units: Container[str]) -> str:
    return next(_upwards(folder, units), "")


def _source(root: Path, path: str, name: str) -> str | None:
    """The text of a file worth reading further; None for a large, binary, unreadable or plainly irrelevant one."""
    limit = MAX_LOCK_SIZE if name in pins.LOCKS else MAX_SIZE
    try:
        with open(f"{root}/{path}", "rb") as file:  # noqa: PTH123
            data = file.read(limit + 1)
    except OSError:
        return None
    if len(data) > limit:
        return None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        return None
    if not pins.is_pin_file(name, posixpath.basename(posixpath.dirname(path))) and not commands.interesting(data):
        return None
    return data.decode("utf-8-sig", errors="replace")


def _read_pins(path: str, text: str, facts: _Facts, sources: Mapping[str, str]) -> None:
    folder, name = posixpath.split(path)
    if not pins.is_pin_file(name, posixpath.basename(folder)):
        if launch.reader(name) is launch.container_file or name.endswith(".sh"):
            pins.merge(facts.pins, pins.installed_by(re.sub(r"\\\r?\n", " ", text)))
        return
    pins.merge(facts.pins, pins.read(name, text))
    for included in pins.includes(text) if name.endswith((".txt", ".in")) else ():
        other = posixpath.normpath(posixpath.join(folder, included))
        if other in sources:
            pins.merge(facts.pins, pins.read("requirements.txt", sources[other]))


def _statements(path: str, text: str) -> Iterator[Statement]:
    name = posixpath.basename(path)
    if _is_readme(name):
        yield from launch.documented(text)
    elif read := launch.reader(name):
        yield from read(path, text)


def _owners(statement: Statement, path: str, unit: str, units: Mapping[str, _Facts], tree: _Tree) -> set[str]:
    """The units that a statement of a file in `unit` is about; none when it is about something that is no Python.

    A Compose service of a third-party image is placed by its name or not at all, unless it launches Python.
    """
    found = _units_at(statement.paths, units, tree)
    kind = launch.reader(posixpath.basename(path))
    named = _named(statement, unit, units)
    if kind is launch.compose and statement.parts:
        built = _units_at(statement.parts, units, tree)[:1]
        # The Dockerfile of a build from the root is often behind a variable: the name tells.
        return (named if built == [""] else set()) or set(built)
    if kind is launch.compose:
        return set(found[:1]) or named or ({unit} if statement.kind in {"launch", "server", "script"} else set())
    owners = {owner for owner in found[:1] if _inside(owner, unit)}
    if kind is launch.container_file:
        return _of_container(statement, unit, units, tree) or owners or {unit}
    alone = not statement.wide or statement.kind in {"launch", "server", "script"} or len(units) == 1
    return owners or named or ({unit} if alone else set())


def _of_container(statement: Statement, unit: str, units: Mapping[str, _Facts], tree: _Tree) -> set[str]:
    """The units that are copied into an image, with the one it is built in unless that is the root and not copied."""
    places = {where for part in statement.parts if (where := _place(part, tree)) is not None}
    copied = {owner for where in places if not _inside(unit, owner := _unit_of(where, units))}
    if unit:
        within = {
            owner for owner in units for where in places if where and not _inside(unit, where) and _inside(owner, where)
        }
        return copied | within | {unit}
    return set() if "" in places else copied


def _units_at(paths: Iterable[str], units: Mapping[str, _Facts], tree: _Tree) -> list[str]:
    return [_unit_of(where, units) for where in (_place(path, tree) for path in paths) if where is not None]


def _place(path: str, tree: _Tree) -> str | None:
    """The folder of a file or folder that holds Python, or None."""
    if path in tree.modules:
        return posixpath.dirname(path)
    return path if path in tree.python else None


def _inside(unit: str, around: str) -> bool:
    return unit == around or not around or unit.startswith(f"{around}/")


_VAGUE = frozenset({"src", "app", "code", "python", "lib", "source", "main", "py"})


def _named(statement: Statement, unit: str, units: Iterable[str]) -> set[str]:
    """The units around which a service goes by one of the names."""
    best: set[str] = set()
    size = 0
    others = [other for other in units if other != unit and (_inside(other, unit) or statement.wide)]
    for words in {_words(name) for name in statement.names if name}:
        for other in others:
            own = _alias(other)
            own = own if own and _within(own, words) else ()
            exact = 100 if own == words else 0
            if own and (_inside(other, unit) or exact) and len(own) + exact >= size:
                best = (best if len(own) + exact == size else set()) | {other}
                size = len(own) + exact
    return best


@functools.cache
def _alias(unit: str) -> tuple[str, ...]:
    """The words of what a unit is called, () for a folder whose name says nothing."""
    parts = unit.split("/")
    while parts and parts[-1].lower() in _VAGUE:
        parts.pop()
    return _words(parts[-1]) if parts else ()


def _words(name: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[-_. ]+", name.lower()) if word)


def _within(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    return any(long[start : start + len(short)] == short for start in range(len(long) - len(short) + 1))
