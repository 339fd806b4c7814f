"""The command line: what goes to which stream, exit codes, options, broken inputs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest

import otlint
from otlint import fix, pages, rule
from otlint.cli import main
from otlint.edits import delete_statement
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.model.module import Module
from otlint.settings.options import Options
from otlint.speak import Progress
from tests.catalogue import catalogue  # noqa: F401
from tests.expected import same

ROOT = Path(otlint.__file__).parents[1]
LEVELS = {"OTL101": Level.WARNING, "OTL107": Level.ERROR, "OTL105": Level.INFO}
NAMES = {"OTL101": "thread-drops-context", "OTL107": "attach-without-detach", "OTL105": "detached-root-context"}


def checking(code: str, word: str, safety: Safety | None) -> rule.Check:
    """A rule that reports each statement `word(…)`, and repairs it by deleting it."""

    def check(module: Module) -> Iterator[Finding]:
        for call in module.walk.all(cst.Call):
            name = call.func.value if isinstance(call.func, cst.Name) else ""
            if name == f"{word}_crash":
                raise ZeroDivisionError("on purpose")
            if name in (word, f"{word}_weakly"):
                statement = module.walk.statement_of(call)
                repair = Fix(f"delete `{word}`", safety, tuple(delete_statement(module, statement))) if safety else None
                yield module.finding(call, f"`{word}` is called", fix=repair, hint=name.endswith("weakly"))

    return check


@pytest.fixture(autouse=True)
def project(monkeypatch, tmp_path, catalogue):  # noqa: F811
    """An empty project, and three rules with a repair of each kind."""
    rules = [
        rule.Rule("OTL101", NAMES["OTL101"], Level.WARNING, Safety.UNSAFE, checking("OTL101", "unsafe", Safety.UNSAFE)),
        rule.Rule("OTL105", NAMES["OTL105"], Level.INFO, None, checking("OTL105", "hint", None)),
        rule.Rule("OTL107", NAMES["OTL107"], Level.ERROR, Safety.SAFE, checking("OTL107", "safe", Safety.SAFE)),
    ]
    monkeypatch.setattr(rule, "codes", lambda: NAMES)
    monkeypatch.setattr(rule, "catalogue", lambda: rules)
    monkeypatch.setattr(rule, "load", lambda code: {one.code: one for one in rules}[code])
    monkeypatch.setattr(
        pages, "page", lambda code: pages.parse(f"# {NAMES[code]} ({code})\n\nA summary.\n\n## Why\n\nBecause.\n")
    )
    monkeypatch.chdir(tmp_path)
    for name in ("OTLINT_OUTPUT_FORMAT", "NO_COLOR", "FORCE_COLOR", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


def make(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def judged(*statements: str) -> str:
    """A file that otlint judges."""
    return "\n".join(["from opentelemetry import trace", "", *statements, ""])


@pytest.fixture
def run(capsysbinary):
    """Runs a command: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        found = capsysbinary.readouterr()
        return code, found.out.decode(), found.err.decode()

    return call


