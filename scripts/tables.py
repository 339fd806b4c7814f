"""Write the tables of all rules into README.md and rules/README.md: `python -m scripts.tables`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from otlint import own, pages, rule

ROOT = Path(__file__).parent.parent
START, END = "<!-- rules -->", "<!-- /rules -->"
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


def written(text: str, folder: str) -> str:
    """The text with the table between its markers."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    assert start and end, f"no {START} … {END}"
    return f"{before}{start}\n{table(folder)}\n\n{end}{after}"


if __name__ == "__main__":
    for name, folder in FILES.items():
        path = ROOT / name
        path.write_text(written(path.read_text(encoding="utf-8"), folder), encoding="utf-8")
