"""From one judged module to its findings: rules, suppression, selection, repair."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otlint import rule as rules
from otlint.cache.codec import decode, encode
from otlint.cache.digest import digest
from otlint.clock import clock
from otlint.engine import Change, Problem, Report, Target
from otlint.finding import Finding, Location
from otlint.model.facts.watch import Reads
from otlint.repair import repair as repair_module
from otlint.settings.level import Level, Safety

if TYPE_CHECKING:
    from otlint.gather import Broken, Gathered
    from otlint.model.module import Module
    from otlint.rule import Rule
    from otlint.settings.config import Config

SYNTAX_ERROR = ("OTL000", "syntax-error")


def verdicts(
    asked: Mapping[str, Target], gathered: Gathered, *, report: Report, repair: Safety | None, ignore_suppressions: bool
) -> None:
    """Judge the targets, each in the process that has parsed it, and put what is found into the report."""
    crew = gathered.crew
    with clock.part("model"), crew.at_work() if crew is not None else contextlib.nullcontext():
        parts = _parts(asked, gathered, repair, ignore_suppressions)
    for key in asked:
        report.findings += parts[key].findings
        report.suppressed += parts[key].suppressed
        report.problems += parts[key].problems
        report.changes += parts[key].changes


def _parts(
    asked: Mapping[str, Target], gathered: Gathered, repair: Safety | None, ignore_suppressions: bool
) -> dict[str, Report]:
    """What is found in each target; a helper ends here."""
    crew, parts = gathered.crew, dict[str, Report]()
    others = {key for key, target in asked.items() if _is_elsewhere(key, target, gathered, ignore_suppressions)}
    for key, target in asked.items():
        if key not in others and (crew is None or not crew.is_helper or crew.owns(key)):
            part = parts[key] = Report()
            judge(key, target, gathered, part, repair, ignore_suppressions)
    if crew is not None and crew.is_helper:
        told = {key: _told(key, gathered, part) for key, part in parts.items()}
        crew.leave(told, dict(clock.seconds))
    elif crew is not None:
        heard, seconds = crew.reports()
        clock.add(seconds)
        parts |= {key: _heard(key, asked[key], gathered, heard[key], ignore_suppressions) for key in others}
        crew.dismiss()
    return parts


def _is_elsewhere(key: str, target: Target, gathered: Gathered, ignore: bool) -> bool:
    """Whether another process has to judge a file."""
    crew = gathered.crew
    if crew is None or crew.owns(key) or key not in gathered.judged:
        return False
    return _recalled(key, _settings(target, ignore), gathered) is None


def _told(key: str, gathered: Gathered, part: Report) -> list[Any]:
    """What this process found in a file, and what that rests on, for the one that reports."""
    verdict = Verdict(tuple(part.findings), part.suppressed)
    problems = [[problem.path, problem.message] for problem in part.problems]
    return [encode(verdict), problems, encode(gathered.reads.get(key, Reads()))]


def _heard(key: str, target: Target, gathered: Gathered, told: list[Any], ignore: bool) -> Report:
    """What another process found in a file."""
    plain, problems, reads = told
    verdict = decode(Verdict, plain)
    part = Report(list(verdict.findings), verdict.suppressed, [Problem(path, message) for path, message in problems])
    if gathered.memory is not None and gathered.project is not None and not problems:
        settings, state = _settings(target, ignore), gathered.project.state
        gathered.memory.keep_verdict(key, settings, state, decode(Reads, reads), json.dumps(plain))
    return part


def judge(
    key: str, target: Target, gathered: Gathered, report: Report, repair: Safety | None, ignore_suppressions: bool
) -> None:
    """Judge one target and put its findings, changes and problems into the report."""
    if key in gathered.broken:
        if key not in gathered.aside:  # what is in others was of interest for what they do around telemetry
            report.findings.append(_syntax_error(target, gathered.broken[key]))
        return
    if key in gathered.failed:
        report.problems.append(_internal(target, "the model", gathered.failed[key]))
        return
    if key not in gathered.judged:
        return
    settings = _settings(target, ignore_suppressions)
    recalled = _recalled(key, settings, gathered)
    if recalled is not None and (repair is None or all(finding.fix is None for finding in recalled.findings)):
        report.findings += recalled.findings
        report.suppressed += recalled.suppressed
        return
    module = gathered.module(key)
    if module is None:
        return
    judged = _remembered(key, settings, module, target, gathered, report, ignore_suppressions)
    if repair is not None:
        trial = Report()
        repaired = repair_module(module, judged, target.config, repair, lambda changed: _judge(changed, target, trial))
        report.problems.extend(problem for problem in trial.problems if problem not in report.problems)
        if isinstance(repaired, str):
            report.problems.append(Problem(target.shown, f"fixes discarded: {repaired}"))
        elif repaired is not None:
            judged = repaired.remaining
            after = repaired.module.source.text
            report.changes.append(Change(target.shown, target.path, module.source, after, repaired.fixed))
    report.findings.extend(judged)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in a file, and how many findings comments suppress there."""

    findings: tuple[Finding, ...]
    suppressed: int


