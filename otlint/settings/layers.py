"""The settings of one source: a configuration file, a `--config 'key = value'`, the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from otlint import __version__, toml
from otlint.paths import shown
from otlint.settings import selection
from otlint.settings.globs import Glob
from otlint.settings.selection import Choice, Selector
from otlint.toml import ConfigError, Fault

if TYPE_CHECKING:
    from otlint.settings.keys import Key

_PATTERNS = ("exclude", "extend-exclude", "include", "instrumentation.bootstrap")
_IGNORES = ("per-file-ignores", "extend-per-file-ignores")
_ADDED = ("extend-exclude", "extend-safe-fixes", "extend-unsafe-fixes")
_JOINED = ("severity", "extend-per-file-ignores")

Complain = Callable[[Sequence[str], Fault], ConfigError]


@dataclass(frozen=True, slots=True)
class Layer:
    """Checked settings by dotted key; patterns are `Glob`s, the tables of rules `rules.CODE`."""

    values: Mapping[str, object]

    def selectors(self, *names: str | None) -> tuple[Selector, ...]:
        """The rule selectors under some keys."""
        words = (word for name in names for word in cast("Sequence[str]", self.values.get(name or "", ())))
        return tuple(map(selection.selector, words))

    def choice(self, only: str, more: str | None, *less: str | None) -> Choice:
        """What the layer says about which rules are on, by the keys that say it."""
        return Choice(
            self.selectors(only) if only in self.values else None, self.selectors(more), self.selectors(*less)
        )


def chain(file: Path, *, base: Path | None = None) -> list[Layer]:
    """The layers of a file, what it extends first. Patterns are relative to each file's folder, or to `base`."""
    layers: list[Layer] = []
    seen: set[Path] = set()
    while True:
        seen.add(file.resolve())
        layer, source = _read(file, base)
        layers.insert(0, layer)
        extend = layer.values.get("extend")
        if not isinstance(extend, str):
            return layers
        child, file = file, file.parent / Path(extend).expanduser()
        if file.resolve() in seen:
            raise source(
                ("extend",), Fault(f"{shown(str(file.absolute()))} extends {shown(str(child.absolute()))} in turn")
            )
        if not file.is_file():
            raise source(("extend",), Fault(f"{shown(str(file.absolute()))} does not exist"))


def _read(file: Path, base: Path | None) -> tuple[Layer, Complain]:
    text = toml.read(file)
    above = ("tool", "otlint") if file.name == "pyproject.toml" else ()

    def complain(at: Sequence[str], fault: Fault) -> ConfigError:
        inner = [] if fault.key is None else [fault.key]
        line = toml.line_of(text, [*above, *at, *inner], fault.word)
        return ConfigError(_sentence(at, fault), file, line)

    table: object = toml.parse(text, file)
    for name in above:
        table = table.get(name, {}) if isinstance(table, dict) else {}
    layer = layer_of(cast("dict[str, object]", table), base or file.parent, complain)
    _check_version(layer, complain)
    return layer, complain


def inline(text: str) -> Layer:
    """The layer of `--config 'key = value'`."""
    try:
        document = toml.parse(text, None)
    except ConfigError as error:
        raise ConfigError(f"`--config {text}` is neither a file nor `key = value`: {error}") from error
    return layer_of(document, Path.cwd(), lambda at, fault: ConfigError(f"--config: {_sentence(at, fault)}"))


def _sentence(at: Sequence[str], fault: Fault) -> str:
    return f"`{'.'.join(at)}`: {fault.message}" if fault.word != at[-1] else fault.message


def layer_of(document: Mapping[str, object], base: Path, complain: Complain) -> Layer:
    """Checks a table of settings; `complain` knows where a key stands."""
    values: dict[str, object] = {}
    if not document:
        return Layer(values)
    from otlint.settings import keys  # most runs have no settings

    for at, value in _flat(document, complain):
        if at[0] == "rules":
            code = keys.rule_tables()[at[1]]
            cast("dict[str, object]", values.setdefault(f"rules.{code}", {}))[at[2]] = value
        else:
            values[".".join(at)] = _with_base(".".join(at), value, str(base.absolute()))
    return Layer(values)


