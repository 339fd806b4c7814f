"""Texts that files of the project have names for: `KEY = "order.id"`, `class Keys: ORDER = "order.id"`.

Such a file often does not use OpenTelemetry, so that it is not judged and has no facts. It is read when something asks.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

Meaning = str | ast.expr | tuple[str]  # an imported name, what is assigned, or the class of an instance
_DEPTH = 8
_MAX_SIZE = 500_000


class Constants:
    """The constants of a project. `sources`: its files by path; `find`: the file that a dotted name imports."""

    def __init__(self, sources: Mapping[str, bytes], find: Callable[[str, str], str | None]) -> None:
        self._sources = sources
        self._find = find
        self._tables: dict[str, dict[str, Meaning]] = {}

    def of(self, dotted: str, path: str, depth: int = 0) -> str | None:
        """The text that a dotted name means in the file at `path`, None when it is not certainly a constant."""
        parts = dotted.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            found = self._find(".".join(parts[:cut]), path)
            if found is not None:
                return self._named(found, parts[cut:], depth)
        return None

    def _named(self, path: str, names: list[str], depth: int) -> str | None:
        if depth > _DEPTH:
            return None
        table = self._table(path)
        for cut in range(len(names), 0, -1):
            meaning, rest = table.get(".".join(names[:cut])), names[cut:]
            if isinstance(meaning, str):
                return self.of(".".join([meaning, *rest]), path, depth + 1)
            if isinstance(meaning, tuple) and rest:
                return self._named(path, [*meaning[0].split("."), *rest], depth + 1)
            if isinstance(meaning, ast.expr) and rest in ([], ["value"]):
                return self._text(path, meaning, names[: cut - 1], depth)
        return None

    def _text(self, path: str, value: ast.expr, owner: list[str], depth: int) -> str | None:
        """The text of an expression at the top of a file, or of a class there."""
        if isinstance(value, ast.Constant):
            return value.value if isinstance(value.value, str) else None
        if isinstance(value, ast.Name):
            own = self._named(path, [*owner, value.id], depth + 1) if owner else None
            return own if own is not None else self._named(path, [value.id], depth + 1)
        if isinstance(value, ast.Attribute):
            return self._named(path, ast.unparse(value).split("."), depth + 1)
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            return _joined([self._text(path, each, owner, depth) for each in (value.left, value.right)])
        if isinstance(value, ast.JoinedStr):
            plain = [each.value if isinstance(each, ast.FormattedValue) else each for each in value.values]
            return _joined([self._text(path, each, owner, depth) for each in plain])
        return None

    def _table(self, path: str) -> dict[str, Meaning]:
        if path not in self._tables:
            self._tables[path] = {}
            source = self._sources.get(path, b"")
            try:
                tree = ast.parse(source) if len(source) <= _MAX_SIZE else ast.Module([], [])
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                tree = ast.Module([], [])
            self._tables[path] = _once(_meanings(tree, path.split("/")[:-1], ""))
        return self._tables[path]


def _joined(parts: list[str | None]) -> str | None:
    known = [each for each in parts if each is not None]
    return "".join(known) if len(known) == len(parts) else None


def _once(found: Iterator[tuple[str, Meaning]]) -> dict[str, Meaning]:
    """Names with one meaning."""
    table: dict[str, Meaning] = {}
    several = set()
    for name, meaning in found:
        several |= {name} & table.keys()
        table[name] = meaning
    return {name: meaning for name, meaning in table.items() if name not in several}


def _meanings(block: ast.Module | ast.ClassDef, package: list[str], prefix: str) -> Iterator[tuple[str, Meaning]]:
    for each in block.body:
        if isinstance(each, ast.ClassDef):
            yield from _meanings(each, package, f"{prefix}{each.name}.")
        elif isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None:
            for target in each.targets if isinstance(each, ast.Assign) else [each.target]:
                if isinstance(target, ast.Name):
                    yield prefix + target.id, _held(each.value)
        elif isinstance(each, ast.ImportFrom):
            base = package[: len(package) - (each.level - 1)] if each.level else []
            for alias in each.names:
                yield prefix + (alias.asname or alias.name), ".".join([*base, *filter(None, [each.module]), alias.name])
        elif isinstance(each, ast.Import):
            for alias in each.names:
                yield prefix + (alias.asname or alias.name), alias.name


def _held(value: ast.expr) -> Meaning:
    """What is assigned; of `Settings()` the class, whose defaults the instance has."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id[:1].isupper():
        return (value.func.id,)
    return value
