"""The engine on bad input, bad rules and bad fixes, and the real program on what could end the process."""

from __future__ import annotations

import gc
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import libcst as cst
import pytest

import otlint
from otlint import rule
from otlint.cli import main
from otlint.edits import delete_statement, replace
from otlint.engine import Report, Target, lint
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.model.module import Module
from otlint.settings.config import Configs
from otlint.settings.layers import Layer
from tests.grove import plant

ROOT = Path(otlint.__file__).parents[1]
WORD = "import opentelemetry\n"
REAL = rule.catalogue()  # before any test replaces it

# -- rules of the tests -------------------------------------------------------------------------------------------


def calls(module: Module, name: str) -> Iterator[cst.Call]:
    return (call for call in module.walk.all(cst.Call) if module.names.dotted(call.func) == f"builtins.{name}")


def reporting(name: str, repair: Callable[[Module, cst.Call], Fix] | None = None) -> rule.Check:
    """Reports each call of a name."""

    def check(module: Module) -> Iterator[Finding]:
        for call in calls(module, name):
            yield module.finding(call, f"`{name}` is called", fix=repair(module, call) if repair else None)

    return check


def deleting(module: Module, call: cst.Call) -> Fix:
    return Fix("delete it", Safety.SAFE, tuple(delete_statement(module, module.walk.statement_of(call))))


