"""Tables about libraries and frameworks: data that rules and the model ask by dotted API name, never code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROLES = ("http", "db", "rpc", "genai", "create", "send", "receive", "settle")


@cache
def table(name: str) -> Mapping[str, Any]:
    """The TOML table `name` of this folder, as it is written."""
    import tomli

    return tomli.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1024)
def keeps(decorator: str | None) -> bool:
    """Whether a decorator registers the function that it is given, so that what is above it is not what is called."""
    if decorator is None:
        return False
    rows = table("registering")
    if any(fnmatchcase(decorator, pattern) for pattern in rows["wrap"]):
        return False
    return decorator in decorators() or any(fnmatchcase(decorator, pattern) for pattern in rows["more"])


@cache
def decorated() -> Mapping[str, str]:
    """What decorators make of a function → the type of that: a task of Celery, a group of commands."""
    return {**clients().decorates, **table("registering")["makes"]}


def constant(dotted: str) -> str | None:
    """The text of a constant of OpenTelemetry's own packages, None when it is not known to be one."""
    holder, _, name = dotted.rpartition(".")
    text = table("constants").get(holder, {}).get(name)
    return text if isinstance(text, str) else None


@dataclass(frozen=True)
class Instrumentor:
    """One instrumentation; `does` and `status` are explained in instrumentors.toml."""

    key: str
    package: str
    cls: str | None
    objects: tuple[str, ...]
    calls: tuple[str, ...]
    entry: str
    libraries: tuple[str, ...]
    does: frozenset[str]
    injects: bool
    status: str | None
    bootstrap: bool
    replaces: tuple[str, ...]


@dataclass(frozen=True)
class Distro:
    """One switch for many instrumentors; `instruments` may hold "*", every installed one.

    `providers`: the signals that it sets up; `installs`: those whose global provider is then certainly its own.
    """

    key: str
    package: str
    calls: tuple[str, ...]
    launch: tuple[str, ...]
    imports: tuple[str, ...]
    instruments: frozenset[str]
    libraries: tuple[str, ...]
    providers: frozenset[str]
    does: frozenset[str]
    unless: str | None
    installs: frozenset[str]


@dataclass(frozen=True)
class Native:
    """A library that makes its own spans: unasked from version `since` on, or asked for by one of `calls`."""

    key: str
    package: str
    since: str | None
    calls: tuple[str, ...]
    off: str | None
    does: frozenset[str]
    status: str | None


_CONTRIB = "opentelemetry-instrumentation-"


@cache
def instrumentors() -> Mapping[str, Instrumentor]:
    """Every instrumentor by its key."""
    return {
        key: Instrumentor(
            key,
            entry["package"],
            entry.get("class"),
            tuple(entry.get("objects", ())),
            tuple(entry.get("calls", ())),
            entry.get("entry", key),
            tuple(entry["libraries"]),
            frozenset(entry["does"]),
            entry.get("injects", not {"client", "producer"}.isdisjoint(entry["does"])),
            entry.get("status"),
            entry.get("bootstrap", entry["package"].startswith(_CONTRIB) and not key.startswith("openllmetry-")),
            tuple(entry.get("replaces", ())),
        )
        for key, entry in table("instrumentors")["instrumentor"].items()
    }


@cache
def distros() -> Mapping[str, Distro]:
    """Every distribution by its key."""
    return {
        key: Distro(
            key,
            entry["package"],
            tuple(entry["calls"]),
            tuple(entry.get("launch", ())),
            tuple(entry.get("imports", ())),
            frozenset(entry["instruments"]),
            tuple(entry.get("libraries", ())),
            frozenset(entry["providers"]),
            frozenset(entry.get("does", ())),
            entry.get("unless"),
            frozenset(entry.get("installs", ())),
        )
        for key, entry in table("instrumentors")["distro"].items()
    }


@cache
def natives() -> Mapping[str, Native]:
    """Every library with spans of its own by its key."""
    return {
        key: Native(
            key,
            entry["package"],
            entry.get("since"),
            tuple(entry.get("calls", ())),
            entry.get("off"),
            frozenset(entry["does"]),
            entry.get("status"),
        )
        for key, entry in table("instrumentors")["native"].items()
    }


@cache
def switches() -> Mapping[str, frozenset[str]]:
    """Classes (`Class().instrument()`) and calls → keys of the instrumentors they switch on; "*" = all installed."""
    found: dict[str, set[str]] = {}
    for key, entry in instrumentors().items():
        for name in (*([entry.cls] if entry.cls else []), *entry.calls):
            found.setdefault(name, set()).add(key)
    for distro in distros().values():
        for name in (*distro.calls, *distro.imports):
            found.setdefault(name, set()).update(distro.instruments)
    return {name: frozenset(keys) for name, keys in found.items()}