def _settings(target: Target, ignore_suppressions: bool) -> str:
    """Names all that decides what is reported for a file, besides its text and its project."""
    config, path = target.config, target.shown
    given = (
        path, config.rules, config.made_safe, config.made_unsafe, config.severity, config.ignored_in(path),
        [(key, value) for key, value in config.values.items() if key.startswith("rules.")], config.instrumentation,
        ignore_suppressions,
    )  # fmt: skip
    return digest(repr(given))


def _recalled(key: str, settings: str, gathered: Gathered) -> Verdict | None:
    """What an earlier run found, None when that is not known, or does not hold any more."""
    memory, project = gathered.memory, gathered.project
    if memory is None or project is None:
        return None
    text = memory.verdict(key, settings, project.state)
    return None if text is None else decode(Verdict, json.loads(text))


def _remembered(
    key: str, settings: str, module: Module, target: Target, gathered: Gathered, report: Report, ignore: bool
) -> list[Finding]:
    """The findings in a module, kept for later runs unless something went wrong."""
    memory, project = gathered.memory, module.project
    suppressed, problems = report.suppressed, len(report.problems)
    project.watch.start()
    found = _judge(module, target, report, ignore)
    if memory is not None and len(report.problems) == problems:
        reads = gathered.reads[key] = project.watch.reads().joined(gathered.reads.get(key))
        verdict = Verdict(tuple(found), report.suppressed - suppressed)
        memory.keep_verdict(key, settings, project.state, reads, json.dumps(encode(verdict)))
    return found


def _syntax_error(target: Target, broken: Broken) -> Finding:
    start = Location(broken.row, broken.column)
    code, name = SYNTAX_ERROR
    level = target.config.level(code, name, Level.ERROR)
    fingerprint = _fingerprint(f"{code}\0{broken.message}")
    return Finding(target.shown, start, start, broken.message, noqa_row=broken.row, fingerprint=fingerprint,
                   code=code, name=name, level=level)  # fmt: skip


def _judge(module: Module, target: Target, report: Report, ignore_suppressions: bool = False) -> list[Finding]:
    """All findings of the enabled rules in one module, suppressed ones removed and counted."""
    from otlint.suppress import Suppressions

    config, problems = target.config, len(report.problems)
    found: list[Finding] = []
    for rule in enabled(config, target.shown):
        with clock.part(rule.code):
            found.extend(_run(rule, module, target, report))
    found = _without_duplicates(found)
    suppressions = Suppressions.of(module)
    try:
        covered = {id(finding) for finding in found if suppressions.covers(finding)}
        own = suppressions.own_findings(config) if len(report.problems) == problems else []
    except Exception as error:  # the comments of one file must not hide its findings
        report.problems.append(_internal(target, "the suppression comments", error))
        return found
    # A comment may cover a hint that nobody selected: it is of use, so hints are dropped only now.
    selected = [finding for finding in found if is_selected(finding, target)]
    if ignore_suppressions:
        return [dataclasses.replace(each, suppressed=True) if id(each) in covered else each for each in selected]
    kept = [finding for finding in selected if id(finding) not in covered]
    report.suppressed += len(selected) - len(kept)
    return kept + own


def is_selected(finding: Finding, target: Target) -> bool:
    """Whether the configuration reports such a finding in the file."""
    if finding.hint:
        return target.config.selects_hint(finding.code, finding.name, target.shown)
    return target.config.selects(finding.code, finding.name, rules.load(finding.code).level, target.shown)


def enabled(config: Config, path: str) -> list[Rule]:
    """The rules that the configuration switches on for a file, hints included."""
    known, ignored = config.enabled, config.ignored_in(path)
    if ignored not in known:
        known[ignored] = [
            rule
            for rule in rules.catalogue()
            if config.selects(rule.code, rule.name, rule.level, path) or config.selects_hint(rule.code, rule.name, path)
        ]
    return known[ignored]


def _run(rule: Rule, module: Module, target: Target, report: Report) -> Iterator[Finding]:
    config = target.config
    level = config.level(rule.code, rule.name, rule.level)
    try:
        options = config.options(rule.code, rule.name)
        for finding in rule.check(module.configured(options, config.instrumentation, rule=rule.code)):
            yield _stamped(finding, rule, Level.INFO if finding.hint else level, config)
    except Exception as error:  # one rule's crash must not hide what others find
        report.problems.append(_internal(target, f"{rule.code} {rule.name}", error))


def _internal(target: Target, where: str, error: Exception) -> Problem:
    return Problem(target.shown, f"internal error in {where}: {type(error).__name__}: {error}")


def _stamped(finding: Finding, rule: Rule, level: Level, config: Config) -> Finding:
    fix = finding.fix
    if fix is not None:
        fix = dataclasses.replace(fix, safety=config.safety(rule.code, rule.name, fix.safety))
    fingerprint = _fingerprint(f"{rule.code}\0{finding.fingerprint}")
    return dataclasses.replace(finding, code=rule.code, name=rule.name, level=level, fix=fix, fingerprint=fingerprint)


def _fingerprint(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without_duplicates(found: list[Finding]) -> list[Finding]:
    """A rule that reaches one place on two ways still says one thing."""
    seen = {(finding.code, finding.start, finding.end): finding for finding in reversed(found)}
    return list(reversed(seen.values()))