@pytest.fixture
def stdin(monkeypatch):
    """Puts bytes on standard input."""

    def put(text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


def shell(command: str, *, code: int | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real program, with the project's real rules."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        ["bash", "-c", command.replace("otlint", f"{sys.executable} -m otlint", 1)],
        capture_output=True, text=True, env=env, check=False, timeout=60,
    )  # fmt: skip
    assert code is None or done.returncode == code, done
    return done


# -- reports ------------------------------------------------------------------------------------------------------


def test_check_is_the_default_command(run):
    make("a.py", judged("safe(1)", "unsafe(2)", "hint(3)"))
    make("b/b.py", judged("x = 1", "unsafe(2)  # noqa: OTL101"))
    make("c.py", "unsafe(1)\n")
    for arguments in ((), ("check",), (".",), ("check", "."), ("--no-fix", "."), ("a.py", "b", "c.py")):
        code, out, err = run(*arguments)
        assert (code, err) == (1, "")
        same("cli-full.txt", out)


@pytest.mark.parametrize("form", ["concise", "json", "github", "sarif"])
def test_formats(run, form):
    make("a.py", judged("safe(1)", "unsafe(2)", "hint(3)"))
    code, out, err = run("--output-format", form, "--extend-select", "hints")
    assert (code, err) == (1, "")
    same(f"cli-{form}.txt", out.replace(otlint.__version__, "VERSION"))


def test_the_format_comes_from_option_environment_configuration_in_this_order(run, monkeypatch):
    make("a.py", judged("safe(1)"))
    make("otlint.toml", "output-format = 'json'")
    assert run()[1].startswith("[")
    monkeypatch.setenv("OTLINT_OUTPUT_FORMAT", "github")
    assert run()[1].startswith("::error")
    assert run("--output-format=concise")[1].startswith("a.py:3:1: OTL107 [*] `safe` is called\n")
    monkeypatch.setenv("OTLINT_OUTPUT_FORMAT", "")
    assert run()[1].startswith("[")


def test_a_clean_run(run):
    make("a.py", judged("x = 1"))
    assert run() == (0, "All checks passed!\n", "")
    assert run("-q") == (0, "", "")
    assert run("--output-format", "json") == (0, "[]\n", "")
    assert run("--output-format", "github") == (0, "", "")


def test_a_run_without_files(run):
    code, out, err = run()
    assert (code, out, err) == (0, "All checks passed!\n", "warning: no Python files found under the given paths\n")


def test_the_report_can_go_to_a_file(run):
    make("a.py", judged("safe(1)"))
    assert run("--output-format", "json", "-o", "out.json") == (1, "", "")
    assert json.loads(Path("out.json").read_text())[0]["code"] == "OTL107"
    code, _, err = run("-o", "no/such/folder")
    assert code == 2
    assert err == "Error: --output-file: no/such/folder cannot be written: No such file or directory\n"


def test_quiet_silent_verbose(run):
    make("a.py", judged("safe(1)"))
    _, out, err = run("-q", "--output-format", "concise")
    assert (out, err) == ("a.py:3:1: OTL107 [*] `safe` is called\n", "")
    assert run("-s") == (1, "", "")
    code, out, err = run("-v", "-q")
    assert code == 1
    assert "configuration: none\n" in err
    assert "files: 1\n" in err


def test_statistics(run):
    make("a.py", judged("safe(1)", "safe(2)", "unsafe(2)"))
    code, out, _ = run("--statistics")
    assert code == 1
    assert out.splitlines()[:2] == ["2  OTL107  [*]  attach-without-detach", "1  OTL101  [ ]  thread-drops-context"]
    assert json.loads(run("--statistics", "--output-format", "json")[1])[0]["count"] == 2
    assert run("--statistics", "--output-format", "sarif") == (
        2,
        "",
        "Error: --statistics: there are none in the format `sarif`; use `full`, `concise` or `json`\n",
    )


@pytest.mark.parametrize(
    ("environment", "option", "colored"),
    [
        ({}, "auto", False),
        ({}, "always", True),
        ({"FORCE_COLOR": "1"}, "auto", True),
        ({"FORCE_COLOR": "1"}, "never", False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({"FORCE_COLOR": "0"}, "auto", False),
    ],
)
def test_colours(run, monkeypatch, environment, option, colored):
    make("a.py", judged("safe(1)"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in run("--color", option)[1]) is colored
    assert "\x1b[" not in run("--color", option, "--output-format", "json")[1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_after_a_second(monkeypatch):
    def shown(stream: io.StringIO, *seconds: float, quiet: bool = False) -> str:
        monkeypatch.setattr(sys, "stderr", stream)
        progress = Progress(Options(quiet=quiet), 100.0)
        for done, now in enumerate(seconds, 1):
            monkeypatch.setattr(time, "monotonic", lambda now=now: now)
            progress(done, 1000)
        progress.clear()
        return stream.getvalue()

    assert shown(Terminal(), 100.1, 100.9) == ""
    assert shown(Terminal(), 100.9, 101.2, 101.21, 101.5) == (
        "\r\x1b[KChecking 2 of 1,000 files\r\x1b[KChecking 4 of 1,000 files\r\x1b[K"
    )
    assert shown(Terminal(), 102, quiet=True) == ""
    assert shown(io.StringIO(), 102) == ""


# -- exit codes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "options", "code"),
    [
        ("unsafe(1)", (), 1),
        ("unsafe(1)", ("--exit-zero",), 0),
        ("unsafe(1)", ("-e",), 0),
        ("unsafe(1)", ("--fail-on", "error"), 0),
        ("safe(1)", ("--fail-on", "error"), 1),
        ("hint(1)", (), 0),
        ("hint(1)", ("--select", "hints"), 0),
        ("hint(1)", ("--select", "hints", "--fail-on", "info"), 1),
        ("unsafe(1)", ("--config", "severity = { OTL1 = 'info' }"), 0),
        ("x = (", (), 1),
        ("x = (", ("--exit-zero",), 0),
        ("x = (", ("--select", "OTL101"), 1),
        ("safe(1)", ("--fix",), 0),
        ("safe(1)", ("--fix", "--exit-non-zero-on-fix"), 1),
        ("unsafe(1)", ("--fix",), 1),
        ("unsafe(1)", ("--fix", "--unsafe-fixes"), 0),
        ("unsafe(1)", ("--fix-only",), 0),
        ("unsafe(1)", ("--diff",), 0),
        ("safe(1)", ("--diff",), 1),
        ("safe(1)", ("--diff", "--exit-zero"), 0),
        ("safe_crash(1)", (), 2),
        ("safe_crash(1)", ("--exit-zero",), 2),
    ],
)
def test_exit_codes(run, statement, options, code):
    make("a.py", judged(statement))
    assert run(*options)[0] == code


def test_what_fails_a_file_is_its_own_configuration(run):
    make("a/x.py", judged("unsafe(1)"))
    make("a/otlint.toml", "fail-on = 'error'")
    assert run()[0] == 0
    make("x.py", judged("unsafe(1)"))
    assert run()[0] == 1


def test_a_crash_of_one_rule_hides_nothing_else(run):
    make("a.py", judged("safe_crash(1)", "unsafe(2)"))
    make("b.py", judged("safe(1)"))
    code, out, err = run("--output-format", "concise", "-q")
    assert code == 2
    assert out.splitlines() == ["a.py:4:1: OTL101 `unsafe` is called", "b.py:3:1: OTL107 [*] `safe` is called"]
    assert err == "error: a.py: internal error in OTL107 attach-without-detach: ZeroDivisionError: on purpose\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fxi",), "No such option"),
        (("--select", "OTL9"), "Error: --select: unknown rule `OTL9`\n"),
        (
            ("--ignore", "thread-drop-context"),
            "--ignore: unknown rule `thread-drop-context`; did you mean `thread-drops-context`?",
        ),
        (("--per-file-ignores", "x.py"), "--per-file-ignores: `x.py` is not PATTERN:RULE"),
        (("--per-file-ignores", "x.py:OTL9"), "--per-file-ignores: `x.py`: unknown rule `OTL9`"),
        (("--config", "gone.toml"), "`--config gone.toml` is neither a file nor `key = value`"),
        (("--config", "slect = []"), "--config: unknown key `slect`; did you mean `select`?"),
        (("--config", "a.toml", "--config", "b.toml"), "--config: only one configuration file can be given"),
        (("--config", "a.toml", "--isolated"), "--isolated reads no configuration"),
        (("--output-format", "xml"), "'xml' is not one of"),
        (("--project-root", "gone"), "--project-root: gone is no directory"),
        (("@gone.txt",), "cannot read the argument file gone.txt"),
        (("rule", "OTL1O1"), "unknown rule `OTL1O1`; did you mean"),
        (("config", "selct"), "unknown key `selct`; did you mean `select`?"),
    ],
)
def test_wrong_usage(run, arguments, message):
    make("a.toml", "")
    make("b.toml", "")
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_a_broken_configuration(run):
    make("a.py", judged("safe(1)"))
    make("pyproject.toml", "[tool.otlint]\n\nslect = []\n")
    assert run() == (2, "", "Error: pyproject.toml:3: unknown key `slect`; did you mean `select`?\n")
    make("pyproject.toml", "[tool.otlint\n")
    code, _, err = run()
    assert code == 2
    assert err.startswith("Error: pyproject.toml:1: invalid TOML: ")
    assert run("--isolated")[0] == 1


