"""One run of `otlint check`: settings, files, judgement, repair, report, exit code."""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from otlint import files, report
from otlint.cache import replay, store
from otlint.cache.store import FOLDER, Store
from otlint.cache.world import World, around, settings_of
from otlint.clock import clock
from otlint.crew import cores
from otlint.engine import Change, Problem, Report, Target, lint
from otlint.paths import shown
from otlint.settings.config import Config
from otlint.settings.level import Safety
from otlint.settings.options import Options
from otlint.settings.options import configs as configs_of
from otlint.speak import Progress, Speaker
from otlint.toml import ConfigError

if TYPE_CHECKING:
    from otlint.finding import Finding
    from otlint.rulebook import Entry
    from otlint.source import Source


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, after all settings were read. `config` is that of the run, for what no file decides."""

    options: Options
    config: Config
    targets: Sequence[Target]
    problems: Sequence[Problem]
    root: Path
    data: bytes = b""

    @property
    def repairs(self) -> bool:
        """Whether fixes are asked for, be it only to show them."""
        options = self.options
        return bool(options.diff or options.fix_only or (self.config.fix if options.fix is None else options.fix))

    @property
    def format(self) -> str:
        """How findings are written."""
        return self.config.output_format


def run(options: Options, arguments: Sequence[str] | None = None) -> int:
    """Check what the options name and return the exit code; raises ConfigError.

    `arguments` are those of the command line, if a later run with the same ones may be answered from the cache.
    """
    started = time.monotonic()
    clock.clear()
    job = job_of(options)
    if options.show_settings or options.show_files:
        return _show(job)
    if options.statistics and job.format not in ("full", "concise", "json"):
        raise ConfigError(f"--statistics: there are none in the format `{job.format}`; use `full`, `concise` or `json`")
    world = _world(job) if arguments is not None and _may_repeat(job) else None
    before = replay.state_of(world) if world is not None else ""
    say = Speaker(options)
    say.details(job)
    found = _lint(job, Progress(options, started))
    written = _write(job, found) if job.repairs and not options.diff else found
    code = _exit_code(job, written)
    heard = Heard(sys.stdout)
    try:
        with clock.part("report"):
            _publish(job, written, heard)
            sys.stdout.flush()
    except BrokenPipeError:
        from otlint.cli import silence

        silence()
    say.after(job, written, time.monotonic() - started)
    if arguments is not None and world is not None and not (written.problems or written.notes):
        place = _store(job)
        if place is not None and world.digest() == before:
            replay.keep(place, arguments, world, before, "".join(heard.texts), code)
    return code


class Heard:
    """A stream that remembers what was written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.texts: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text."""
        self.texts.append(text)
        return self._stream.write(text)


def _may_repeat(job: Job) -> bool:
    """Whether a run does nothing but print its report, and reads nothing that `_world` does not name."""
    options, configs = job.options, {job.config, *(target.config for target in job.targets)}
    does_more = job.repairs or options.stdin or options.output_file is not None or options.verbose or options.no_cache
    says_more = options.no_project_facts or not job.config.project.facts or not job.targets or job.format == "sarif"
    reads_more = options.config or any(one.exclude is not None or "extend" in one.values for one in configs)
    return not (does_more or says_more or reads_more or job.problems)


def _world(job: Job) -> World:
    """What the run reads."""
    from otlint.deployment import services as deployment

    def wanted(name: str, folder: str) -> bool:
        return name.endswith((".py", ".pyi")) or deployment.reads(name, folder)

    paths = [os.path.abspath(path) for path in job.options.paths or (".",)]  # noqa: PTH100
    tops = [str(job.root), *(path for path in paths if os.path.isdir(path))]  # noqa: PTH112
    more = [str(target.path) for target in job.targets]
    homes = {os.path.dirname(path) for path in paths} | {os.getcwd()}  # noqa: PTH109, PTH120
    more += [path for home in sorted(homes) for path in settings_of(home)]
    return around(tops, more, files.EXCLUDED & deployment.EXCLUDED, wanted)


def job_of(options: Options) -> Job:
    """What the options ask for; raises ConfigError."""
    configs = configs_of(options)
    given = None if options.project_root is None else Path(options.project_root)
    if given is not None and not given.is_dir():
        raise ConfigError(f"--project-root: {given} is no directory")
    if options.stdin:
        path = os.path.abspath(options.stdin_filename or "-")  # noqa: PTH100
        config = configs.of(os.path.dirname(path))  # noqa: PTH120
        data = sys.stdin.buffer.read()
        name = shown(path) if options.stdin_filename else "-"
        targets = [] if files.force_excluded(path, config) else [Target(Path(path), name, config, data)]
        root = files.project_root(Path(path).parent, config, given)
        return Job(options, config, targets, [], root, data)
    paths = options.paths or (".",)
    listing = files.discover(paths, configs)
    targets = [Target(file.path, file.shown, file.config) for file in listing.files]
    problems = [Problem(path, message) for path, message in listing.problems]
    start = files.common_folder(paths)
    root = files.project_root(start, configs.of(str(start)), given)
    return Job(options, configs.of(str(Path.cwd())), targets, problems, root)


def _show(job: Job) -> int:
    from otlint import show

    if job.options.show_files:
        print(*(target.shown for target in job.targets), sep="\n", end="\n" * bool(job.targets))  # noqa: T201
    else:
        first = job.targets[0] if job.targets else Target(Path.cwd() / "-", ".", job.config)
        print(show.settings(first.shown, first.config))  # noqa: T201
    Speaker(job.options).problems(job.problems)
    return 2 if job.problems else 0


def _lint(job: Job, progress: Progress) -> Report:
    found = _judged(job, job.targets, job.repairs, progress)
    progress.clear()
    found.problems = [*job.problems, *found.problems]
    return found


def _judged(job: Job, targets: Sequence[Target], repairs: bool, progress: Callable[[int, int], None] | None) -> Report:
    repair = None
    if repairs:
        repair = Safety.UNSAFE if job.config.unsafe_fixes else Safety.SAFE
    found = lint(
        targets,
        root=job.root,
        project_files=project_files(job),
        repair=repair,
        ignore_suppressions=job.options.ignore_suppressions,
        progress=progress,
        store=_store(job),
        jobs=_jobs(job.options.jobs),
    )
    configs = {target.shown: target.config for target in targets}
    found.findings = [_fixable(finding, configs[finding.path]) for finding in found.findings]
    return found


def _store(job: Job) -> Store | None:
    """Where what is found out is kept for later runs; None when nothing is to be."""
    return None if job.options.no_cache else Store(cache_folder(job.options, job.config, job.root))


def _jobs(given: str | None) -> int:
    """How many processes may work; raises ConfigError."""
    if given is None or given == "auto":
        return cores()
    if not given.isdecimal() or int(given) == 0:
        raise ConfigError(f"--jobs: `{given}` is neither a number nor `auto`")
    return int(given)


def cache_folder(options: Options, config: Config, root: Path) -> str:
    """The absolute folder of the cache."""
    given = options.cache_dir or config.cache_dir
    return str(root / FOLDER) if given is None else os.path.abspath(given)  # noqa: PTH100


def clean(options: Options) -> str:
    """Remove the cache of the project that the paths are in, and say what was removed; raises ConfigError."""
    start = files.common_folder(options.paths or (".",))
    config = configs_of(options).of(str(start))
    given = None if options.project_root is None else Path(options.project_root)
    folder = cache_folder(options, config, files.project_root(start, config, given))
    freed = store.clean(folder)
    return f"Removed {shown(folder)} ({freed:,} bytes)" if freed else f"No cache in {shown(folder)}"


def project_files(job: Job) -> Callable[[], Iterator[Path]] | None:
    """Lists the files that project facts come from; None when the options want none."""
    if job.options.no_project_facts or not job.config.project.facts:
        return None
    if any(os.path.abspath(path) == str(job.root) for path in job.options.paths or (".",)):  # noqa: PTH100
        return lambda: (target.path for target in job.targets)  # they are the project: one scan is enough
    return lambda: files.project_files(job.root, job.config)


def _fixable(finding: Finding, config: Config) -> Finding:
    """The finding without a fix that must not be applied."""
    if finding.fix is None or config.may_fix(finding.code, finding.name):
        return finding
    return dataclasses.replace(finding, fix=None)


def _write(job: Job, found: Report) -> Report:
    """Write what was repaired. A file that cannot be written has its findings as before."""
    if job.options.stdin or not found.changes:
        return found
    from otlint import fix
    from otlint.source import SourceError

    failed: dict[str, Problem] = {}
    for change in found.changes:
        try:
            fix.write(change.path, change.before.encode(change.after))
        except (OSError, SourceError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            failed[change.shown] = Problem(change.shown, f"cannot be written: {reason}")
    if not failed:
        return found
    again = _judged(job, [target for target in job.targets if target.shown in failed], False, None)
    kept = [finding for finding in found.findings if finding.path not in failed]
    return dataclasses.replace(
        found,
        findings=sorted([*kept, *again.findings], key=lambda finding: finding.sort_key),
        changes=[change for change in found.changes if change.shown not in failed],
        problems=[*found.problems, *failed.values()],
    )


def _exit_code(job: Job, found: Report) -> int:
    options = job.options
    if found.problems:
        return 2
    if options.exit_zero:
        return 0
    if options.diff or (found.changes and options.exit_non_zero_on_fix):
        return int(bool(found.changes))
    if options.fix_only:
        return 0
    limits = {target.shown: target.config.fail_on.rank for target in job.targets}
    return int(any(finding.level.rank >= limits[finding.path] for finding in found.findings))


def _publish(job: Job, found: Report, out: Heard) -> None:
    """The report, the patch, or the repaired standard input, each to its stream."""
    options = job.options
    if options.stdin and job.repairs and not options.diff:
        after = [change.before.encode(change.after) for change in found.changes]
        sys.stdout.buffer.write(after[0] if after else job.data)
    if options.diff:
        for change in found.changes:
            sys.stdout.buffer.write(_patch(change))
        return
    if options.silent or (options.fix_only and (not found.changes or job.format not in ("full", "concise"))):
        return
    stream = sys.stderr if options.stdin and job.repairs else cast("TextIO", out)
    if options.output_file is None:
        _report(job, found, stream)
        return
    try:
        with Path(options.output_file).open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            _report(job, found, file)
    except OSError as error:
        raise ConfigError(f"--output-file: {options.output_file} cannot be written: {error.strerror}") from error


def _patch(change: Change) -> bytes:
    from otlint import fix

    return fix.diff(change.before, change.after, change.shown).encode(change.before.encoding, "surrogateescape")


def _report(job: Job, found: Report, stream: TextIO) -> None:
    from otlint.report import text

    options = job.options
    setting = report.Setting(
        _sources(job, found),
        functools.partial(_enabled, job),
        unsafe=job.config.unsafe_fixes,
        color=color(options, stream),
        summary=not options.quiet,
        partial_facts=project_files(job) is None,
    )
    if job.format in ("full", "concise") and found.changes and job.config.show_fixes:
        text.fixes(found, stream)
    if options.fix_only:
        stream.write("" if options.quiet else text.fixed(found) + "\n")
    elif options.statistics:
        report.statistics(job.format)(found, stream, setting)
    else:
        report.writer(job.format)(found, stream, setting)


def _enabled(job: Job) -> list[Entry]:
    """The rules that are on by any configuration of the run: what single files ignore does not matter."""
    from otlint.rulebook import entries

    configs = dict.fromkeys([job.config, *(target.config for target in job.targets)])
    return [
        entry
        for entry in entries()
        if any(
            config.selects(entry.code, entry.name, entry.level, "")
            or (entry.category != "otlint" and config.selects_hint(entry.code, entry.name))
            for config in configs
        )
    ]


def _sources(job: Job, found: Report) -> Callable[[str], Source | None]:
    """Gives the text that the findings of a file speak of: repaired, from standard input, or from the file."""
    changed = {change.shown: dataclasses.replace(change.before, text=change.after) for change in found.changes}
    targets: Mapping[str, Target] = {target.shown: target for target in job.targets}

    @functools.cache
    def source(name: str) -> Source | None:
        if name in changed:
            return changed[name]
        from otlint.source import Source, SourceError

        target = targets.get(name)
        try:
            data = target.data if target is not None else None
            path = target.path if target is not None else Path(name)
            return Source.decode(path.read_bytes() if data is None else data, name)
        except (OSError, SourceError):
            return None

    return source


def color(options: Options, stream: TextIO) -> bool:
    """Whether to write colours to a stream."""
    if options.output_file is not None:
        return False
    if options.color != "auto":
        return options.color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
