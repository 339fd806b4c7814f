"""What the user asked for: configuration files and command line as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from otlint import toml
from otlint.settings import selection
from otlint.settings.declared import Instrumentation, Wrappers
from otlint.settings.globs import Glob, Globs
from otlint.settings.layers import Layer, chain, merged
from otlint.settings.level import Level, Safety
from otlint.settings.selection import Choice, Selector, Subject

if TYPE_CHECKING:
    from otlint.rule import Rule

NAMES = (".otlint.toml", "otlint.toml", "pyproject.toml")
SYNTAX_ERROR = "OTL000"
MAX_FILE_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Project:
    """Where facts come from; `root` is absolute."""

    root: Path | None = None
    source_roots: tuple[str, ...] = (".", "src")
    facts: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Config:
    """The settings that hold for some files.

    `path` is the configuration file, None without one; patterns are relative to `base`. `exclude` None means the
    usual folders, `include` None `*.py` and `*.pyi`. `enabled` remembers `otlint.judge.enabled`, by what is ignored.
    """

    path: Path | None
    base: Path
    values: Mapping[str, object] = field(default_factory=dict)
    rules: tuple[Choice, ...] = ()
    fixes: tuple[Choice, ...] = ()
    made_safe: tuple[Selector, ...] = ()
    made_unsafe: tuple[Selector, ...] = ()
    severity: tuple[tuple[Selector, Level], ...] = ()
    fail_on: Level = Level.WARNING
    ignores: tuple[tuple[Glob, tuple[Selector, ...]], ...] = ()
    exclude: Globs | None = None
    extend_exclude: Globs | None = None
    include: Globs | None = None
    force_exclude: bool = False
    respect_gitignore: bool = True
    max_file_size: int = MAX_FILE_SIZE
    output_format: str = "full"
    fix: bool = False
    unsafe_fixes: bool = False
    show_fixes: bool = False
    cache_dir: str | None = None
    project: Project = Project()
    instrumentation: Instrumentation = field(default_factory=Instrumentation)
    wrappers: Wrappers = field(default_factory=Wrappers)
    _ignored: dict[str, tuple[Selector, ...]] = field(default_factory=dict, repr=False)
    enabled: dict[tuple[Selector, ...], list[Rule]] = field(default_factory=dict, repr=False)

    def selects(self, code: str, name: str, level: Level, path: str) -> bool:
        """Whether the rule, whose own level is `level`, is reported in the file."""
        if code == SYNTAX_ERROR:
            return True
        subject = Subject(code, name, level)
        on = selection.chosen(self.rules, subject, default=level is not Level.INFO)
        return on and selection.best(self.ignored_in(path), subject) is None

    def selects_hint(self, code: str, name: str, path: str | None = None) -> bool:
        """Whether the findings of the rule's weaker part are reported (in the file, if one is given)."""
        subject = Subject(code, name, Level.INFO)
        on = selection.chosen(self.rules, subject, default=False, hint=True)
        return on and (path is None or selection.best(self.ignored_in(path), subject) is None)

    def level(self, code: str, name: str, default: Level) -> Level:
        """The level of the rule's findings."""
        subject = Subject(code, name, default)
        found = selection.best((one for one, _ in self.severity), subject)
        return default if found is None else dict(self.severity)[found]

    def may_fix(self, code: str, name: str) -> bool:
        """Whether fixes of the rule may be applied."""
        return selection.chosen(self.fixes, Subject(code, name, Level.WARNING), default=True)

    def safety(self, code: str, name: str, safety: Safety) -> Safety:
        """The safety of a fix of the rule; what is only shown stays so."""
        subject = Subject(code, name, Level.WARNING)
        up, down = selection.best(self.made_safe, subject), selection.best(self.made_unsafe, subject)
        if safety is Safety.DISPLAY or up is down is None:
            return safety
        return Safety.SAFE if (up.rank if up else -1) > (down.rank if down else -1) else Safety.UNSAFE

    def options(self, code: str, name: str) -> Mapping[str, object]:
        """The table `[rules.CODE]`, or that of the rule it shares options with; what it does not set is missing."""
        del name
        if not self.values:
            return {}
        from otlint.settings.keys import SHARED_OPTIONS

        return cast("Mapping[str, object]", self.values.get(f"rules.{SHARED_OPTIONS.get(code, code)}", {}))

    def ignored_in(self, path: str) -> tuple[Selector, ...]:
        """The selectors that `per-file-ignores` has for a file."""
        if not self.ignores:
            return ()
        found = self._ignored.get(path)
        if found is None:
            absolute = os.path.abspath(path)  # noqa: PTH100
            found = self._ignored[path] = tuple(
                one for glob, words in self.ignores if _ignore_fits(glob, absolute) for one in words
            )
        return found


def _ignore_fits(glob: Glob, path: str) -> bool:
    """`!pattern` stands for all files but those that the pattern names."""
    if glob.pattern.startswith("!"):
        return not Globs.of([Glob(glob.base, glob.pattern[1:])]).match(path)
    return Globs.of([glob]).match(path)