# -- rules and configuration --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ((), ["OTL101", "OTL107"]),
        (("--select", "OTL107"), ["OTL107"]),
        (("--select", "OTL107,OTL105"), ["OTL107", "OTL105"]),
        (("--select", "OTL107", "--select", "detached-root-context"), ["OTL107", "OTL105"]),
        (("--select", "context"), ["OTL101", "OTL107", "OTL105"]),
        (("--ignore", "OTL107"), ["OTL101"]),
        (("--extend-ignore", "OTL107"), ["OTL101"]),
        (("--extend-select", "hints"), ["OTL101", "OTL107", "OTL105"]),
        (("--select", "ALL", "--ignore", "OTL1", "--extend-select", "OTL107"), ["OTL107"]),
        (("--per-file-ignores", "a.py:OTL107,b.py:OTL101"), ["OTL101"]),
        (("--preview", "--config", "ignore = ['OTL101']"), ["OTL107"]),
    ],
)
def test_selection(run, options, codes):
    make("a.py", judged("unsafe(1)", "safe(2)", "hint(3)"))
    _, out, _ = run(*options, "--output-format", "json")
    assert [one["code"] for one in json.loads(out)] == codes


def test_the_weaker_part_of_a_rule_is_a_hint(run):
    make("a.py", judged("unsafe_weakly(1)", "unsafe(1)"))
    assert len(json.loads(run("--output-format", "json", "--select", "ALL")[1])) == 1
    found = json.loads(run("--output-format", "json", "--select", "OTL101")[1])
    assert [one["severity"] for one in found] == ["info", "warning"]