def _flat(document: Mapping[str, object], complain: Complain) -> Iterator[tuple[tuple[str, ...], object]]:
    """The settings with their paths, each checked."""
    from otlint.settings import keys

    for name, value in document.items():
        if name == "rules":
            yield from _flat_rules(value, complain)
        elif name in keys.TABLES:
            known = {key.name.partition(".")[2]: key for key in keys.KEYS if key.name.startswith(f"{name}.")}
            for inner, one in _table((name,), value, complain).items():
                yield (name, inner), _checked((name, inner), known, one, complain)
        else:
            top = {key.name: key for key in keys.KEYS if "." not in key.name}
            yield (name,), _checked((name,), top, value, complain)


def _flat_rules(value: object, complain: Complain) -> Iterator[tuple[tuple[str, ...], object]]:
    from otlint.settings import keys

    tables = keys.rule_tables()
    for word, table in _table(("rules",), value, complain).items():
        if word not in tables:
            raise complain(("rules", word), _unknown_table(word))
        known = {key.name: key for key in keys.OPTIONS[tables[word]]}
        for inner, one in _table(("rules", word), table, complain).items():
            yield ("rules", word, inner), _checked(("rules", word, inner), known, one, complain)


def _unknown_table(word: str) -> Fault:
    from otlint.settings import keys

    codes = selection.known()
    if word in codes or word in codes.values():
        return Fault(f"rule `{word}` has no options", word)
    near = selection.did_you_mean(word, selection.known() | keys.rule_tables())
    return Fault(f"unknown rule `{word}`{near}", word)


def _checked(at: tuple[str, ...], known: Mapping[str, Key], value: object, complain: Complain) -> object:
    from otlint.settings import keys

    key = known.get(at[-1])
    if key is None:
        others = [*known, *keys.TABLES, "rules"] if len(at) == 1 else [*known]
        inside = f" in [{'.'.join(at[:-1])}]" if len(at) > 1 else ""
        near = selection.did_you_mean(at[-1], others)
        raise complain(at, Fault(f"unknown key `{at[-1]}`{inside}{near}", at[-1]))
    fault = keys.fault(key.shape, value)
    if fault is not None:
        raise complain(at, fault)
    return value


def _table(at: tuple[str, ...], value: object, complain: Complain) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise complain(at, Fault("expected a table"))
    return value


def _with_base(key: str, value: object, base: str) -> object:
    if key in _PATTERNS:
        return [Glob(base, pattern) for pattern in cast("Sequence[str]", value)]
    if key in _IGNORES:
        return {Glob(base, pattern): words for pattern, words in cast("Mapping[str, object]", value).items()}
    return value


def _check_version(layer: Layer, complain: Complain) -> None:
    wanted = layer.values.get("required-version")
    if not isinstance(wanted, str):
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        allowed = SpecifierSet(wanted if not wanted[:1].isdigit() else f"=={wanted}", prereleases=True)
    except InvalidSpecifier as error:
        raise complain(("required-version",), Fault(f"`{wanted}` is no version specifier")) from error
    if not allowed.contains(__version__):
        message = f"this configuration asks for otlint {wanted}, but {__version__} is running"
        raise complain(("required-version",), Fault(message))


def merged(layers: Sequence[Layer]) -> dict[str, object]:
    """One value per key: the last layer's, except for what adds up."""
    values: dict[str, object] = {}
    for layer in layers:
        for key, value in layer.values.items():
            before = values.get(key)
            if before is None or not _adds_up(key):
                values[key] = value
            elif isinstance(before, Mapping):
                values[key] = _joined(before, cast("Mapping[object, object]", value))
            else:
                values[key] = [*cast("list[object]", before), *cast("list[object]", value)]
    return values


def _adds_up(key: str) -> bool:
    return key in _ADDED or key in _JOINED or key.startswith("rules.")


def _joined(before: Mapping[object, object], after: Mapping[object, object]) -> dict[object, object]:
    """Both tables; lists under one key are put together."""
    both = dict(before)
    for key, value in after.items():
        old = both.get(key)
        both[key] = [*old, *value] if isinstance(old, list) and isinstance(value, list) else value
    return both
