"""The demo service has a defect of each family, and its clean twin has none."""

from __future__ import annotations

import os
from pathlib import Path

from otlint.engine import Report, Target, lint
from otlint.settings.config import Configs
from otlint.settings.layers import Layer

DEMO = Path(__file__).parent / "demo"
GOLDEN = DEMO / "findings.txt"


def _report(folder: str, *words: str) -> Report:
    config = Configs([Layer({"extend-select": list(words)})]).of(str(DEMO))
    paths = sorted((DEMO / folder).rglob("*.py"))
    return lint(
        [Target(path, path.relative_to(DEMO).as_posix(), config) for path in paths],
        root=DEMO,
        project_files=lambda: DEMO.rglob("*.py"),
    )


def test_findings() -> None:
    report = _report("orders")
    assert not report.problems
    lines = [f"{one.path}:{one.start.row}:{one.start.column}: {one.code} {one.message}\n" for one in report.findings]
    if os.environ.get("OTLINT_UPDATE_PAGES"):
        GOLDEN.write_text("".join(lines), encoding="utf-8")
    assert "".join(lines) == GOLDEN.read_text(encoding="utf-8")


def test_each_family_has_a_defect() -> None:
    codes = {finding.code for finding in _report("orders").findings}
    assert {code[:4] for code in codes} >= {"OTL1", "OTL2", "OTL3", "OTL4", "OTL5", "OTL6", "OTL8"}


def test_the_clean_twin_is_clean() -> None:
    report = _report("clean", "ALL", "hints")
    assert not report.problems
    assert not report.findings, report.findings
