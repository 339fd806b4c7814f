"""Write what README.md and rules/README.md show of otlint itself: the rules, a finding, its fix.

Run `python -m scripts.tables`; a test compares.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from otlint import own, pages, rule

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "tests" / "demo"
# File → how it reaches the pages.
FILES = {"README.md": "rules/", "rules/README.md": ""}


def table(folder: str) -> str:
    """The rules by category; links start with `folder`."""
    return "\n".join(_lines(folder))


def _lines(folder: str) -> Iterator[str]:
    category = ""
    for code, name in rule.codes().items():
        found = rule.load(code)
        if found.category != category:
            category = found.category
            yield from _head(category)
        link = f"[{name}]({folder}{code}-{name}.md)"
        yield _row(code, link, found.level.value, found.fix and found.fix.value, pages.page(code).summary)
    yield from _head("otlint")
    for one in own.RULES.values():
        yield _row(one.code, one.name, one.level.value, one.fix and one.fix.value, one.summary)


def _head(category: str) -> Iterator[str]:
    yield from ("", f"**{category}**", "", "| code | name | level | fix | |", "|---|---|---|---|---|")


def _row(*cells: str | None) -> str:
    return f"| {' | '.join(cell or '-' for cell in cells)} |"


def finding() -> str:
    """A real finding in the demo service, as a terminal shows it, up to the offer of a fix."""
    return _code("", _otlint().partition("help: ")[0].rstrip().removesuffix("|").rstrip())


def fix() -> str:
    """The repair of that finding as a patch."""
    return _code("diff", _otlint("--diff").rstrip())


def _otlint(*options: str) -> str:
    command = [
        sys.executable,
        "-m",
        "otlint",
        "check",
        "--isolated",
        "--select",
        "OTL107",
        *options,
        "orders/worker.py",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=DEMO, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return done.stdout


def _code(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def written(text: str, folder: str) -> str:
    """The text with everything between its markers made anew; links to pages start with `folder`."""
    parts = {"rules": lambda: f"{table(folder)}\n", "finding": finding, "fix": fix}
    for name, make in parts.items():
        before, start, rest = text.partition(f"<!-- {name} -->")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if start and end:
            text = f"{before}{start}\n{make()}\n{end}{after}"
    return text


if __name__ == "__main__":
    for name, folder in FILES.items():
        path = ROOT / name
        path.write_text(written(path.read_text(encoding="utf-8"), folder), encoding="utf-8")
