"""The options of `otlint check` as values, and the settings that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from otlint.settings import layers
from otlint.settings.config import Configs
from otlint.toml import ConfigError, Fault

_LISTS = ("select", "ignore", "extend_select", "extend_ignore", "fixable", "unfixable", "exclude", "extend_exclude")
_PLAIN = (
    "fix", "unsafe_fixes", "show_fixes", "force_exclude", "respect_gitignore", "output_format", "fail_on",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of `otlint check` as they were given; None where a configuration file decides."""

    paths: tuple[str, ...] = ()
    fix: bool | None = None
    unsafe_fixes: bool | None = None
    fix_only: bool | None = None
    diff: bool = False
    show_fixes: bool | None = None
    exit_non_zero_on_fix: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    extend_ignore: tuple[str, ...] = ()
    fixable: tuple[str, ...] = ()
    unfixable: tuple[str, ...] = ()
    per_file_ignores: tuple[str, ...] = ()
    ignore_suppressions: bool = False
    exclude: tuple[str, ...] = ()
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool | None = None
    respect_gitignore: bool | None = None
    stdin_filename: str | None = None
    project_root: str | None = None
    no_project_facts: bool = False
    config: tuple[str, ...] = ()
    isolated: bool = False
    show_settings: bool = False
    show_files: bool = False
    output_format: str | None = None
    output_file: str | None = None
    fail_on: str | None = None
    exit_zero: bool = False
    statistics: bool = False
    quiet: bool = False
    silent: bool = False
    verbose: bool = False
    color: str = "auto"
    no_cache: bool = False
    cache_dir: str | None = None
    jobs: str | None = None

    @property
    def stdin(self) -> bool:
        """Whether standard input is what is checked."""
        return self.stdin_filename is not None or self.paths == ("-",)


def configs(options: Options) -> Configs:
    """The configurations of a run: files, then `--config`, then the other options; raises ConfigError."""
    settings = [one for one in options.config if not Path(one).is_file()]
    paths = [Path(one) for one in options.config if Path(one).is_file()]
    if len(paths) > 1:
        raise ConfigError("--config: only one configuration file can be given")
    if paths and options.isolated:
        raise ConfigError("--isolated reads no configuration, so --config FILE cannot be given with it")
    overrides = [*map(layers.inline, settings), _layer(options)]
    return Configs(overrides, file=paths[0] if paths else None, isolated=options.isolated)


def _layer(options: Options) -> layers.Layer:
    """The settings among the options."""
    document: dict[str, object] = {}
    for name in _LISTS:
        if given := getattr(options, name):
            document[name.replace("_", "-")] = [word for one in given for word in _split(one)]
    for name in _PLAIN:
        if (value := getattr(options, name)) is not None:
            document[name.replace("_", "-")] = value
    ignores: dict[str, list[str]] = {}
    for pair in (pair for one in options.per_file_ignores for pair in _split(one)):
        pattern, colon, word = pair.rpartition(":")
        if not colon:
            raise ConfigError(f"--per-file-ignores: `{pair}` is not PATTERN:RULE")
        ignores.setdefault(pattern.strip(), []).append(word.strip())
    if ignores:
        document["per-file-ignores"] = ignores
    return layers.layer_of(document, Path.cwd(), _complain)


def _split(words: str) -> Iterator[str]:
    return filter(None, map(str.strip, words.split(",")))


def _complain(at: Sequence[str], fault: Fault) -> ConfigError:
    return ConfigError(f"--{at[0]}: {fault.message}")