def test_unfixable_rules_are_not_offered(run):
    make("a.py", judged("safe(1)"))
    code, out, _ = run("--unfixable", "OTL107", "--fix")
    assert code == 1
    assert out.endswith("Found 1 error.\n")
    assert json.loads(run("--fixable", "OTL101", "--output-format", "json")[1])[0]["fix"] is None


def test_suppressed_findings_can_be_shown(run):
    make("a.py", judged("safe(1)  # noqa", "unsafe(1)  # otlint: ignore[OTL101] why"))
    assert run() == (0, "All checks passed! (2 suppressed)\n", "")
    for option in ("--ignore-suppressions", "--ignore-noqa"):
        assert run(option, "-q", "--output-format", "concise")[1].count("is called") == 2


def test_each_file_has_its_settings(run):
    make("a/x.py", judged("safe(1)", "unsafe(1)"))
    make("b/x.py", judged("safe(1)", "unsafe(1)"))
    make("a/pyproject.toml", "[tool.otlint]\nselect = ['OTL101']\n")
    make("b/.otlint.toml", "ignore = ['OTL101']\nseverity = { OTL107 = 'info' }\n")
    _, out, _ = run("--output-format", "json")
    assert [(one["filename"], one["code"], one["severity"]) for one in json.loads(out)] == [
        ("a/x.py", "OTL101", "warning"),
        ("b/x.py", "OTL107", "info"),
    ]