def writing(text: str) -> Callable[[Module, cst.Call], Fix]:
    """A fix that writes a text in place of the call."""
    return lambda module, call: Fix(f"write {text}", Safety.SAFE, tuple(replace(module, call, text)))


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts rules in place of the catalogue: OTL107 has the first check, OTL101 the second."""

    def put(*checks: rule.Check) -> None:
        names = {"OTL107": "attach-without-detach", "OTL101": "thread-drops-context"}
        rules = {
            code: rule.Rule(code, name, Level.ERROR, Safety.SAFE, check)
            for (code, name), check in zip(names.items(), checks, strict=False)
        }
        monkeypatch.setattr(rule, "codes", lambda: {code: one.name for code, one in rules.items()})
        monkeypatch.setattr(rule, "catalogue", lambda: [*rules.values()])
        monkeypatch.setattr(rule, "load", rules.__getitem__)

    return put


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Report]:
    """Writes files and lints them, or those that are `asked`; None is a file that is not there."""

    def call(
        files: Mapping[str, str | bytes | None],
        *asked: str,
        repair: Safety | None = None,
        project: bool = False,
        **settings: object,
    ) -> Report:
        for path, content in files.items():
            if content is not None:
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_bytes(content.encode() if isinstance(content, str) else content)
        config = Configs([Layer(settings)]).of(str(tmp_path))
        targets = [Target(tmp_path / path, path, config) for path in asked or files]
        listing = (lambda: tmp_path.rglob("*.py")) if project else None
        return lint(targets, root=tmp_path, project_files=listing, repair=repair)

    return call


def places(report: Report) -> list[str]:
    assert not report.problems, report.problems
    return [f"{one.code} {one.path}:{one.start.row}:{one.start.column}" for one in report.findings]


# -- text ---------------------------------------------------------------------------------------------------------

WRITTEN = {
    "plain": (WORD.encode() + b"boom()\n", "2:1"),
    "no newline at the end": (WORD.encode() + b"boom()", "2:1"),
    "behind an emoji": ('import opentelemetry; x = "é😀"; boom()\n'.encode(), "1:33"),
    "behind a tab": (b"import opentelemetry\nwhile x:\n\tboom()\n", "3:2"),
    "latin-1": (b"# coding: latin-1\nimport opentelemetry; x = '\xe9'; boom()\n", "2:32"),
    "utf-8 with a byte order mark": (b"\xef\xbb\xbfimport opentelemetry; boom()\n", "1:23"),
    "the mark and a coding line": (b"\xef\xbb\xbf# coding: utf-8\nimport opentelemetry\nboom()\n", "3:1"),
    "CRLF": (b"import opentelemetry\r\n'\xc3\xa9'; boom()\r\n", "2:6"),
    "lone CR": (b"import opentelemetry\rboom()\r", "2:1"),
    "mixed line ends": (b"import opentelemetry\r\nx = 1\ry = 2\nboom()\n", "4:1"),
    "form feed": (b"import opentelemetry\n\x0c\nx = 1\n\x0cboom()\n", "4:2"),
    "continued lines": (b"import \\\n  opentelemetry\nx = '''\n\n'''; boom()\n", "5:6"),
    "line ends that only Unicode knows": ("import opentelemetry\nx = '\u2028\x85'; boom()\n".encode(), "2:11"),
    "a shebang": (b"#!/usr/bin/env python\n# -*- coding: utf-8 -*-\nimport opentelemetry\nboom()\n", "4:1"),
}


@pytest.mark.parametrize(("data", "place"), WRITTEN.values(), ids=WRITTEN)
def test_places_and_repairs_in_every_way_to_write_a_file(data, place, use, run):
    use(reporting("boom", deleting))
    assert places(run({"a.py": data})) == [f"OTL107 a.py:{place}"]
    repaired = run({"a.py": data}, repair=Safety.SAFE)
    (change,) = repaired.changes
    after = change.before.encode(change.after)
    assert b"boom" not in after
    assert not places(repaired)
    kept = data.replace(b"; boom()", b"").replace(b"boom()", b"")
    assert [line.strip() for line in after.split() if line != b"pass"] == [line.strip() for line in kept.split()]


BROKEN = {
    "not Python": (b"import opentelemetry\nprint 'x'\n", "2:1"),
    "bad indentation": (b"import opentelemetry\nif x:\n  y\n   z\n", "4:"),
    "bytes that are not UTF-8": (b"import opentelemetry\nx = '\xe9'\n", "2:6"),
    "an unknown coding": (b"# coding: nonsense\nimport opentelemetry\n", "1:"),
    "a coding that does not fit the mark": (b"\xef\xbb\xbf# coding: latin-1\nimport opentelemetry\n", "1:"),
    "UTF-16 with the word in it": ("import opentelemetry\n".encode("utf-16") + b"opentelemetry", "1:"),
    "a null byte": (b"import opentelemetry\nx = \0\n", ""),
    "an open string": (b"import opentelemetry\nx = '''\n", "2:5"),
    "an open bracket": (b"import opentelemetry\nx = (\n", "2:5"),
    "a merge conflict": (b"import opentelemetry\n<<<<<<< ours\nx\n=======\ny\n>>>>>>> theirs\n", "2:1"),
    "a template": (b"import opentelemetry\n{% if x %}\n", "2:"),
}


@pytest.mark.parametrize(("data", "place"), BROKEN.values(), ids=BROKEN)
def test_what_is_not_python_is_one_finding(data, place, use, run):
    use(reporting("boom", deleting))
    found = places(run({"bad.py": data, "good.py": WORD + "boom()\n"}, repair=Safety.SAFE))
    assert len(found) == 1, found
    assert found[0].startswith(f"OTL000 bad.py:{place}")


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"# opentelemetry", b"'opentelemetry'", b"\x0c", b"\r"])
def test_nothing_much(data, use, run):
    use(reporting("boom"))
    assert not places(run({"a.py": data, "b.py": WORD}))


def test_files_without_the_word_are_not_even_parsed(use, run):
    use(reporting("boom"))
    assert not places(run({"a.py": "boom()\n", "b.py": "print 'x'", "c.py": b"\xff\xfe\x00"}))
    assert places(run({"d.py": WORD + "boom()\n"}, "a.py", "d.py")) == ["OTL107 d.py:2:1"]


def test_what_is_not_python_and_does_not_name_telemetry_is_left_to_others(use, run):
    use(reporting("boom"))
    threads = "import threading\nthreading.Thread(target=work).start()\n"
    assert not places(run({"a.py": WORD, "b.py": threads + "print 'x'\n"}))
    assert len(places(run({"a.py": WORD, "b.py": WORD + threads + "print 'x'\n"}))) == 1


def test_a_file_may_be_too_large(use, run):
    use(reporting("boom"))
    large = WORD + "boom()\n" + "x = 1\n" * (10_000_000 // 6)
    report = run({"large.py": large, "small.py": WORD + "boom()\n"})
    assert places(report) == ["OTL107 small.py:2:1"]
    assert report.notes == [f"large.py: not judged, larger than max-file-size ({len(large):,} bytes)"]
    assert not run({"small.py": WORD}, "small.py", project=True).notes


# -- files that cannot be read ------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_a_problem_and_the_rest_is_judged(use, run, tmp_path, monkeypatch):
    use(reporting("boom"))
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "link.py").symlink_to("nowhere.py")
    (tmp_path / "loop.py").symlink_to("loop.py")
    read = Path.read_bytes

    def reading(path: Path) -> bytes:
        if path.name == "secret.py":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", reading)
    files = {"a.py": WORD + "boom()\n", "secret.py": WORD}
    report = run(files, "a.py", "folder.py", "gone.py", "link.py", "loop.py", "secret.py")
    assert [one.path for one in report.findings] == ["a.py"]
    assert [(problem.path, problem.message.partition(":")[0]) for problem in report.problems] == [
        (path, "cannot read") for path in ("folder.py", "gone.py", "link.py", "loop.py", "secret.py")
    ]
    assert "Permission denied" in report.problems[-1].message
    assert report.checked == 6


def test_files_that_only_give_facts_may_be_unreadable(use, run, tmp_path):
    use(reporting("boom"))
    (tmp_path / "link.py").symlink_to("nowhere.py")
    (tmp_path / "folder.py").mkdir()
    files = {"a.py": WORD + "boom()\n", "bad.py": WORD + "print 'x'\n", "odd.py": b"import opentelemetry\xff"}
    assert places(run(files, "a.py", project=True)) == ["OTL107 a.py:2:1"]


def test_a_file_outside_of_the_project(use, tmp_path):
    use(reporting("boom"))
    (tmp_path / "inside").mkdir()
    outside = tmp_path / "outside.py"
    outside.write_text(WORD + "boom()\n")
    config = Configs().of(str(tmp_path))
    report = lint([Target(outside, "../outside.py", config)], root=tmp_path / "inside", project_files=lambda: iter(()))
    assert places(report) == ["OTL107 ../outside.py:2:1"]


# -- rules that fail ----------------------------------------------------------------------------------------------


def crashing(error: BaseException) -> rule.Check:
    def check(module: Module) -> Iterator[Finding]:
        yield from reporting("early")(module)
        if "trap" in module.source.text:
            raise error

    return check


@pytest.mark.parametrize("error", [ValueError("on purpose"), RecursionError("too deep"), AssertionError(), KeyError(1)])
def test_a_rule_that_crashes_hides_nothing_else(error, use, run):
    use(crashing(error), reporting("boom"))
    bad = WORD + "early()\ntrap()\nboom()\n"
    report = run({"bad.py": bad, "good.py": WORD + "early()\nboom()\n"})
    assert [(one.code, one.path) for one in report.findings] == [
        ("OTL107", "bad.py"), ("OTL101", "bad.py"), ("OTL107", "good.py"), ("OTL101", "good.py"),
    ]  # fmt: skip
    (problem,) = report.problems
    assert problem.path == "bad.py"
    assert problem.message.startswith(f"internal error in OTL107 attach-without-detach: {type(error).__name__}: ")


def test_an_interrupt_is_no_crash_and_leaves_the_interpreter_as_it_was(use, run):
    use(crashing(KeyboardInterrupt()))
    before = gc.isenabled(), sys.getrecursionlimit()
    with pytest.raises(KeyboardInterrupt):
        run({"a.py": WORD + "trap()\n"})
    assert (gc.isenabled(), sys.getrecursionlimit()) == before


@pytest.mark.parametrize("where", ["facts", "__init__"])
def test_a_crash_of_the_model_hides_no_other_file(where, use, run, monkeypatch):
    use(reporting("boom"))
    original = getattr(Module, where)

    def failing(self: Module, *args: object, **kwargs: object) -> object:
        made = original(self, *args, **kwargs)
        if "trap" in self.source.text:
            raise LookupError("on purpose")
        return made

    monkeypatch.setattr(Module, where, failing)
    report = run({"bad.py": WORD + "trap()\nboom()\n", "good.py": WORD + "boom()\n"})
    assert [one.path for one in report.findings] == ["good.py"]
    assert [(one.path, one.message) for one in report.problems] == [
        ("bad.py", "internal error in the model: LookupError: on purpose")
    ]
    assert places(run({}, "good.py", project=True)) == ["OTL107 good.py:2:1"]


# -- fixes that fail ----------------------------------------------------------------------------------------------


def test_a_fix_that_gives_no_python_is_not_applied(use, run):
    use(reporting("boom", writing("(")), reporting("crash", deleting))
    report = run({"a.py": WORD + "boom()\ncrash()\n"}, repair=Safety.SAFE)
    assert places(report) == ["OTL107 a.py:2:1"]
    assert [change.after for change in report.changes] == [WORD + "boom()\n"]
    assert not run({"a.py": WORD + "boom()\n"}, repair=Safety.SAFE).changes


def test_a_fix_that_the_encoding_lacks_is_not_applied(use, run):
    use(reporting("boom", writing("'€'")))
    data = "# coding: latin-1\nimport opentelemetry\nx = 'é', boom()\n".encode("latin-1")
    report = run({"a.py": data}, repair=Safety.SAFE)
    assert (places(report), report.changes) == (["OTL107 a.py:3:10"], [])


def test_fixes_that_come_to_no_end_are_discarded(use, run):
    use(reporting("boom", lambda module, call: writing(f"boom({'0, ' * (len(call.args) + 1)})")(module, call)))
    report = run({"a.py": WORD + "boom()\n", "b.py": WORD + "x = 1\n"}, repair=Safety.SAFE)
    assert [(one.path, one.start.row) for one in report.findings] == [("a.py", 2)]
    assert [problem.message for problem in report.problems] == [
        "fixes discarded: they do not come to an end in 10 rounds"
    ]
    assert not report.changes


def test_fixes_that_bring_new_findings_of_their_rule_are_discarded(use, run):
    use(reporting("boom", writing("boom(boom())")))
    report = run({"a.py": WORD + "boom()\n"}, repair=Safety.SAFE)
    assert [problem.message for problem in report.problems] == ["fixes discarded: they bring new findings of OTL107"]
    assert (len(report.findings), report.changes) == (1, [])


def test_fixes_that_overlap_take_turns(use, run):
    use(reporting("boom", writing("crash()")), reporting("crash", deleting))
    report = run({"a.py": WORD + "boom(boom(1), boom(2))\nwhile x: boom()\n"}, repair=Safety.SAFE)
    assert not places(report)
    (change,) = report.changes
    assert (change.after, change.fixed) == (WORD + "while x: pass\n", {"OTL107": 2, "OTL101": 2})


def test_a_fix_without_edits_or_with_none_that_change_anything(use, run):
    use(reporting("boom", lambda *_: Fix("do nothing", Safety.SAFE, ())))
    assert not run({"a.py": WORD + "boom()\n"}, repair=Safety.SAFE).changes
    use(reporting("boom", lambda *_: Fix("insert nothing", Safety.SAFE, (Edit(0, 0, ""),))))
    assert not run({"a.py": WORD + "boom()\n"}, repair=Safety.SAFE).changes


def test_a_rule_that_crashes_on_what_a_fix_made_is_named(use, run):
    def check(module: Module) -> Iterator[Finding]:
        if "crash" in module.source.text:
            raise ValueError("on purpose")
        yield from reporting("boom", writing("crash()"))(module)

    use(check)
    report = run({"a.py": WORD + "boom()\n"}, repair=Safety.SAFE)
    assert [(one.path, one.message) for one in report.problems] == [
        ("a.py", "internal error in OTL107 attach-without-detach: ValueError: on purpose")
    ]


@pytest.mark.parametrize("word", ["replace", "write"])
def test_a_folder_that_takes_no_files(word, use, tmp_path, monkeypatch, capsys):
    use(reporting("boom", deleting))
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "b.py"):
        Path(name).write_text(WORD + "boom()\n")
    replaced, made = Path.replace, os.fdopen

    def replacing(path: Path, target: Path) -> Path:
        if Path(target).name == "a.py":
            raise OSError(30, "Read-only file system")
        return replaced(path, target)

    def opening(*args: object, **kwargs: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((Path, "replace", replacing) if word == "replace" else (os, "fdopen", opening)))
    code = main(["--fix", "--no-cache", "--output-format", "concise", "a.py", "b.py"])
    monkeypatch.setattr(os, "fdopen", made)
    found = capsys.readouterr()
    assert code == 2
    assert "a.py:2:1: OTL107" in found.out
    assert "a.py: cannot be written: " in found.err
    assert Path("a.py").read_text() == WORD + "boom()\n"
    assert (Path("b.py").read_text() == WORD) is (word == "replace")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.py", "b.py"]


# -- the same findings, however they are asked for ----------------------------------------------------------------

DEMO = Path(__file__).parent / "demo"
# Each finding depends on another file, and so does the silence about the request in `stock.py`.
SHOP = {
    "pyproject.toml": '[project]\nname = "shop"\n',
    "main.py": (
        "from opentelemetry.instrumentation.requests import RequestsInstrumentor\n\nfrom shop import orders, stock\n\n"
        "RequestsInstrumentor().instrument()\norders.checkout(orders.Order())\nstock.reserve()\n"
    ),
    "shop/__init__.py": "",
    "shop/telemetry/__init__.py": "from shop.telemetry.spans import begin, finish, tracer\n",
    "shop/telemetry/spans.py": (
        'from opentelemetry import trace\n\ntracer = trace.get_tracer("shop")\n\n'
        "def begin(name):\n    return tracer.start_span(name)\n\ndef finish(span):\n    span.end()\n"
    ),
    "shop/background.py": ("import threading\n\ndef in_background(work):\n    threading.Thread(target=work).start()\n"),
    "shop/orders.py": (
        "from shop.background import in_background\nfrom shop.telemetry import begin, finish, tracer\n\n"
        "class Order:\n    def pay(self):\n        raise ValueError\n\n"
        'def charge(order):\n    span = begin("charge")\n    order.pay()\n    finish(span)\n\n'
        'def confirm():\n    with tracer.start_as_current_span("confirm"):\n        print("sent")\n\n'
        'def checkout(order):\n    with tracer.start_as_current_span("checkout"):\n        in_background(confirm)\n'
        '        try:\n            charge(order)\n        except ValueError:\n            return {"error": "unpaid"}\n'
    ),
    "shop/stock.py": (
        "import requests\n\nfrom shop.telemetry import tracer\n\n"
        'def reserve():\n    with tracer.start_as_current_span("reserve"):\n'
        '        return requests.get("http://stock.internal/reserve")\n'
    ),
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    plant(tmp_path, SHOP)
    return tmp_path


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    shutil.copytree(DEMO, tmp_path / "demo", ignore=shutil.ignore_patterns("clean"))
    (tmp_path / "demo/pyproject.toml").write_text('[project]\nname = "demo"\n')
    return tmp_path / "demo"


class Asking:
    """Runs of the real program that are to agree: findings as JSON by file, with paths from the root of the project."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.monkeypatch, self.capsys = root, monkeypatch, capsys

    def run(self, *arguments: str, folder: str = ".", data: bytes | None = None) -> dict[str, list[object]]:
        here = self.root / folder
        self.monkeypatch.chdir(here)
        if data is not None:
            self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        code = main(["--select", "ALL", "--output-format", "json", "--no-cache", *arguments])
        done = self.capsys.readouterr()
        assert code in {0, 1} and not done.err, done.err
        by_file: dict[str, list[object]] = {}
        for finding in json.loads(done.out):
            by_file.setdefault(self.plain(finding["filename"]), []).append(self.without_folders(finding))
        return by_file

    def plain(self, path: str) -> str:
        return os.path.relpath(path, self.root)

    def without_folders(self, value: object) -> object:
        """The same with paths from the root."""
        if isinstance(value, dict):
            return {
                key: self.plain(each) if key in {"filename", "path"} else self.without_folders(each)
                for key, each in value.items()
            }
        return [self.without_folders(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("tree", ["shop", "demo"])
def test_however_a_file_is_asked_for_its_findings_are_the_same(tree, request, monkeypatch, capsys):
    root: Path = request.getfixturevalue(tree)
    asking = Asking(root, monkeypatch, capsys)
    whole = asking.run(".")
    assert sum(map(len, whole.values())) >= 3
    package = {"shop": "shop", "demo": "orders"}[tree]
    files = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*.py"))]
    assert asking.run(*reversed(files)) == asking.run(*files) == asking.run(package, ".", files[0]) == whole
    assert asking.run("..", folder=package) == asking.run(str(root), folder=package) == whole
    inside = {path: found for path, found in whole.items() if path.startswith(package)}
    assert asking.run(folder=package) == asking.run(package) == inside
    for path in files:
        expected = {path: whole[path]} if path in whole else {}
        folder, _, name = path.rpartition("/")
        data = (root / path).read_bytes()
        assert asking.run(name, folder=folder or ".") == expected, path
        assert asking.run("--stdin-filename", path, "-", data=data) == expected, path
        if expected:
            assert asking.run(path) == asking.run(str(root / path), folder=package) == expected
            assert asking.run("--stdin-filename", name, "-", folder=folder or ".", data=data) == expected


def test_a_file_that_is_not_saved_yet_is_judged_by_what_the_editor_holds(shop, monkeypatch, capsys):
    asking = Asking(shop, monkeypatch, capsys)
    text = SHOP["shop/orders.py"].replace("    finish(span)\n", "    finish(span)\n    finish(None)\n")
    (shop / "shop/orders.py").write_text("raise SystemExit\n")
    found = asking.run("--stdin-filename", "shop/orders.py", "-", data=text.encode())
    assert {each["code"] for each in found["shop/orders.py"]} == {"OTL101", "OTL301", "OTL501"}
    assert not asking.run("shop/orders.py")


def test_what_other_files_say_counts(shop, monkeypatch, capsys):
    asking = Asking(shop, monkeypatch, capsys)

    def codes(path: str) -> list[str]:
        return sorted(each["code"] for each in asking.run(path).get(path, []))

    assert codes("shop/orders.py") == ["OTL101", "OTL301", "OTL501"]
    assert codes("shop/stock.py") == []
    (shop / "main.py").write_text("import shop.stock\n")
    assert codes("shop/stock.py") == ["OTL108", "OTL401"]
    (shop / "shop/telemetry/spans.py").write_text(SHOP["shop/telemetry/spans.py"].replace("span.end()", "keep(span)"))
    assert codes("shop/orders.py") == ["OTL101", "OTL301"]
    (shop / "shop/background.py").write_text("def in_background(work):\n    work()\n")
    assert codes("shop/orders.py") == ["OTL301"]


# -- the real program ---------------------------------------------------------------------------------------------


def child(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip


COMMAND = "import sys; from otlint.cli import main; sys.exit(main(sys.argv[1:]))"
N = 3000
DEEP = {
    "parentheses": "x = " + "(" * 5000 + ")" * 5000,
    "lists": "x = " + "[" * N + "]" * N,
    "dicts": "x = " + "{1:" * N + "}" * N,
    "attributes": "x = a" + ".b" * N,
    "calls": "x = a" + "()" * N,
    "subscripts": "x = a" + "[0]" * N,
    "sums": "x = " + "+".join(["a"] * 10_000),
    "sums of lines": "x = (" + "\n+".join(["a"] * 10_000) + ")",
    "ands": "x = " + " and ".join(["a"] * 10_000),
    "ands of lines": "x = (" + "\nand ".join(["a"] * 10_000) + ")",
    "nots": "x = " + "not " * N + "a",
    "signs": "x = " + "-" * N + "a",
    "powers": "x = " + "**".join(["a"] * N),
    "conditionals": "x = " + "a if b else " * N + "a",
    "lambdas": "x = " + "lambda: " * N + "a",
    "elifs": "if a: pass\n" + "elif b: pass\n" * N,
    "ifs": "".join(" " * depth + "if x:\n" for depth in range(200)) + " " * 200 + "pass",
    "patterns": "match x:\n  case " + "|".join(["1"] * N) + ": pass",
    "and a syntax error": "x = " + " and ".join(["a"] * 10_000) + "\nprint 'x'",
    "sums and a syntax error": "x = " + "+".join(["a"] * 10_000) + "\nprint 'x'",
}
FLAT = {
    "300 attributes": "x = a" + ".b" * 300,
    "300 sums": "x = " + "+".join(["a"] * 300),
    "300 ands": "x = " + " and ".join(["a"] * 300),
    "150 parentheses": "x = " + "(" * 150 + "1" + ")" * 150,
    "90 ifs": "".join(" " * depth + "if x:\n" for depth in range(90)) + " " * 90 + "pass",
    "300 elifs": "if a: pass\n" + "elif b: pass\n" * 300,
    "a long list": "x = [" + "\n  (1, 'a', a.b()),".join([""] * 1000) + "]",
    "a long string": "x = '" + "a" * 100_000 + "'",
    "a long chain of calls": "def f0(s): return s\n"
    + "".join(f"def f{i + 1}(s): return f{i}(s)\n" for i in range(200)),
    "the other way round": "".join(f"def f{i}(s): return f{i + 1}(s)\n" for i in range(200)),
    "a long chain of assignments": "def f(x):\n" + "  x = x.where(x.a == 1)\n" * 400,
    "a long chain of names": "".join(f"a{i + 1} = a{i}\n" for i in range(400)),
    "a long chain of classes": "".join(f"class A{i}(A{i + 1}): x = 1\n" for i in range(100)),
}


def test_nesting_does_not_end_the_process(tmp_path):
    start = "from opentelemetry import context\n\ndef work(c):\n  context.attach(c)\n\n"
    for name, text in {**DEEP, **FLAT}.items():
        (tmp_path / f"{name}.py").write_text(f"{start}{text}\n")
    done = child(COMMAND, tmp_path, "--isolated", "--select=OTL000,OTL107", "--output-format=concise", "-q", ".")
    assert (done.returncode, done.stderr) == (1, "")
    found = dict(line.split(".py:", 1) for line in done.stdout.splitlines())
    deep = {name for name, rest in found.items() if " OTL000 " in rest}
    assert deep == DEEP.keys()
    assert {name for name, rest in found.items() if rest.startswith("4:3: OTL107 ")} == FLAT.keys()
    told = {name for name in deep if "nested too deeply" in found[name]}
    assert DEEP.keys() - told == {"ifs", "and a syntax error", "sums and a syntax error"}


def test_many_files_without_the_word_need_no_library(tmp_path):
    (tmp_path / "first.py").write_text("import requests\n\nrequests.get('a')\n")
    for folder in range(20):
        (tmp_path / f"p{folder}").mkdir()
        for file in range(500):
            (tmp_path / f"p{folder}/m{file}.py").hardlink_to(tmp_path / "first.py")
    unwanted = ["libcst", "pathspec", "tomli", "packaging", "tempfile", "difflib"]
    code = f"""
import sys
from otlint.cli import main
assert main(["--verbose", "."]) == 0
loaded = [name for name in {unwanted} if name in sys.modules]
assert not loaded, loaded
"""
    done = child(code, tmp_path)
    assert (done.returncode, done.stdout) == (0, "All checks passed!\n"), done
    assert "10,001" in done.stderr or "10001" in done.stderr