class Configs:
    """Finds the configuration of each folder. `overrides` come from the command line and hold everywhere."""

    def __init__(self, overrides: Sequence[Layer] = (), *, file: Path | None = None, isolated: bool = False) -> None:
        self._overrides = tuple(overrides)
        self._found: dict[str, Config] = {}
        self._everywhere: Config | None = None
        here = Path.cwd()
        if file is not None:
            self._everywhere = build([*chain(file, base=here), *overrides], file, here)
        elif isolated:
            self._everywhere = build(overrides, None, here)

    def of(self, folder: str) -> Config:
        """The configuration for the files of an absolute folder; raises ConfigError."""
        if self._everywhere is not None:
            return self._everywhere
        found = self._found.get(folder)
        if found is None:
            found = self._found[folder] = self._find(folder)
        return found

    def _find(self, folder: str) -> Config:
        for name in NAMES:
            file = Path(folder, name)
            if _configures(file):
                return build([*chain(file), *self._overrides], file, file.parent)
        above = os.path.dirname(folder)  # noqa: PTH120
        return self.of(above) if above != folder else build(self._overrides, None, Path.cwd())


def _configures(file: Path) -> bool:
    """Whether the file is a configuration of otlint. A pyproject.toml that never says so is not even parsed."""
    if file.name != "pyproject.toml":
        return file.is_file()
    try:
        if b"otlint" not in file.read_bytes():
            return False
    except OSError:
        return False
    tool = toml.parse(toml.read(file), file).get("tool")
    return isinstance(tool, dict) and "otlint" in tool


def build(layers: Sequence[Layer], path: Path | None, base: Path) -> Config:
    """The settings that the layers make together, the last one winning."""
    values = merged(layers)
    get = _Reader(values)
    return Config(
        path=path,
        base=base,
        values=values,
        rules=tuple(layer.choice("select", "extend-select", "ignore", "extend-ignore") for layer in layers),
        fixes=tuple(layer.choice("fixable", None, "unfixable", None) for layer in layers),
        made_safe=get.selectors("extend-safe-fixes"),
        made_unsafe=get.selectors("extend-unsafe-fixes"),
        severity=get.severity(),
        fail_on=Level(get.text("fail-on") or "warning"),
        ignores=(*get.ignores("per-file-ignores"), *get.ignores("extend-per-file-ignores")),
        exclude=get.patterns("exclude"),
        extend_exclude=get.patterns("extend-exclude"),
        include=get.patterns("include"),
        force_exclude=get.flag("force-exclude"),
        respect_gitignore=get.flag("respect-gitignore", default=True),
        max_file_size=cast("int", values.get("max-file-size", MAX_FILE_SIZE)),
        output_format=get.text("output-format") or "full",
        fix=get.flag("fix"),
        unsafe_fixes=get.flag("unsafe-fixes"),
        show_fixes=get.flag("show-fixes"),
        cache_dir=get.path("cache-dir", base),
        project=get.project(base),
        instrumentation=get.instrumentation(),
        wrappers=Wrappers(
            get.texts("wrappers.tracers"), get.texts("wrappers.span-starters"), get.texts("wrappers.context-executors")
        ),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Checked values with their types."""

    values: Mapping[str, object]

    def flag(self, key: str, *, default: bool = False) -> bool:
        return cast("bool", self.values.get(key, default))

    def text(self, key: str) -> str | None:
        return cast("str | None", self.values.get(key))

    def path(self, key: str, base: Path) -> str | None:
        given = self.text(key)
        return None if given is None else os.path.normpath(base / Path(given).expanduser())

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(cast("Sequence[str]", self.values.get(key, ())))

    def selectors(self, key: str) -> tuple[Selector, ...]:
        return tuple(map(selection.selector, self.texts(key)))

    def globs(self, key: str) -> tuple[Glob, ...]:
        return tuple(cast("Sequence[Glob]", self.values.get(key, ())))

    def patterns(self, key: str) -> Globs | None:
        return Globs.of(self.globs(key)) if key in self.values else None

    def severity(self) -> tuple[tuple[Selector, Level], ...]:
        table = cast("Mapping[str, str]", self.values.get("severity", {}))
        return tuple((selection.selector(word), Level(level)) for word, level in table.items())

    def ignores(self, key: str) -> Iterator[tuple[Glob, tuple[Selector, ...]]]:
        for glob, words in cast("Mapping[Glob, Sequence[str]]", self.values.get(key, {})).items():
            yield glob, tuple(map(selection.selector, words))

    def project(self, base: Path) -> Project:
        root = self.path("project.root", base)
        return Project(
            None if root is None else Path(root),
            self.texts("project.source-roots") or Project().source_roots,
            self.text("project.facts") != "off",
        )

    def instrumentation(self) -> Instrumentation:
        return Instrumentation(
            self.flag("instrumentation.auto"),
            self.texts("instrumentation.libraries"),
            self.globs("instrumentation.bootstrap"),
            self.flag("instrumentation.shutdown-handled"),
            self.text("target-otel"),
        )
