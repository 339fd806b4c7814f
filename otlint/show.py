"""What `otlint rule`, `otlint config` and `otlint check --show-settings` print."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from otlint import rulebook
from otlint.rulebook import Entry
from otlint.settings import keys, selection
from otlint.settings.globs import Glob
from otlint.settings.level import Level, Safety

if TYPE_CHECKING:
    from otlint.settings.config import Config

_FIXES = {None: "no fix", Safety.SAFE: "safe fix", Safety.UNSAFE: "unsafe fix", Safety.DISPLAY: "suggestion"}


def rules(word: str | None, *, everything: bool, form: str) -> str:
    """The rules that a word names; raises `selection.UnknownRuleError`. Several are listed unless all are asked for."""
    found = rulebook.entries(word)
    single = word is not None and len(found) == 1
    if form == "json":
        objects = [_object(entry) for entry in found]
        return json.dumps(objects[0] if single else objects, indent=2, ensure_ascii=False)
    if single or everything:
        separator = "\n\n" if form == "markdown" else f"\n\n{'─' * 80}\n\n"
        return separator.join(_page(entry, form) for entry in found)
    if form == "markdown":
        head = "| Code | Name | Level | Fix | |\n|---|---|---|---|---|\n"
        return head + "\n".join(f"| {' | '.join(_row(entry))} |" for entry in found)
    return _columns([_row(entry) for entry in found])


def _row(entry: Entry) -> tuple[str, ...]:
    return entry.code, entry.name, entry.level.value, _FIXES[entry.fix], entry.summary


def _page(entry: Entry, form: str) -> str:
    if form == "markdown":
        return entry.text.strip()
    title, _, rest = entry.text.strip().partition("\n")
    facts = f"{entry.category} · {entry.level.value} · {_FIXES[entry.fix]}"
    return f"{title.removeprefix('# ')}\n{facts}\n{rest}"


def _object(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "code": entry.code,
        "category": entry.category,
        "severity": entry.level.value,
        "default": entry.level is not Level.INFO,
        "fix": None if entry.fix is None else entry.fix.value,
        "summary": entry.summary,
        "explanation": entry.text,
        "references": list(entry.references),
        "mappings": {label: list(ids) for label, ids in entry.mappings.items()},
        "url": None,
    }


def schema() -> str:
    """The JSON Schema of the configuration."""
    return json.dumps(keys.schema(), indent=2, ensure_ascii=False)


def keys_of(word: str | None) -> str:
    """The keys of the configuration, or what one key or table means; raises KeyError with a sentence."""
    every = [*keys.KEYS, *_rule_keys()]
    if word is None:
        return _columns([(key.name, key.doc) for key in every])
    found = [key for key in every if key.name == word]
    if found:
        return _explained(found[0])
    found = [key for key in every if key.name.startswith(f"{word}.")]
    if not found:
        raise KeyError(f"unknown key `{word}`{selection.did_you_mean(word, [key.name for key in every])}")
    return _columns([(key.name, key.doc) for key in found])


def _rule_keys() -> list[keys.Key]:
    return [
        keys.Key(f"rules.{code}.{key.name}", key.shape, key.default, key.doc)
        for code, options in keys.OPTIONS.items()
        for key in options
    ]


def _explained(key: keys.Key) -> str:
    default = key.default or "none"
    choices = (
        f"\nOne of: {', '.join(key.shape.choices)}" if isinstance(key.shape, keys.Word) and key.shape.choices else ""
    )
    return f"{key.name}\n\n{key.doc}\n\nType: {keys.what(key.shape)}{choices}\nDefault: {default}"


def settings(path: str, config: Config) -> str:
    """The settings of a file, defaults left out, and the rules that are on."""
    source = "none" if config.path is None else str(config.path)
    lines = [f"Settings for: {path}", f"Configuration: {source}", f"Patterns are relative to: {config.base}", ""]
    lines += [f"{name} = {_toml(value)}" for name, value in sorted(config.values.items())]
    on = [entry for entry in rulebook.entries() if config.selects(entry.code, entry.name, entry.level, path)]
    lines += ["" if config.values else "Everything else is as `otlint config` says.", "Rules:"]
    for entry in on:
        level = config.level(entry.code, entry.name, entry.level).value
        fixed = "" if config.may_fix(entry.code, entry.name) else " (not fixed)"
        lines.append(f"  {entry.code} {entry.name}: {level}{fixed}")
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Glob):
        return json.dumps(value.pattern, ensure_ascii=False)
    if isinstance(value, Mapping):
        pairs = (f"{_toml(key)} = {_toml(inner)}" for key, inner in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows with their cells below each other, the last one as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return "\n".join(
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    )
