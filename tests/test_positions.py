"""Our offsets against LibCST's own positions and against CPython's."""

from __future__ import annotations

import ast
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from otlint.finding import Location
from otlint.model.code.positions import Ranges, comments, positions
from otlint.model.code.walk import Walk
from otlint.source import Source

SNIPPETS = {
    "empty": "",
    "newlines only": "\n\n",
    "comment only": "# c",
    "no final newline": "x = 1",
    "trailing spaces": "x = 1   ",
    "semicolons": "a = 1 ; b = 2;\nc; # c\n",
    "form feed": "x = 1\n\x0c\ndef f():\n\x0c    pass\n\x0c# c\ny = 2\n",
    "tabs": "if a:\n\tb\n\tif c:\n\t\td\n\t# foot\ne\n",
    "crlf": "# head\r\ndef f(a,\r\n      b):\r\n    '''x\r\n    y'''\r\n    return a\r\n\r\n\r\nf(1, 2)\r\n",
    "cr": "if a:\r  b\r  c\rd\r",
    "mixed": "a = 1\r\nb = 2\nif c:\r\n  d\n  e\r\n",
    "backslash": "a = 1 + \\\n    2\nwith a as b, \\\n     c as d: pass\n",
    "multi-line string": 'x = """a\n  b\n"""; y = f"""\n{x}\n"""\n',
    "decorators": "@a\n# c\n@b(1)\n\n@c\nclass X(Y, z=1):\n    @d\n    async def f(self): pass\n",
    "with parentheses": "with (a, b): c\nwith (a as b, c as d,): e\nwith (yield): a\nwith (a): b\nwith (a), (b): x\n",
    "comments": "a  # one\n\n# two\nb\n    # odd\nif c:  # four\n    # five\n    d  # six\n    # seven\n# eight\n",
    "if": "if a: b\nelif c:\n    d\nelse: e\n",
    "try": "try:\n    a\nexcept (A, B) as e:\n    b\nexcept: c\nelse:\n    d\nfinally:\n    e\ntry: a\nexcept* B: c\n",
    "loops": "for a, b in c:\n    continue\nelse:\n    d\nwhile a: b\nasync def f():\n  async for x in y: await z\n",
    "match": "match a, b:\n  case [1, *_] if c: d\n  case {'k': v, **r}:\n    d\n  case A(b, c=1) | None as x: y\n",
    "f-strings": "f'a{b!r:>{w}}c{d=}' 'e' f\"{x['y']}\"\n",
    "nested f-strings": "f'{f'{a}'}'\n",
    "t-strings": "t'a{b}c'\n",
    "type parameters": "type A[T: int, *Ts, **P] = list[T]\ndef f[T](a: T) -> T: ...\nclass C[T]: ...\n",
    "except without parentheses": "try:\n    a\nexcept A, B:\n    c\n",
    "parameters": "def f(a, /, b: int = 1, *c, d=2, **e) -> None: pass\nlambda x, *, y=1: (x)\ndef g(*, a): pass\n",
    "calls": "f(a, *b, c=1, **d,)\nf(x for x in y)\nf (\n  a,  # c\n  b\n)\n",
    "parentheses": "x = ((a))\ny = (1, 2)\nz = 1, 2\nw = (i for i in j)\nv = (yield)\nu = (a).b((c))\n",
    "comprehensions": "[a for b in c if d for e in f]\n{a: b for c in d}\n{a async for b in c}\n",
    "subscripts": "a[b:c:d, ...][1]\n",
    "operators": "not a and b or -c ** d if e else (f := g) < h is not i\n",
    "imports": "from . import (a, b as c,)\nfrom ..d.e import *\nimport f.g as h, i\n",
    "statements": "global a\nnonlocal b\ndel c, d\nassert e, f\nraise g from h\nx: int = 1\nx += 1\nreturn\n",
    "unicode": "x = 'é\U0001f600'; y = 'ü'\n",
}  # fmt: skip


@pytest.mark.parametrize("text", SNIPPETS.values(), ids=SNIPPETS.keys())
def test_agrees_with_libcst(text: str) -> None:
    compare(text)


@pytest.mark.parametrize("text", SNIPPETS.values(), ids=SNIPPETS.keys())
def test_agrees_with_libcst_in_windows_files(text: str) -> None:
    compare(text.replace("\r\n", "\n").replace("\n", "\r\n"))


