"""The command line: options, streams and exit codes. What a command does is in the module it imports when it runs."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from otlint import __version__
from otlint.report import FORMATS

F = TypeVar("F", bound=Callable[..., Any])

_NAMES = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_LEVELS = ("error", "warning", "info")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run otlint with the arguments (those of the process by default) and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A name or a line that the terminal's encoding lacks must not stop the report.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    if arguments is None:
        gc.disable()  # the process ends with this run, and nearly all that it makes lives until then
    try:
        given = list(_expanded(sys.argv[1:] if arguments is None else arguments))
        with cli.make_context("otlint", list(given), obj=given) as context:
            code = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        silence()
        return 0
    return int(code or 0)


def silence() -> None:
    """Forget what the reader of a closed pipe will not take, also when the interpreter flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _expanded(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments, with the lines of `FILE` in place of `@FILE`."""
    for argument in arguments:
        if not argument.startswith("@") or argument == "@":
            yield argument
            continue
        try:
            lines = Path(argument[1:]).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeError) as error:
            raise click.UsageError(f"cannot read the argument file {argument[1:]}: {error}") from error
        yield from filter(None, lines)


class _Group(click.Group):
    """`check` is what happens when no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        if not args or (args[0] not in self.commands and args[0] not in own):
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        rows = [(name, command.get_short_help_str(80)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl([(f"{name} (default)" if name == "check" else name, text) for name, text in rows])


class _Check(click.Command):
    """Shows its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, names in _SECTIONS.items():
            with formatter.section(heading):
                found = [
                    parameter.get_help_record(ctx) for parameter in self.get_params(ctx) if parameter.name in names
                ]
                formatter.write_dl([record for record in found if record is not None])


_SECTIONS = {
    "Repair": ("fix", "unsafe_fixes", "fix_only", "diff", "show_fixes", "exit_non_zero_on_fix"),
    "Rules": (
        "select", "ignore", "extend_select", "extend_ignore", "fixable", "unfixable", "per_file_ignores",
        "ignore_suppressions",
    ),
    "Files": (
        "exclude", "extend_exclude", "force_exclude", "respect_gitignore", "stdin_filename", "project_root",
        "no_project_facts", "no_cache", "cache_dir", "jobs",
    ),
    "Configuration": ("config", "isolated", "show_settings", "show_files"),
    "Report": (
        "output_format", "output_file", "fail_on", "exit_zero", "statistics", "quiet", "silent", "verbose", "color",
        "help",
    ),
}  # fmt: skip


@click.group(cls=_Group, context_settings=_NAMES, no_args_is_help=False, subcommand_metavar="[check] [PATHS]...")
@click.version_option(__version__, "-V", "--version", message="otlint %(version)s")
def cli() -> None:
    """Find lost traces, swallowed errors and leaked spans in Python that uses OpenTelemetry, and repair them."""


def _options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def _switch(name: str, text: str) -> Callable[[F], F]:
    """`--name/--no-name`, None when neither is given."""
    return click.option(f"--{name}/--no-{name}", default=None, help=text)


def _words(name: str, text: str, metavar: str = "RULES") -> Callable[[F], F]:
    """A list with commas that may be given several times."""
    return click.option(f"--{name}", multiple=True, metavar=metavar, help=text)


_REPAIR = _options(
    _switch("fix", "Repair what is safe to repair."),
    _switch("unsafe-fixes", "Repair and offer what may change more than the defect."),
    _switch("fix-only", "Repair, and do not report what is left."),
    click.option("--diff", is_flag=True, help="Write no file; print what would be repaired as a patch."),
    _switch("show-fixes", "List what was repaired."),
    click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 if anything was repaired."),
)
_RULES = _options(
    _words("select", "Rules to report: code, start of a code, name, category, ALL, hints."),
    _words("ignore", "Rules not to report."),
    _words("extend-select", "Rules to report besides the configured ones."),
    _words("extend-ignore", "Rules not to report besides the configured ones."),
    _words("fixable", "Rules that may be repaired."),
    _words("unfixable", "Rules that may not be repaired."),
    _words("per-file-ignores", "Rules not to report in some files.", "PATTERN:RULE"),
    click.option("--ignore-suppressions", "--ignore-noqa", is_flag=True, help="Report what comments suppress, too."),
    click.option("--preview/--no-preview", default=None, hidden=True),
)
_FILES = _options(
    _words("exclude", "Files and folders to leave out instead of the usual ones.", "PATTERNS"),
    _words("extend-exclude", "Files and folders to leave out besides.", "PATTERNS"),
    _switch("force-exclude", "Leave excluded files out even when they are named here."),
    _switch("respect-gitignore", "Leave out what ignore files name (default)."),
    click.option("--stdin-filename", metavar="FILE", help="Name of the file that is read from standard input."),
    click.option("--project-root", metavar="DIR", help="Folder whose files tell facts about the project."),
    click.option("--no-project-facts", is_flag=True, help="Read no other files than those to check."),
    click.option("--no-cache", "-n", is_flag=True, envvar="OTLINT_NO_CACHE", help="Neither read nor write the cache."),
    click.option(
        "--cache-dir", metavar="DIR", envvar="OTLINT_CACHE_DIR", help="Folder of the cache (.otlint_cache at the root)."
    ),
    click.option("--jobs", "-j", metavar="N", help="How many processes may work (auto: one for each core)."),
)
_CONFIGURATION = _options(
    click.option("--config", multiple=True, metavar="FILE|'KEY = VALUE'", help="A configuration file, or one setting."),
    click.option("--isolated", is_flag=True, help="Read no configuration of otlint."),
    click.option("--show-settings", is_flag=True, help="Print the settings for the first file, and stop."),
    click.option("--show-files", is_flag=True, help="Print the files that would be checked, and stop."),
)
_REPORT = _options(
    click.option(
        "--output-format", type=click.Choice(FORMATS), envvar="OTLINT_OUTPUT_FORMAT", help="How to report.",
        show_envvar=True,
    ),
    click.option("--output-file", "-o", metavar="FILE", help="Where to write the report."),
    click.option("--fail-on", type=click.Choice(_LEVELS), help="Lowest level that makes the exit code 1."),
    click.option("--exit-zero", "-e", is_flag=True, help="Exit with 0 even when something was found."),
    click.option("--statistics", is_flag=True, help="Print how often each rule was violated."),
    click.option("--quiet", "-q", is_flag=True, help="Print findings and nothing else."),
    click.option("--silent", "-s", is_flag=True, help="Print nothing."),
    click.option("--verbose", "-v", is_flag=True, help="Say on standard error what is done."),
    click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="Use colours."),
)  # fmt: skip


@cli.command(cls=_Check, context_settings=_NAMES)
@click.argument("paths", nargs=-1)
@_REPAIR
@_RULES
@_FILES
@_CONFIGURATION
@_REPORT
def check(**given: Any) -> int:
    """Check files and folders (default: the working directory; `-` is standard input).

    Exits with 0 when there is nothing to report, 1 when there is, 2 when something could not be done.
    """
    from otlint.check import run
    from otlint.settings.options import Options
    from otlint.toml import ConfigError

    accepted = ("preview",)
    arguments = click.get_current_context().obj
    try:
        return run(Options(**{name: value for name, value in given.items() if name not in accepted}), arguments)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@cli.command(context_settings=_NAMES)
@click.argument("line", metavar="FILE:LINE[:COLUMN]")
@click.option("--project-root", metavar="DIR", help="Folder whose files tell facts about the project.")
@click.option("--config", multiple=True, metavar="FILE|'KEY = VALUE'", help="A configuration file, or one setting.")
@click.option("--isolated", is_flag=True, help="Read no configuration of otlint.")
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="Use colours.")
def explain(line: str, output_format: str, **given: Any) -> int:
    """Say what is found at a line and why, and which fact silences a rule there.

    Exits with 0 when the question is answered, 2 when it cannot be.
    """
    from otlint import explain as explaining
    from otlint.settings.options import Options
    from otlint.toml import ConfigError

    try:
        return explaining.run(line, Options(**given), output_format)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@cli.command(context_settings=_NAMES)
@click.argument("paths", nargs=-1)
@click.option("--cache-dir", metavar="DIR", envvar="OTLINT_CACHE_DIR", help="Folder of the cache.")
@click.option("--project-root", metavar="DIR", help="Folder of the project that the cache is about.")
def clean(**given: Any) -> None:
    """Remove the cache of the project that the paths are in (default: the working directory)."""
    from otlint import check as checking
    from otlint.settings.options import Options
    from otlint.toml import ConfigError

    try:
        click.echo(checking.clean(Options(**given)))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@cli.command(context_settings=_NAMES)
@click.argument("word", metavar="[CODE|NAME]", required=False)
@click.option("--all", "everything", is_flag=True, help="Explain all rules.")
@click.option("--output-format", type=click.Choice(("text", "json", "markdown")), default="text", show_default=True)
def rule(word: str | None, everything: bool, output_format: str) -> None:
    """Explain a rule; without one, list all of them."""
    from otlint import show
    from otlint.settings.selection import UnknownRuleError

    try:
        click.echo(show.rules(word, everything=everything, form=output_format))
    except UnknownRuleError as error:
        raise click.UsageError(str(error)) from error


@cli.command(context_settings=_NAMES)
@click.argument("key", required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the configuration.")
def config(key: str | None, schema: bool) -> None:
    """Explain a key of the configuration; without one, list all of them."""
    from otlint import show

    try:
        click.echo(show.schema() if schema else show.keys_of(key))
    except KeyError as error:
        raise click.UsageError(str(error.args[0])) from error