@dataclass(frozen=True)
class Operation:
    """One call that leaves the process, or takes or settles a message."""

    api: str
    role: str
    client: str
    awaited: bool
    remote: bool
    command: bool
    instrumentors: frozenset[str]
    beneath: frozenset[str]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The span kinds that are right for a span of exactly this call, the usual one first."""
        if self.role in {"create", "send"}:
            return ("PRODUCER", "CLIENT")
        return ("CLIENT",) if self.remote else ("INTERNAL", "CLIENT")


@dataclass(frozen=True)
class Told:
    """Methods that tell of what class they are, by the name of what they are called on."""

    cls: str
    libraries: frozenset[str]
    owners: re.Pattern[str]
    methods: tuple[tuple[str, ...], ...]


@cache
def told() -> tuple[Told, ...]:
    """The classes whose objects are known by their methods."""
    return tuple(
        Told(
            cls,
            frozenset(entry["libraries"]),
            re.compile(entry["owners"]),
            tuple(tuple(each.split(".")) for each in entry["methods"]),
        )
        for cls, entry in table("clients")["told"].items()
    )


@dataclass(frozen=True)
class Slot:
    """Where a call takes an argument: by position or keyword; with neither, the call itself says it all."""

    position: int | None = None
    keywords: tuple[str, ...] = ()

    @property
    def always(self) -> bool:
        return self.position is None and not self.keywords


@dataclass
class Clients:
    """Outgoing calls by dotted name; a type is named by its canonical class, a method by type, dot, attribute path."""

    operations: dict[str, Operation] = field(default_factory=dict)
    makes: dict[str, str] = field(default_factory=dict)
    gives: dict[str, str] = field(default_factory=dict)
    decorates: dict[str, str] = field(default_factory=dict)
    local: dict[str, frozenset[str]] = field(default_factory=dict)
    stages: set[str] = field(default_factory=set)
    patterns: list[tuple[str, str]] = field(default_factory=list)

    def operation(self, api: str) -> Operation | None:
        """What a call of `api` does ("requests.get", "openai.OpenAI.chat.completions.create"); None when unknown."""
        if found := self.operations.get(api):
            return found
        owner, _, method = api.rpartition(".")
        if method.startswith("_") or method in self.local.get(owner, ()):
            return None
        return self.operations.get(f"{owner}.*")

    def made_by(self, api: str, argument: str | None = None) -> str | None:
        """The type that a call of `api` makes, or that the class `api` is; `argument` is a literal first argument."""
        if argument is not None and (found := self.makes.get(f"{api}('{argument}')")):
            return found
        if found := self.makes.get(api):
            return found
        return next((made for pattern, made in self.patterns if fnmatchcase(api, pattern)), None)

    def attribute(self, owner: str, name: str) -> str | None:
        """The type of the attribute `name` of an `owner`, if it is one: `db.session`, `client.shop`."""
        if found := self.gives.get(f"{owner}.{name}"):
            return found
        other = self.gives.get(f"{owner}.*")
        return None if other is None or self._is_path(f"{owner}.{name}") else other

    def item(self, owner: str) -> str | None:
        """The type of `owner[...]`."""
        return self.gives.get(f"{owner}[]")

    def _is_path(self, start: str) -> bool:
        return start in self.makes or any(api == start or api.startswith(f"{start}.") for api in self.operations)


@cache
def clients() -> Clients:
    """The outgoing calls, and the types they are made on."""
    found = Clients()
    for key, entry in table("clients")["client"].items():
        common = (
            key,
            entry.get("remote", True),
            entry.get("commands", False),
            frozenset(entry["instrumentors"]),
            frozenset(entry.get("beneath", ())),
        )
        for operation in _operations("", entry, common):
            found.operations[operation.api] = operation
        for name, kind in (entry.get("types", {}) | _services(entry)).items():
            _add_type(found, name, kind, common)
            if twin := kind.get("twin"):
                _add_type(found, twin, _twin(kind), common)
    for entry in (*table("clients")["server"].values(), *table("clients")["consumer"].values()):
        for name, kind in entry.get("types", {}).items():
            _add_names(found, name, kind)
    return found


def _twin(kind: Mapping[str, Any]) -> dict[str, Any]:
    return {**kind, "awaited": True, "made": kind.get("twin_made", []), "of": [], "decorated": []}


_Common = tuple[str, bool, bool, frozenset[str], frozenset[str]]


def _operations(prefix: str, entry: Mapping[str, Any], common: _Common) -> Iterator[Operation]:
    key, remote, command, instrumentors, beneath = common
    awaited = entry.get("awaited", False)
    for role in ROLES:
        for name in entry.get(role, ()):
            waits = awaited if isinstance(awaited, bool) else name in awaited
            also = frozenset(entry.get("also", ()))
            yield Operation(prefix + name, role, key, waits, remote, command, instrumentors | also, beneath)


def _add_type(found: Clients, name: str, kind: Mapping[str, Any], common: _Common) -> None:
    _add_names(found, name, kind)
    found.local[name] = frozenset(kind.get("local", ()))
    found.stages.update(f"{name}.{method}" for method in kind.get("stages", ()))
    for operation in _operations(f"{name}.", kind, common):
        found.operations[operation.api] = operation


def _add_names(found: Clients, name: str, kind: Mapping[str, Any]) -> None:
    for other in (name, *kind.get("made", ())):
        if other.startswith("*"):
            found.patterns.append((other, name))
        else:
            found.makes[other] = name
    found.gives |= dict.fromkeys(kind.get("of", ()), name)
    found.decorates |= dict.fromkeys(kind.get("decorated", ()), name)


def _services(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The types of a client whose first argument chooses the service, sync and async."""
    types: dict[str, Any] = {}
    for factories, awaited in ((entry.get("factories", ()), False), (entry.get("async_factories", ()), True)):
        if not factories:
            continue
        plain, *others = factories
        base = dict(next(iter(entry["types"].values()))) | {"awaited": awaited}
        types[plain] = base | {"made": others}
        for service, roles in entry["services"].items():
            types[f"{plain}('{service}')"] = base | roles | {"made": [f"{other}('{service}')" for other in others]}
    return types