@pytest.mark.parametrize("name", ["_nodes/op.py", "matchers/_matcher_base.py", "codemod/visitors/_add_imports.py"])
def test_agrees_with_libcst_on_real_files(name: str) -> None:
    compare((Path(cst.__file__).parent / name).read_text("utf-8"))


def compare(text: str) -> None:
    tree = cst.parse_module(text)
    ranges = positions(tree)
    source = Source("a.py", text)
    expected = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    assert ranges.keys() == expected.keys()
    for node, position in expected.items():
        start, end = ranges[node]
        if node is tree or end > len(text) or not text[start:end].strip():
            continue
        places = source.location(start), source.location(end)
        wanted = (position.start.line, position.start.column + 1), (position.end.line, position.end.column + 1)
        assert places == tuple(Location(*place) for place in wanted), (node, text[start:end])


def test_statements_and_calls_lie_where_cpython_says() -> None:
    text = Path(cst.__file__).with_name("tool.py").read_text("utf-8")
    tree = cst.parse_module(text)
    ranges = positions(tree)
    source = Source("tool.py", text)
    ours = {ranges[node] for node in ranges if isinstance(node, cst.Call | cst.BaseSmallStatement)}
    theirs = {
        (place(source, node.lineno, node.col_offset), place(source, node.end_lineno or 0, node.end_col_offset or 0))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call | ast.Return | ast.Assign | ast.Expr | ast.ImportFrom | ast.Raise)
    }
    assert theirs <= ours


def place(source: Source, row: int, column: int) -> int:
    return source.offset(Location(row, len(source.line(row).encode()[:column].decode()) + 1))


def test_the_module_ends_where_the_text_ends() -> None:
    for text in ("", "x", "x\n", "\n", "x\r\n# c"):
        tree = cst.parse_module(text)
        assert positions(tree)[tree] == (0, len(text))
        assert positions(tree, text)[tree] == (0, len(text))


@pytest.mark.parametrize(
    "text",
    [
        "\x0cimport a\n\x0c@b\n\x0cdef f():\n    pass\n",
        "def f():\n\x0c    a\n    b\n\x0c    # c\n    d(\n        \x0c1)\n    \x0c\n",
        "if a:\n    b\n\x0c    c\n\x0celse:\n    d\n",
        "try: a\nexcept A, B : c\n",
        "a\rb\r",
    ],
)
def test_blanks_that_libcst_forgets_are_counted(text: str) -> None:
    tree = cst.parse_module(text)
    assert tree.code != text
    for node, (start, end) in positions(tree, text).items():
        if isinstance(node, cst.Name | cst.Comment):
            assert text[start:end] == node.value


def test_a_tree_that_is_not_of_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="not of this text"):
        positions(cst.parse_module("a\n"), "b\n")


def test_comments_in_source_order() -> None:
    text = "# a\nf(  # b\n1)\nif x:  # c\n    y\n    # d\n"
    assert [text[end - 1] for _, end in comments(positions(cst.parse_module(text)))] == list("abcd")


CLASSES = """import a
class Order:
    x = 1
    # twice
    def pay(self, shop): return shop(self)
    @a.b
    # decorated
    def ship(self):
        def inner(): pass
        return inner
class Same:
    def pay(self, shop): return shop(self)
    class Inner:
        def ship(self): pass
class Short: x = 1; y = 2
x = 1; y = 2
x = 1; y = 2
"""


@pytest.mark.parametrize("text", [CLASSES, CLASSES.replace("    ", "\t"), *SNIPPETS.values()])
def test_ranges_that_are_asked_for_singly_are_those_of_the_whole(text: str) -> None:
    tree = cst.parse_module(text)
    every, walk = positions(tree, text), Walk(tree)
    one_by_one = Ranges(walk, text)
    assert [one_by_one[node] for node in walk.order] == [every[node] for node in walk.order]
    for node, expected in every.items():
        assert Ranges(walk, text)[node] == expected
    assert Ranges(walk, text).all() == every


def test_a_statement_is_generated_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cst.Module, "_codegen_impl", None)
    walk = Walk(cst.parse_module(CLASSES))
    ranges = Ranges(walk, CLASSES)
    for name in ("pay", "ship", "Inner", "Short"):
        start, end = ranges[walk.named(name, walk.tree)[0]]
        assert CLASSES[start:end] == name
        assert start == CLASSES.index(name)
    with pytest.raises(TypeError):
        ranges[walk.named("pay", walk.tree)[1]]  # its text stands there twice: only what is before it tells where it is