def test_all_rules_that_any_file_has_on_are_listed_in_sarif(run):
    make("a/x.py", judged("hint(1)"))
    make("otlint.toml", "select = ['OTL107']")
    make("a/otlint.toml", "select = ['OTL105']")
    listed = json.loads(run("--output-format", "sarif")[1])["runs"][0]["tool"]["driver"]["rules"]
    assert [one["id"] for one in listed] == ["OTL000", "OTL105", "OTL107"]


def test_facts_can_be_switched_off(run):
    make("a.py", judged("x = 1"))
    assert run("--no-project-facts") == (0, "All checks passed!\n", "facts: partial\n")
    sarif = json.loads(run("--no-project-facts", "-q", "--output-format", "sarif")[1])
    assert sarif["runs"][0]["properties"] == {"facts": "partial"}
    make("otlint.toml", "project.facts = 'off'")
    assert "properties" in json.loads(run("--output-format", "sarif")[1])["runs"][0]


def test_show_files_and_settings(run):
    make("a.py", "")
    make("b/x.pyi", "")
    make("otlint.toml", "extend-exclude = ['gen']\nunfixable = ['OTL107']\nseverity = { context = 'info' }\n")
    assert run("--show-files") == (0, "a.py\nb/x.pyi\n", "")
    assert run("--show-files", "a.py", "gone.py") == (2, "a.py\n", "error: gone.py: no such file or directory\n")
    code, out, _ = run("--show-settings", "--ignore", "OTL101")
    assert code == 0
    same("cli-show-settings.txt", out.replace(str(Path.cwd()), "HERE"))


def test_argument_files(run):
    make("a.py", judged("safe(1)"))
    make("b c.py", judged("safe(1)"))
    make("list", "--output-format\nconcise\n-q\n\nb c.py\n")
    assert run("@list")[1] == "b c.py:3:1: OTL107 [*] `safe` is called\n"


def test_what_other_tools_send_is_accepted(run, stdin):
    make("a.py", judged("safe(1)"))
    for options in (
        "--force-exclude --quiet --output-format=concise a.py",
        "--cache-dir d --output-format json a.py",
        "--exit-zero --output-format json --output-file out.json a.py",
        "--preview -n -j 2 a.py",
    ):
        code, _, err = run("check", *options.split())
        assert (code, err) == (0 if "--exit-zero" in options else 1, "")
    stdin(judged("safe(1)"))
    editor = "check --force-exclude --quiet --stdin-filename a.py --no-fix --output-format json -"
    assert json.loads(run(*editor.split())[1])[0]["filename"] == "a.py"
    stdin(judged("safe(1)"))
    formatter = "check --fix --force-exclude --exit-zero --no-cache --stdin-filename a.py -"
    assert run(*formatter.split())[:2] == (0, judged())


# -- repair -------------------------------------------------------------------------------------------------------


def test_fixes_are_written_and_the_rest_is_reported(run):
    make("a.py", judged("safe(1)", "unsafe(2)"))
    code, out, _ = run("--fix", "--output-format", "concise", "--show-fixes")
    assert code == 1
    same("cli-fix.txt", out)
    assert Path("a.py").read_text() == judged("unsafe(2)")


def test_unsafe_fixes_are_written_when_asked_for(run):
    make("a.py", judged("safe(1)", "unsafe(2)"))
    assert run("--fix", "--unsafe-fixes") == (0, "Fixed 2 findings. Nothing is left.\n", "")
    assert Path("a.py").read_text() == judged()
    make("a.py", judged("safe(1)", "unsafe(2)"))
    make("otlint.toml", "fix = true\nunsafe-fixes = true\n")
    assert run("--no-unsafe-fixes")[0] == 1
    assert Path("a.py").read_text() == judged("unsafe(2)")
    assert run("--no-fix")[0] == 1
    assert run()[0] == 0
    assert Path("a.py").read_text() == judged()