@dataclass(frozen=True)
class Handler:
    """A function that is a handler by convention: its name, if it matters, and its parameters (name, type or None).

    `built`: what its class is built with, by name. `returns`: what some of its answers are made by; then `parameters`
    are only the first ones.
    """

    names: frozenset[str]
    parameters: tuple[tuple[str, str | None], ...]
    method: bool
    built: tuple[str, ...] = ()
    returns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Entry:
    """A framework by which work enters the process; `kind` is the span kind of that work.

    `records`: the keys by which the records of an event are known to be messages. `plain`: types of answers, and
    functions that make some, that go out as a 200.
    """

    key: str
    kind: str
    instrumentors: frozenset[str]
    native: frozenset[str]
    decorators: frozenset[str]
    registers: Mapping[str, Slot]
    settings: Mapping[str, tuple[str, ...]]
    bases: Mapping[str, tuple[str, ...]]
    handlers: tuple[Handler, ...]
    hooks: frozenset[str]
    loops: frozenset[str]
    fails: Mapping[str, Slot]
    raises: Mapping[str, Slot]
    records: frozenset[str]
    plain: frozenset[str]

    def handles(self, base: str, method: str) -> bool:
        """Whether `method` of a class with the base `base` is a handler."""
        for pattern, names in self.bases.items():
            if base == pattern or ("*" in pattern and fnmatchcase(base, pattern)):
                return method in names or ("*" in names and not method.startswith("_"))
        return False


@cache
def takes() -> Mapping[str, str]:
    """The only method that takes an object of a type, by that type."""
    return dict(table("clients")["takes"])


@cache
def entries() -> Mapping[str, Entry]:
    """The frameworks by which requests ("server.flask") and messages ("consumer.celery") enter."""
    found = {}
    for section, kind in (("server", "SERVER"), ("consumer", "CONSUMER")):
        for key, entry in table("clients")[section].items():
            found[f"{section}.{key}"] = _entry(f"{section}.{key}", kind, entry)
    return found


def _entry(key: str, kind: str, entry: Mapping[str, Any]) -> Entry:
    handlers = tuple(
        Handler(
            frozenset(item.get("names", ())),
            tuple(map(_parameter, item["parameters"])),
            item.get("method", False),
            tuple(item.get("built", ())),
            frozenset(item.get("returns", ())),
        )
        for item in entry.get("handlers", ())
    )
    return Entry(
        key,
        kind,
        frozenset(entry["instrumentors"]),
        frozenset(entry.get("native", ())),
        frozenset(entry.get("decorators", ())),
        {api: _slot(where) for api, where in entry.get("registers", {}).items()},
        {attribute: tuple(others) for attribute, others in entry.get("settings", {}).items()},
        {base: tuple(names) for base, names in entry.get("bases", {}).items()},
        handlers,
        frozenset(entry.get("hooks", ())),
        frozenset(entry.get("loops", ())),
        {api: _slot(where) for api, where in entry.get("fails", {}).items()},
        {api: _slot(where) for api, where in entry.get("raises", {}).items()},
        frozenset(entry.get("records", ())),
        frozenset(entry.get("plain", ())),
    )


def _parameter(text: str) -> tuple[str, str | None]:
    name, _, annotation = text.partition(": ")
    return name, annotation or None


def _slot(where: str | Iterable[str | int]) -> Slot:
    if where == "always":
        return Slot()
    position, keywords = None, []
    for item in where:
        if isinstance(item, int):
            position = item
        else:
            keywords.append(item)
    return Slot(position, tuple(keywords))


@cache
def decorators() -> Mapping[str, Entry]:
    """Decorators that make a function a handler → the framework."""
    return {api: entry for entry in entries().values() for api in entry.decorators}


@cache
def registers() -> Mapping[str, tuple[Entry, Slot]]:
    """Calls that take a handler → the framework, and which argument the handler is."""
    return {api: (entry, slot) for entry in entries().values() for api, slot in entry.registers.items()}


@cache
def runs() -> Mapping[str, str]:
    """Calls that start a server in this process → the server's name."""
    found: Mapping[str, str] = table("clients")["runs"]
    return found


def distribution(name: str) -> str:
    """A distribution name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()
