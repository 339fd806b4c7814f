"""A rule page as a list of examples: what `rules/README.md` promises about code blocks, read by the tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

SINGLE = "example.py"

_FENCE = re.compile(r"(?P<ticks>`{3,})(?P<info>.*)")
_PATH = re.compile(r"`(?P<path>[^`\s]+)`:")
_CLAIM = re.compile(r'[ \t]*#[ \t]*(?P<kind>error|todo):[ \t]*(?P<code>OTL\d{3})(?:[ \t]+"(?P<part>[^"]*)")?')


class SpecError(AssertionError):
    """A page whose blocks do not fit together; the message starts with the row."""


@dataclass(frozen=True)
class Claim:
    """What a page says about one row of a file: a finding (`todo`: a finding that is still missing)."""

    row: int
    code: str
    part: str = ""
    todo: bool = False

    def __str__(self) -> str:
        return f'line {self.row}: {self.code} "{self.part}"'


@dataclass(frozen=True)
class Block:
    """A fenced block. `first` and `last` are the rows (from 0) of the page that hold its fences."""

    language: str
    flags: frozenset[str]
    body: str
    first: int
    last: int
    path: str = SINGLE

    @property
    def is_python(self) -> bool:
        return self.language == "python"

    @property
    def text(self) -> str:
        """The body without claims, as it is linted and run."""
        return _strip(self)[0]

    @property
    def claims(self) -> tuple[Claim, ...]:
        return _strip(self)[1]


@dataclass(frozen=True)
class Example:
    """One test case: files that belong together, what fixing them gives, and what running them exports."""

    key: str
    section: str
    config: str
    files: tuple[Block, ...] = ()
    fixed: tuple[Block, ...] = ()
    telemetry: Block | None = None
    fixed_telemetry: Block | None = None

    @property
    def is_static(self) -> bool:
        """Whether the example is linted only, not run."""
        return any("static" in block.flags for block in self.files)

    @property
    def script(self) -> str:
        """The file that runs: the last one in Python."""
        return [block.path for block in self.files if block.is_python][-1]

    @property
    def texts(self) -> dict[str, str]:
        """Path → text of every file, with the configuration."""
        texts = {"pyproject.toml": self.config} if self.config else {}
        return texts | {block.path: block.text for block in self.files}

    @property
    def fixed_texts(self) -> dict[str, str]:
        return self.texts | {block.path: block.text for block in self.fixed}

    def claims(self, *, fixed: bool = False) -> dict[str, tuple[Claim, ...]]:
        """Path → claims, of the files as written or as they are after the fix."""
        blocks = {block.path: block for block in self.files}
        if fixed:
            blocks |= {block.path: block for block in self.fixed}
        return {path: block.claims for path, block in blocks.items() if block.is_python}


@dataclass
class _Reader:
    examples: list[Example] = field(default_factory=list)
    section: str = ""
    configs: dict[int, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    # Whether the next file with a path joins the last example, and which block a telemetry block speaks of.
    is_open: bool = False
    last: str = ""

    def heading(self, line: str) -> None:
        depth = line.index(" ")
        if depth <= 2:
            self.section = line[depth:].strip()
            self.configs.clear()
            self.last = ""
        self.configs.pop(3, None)
        self.is_open = False

    def block(self, block: Block, path: str | None, depth: int) -> None:
        if block.language == "telemetry":
            self._telemetry(block)
        elif block.is_python and "fixed" in block.flags:
            self._fixed(block, path)
        elif block.is_python or path:
            self._file(replace(block, path=path or SINGLE), joins=bool(path))
        elif block.language == "toml":
            self.configs[depth] = block.body
            self.is_open = False

    def _file(self, block: Block, *, joins: bool) -> None:
        unknown = block.flags - {"static"} if block.is_python else frozenset()
        if unknown:
            raise SpecError(f"{block.first + 1}: unknown word after ```python: {', '.join(sorted(unknown))}")
        if joins and self.is_open and block.path not in self.examples[-1].texts:
            self._change(files=(*self.examples[-1].files, block))
        else:
            slug = self.section.lower().replace(" ", "-")
            self.counts[slug] = self.counts.get(slug, 0) + 1
            config = self.configs.get(3, self.configs.get(2, ""))
            self.examples.append(Example(f"{slug}-{self.counts[slug]}", self.section, config, (block,)))
        self.is_open = joins
        self.last = "files"

    def _fixed(self, block: Block, path: str | None) -> None:
        if not self.last:
            raise SpecError(f"{block.first + 1}: a fixed block stands below the block that it repairs")
        example = self.examples[-1]
        block = replace(block, path=path or example.script)
        if block.path not in example.texts or block.path in {other.path for other in example.fixed}:
            raise SpecError(f"{block.first + 1}: no block above that this one repairs ({block.path})")
        self._change(fixed=(*example.fixed, block))
        self.last = "fixed"

    def _telemetry(self, block: Block) -> None:
        slot = {"files": "telemetry", "fixed": "fixed_telemetry"}.get(self.last)
        if slot is None or getattr(self.examples[-1], slot) is not None:
            raise SpecError(f"{block.first + 1}: a telemetry block stands below the block that it observes")
        self._change(**{slot: block})

    def _change(self, **changes: object) -> None:
        self.examples[-1] = replace(self.examples[-1], **changes)  # type: ignore[arg-type]


def examples(text: str) -> list[Example]:
    """The examples of a page in its order; raises SpecError when blocks do not fit together."""
    reader = _Reader()
    path: str | None = None
    depth = 2
    for item in _items(text):
        if isinstance(item, Block):
            reader.block(item, path, depth)
            path = None
        elif item.startswith(("# ", "## ", "### ")):
            depth = max(2, item.index(" "))
            reader.heading(item)
        elif found := _PATH.fullmatch(item):
            path = found["path"]
        elif item:
            path = None
            reader.is_open = False
    for example in reader.examples:
        if not any(block.is_python for block in example.files):
            raise SpecError(f"{example.files[0].first + 1}: an example without a Python file")
    return reader.examples


def _items(text: str) -> Iterator[str | Block]:
    """Lines of prose, stripped, and blocks."""
    lines = text.splitlines()
    row = 0
    while row < len(lines):
        fence = _FENCE.fullmatch(lines[row])
        if fence is None:
            yield lines[row].strip()
            row += 1
            continue
        first = row
        row += 1
        while row < len(lines) and lines[row].rstrip() != fence["ticks"]:
            row += 1
        if row == len(lines):
            raise SpecError(f"{first + 1}: the block is not closed")
        language, *flags = fence["info"].split() or [""]
        body = "".join(line + "\n" for line in lines[first + 1 : row])
        yield Block(language, frozenset(flags), body, first, row)
        row += 1


def _strip(block: Block) -> tuple[str, tuple[Claim, ...]]:
    """A block's text without its claims; a line that holds claims only disappears and speaks of the next one."""
    lines: list[str] = []
    claims: list[Claim] = []
    waiting: list[re.Match[str]] = []
    for line in block.body.splitlines():
        found = [*_CLAIM.finditer(line)]
        rest = _CLAIM.sub("", line)
        if found and not rest.strip():
            waiting += found
            continue
        lines.append(rest)
        claims += [
            Claim(len(lines), match["code"], match["part"] or "", match["kind"] == "todo") for match in waiting + found
        ]
        waiting = []
    if waiting:
        raise SpecError(f"{block.last + 1}: a claim without a line below it")
    return "".join(line + "\n" for line in lines), tuple(claims)


