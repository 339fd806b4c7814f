"""Several processes, and one: the same answers, whatever happens to any of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import otlint
from otlint.crew import Crew
from tests.grove import plant
from tests.test_cache import CHANGES, FILES

ROOT = Path(otlint.__file__).parents[1]
# A process more for every byte of source.
START = (
    "import sys\nfrom otlint import crew\ncrew._SHARE = 1\n{}\n"
    "from otlint.cli import main\nsys.exit(main(sys.argv[1:]))"
)
KILL = "import os\ncrew.Crew.owns = lambda self, path: os._exit(9) if self.number == 1 else True"
CRASH = (
    "from otlint.model.module import Module\nfacts = Module.facts\n"
    "Module.facts = lambda self: 1 // (self.path != 'shop/mail.py') and facts(self)"
)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    plant(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, before: str = "") -> tuple[int, bytes, bytes]:
    command = [sys.executable, "-c", START.format(before), "check", "--output-format", "json", *arguments]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False, timeout=100
    )
    return done.returncode, done.stdout, done.stderr


def test_answers_depend_neither_on_processes_nor_on_order_cache_or_files_asked_for() -> None:
    expected = run("--no-cache", "-j", "1")
    assert expected[0] == 1
    assert b"OTL101" in expected[1]
    for jobs in ("2", "4", "auto"):
        assert run("--no-cache", "-j", jobs) == expected
    files = [path for path in FILES if path.endswith(".py")]
    for order in (files, files[::-1]):
        assert run("--no-cache", "-j", "2", *order) == expected
    alone = run("--no-cache", "-j", "1", "shop/orders.py")
    for first, second in (("1", "4"), ("2", "1")):
        shutil.rmtree(".otlint_cache", ignore_errors=True)
        assert run("-j", first) == expected
        assert run("-j", second) == expected
        assert run("-j", second, "shop/orders.py") == alone


@pytest.mark.parametrize("changed", ["the helper ends the span", "a file is added", "a plain file learns of telemetry"])
def test_a_crew_goes_on_where_the_cache_ends(changed) -> None:
    run("-j", "2")
    CHANGES[changed]()
    expected = run("--no-cache", "-j", "1")
    assert run("-j", "3") == expected
    assert run("-j", "1") == expected


def test_a_helper_that_is_killed_is_replaced() -> None:
    assert run("--no-cache", "-j", "2", before=KILL) == run("--no-cache", "-j", "1")


def test_a_crash_of_the_model_is_told_alike() -> None:
    expected = run("--no-cache", "-j", "1", before=CRASH)
    assert expected[0] == 2
    assert b"ZeroDivisionError" in expected[2]
    assert run("--no-cache", "-j", "2", before=CRASH) == expected
    assert run("--no-cache", "-j", "4", before=CRASH) == expected


def test_verbose_says_where_the_time_went() -> None:
    for jobs in ("1", "2"):
        code, _, errors = run("--no-cache", "-j", jobs, "-v")
        assert code == 1
        [times] = [line for line in errors.decode().splitlines() if line.startswith("time: ")]
        parts = [part.split()[0] for part in times.removeprefix("time: ").split(", ")]
        assert parts == ["gate", "deployment", "parse", "model", "rules", "report"]


@pytest.mark.parametrize("jobs", ["0", "many", "-1"])
def test_a_number_of_processes_is_a_number(jobs) -> None:
    code, _, errors = run("--jobs", jobs)
    assert code == 2
    assert b"--jobs" in errors


def test_neighbours_have_one_owner() -> None:
    crew = Crew(2)
    files = ["a/a.py", "a/b.py", "b/a.py", "b/b.py"]
    crew.share(files, dict.fromkeys(files, 100))
    assert [crew.owns(path) for path in files] == [True, True, False, False]
    crew.share([], {})
    crew.share(["c.py"], {"c.py": 0})
    assert crew.owns("c.py")
    assert crew.owns("never heard of")
