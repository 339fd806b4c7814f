"""The rule pages: what `otlint rule`, SARIF help and the editor show about a rule."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_TITLE = re.compile(r"# (?P<name>[a-z0-9-]+) \((?P<code>OTL\d{3})\)")
_FENCE = re.compile(r"(`{3,})")
_MAPPING = re.compile(r"(?:[-*] )?(?P<label>Instrumentation Score|weaver): (?P<id>\S.*)")


class PageError(ValueError):
    """A page that does not have the form of rules/README.md."""


@dataclass(frozen=True, slots=True)
class Page:
    """One rule page.

    `sections` holds the Markdown below each `##` heading, in the order of the page. `references` are the items of
    the References section; `mappings` holds those of them that name the same check elsewhere, such as
    `Instrumentation Score` → `RES-004`. `text` is the whole page.
    """

    code: str
    name: str
    summary: str
    sections: Mapping[str, str]
    references: tuple[str, ...]
    mappings: Mapping[str, tuple[str, ...]]
    text: str


def codes() -> tuple[str, ...]:
    """The codes that have a page, sorted."""
    return tuple(_paths())


@functools.cache
def page(code: str) -> Page:
    """The page of a rule; raises KeyError when there is none and PageError when it has no title and summary."""
    return parse(_paths()[code].read_text(encoding="utf-8"))


def parse(text: str) -> Page:
    """Read a page from its Markdown."""
    first, _, rest = text.partition("\n")
    title = _TITLE.fullmatch(first.rstrip())
    if title is None:
        raise PageError(f"a page starts with `# rule-name (OTL000)`, not {first!r}")
    intro, sections = _sections(rest)
    summary = " ".join(intro.split())
    if not summary:
        raise PageError("a page has a summary sentence below its title")
    references, mappings = _references(sections.get("References", ""))
    return Page(title["code"], title["name"], summary, sections, references, mappings, text)


@functools.cache
def folder() -> Path:
    """Where the pages are: beside this module in an installed package, in `rules` in a checkout."""
    here = Path(__file__).parent
    packed = here / "pages"
    return packed if packed.is_dir() else here.parent / "rules"


def _paths() -> dict[str, Path]:
    return {path.name[:6]: path for path in sorted(folder().glob("OTL[0-9][0-9][0-9]-*.md"))}


def _sections(text: str) -> tuple[str, dict[str, str]]:
    """What stands before the first `##` heading, and the text below each of them."""
    intro: list[str] = []
    sections: dict[str, list[str]] = {}
    lines = intro
    for line, is_code in _lines(text):
        if line.startswith("## ") and not is_code:
            heading = line[3:].strip()
            if heading in sections:
                raise PageError(f"two sections are called {heading!r}")
            lines = sections[heading] = []
        else:
            lines.append(line)
    return "\n".join(intro).strip(), {heading: "\n".join(lines).strip() for heading, lines in sections.items()}


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it belongs to a fenced code block."""
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            yield line, True
            if mark and len(mark[1]) >= len(fence) and line.strip() == mark[1]:
                fence = ""
        else:
            fence = mark[1] if mark else ""
            yield line, bool(fence)


def _references(section: str) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    references: list[str] = []
    mappings: dict[str, tuple[str, ...]] = {}
    for line, is_code in _lines(section):
        found = _MAPPING.fullmatch(line.strip())
        if is_code:
            continue
        if found:
            mappings[found["label"]] = (*mappings.get(found["label"], ()), found["id"])
        elif line.startswith(("- ", "* ")):
            references.append(line[2:].strip())
        elif references and line.startswith("  "):
            references[-1] += " " + line.strip()
    return tuple(references), mappings