def record(page: Path, key: str, *, fixed: dict[str, str], telemetry: str | None, fixed_telemetry: str | None) -> None:
    """Write what was observed into the page: replaces the blocks of an example or adds them below the observed one.

    `fixed` is path → text; `telemetry` of None leaves that block alone. A fixed block that is right stays as it is,
    so that claims written in it survive.
    """
    text = page.read_text(encoding="utf-8")
    for path, repaired in fixed.items():
        example = _find(text, key)
        old = next((block for block in example.fixed if block.path == path), None)
        if old is None or old.text != repaired:
            spot = _fixed_spot(example, path)
            label = "" if path == SINGLE or len(example.files) == 1 else f"`{path}`:\n\n"
            text = _put(text, old, spot, label, "python fixed", repaired)
    for lines, is_fixed in ((telemetry, False), (fixed_telemetry, True)):
        example = _find(text, key)
        blocks = example.fixed if is_fixed else example.files
        if lines is not None and blocks:
            old = example.fixed_telemetry if is_fixed else example.telemetry
            text = _put(text, old, blocks[-1].last, "", "telemetry", lines)
    page.write_text(text, encoding="utf-8", newline="\n")


def _fixed_spot(example: Example, path: str) -> int:
    """The row below which a new fixed block goes: after the files, their telemetry and earlier fixed blocks."""
    last = [block.last for block in (*example.files, *example.fixed)]
    return max(last + ([example.telemetry.last] if example.telemetry else []))


def _find(text: str, key: str) -> Example:
    return next(example for example in examples(text) if example.key == key)


def _put(text: str, old: Block | None, spot: int, label: str, info: str, body: str) -> str:
    lines = text.splitlines(keepends=True)
    ticks = lines[old.last].strip() if old else "```"
    block = f"{ticks}{info}\n{body}{ticks}\n"
    if old is not None:
        lines[old.first : old.last + 1] = [block]
    else:
        lines[spot + 1 : spot + 1] = ["\n" + label + block]
    return "".join(lines)
