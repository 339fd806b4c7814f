"""Real repositories: the snapshot of their findings and the invariants of their repairs, where they are at hand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from otlint.engine import Report
from otlint.fix import Safety
from tests.ecosystem import __main__ as ecosystem
from tests.ecosystem import snapshot, trees

SWALLOWED = """\
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def charge(pay):
    with tracer.start_as_current_span("charge"):
        try:
            pay()
        except ValueError:  # declined
            return {"error": "declined"}
"""


@pytest.mark.skipif(ecosystem.VARIABLE not in os.environ, reason=f"{ecosystem.VARIABLE} names no repositories")
def test_findings_and_repairs_in_real_repositories(capsys: pytest.CaptureFixture[str]) -> None:
    code = ecosystem.main([])
    assert code == 0, capsys.readouterr().out


def test_the_snapshot_is_of_the_pins() -> None:
    text = snapshot.FINDINGS.read_text(encoding="utf-8")
    found = snapshot.read(text)
    assert found.keys() == snapshot.pins().keys()
    assert len(found) >= 20
    assert snapshot.written(found) == text


BEFORE = {
    "a/b": ["x.py:1:1: OTL101 m", "x.py:2:1: OTL301 [unsafe] m", "y.py:3:1: OTL301 m"],
    "c/d": ["z.py:1:1: OTL101 m"],
}
AFTER = {"a/b": ["x.py:1:1: OTL101 m", "x.py:2:1: OTL301 n", "y.py:4:1: OTL301 m", "y.py:4:1: OTL302 m"]}


def test_differences() -> None:
    found = snapshot.differences(BEFORE, AFTER)
    assert list(snapshot.report(found, BEFORE)) == [
        "OTL301: 2 findings, +1, -1, ~1",
        "  + a/b y.py:4:1: OTL301 m",
        "  - a/b y.py:3:1: OTL301 m",
        "  ~ a/b x.py:2:1: OTL301 n",
        "OTL302: 0 findings, +1",
        "  + a/b y.py:4:1: OTL302 m",
    ]
    assert not snapshot.differences(BEFORE, BEFORE)
    assert snapshot.read(snapshot.written(BEFORE)) == BEFORE


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work tree with one finding, the only pin, and an empty snapshot."""
    root = tmp_path / "shop+orders"
    root.mkdir()
    (root / "charge.py").write_text(SWALLOWED)
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    (tmp_path / "pins.toml").write_text(f'[[repository]]\nname = "shop/orders"\ncommit = "{head}"\n')
    (tmp_path / "found.txt").write_text("")
    monkeypatch.setattr(snapshot, "PINS", tmp_path / "pins.toml")
    monkeypatch.setattr(snapshot, "FINDINGS", tmp_path / "found.txt")
    monkeypatch.setenv(ecosystem.VARIABLE, os.pathsep.join([str(tmp_path / "none"), str(tmp_path)]))
    return root


def test_a_run(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ecosystem.main([]) == 1
    assert capsys.readouterr().out.splitlines()[:1] == ["OTL301: 0 findings, +1"]
    assert ecosystem.main(["--update"]) == 0
    assert snapshot.read(snapshot.FINDINGS.read_text()).keys() == {"shop/orders"}
    capsys.readouterr()
    assert ecosystem.main([]) == 0
    assert capsys.readouterr().out == "1 repositories, 1 findings: 0 changed, 0 faults\n"
    (repository / "charge.py").write_text(SWALLOWED.replace("declined", "refused"))
    assert ecosystem.main([]) == 1
    assert "shop/orders: skipped, changed:" in capsys.readouterr().out


def test_without_the_repositories(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ecosystem.VARIABLE, str(repository))
    assert ecosystem.main([]) == 1
    monkeypatch.delenv(ecosystem.VARIABLE)
    assert ecosystem.main(["shop/orders"]) == 1
    assert capsys.readouterr().out.splitlines()[::2] == [
        "shop/orders: skipped, not in OTLINT_ECOSYSTEM",
        "shop/orders: skipped, OTLINT_ECOSYSTEM is not set",
    ]


def test_faults_are_seen(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = trees.judge(repository)
    assert not list(trees.faults(repository, before))
    real = trees.judge

    def judged(after: str, *, again: bool) -> None:
        """Repairs give this text, and a second run as many findings as the first, or one more change."""

        def judge(root: Path, repair: Safety | None = None, texts: dict[str, bytes] | None = None) -> Report:
            found = real(root, repair)
            for change in found.changes:
                object.__setattr__(change, "after", after)
            return found if not texts else Report(before.findings, changes=found.changes if again else [])

        monkeypatch.setattr(trees, "judge", judge)

    judged("(", again=True)
    assert [fault.rpartition(", line")[0] or fault for fault in trees.faults(repository, before)] == [
        "charge.py: a second run changes it again",
        "charge.py: does not parse when repaired",
        "charge.py: OTL301: 1 findings, 1 repaired, 1 are there now",
    ]
    judged(SWALLOWED.replace("  # declined", ""), again=False)
    assert list(trees.faults(repository, before)) == [
        "charge.py: loses a comment: # declined",
        "charge.py: OTL301: 1 findings, 1 repaired, 1 are there now",
    ]
