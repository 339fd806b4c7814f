"""Every page of `rules/` against the engine and the real SDK: one test per example.

`OTLINT_UPDATE_PAGES=1` writes observed `telemetry` and `python fixed` blocks into the pages.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import pytest

from otlint import pages, rule
from otlint.engine import Report
from otlint.fix import Safety
from tests import spec
from tests.judge import Case, afterwards, all_cases, cases, check_repair, judge, repairs, report
from tests.observe import NOTHING, Observer

UPDATE = bool(os.environ.get("OTLINT_UPDATE_PAGES"))
SILENT = ("Good", "Not flagged")
OBSERVED = ("Bad", "Good")

each_example = pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)


@pytest.mark.parametrize("code", rule.codes())
def test_page_can_be_read(code: str) -> None:
    assert cases(code)


@each_example
def test_findings(case: Case) -> None:
    claims = case.example.claims()
    _check_claims(claims, report(case))
    codes = {claim.code for found in claims.values() for claim in found if not claim.todo}
    if case.example.section in SILENT:
        assert not codes, "this section has no findings"
    if case.example.section == "Bad":
        assert case.code in codes, f"a bad example without {case.code}"


@each_example
def test_fix(case: Case) -> None:
    found, repaired = report(case), report(case, Safety.UNSAFE)
    texts = afterwards(case.example.texts, repaired)
    check_repair(case.code, found, repaired)
    assert not judge(case.code, texts, Safety.UNSAFE).changes, "a second fix changes something again"
    _check_safe_repair(case, found)
    if UPDATE and repaired.changes:
        changed = {path: text for path, text in texts.items() if text != case.example.texts[path]}
        _record(case, fixed=changed)
        case = _again(case)
    assert case.example.fixed_texts == texts, "the fixed blocks are not what the fix makes"
    if repaired.changes:
        assert case.example.section not in SILENT
        _check_claims(case.example.claims(fixed=True), judge(case.code, texts))
    else:
        assert not case.example.fixed, "nothing is fixed here"


@each_example
def test_telemetry(case: Case, observer: Observer) -> None:
    case = _again(case) if UPDATE else case
    example = case.example
    if example.is_static:
        assert not example.telemetry and not example.fixed_telemetry, "a static example is not run"
        return
    bad = good = None
    if example.telemetry or example.section in OBSERVED:
        bad = _observe(observer, lambda example: example.texts, example)
    if example.fixed:
        good = _observe(observer, lambda example: example.fixed_texts, example)
    if UPDATE:
        _record(case, telemetry=bad, fixed_telemetry=good)
        example = _again(case).example
    assert (example.telemetry and example.telemetry.body) == bad
    assert (example.fixed_telemetry and example.fixed_telemetry.body) == good
    assert bad is None or bad != good, "the telemetry does not show what the fix is good for"
    _check_shown(bad if example.section in SILENT else good)


def _check_shown(good: str | None) -> None:
    """What is right arrives: an example that exports nothing shows nothing."""
    lost = [line for line in (good or "").splitlines() if line.startswith((NOTHING, "batch lost", "exit by timeout"))]
    assert not lost, f"{lost[0]}: call the functions of the example"


def _observe(observer: Observer, texts: Callable[[spec.Example], dict[str, str]], example: spec.Example) -> str:
    lines = observer.run(texts(example), example.script)
    if UPDATE:
        assert observer.run(texts(example), example.script) == lines, "two runs differ"
    return "".join(line + "\n" for line in lines)


@pytest.mark.parametrize("code", rule.codes())
def test_declared_fix_is_the_best_observed(code: str) -> None:
    found = [finding.fix for case in cases(code) for finding in report(case).findings if finding.code == code]
    order = (Safety.SAFE, Safety.UNSAFE, Safety.DISPLAY)
    safeties = {fix.safety for fix in found if fix is not None}
    assert rule.load(code).fix == next((safety for safety in order if safety in safeties), None)


def _check_claims(claims: dict[str, tuple[spec.Claim, ...]], found: Report) -> None:
    """Each finding is claimed once, each claim is found, and nothing that is `todo` has come."""
    assert not found.problems, found.problems
    unclaimed = list(found.findings)
    missing: list[str] = []
    for path, claim in ((path, claim) for path, some in claims.items() for claim in some):
        fits = [
            finding
            for finding in unclaimed
            if (finding.path, finding.start.row, finding.code) == (path, claim.row, claim.code)
            and claim.part in finding.message
        ]
        if claim.todo:
            assert not fits, f"{path} {claim} is found now: claim it with `# error:`"
        elif fits:
            unclaimed.remove(fits[0])
        else:
            missing.append(f"{path} {claim}")
    extra = [f'{one.path} line {one.start.row}: {one.code} "{one.message}"' for one in unclaimed]
    assert not missing and not extra, _listed("claimed, not found:", missing) + _listed("found, not claimed:", extra)


def _listed(title: str, lines: Iterable[str]) -> str:
    return "".join(f"\n  {line}" for line in (title, *lines)) if lines else ""


def _check_safe_repair(case: Case, found: Report) -> None:
    """Without being asked for unsafe fixes, only safe ones are applied."""
    safe, unsafe = repairs(found, case.code, Safety.SAFE), repairs(found, case.code, Safety.UNSAFE)
    repaired = report(case, Safety.SAFE)
    assert bool(repaired.changes) == bool(safe), "--fix applies safe fixes, all of them and no other"
    assert len(repairs(repaired, case.code, Safety.UNSAFE)) == len(unsafe), "--fix took an unsafe fix"


def _again(case: Case) -> Case:
    """The case as the page has it now."""
    cases.cache_clear()
    pages.page.cache_clear()
    return next(one for one in cases(case.code) if one.id == case.id)


def _record(case: Case, **observed: object) -> None:
    assert "PYTEST_XDIST_WORKER" not in os.environ, "pages are updated without -n"
    path = next(pages.folder().glob(f"{case.code}-*.md"))
    spec.record(path, case.example.key, **({"fixed": {}, "telemetry": None, "fixed_telemetry": None} | observed))  # type: ignore[arg-type]