def test_nothing_is_written_when_nothing_changes(run):
    file = make("a.py", judged("unsafe(2)"))
    os.utime(file, ns=(1, 1))
    run("--fix")
    assert file.stat().st_mtime_ns == 1


def test_fix_only_reports_no_findings(run):
    make("a.py", judged("safe(1)", "unsafe(2)"))
    assert run("--fix-only") == (0, "Fixed 1 finding.\n", "")
    assert Path("a.py").read_text() == judged("unsafe(2)")
    assert run("--fix-only", "--output-format", "json") == (0, "", "")


def test_a_diff_applies(run):
    originals = {
        "a.py": judged("safe(1)", "unsafe(2)"),
        "sub dir/b.py": judged("x = 1", "safe(1)")[:-1],
        "crlf.py": judged("safe(1)", "x = 1").replace("\n", "\r\n"),
    }
    for name, text in originals.items():
        make(name, text)
    code, out, err = run("--diff")
    assert code == 1
    assert err == "Would fix 3 findings (1 more with --unsafe-fixes).\n"
    same("cli-diff.txt", out)
    assert {name: Path(name).read_bytes().decode() for name in originals} == originals
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "apply", "-"], input=out.encode(), check=True)
    assert run("--diff") == (0, "", "")
    for name, text in originals.items():
        make(name, text)
    subprocess.run(["patch", "-p1", "-s", "--binary"], input=out.encode(), check=True)
    assert run("--diff", "-q") == (0, "", "")


def test_a_file_that_cannot_be_written_is_named_and_the_others_are_done(run, monkeypatch):
    make("a.py", judged("safe(1)"))
    make("b.py", judged("safe(1)"))
    write = fix.write

    def refuse(path: Path, data: bytes) -> bool:
        if path.name == "a.py":
            raise PermissionError(13, "Permission denied")
        return write(path, data)

    monkeypatch.setattr(fix, "write", refuse)
    code, out, err = run("--fix", "--output-format", "concise")
    assert code == 2
    assert out == "a.py:3:1: OTL107 [*] `safe` is called\nFixed 1 finding. Found 1 error. [*] 1 fixable with --fix.\n"
    assert err == "error: a.py: cannot be written: Permission denied\n"
    assert Path("b.py").read_text() == judged()


# -- standard input -----------------------------------------------------------------------------------------------


def test_standard_input(run, stdin):
    stdin(judged("safe(1)"))
    assert run("-q", "--output-format", "concise", "-")[1] == "-:3:1: OTL107 [*] `safe` is called\n"
    stdin(judged("safe(1)"))
    assert run("-q", "--output-format", "concise", "--stdin-filename", "d/x.py")[1].startswith("d/x.py:3:1:")


def test_fixed_standard_input_goes_to_standard_output_and_the_report_elsewhere(run, stdin):
    stdin(judged("safe(1)", "unsafe('é')").replace("\n", "\r\n").encode("utf-8-sig"))
    code, out, err = run("--fix", "--output-format", "concise", "--stdin-filename", "x.py", "-")
    assert code == 1
    assert out.encode() == judged("unsafe('é')").replace("\n", "\r\n").encode("utf-8-sig")
    assert err.startswith("x.py:3:1: OTL101 `unsafe` is called\nFixed 1 finding.")
    assert not Path("x.py").exists()


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (judged("x = ("), ()),
        (judged("safe(1)"), ("--force-exclude", "--exclude", "x.py")),
        (judged("x = 1"), ()),
        ("", ()),
    ],
)
def test_standard_input_is_echoed_when_nothing_is_fixed(run, stdin, text, options):
    stdin(text)
    assert run("--fix", "--stdin-filename", "x.py", *options, "-")[1] == text


def test_a_diff_of_standard_input(run, stdin):
    stdin(judged("safe(1)"))
    code, out, _ = run("--diff", "--stdin-filename", "x.py", "-")
    assert code == 1
    assert out.startswith("--- a/x.py\n+++ b/x.py\n@@")


