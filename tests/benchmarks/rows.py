"""The rows of the table: what is measured, against what, and how far it may be from that."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from otlint.paths import is_test_name
from tests.benchmarks.measure import Command, medians, peak_memory

_WORD = b"opentelemetry"
_CHECKOUT = Path(__file__).parents[2]
_GROWTH = (1, 2, 4)


@dataclass
class Bench:
    """Copies of the trees to measure on, and the tools to measure."""

    given_sparse: Path
    given_dense: Path
    folder: Path
    tools: Path
    runs: int
    sample: int

    @cached_property
    def sparse(self) -> Path:
        return self._copy(self.given_sparse, "sparse")

    @cached_property
    def dense(self) -> Path:
        return self._copy(self.given_dense, "dense")

    @cached_property
    def plain(self) -> Path:
        """A project with one file, which does not name OpenTelemetry."""
        folder = self.folder / "plain"
        folder.mkdir()
        (folder / "pyproject.toml").touch()
        (folder / "orders.py").write_text("import json\n\n\ndef total(text):\n    return sum(json.loads(text))\n")
        return folder

    @cached_property
    def sampled(self) -> Path:
        """Some of the dense tree's OpenTelemetry files, evenly taken, as a project of their own."""
        files = sorted(path for path in self.dense.rglob("*.py") if _WORD in path.read_bytes())
        folder = self.folder / "sample"
        for path in files[:: max(1, len(files) // self.sample)]:
            copy = folder / path.relative_to(self.dense)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        (folder / "pyproject.toml").write_text("[tool.fixit]\nenable = ['fixit.rules:NoInheritFromObject']\n"
                                               "disable = ['fixit.rules']\n")  # fmt: skip
        return folder

    def grown(self, times: int) -> Path:
        """The dense tree that many times, side by side."""
        folder = self.folder / f"grown{times}"
        for each in range(times):
            self._copy(self.given_dense, f"{folder.name}/copy{each}")
        (folder / "pyproject.toml").touch()
        return folder

    def otlint(self, folder: Path, *arguments: str, before: Callable[[], object] | None = None) -> Command:
        command = [sys.executable, "-m", "otlint", "check", "--isolated", "--exit-zero", "-q", *arguments]
        return Command(command, folder, before, {"PYTHONPATH": str(_CHECKOUT)})

    def ruff(self, folder: Path) -> Command:
        return Command([str(self.tools / "ruff"), "check", "--exit-zero", "--statistics", "--no-cache", "."], folder)

    def python(self, code: str) -> Command:
        return Command([sys.executable, "-c", code], self.plain)

    def parse(self, folder: Path) -> Command:
        return Command([sys.executable, str(Path(__file__).with_name("parse.py")), "."], folder)

    def file(self, folder: Path) -> Path:
        """An OpenTelemetry file of the usual size, and no test: those may be spared."""
        files = [p for p in folder.rglob("*.py") if not is_test_name(p.name) and _WORD in p.read_bytes()]
        return sorted(files, key=lambda path: (path.stat().st_size, path))[len(files) // 2]

    def _copy(self, tree: Path, name: str) -> Path:
        copy = self.folder / name
        shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", ".*_cache"))
        (copy / ".git").mkdir()  # where a project ends
        return copy


@dataclass(frozen=True)
class Row:
    """`measure` gives the seconds of otlint, and of what it is held against."""

    case: str
    against: str
    must: float
    aim: float
    measure: Callable[[Bench], tuple[float, float]]
    reverse: bool = False

    def measured(self, bench: Bench) -> str:
        own, other = self.measure(bench)
        ratio = other / own if self.reverse else own / other
        good = ratio >= self.must if self.reverse else ratio <= self.must
        sign = "≥" if self.reverse else "≤"
        return (
            f"| {self.case} | {own:.2f} | {self.against} | {other:.2f} | {ratio:.2f}{'' if good else ' ✗'} "
            f"| {sign} {self.must:g} | {self.aim:g} |"
        )


def _pair(bench: Bench, own: Command, other: Command) -> tuple[float, float]:
    found = medians({"own": own, "other": other}, bench.runs)
    return found["own"], found["other"]


def _cold(tree: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(tree / ".otlint_cache", ignore_errors=True)


def _changed(path: Path) -> Callable[[], None]:
    """Changes a file, in another way each time: a function more, at its end."""
    text = re.sub(rb"\ndef _changed\d+.*", b"", path.read_bytes(), flags=re.DOTALL)
    count = 0

    def change() -> None:
        nonlocal count
        count += 1
        path.write_bytes(text + f"\ndef _changed{count}():\n    return {count}\n".encode())

    return change


def _sparse_cold(bench: Bench) -> tuple[float, float]:
    return _pair(bench, bench.otlint(bench.sparse, before=_cold(bench.sparse)), bench.ruff(bench.sparse))


def _sparse_warm(bench: Bench) -> tuple[float, float]:
    return _pair(bench, bench.otlint(bench.sparse), bench.python("import click"))


def _dense_cold(bench: Bench) -> tuple[float, float]:
    return _pair(bench, bench.otlint(bench.dense, before=_cold(bench.dense)), bench.parse(bench.dense))


def _dense_warm(bench: Bench) -> tuple[float, float]:
    return _pair(bench, bench.otlint(bench.dense), bench.ruff(bench.dense))


def _dense_changed(bench: Bench) -> tuple[float, float]:
    before = _changed(bench.file(bench.dense))
    return _pair(bench, bench.otlint(bench.dense, before=before), bench.python("import libcst"))


def _one_file(bench: Bench) -> tuple[float, float]:
    path = bench.file(bench.dense)
    own = bench.otlint(bench.dense, str(path.relative_to(bench.dense)), before=_changed(path))
    return _pair(bench, own, bench.python("import libcst"))


def _plain_file(bench: Bench) -> tuple[float, float]:
    return _pair(bench, bench.otlint(bench.plain, "orders.py"), bench.python("import click"))


def _fixit(bench: Bench) -> tuple[float, float]:
    fixit = Command([str(bench.tools / "fixit"), "--quiet", "lint", "."], bench.sampled)
    return _pair(bench, bench.otlint(bench.sampled, before=_cold(bench.sampled)), fixit)


def _memory(bench: Bench) -> tuple[float, float]:
    return peak_memory(bench.otlint(bench.dense, before=_cold(bench.dense))), 1.0


def _growth(bench: Bench) -> tuple[float, float]:
    """The dearest time per copy, and the cheapest."""
    trees = {times: bench.grown(times) for times in _GROWTH}
    found = medians({str(times): bench.otlint(tree, "--no-cache") for times, tree in trees.items()}, bench.runs)
    each = [found[str(times)] / times for times in _GROWTH]
    return max(each), min(each)


_RUFF, _CLICK, _LIBCST = "ruff cold", "`import click`", "`import libcst`"
ROWS: Sequence[Row] = (
    Row("sparse, cold", _RUFF, 2.5, 1.5, _sparse_cold),
    Row("sparse, warm", _CLICK, 2.5, 1.7, _sparse_warm),
    Row("dense, cold", "LibCST's parse, one process", 0.8, 0.5, _dense_cold),
    Row("dense, warm", _RUFF, 4, 2, _dense_warm),
    Row("dense, one file changed", _LIBCST, 3, 2, _dense_changed),
    Row("one file of the dense tree, changed", _LIBCST, 2.5, 1.5, _one_file),
    Row("one file without OpenTelemetry", _CLICK, 2, 1.5, _plain_file),
    Row("sample of the dense tree, cold", "fixit, one rule", 15, 30, _fixit, reverse=True),
    Row("dense, cold: peak memory, MiB", "1 MiB", 450, 300, _memory),
    Row("dense, cold: 1, 2, 4 copies, per copy", "the cheapest", 1.15, 1.15, _growth),
)
