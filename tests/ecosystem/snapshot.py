"""What was found in the pinned repositories, as text, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tomli

from otlint.engine import Report

FOLDER = Path(__file__).parent
PINS = FOLDER / "repositories.toml"
FINDINGS = FOLDER / "findings.txt"
HEAD = "# Written by `python -m tests.ecosystem --update`.\n"

Lines = Mapping[str, list[str]]  # repository → its findings, one a line


def pins() -> dict[str, str]:
    """The repositories, OWNER/NAME → commit."""
    return {each["name"]: each["commit"] for each in tomli.loads(PINS.read_text(encoding="utf-8"))["repository"]}


def lines(report: Report) -> list[str]:
    """The findings of a repository: place, code, how it can be repaired, message; no line of its code."""
    return [
        f"{one.path}:{one.start.row}:{one.start.column}: {one.code} "
        f"{f'[{one.fix.safety.value}] ' if one.fix is not None else ''}{one.message}"
        for one in report.findings
    ]


def written(found: Lines) -> str:
    """The text of a snapshot."""
    text = HEAD
    for name in sorted(found, key=str.lower):
        text += "\n".join(["", f"## {name}", "", *found[name], ""])
    return text


def read(text: str) -> dict[str, list[str]]:
    """The snapshot that a text holds."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("## "):
            here = found.setdefault(line.removeprefix("## "), [])
        elif line and not line.startswith("#"):
            here.append(line)
    return found


@dataclass(frozen=True, order=True)
class Difference:
    """A finding that was added (`+`), removed (`-`), or that says something else now (`~`)."""

    code: str
    repository: str
    sign: str
    line: str


def differences(before: Lines, after: Lines) -> list[Difference]:
    """What changed in the repositories that both know, by rule."""
    found = []
    for name in before.keys() & after.keys():
        gone = [line for line in before[name] if line not in after[name]]
        new = [line for line in after[name] if line not in before[name]]
        places = {_place(line) for line in gone}
        found += [Difference(_code(line), name, "~" if _place(line) in places else "+", line) for line in new]
        places = {_place(line) for line in new}
        found += [Difference(_code(line), name, "-", line) for line in gone if _place(line) not in places]
    return sorted(found)


def report(found: Iterable[Difference], before: Lines) -> Iterator[str]:
    """Per rule: how many findings there were, what came and what went."""
    by_code: dict[str, list[Difference]] = {}
    for each in found:
        by_code.setdefault(each.code, []).append(each)
    for code, each in by_code.items():
        were = sum(_code(line) == code for lines in before.values() for line in lines)
        counts = ", ".join(f"{sign}{count}" for sign in "+-~" if (count := sum(one.sign == sign for one in each)))
        yield f"{code}: {were} findings, {counts}"
        yield from (f"  {one.sign} {one.repository} {one.line}" for one in each)


def _place(line: str) -> tuple[str, str]:
    return line.partition(": ")[0], _code(line)


def _code(line: str) -> str:
    return line.partition(": ")[2].partition(" ")[0]