def test_standard_input_has_the_settings_of_its_name(run, stdin):
    make("sub/otlint.toml", "ignore = ['OTL107']\n")
    stdin(judged("safe(1)"))
    assert run("--stdin-filename", "sub/x.py", "-")[0] == 0


# -- broken inputs ------------------------------------------------------------------------------------------------


def test_missing_paths_and_dangling_links(run):
    make("a.py", judged("safe(1)"))
    Path("link.py").symlink_to("nowhere.py")
    code, out, err = run("--exit-zero", "--output-format", "concise", ".", "gone.py")
    assert code == 2
    assert out.startswith("a.py:3:1: OTL107")
    assert err == (
        "error: link.py: dangling link: nowhere.py does not exist\nerror: gone.py: no such file or directory\n"
    )


def test_a_directory_with_the_name_of_a_file(run):
    make("x.py/y.py", judged("safe(1)"))
    assert run("-q", "--output-format", "concise", "x.py")[1].startswith("x.py/y.py:3:1:")


def test_a_file_that_goes_away_during_the_run(run, monkeypatch):
    make("a.py", judged("safe(1)"))
    make("b.py", judged("safe(1)"))
    read = Path.read_bytes

    def reading(path: Path) -> bytes:
        if path.name == "a.py":
            raise FileNotFoundError(2, "No such file or directory")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", reading)
    code, out, err = run("-q", "--output-format", "concise")
    assert code == 2
    assert out.startswith("b.py:3:1:")
    assert "a.py" in err
    assert "No such file or directory" in err


@pytest.mark.parametrize(
    "data",
    [
        b"import opentelemetry\nx = '\xff'\n",
        b"# coding: nonsense\nimport opentelemetry\n",
        b"import opentelemetry\nx = \0\n",
        b"import opentelemetry\nprint 'x'\n",
        b"import opentelemetry\nx = " + b"(" * 5000 + b")" * 5000 + b"\n",
        b"import opentelemetry\n" + b"if x:\n" + b" y = 1\n  z = 1\n",
    ],
)
def test_files_that_are_not_python(run, data):
    Path("bad.py").write_bytes(data)
    make("good.py", judged("safe(1)"))
    code, out, err = run("-q", "--output-format", "concise")
    assert (code, err) == (1, "")
    first, second = out.splitlines()
    assert first.startswith("bad.py:")
    assert " OTL000 " in first
    assert second.startswith("good.py:3:1: OTL107")
    for form in ("full", "json", "sarif", "github"):
        assert run("--output-format", form)[0] == 1


def test_a_large_file_is_not_judged(run):
    make("a.py", judged("safe(1)", "#" * 200))
    code, out, err = run("--config", "max-file-size = 100")
    assert (code, out) == (0, "All checks passed!\n")
    assert err.count("\n") == 1
    assert "a.py" in err
    assert "max-file-size" in err


def test_names_that_the_terminal_cannot_show(run):
    name = os.fsdecode(b"b\xe9d.py")
    Path(name).write_text(judged("safe(1)"))
    for form in ("full", "concise", "json", "sarif", "github"):
        code, out, _ = run("--output-format", form)
        assert code == 1
        assert "b" in out


# -- other commands -----------------------------------------------------------------------------------------------


def test_version_and_help(run):
    assert run("--version") == run("-V") == (0, f"otlint {otlint.__version__}\n", "")
    for arguments in (("-h",), ("--help",), ("check", "-h"), ("rule", "-h"), ("config", "--help")):
        code, out, err = run(*arguments)
        assert (code, err) == (0, "")
        assert out.startswith("Usage: otlint")
    assert "check (default)" in run("-h")[1]


