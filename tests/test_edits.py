"""The makers of edits: what they write, and what never happens to the rest of the file."""

from __future__ import annotations

import pytest
from stand_in import StandIn, applied

from otlint import edits
from otlint.fix import Edit

BLOCK = (
    "def f():\n    # above\n    a()  # side\n    b(\n        1,  # one\n    )\n\n    if c:\n        d()\n    # last\n"
)


def check(text: str, made: tuple[Edit, ...], expected: str) -> None:
    assert applied(text, made) == expected
    StandIn(expected)


CASES = {
    "insert before": (
        "x = 1\n# about a\na()\n",
        lambda m: edits.insert_before(m, m.statement("a()"), ["b()", "if c:", "\td()"]),
        "x = 1\nb()\nif c:\n    d()\n# about a\na()\n",
    ),
    "insert before, comment apart": (
        "if x:\n    y\n    # about y\n\n  # odd\n    a()\n",
        lambda m: edits.insert_before(m, m.statement("a()"), ["b()"]),
        "if x:\n    y\n    # about y\n\n  # odd\n    b()\n    a()\n",
    ),
    "insert before a decorated function": (
        "class A:\n\tx = 1\n\n\t@d\n\t# c\n\tdef f(self): pass\n",
        lambda m: edits.insert_before(m, m.statement("def f..."), ["b = 2"]),
        "class A:\n\tx = 1\n\n\tb = 2\n\t@d\n\t# c\n\tdef f(self): pass\n",
    ),
    "insert before, semicolon": (
        "if x:\n    a; b ; c  # t\n",
        lambda m: edits.insert_before(m, m.statement("c"), ["d"]),
        "if x:\n    a; b\n    d\n    c  # t\n",
    ),
    "insert before, suite": (
        "if x: a; b  # t\nelse: c\n",
        lambda m: edits.insert_before(m, m.statement("a"), ["d"]),
        "if x:\n    d\n    a; b  # t\nelse: c\n",
    ),
    "insert before, suite, second": (
        "if x:\n\tif y: a; b  # t\n",
        lambda m: edits.insert_before(m, m.statement("b"), ["d"]),
        "if x:\n\tif y:\n\t\ta\n\t\td\n\t\tb  # t\n",
    ),
    "insert after": (
        BLOCK,
        lambda m: edits.insert_after(m, m.statement("a()"), ["e()"]),
        BLOCK.replace("# side\n", "# side\n    e()\n"),
    ),
    "insert after, several lines": (
        BLOCK,
        lambda m: edits.insert_after(m, m.statement("b(..."), ["e()", "f()"]),
        BLOCK.replace("    )\n", "    )\n    e()\n    f()\n"),
    ),
    "insert after a compound": (
        BLOCK,
        lambda m: edits.insert_after(m, m.statement("if c:..."), ["e()"]),
        BLOCK.replace("d()\n", "d()\n    e()\n"),
    ),
    "insert after a function": (
        BLOCK,
        lambda m: edits.insert_after(m, m.statement("def f..."), ["e()"]),
        BLOCK + "e()\n",
    ),
    "insert after, no line end": (
        "if x:\n    a",
        lambda m: edits.insert_after(m, m.statement("a"), ["b", "c"]),
        "if x:\n    a\n    b\n    c",
    ),
    "insert after, semicolon": (
        "a; b; c\n",
        lambda m: edits.insert_after(m, m.statement("b"), ["d"]),
        "a; b\nd\nc\n",
    ),
    "insert after, last semicolon": (
        "a; b;  # c\n",
        lambda m: edits.insert_after(m, m.statement("b"), ["d"]),
        "a; b;  # c\nd\n",
    ),
    "insert after, suite": (
        "while x: a; b;  # t",
        lambda m: edits.insert_after(m, m.statement("b"), ["d"]),
        "while x:\n    a; b;  # t\n    d",
    ),
    "insert after, suite, first": (
        "class A: x = 1; y = 2\n",
        lambda m: edits.insert_after(m, m.statement("x = 1"), ["z"]),
        "class A:\n    x = 1\n    z\n    y = 2\n",
    ),
    "prepend": (
        BLOCK,
        lambda m: edits.prepend(m, m.statement("def f...").body, ["e()"]),
        BLOCK.replace("    # above", "    e()\n    # above"),
    ),
    "prepend behind a docstring": (
        'def f():\n    """d\n    e"""  # c\n    a\n',
        lambda m: edits.prepend(m, m.statement("def f...").body, ["e()"]),
        'def f():\n    """d\n    e"""  # c\n    e()\n    a\n',
    ),
    "prepend, suite": (
        "try: a\nexcept X: pass\n",
        lambda m: edits.prepend(m, m.statement("pass") and m.walk.parent[m.statement("pass")], ["e()"]),
        "try: a\nexcept X:\n    e()\n    pass\n",
    ),
    "append": (
        BLOCK,
        lambda m: edits.append(m, m.statement("def f...").body, ["e()"]),
        BLOCK.replace("d()\n", "d()\n    e()\n"),
    ),
    "append, suite": (
        "try: a; b\nexcept X: pass\n",
        lambda m: edits.append(m, m.statement("try...").body, ["e()"]),
        "try:\n    a; b\n    e()\nexcept X: pass\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "make", "expected"), CASES.values(), ids=CASES.keys())
def test_cases(text: str, make, expected: str) -> None:
    check(text, make(StandIn(text)), expected)