def test_rules_are_listed_and_explained(run):
    same("cli-rule-list.txt", run("rule")[1])
    assert run("rule", "OTL101")[1] == run("rule", "thread-drops-context")[1]
    same("cli-rule.txt", run("rule", "OTL101")[1])
    assert [one["code"] for one in json.loads(run("rule", "--output-format", "json")[1])] == [
        "OTL000", "OTL001", "OTL002", "OTL003", "OTL004", "OTL101", "OTL105", "OTL107",
    ]  # fmt: skip
    one = json.loads(run("rule", "OTL107", "--output-format", "json")[1])
    assert (one["name"], one["category"], one["severity"], one["fix"]) == (NAMES["OTL107"], "context", "error", "safe")
    assert one["default"] is True and one["mappings"] == {}
    assert run("rule", "OTL101", "--output-format", "markdown")[1].startswith("# thread-drops-context (OTL101)\n")
    assert run("rule", "--all")[1].count("Because.") == 3
    assert run("rule", "context")[1].count("\n") == 3
    assert "unused-suppression (OTL001)\n" in run("rule", "OTL001")[1]


def test_keys_are_listed_and_explained(run):
    out = run("config")[1]
    assert "per-file-ignores " in out
    assert "rules.OTL301.exception-signal" in out
    assert run("config", "fail-on")[1] == (
        "fail-on\n\nThe lowest level that makes the exit code 1.\n\n"
        'Type: a string\nOne of: error, warning, info\nDefault: "warning"\n'
    )
    assert len(run("config", "wrappers")[1].splitlines()) == 3
    assert json.loads(run("config", "--schema")[1])["type"] == "object"


# -- the real program ---------------------------------------------------------------------------------------------


def test_a_closed_pipe_is_no_error():
    done = shell("(otlint config --schema; echo $? >&2) | head -n 1", code=0)
    assert (done.stdout, done.stderr) == ("{\n", "0\n")
    many = "\n".join(f"x{number} = 1  # otlint: ignore[OTL001]" for number in range(3000))
    make("b.py", f"import opentelemetry\n{many}\n")
    done = shell("(otlint check b.py; echo $? >&2) | head -n 1", code=0)
    assert done.stderr.strip() == "1"
    assert len(done.stdout.splitlines()) == 1


def test_an_interrupt_ends_with_130():
    os.mkfifo("slow.py")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    heeds = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # whatever started the tests
    code = f"{heeds}; from otlint.__main__ import run; run()"
    process = subprocess.Popen([sys.executable, "-c", code, "slow.py"], env=env, stderr=subprocess.PIPE)
    writer = None
    while writer is None and process.poll() is None:
        with contextlib.suppress(OSError):  # nobody reads it yet
            writer = os.open("slow.py", os.O_WRONLY | os.O_NONBLOCK)
    while process.poll() is None:  # Python may miss one that comes just before it reads
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert process.returncode == 130
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert writer is not None
    os.close(writer)


def modules(command: str) -> set[str]:
    """The modules that a command imports."""
    done = shell(f"otlint {command}", PYTHONPROFILEIMPORTTIME="1")
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_heavy_imports_wait_until_they_are_needed():
    make("a.py", "import os\n")
    assert {"libcst", "pathspec", "tomli", "packaging"}.isdisjoint(modules("--version"))
    assert {"libcst", "pathspec", "tomli", "packaging"}.isdisjoint(modules("a.py"))
    make(".gitignore", "gen\n")
    found = modules(".")
    assert "pathspec" in found
    assert "libcst" not in found


def test_it_runs_in_an_empty_environment():
    make("a.py", "import os\n")
    done = subprocess.run(
        [sys.executable, "-m", "otlint", "a.py"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "All checks passed!\n", "")


def test_two_runs_give_the_same_bytes(run):
    make("a.py", judged("safe(1)", "unsafe(2)"))
    make("b/a.py", judged("safe(1)", "unsafe(2)"))
    for form in ("full", "json", "sarif", "github"):
        assert run("--output-format", form) == run("--output-format", form, "b", "a.py")
