"""The makers of edits: what they write, and what never happens to the rest of the file."""

from __future__ import annotations

import libcst as cst
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
    "delete": (
        BLOCK,
        lambda m: edits.delete_statement(m, m.statement("b(...")),
        "def f():\n    # above\n    a()  # side\n\n    if c:\n        d()\n    # last\n",
    ),
    "delete, comment stays": (
        BLOCK,
        lambda m: edits.delete_statement(m, m.statement("a()")),
        BLOCK.replace("    a()  # side", "    # side"),
    ),
    "delete all of a block": (
        BLOCK.replace("if c", "if c()"),
        lambda m: edits.delete_statement(m, m.statement("d()")),
        BLOCK.replace("if c", "if c()").replace("d()", "pass"),
    ),
    "delete all of a branch": (
        BLOCK,
        lambda m: edits.delete_statement(m, m.statement("d()")),
        BLOCK.replace("    if c:\n        d()\n", ""),
    ),
    "delete all of two branches, and what is beside them": (
        "def f():\n  if a is not None:\n    if b.is_recording() and g: c; d\n  e\n",
        lambda m: edits.delete_statement(m, *(m.statement(code) for code in "cde")),
        "def f():\n  pass\n",
    ),
    "delete all of a branch with a comment": (
        "if not a:\n  b  # c\n",
        lambda m: edits.delete_statement(m, m.statement("b")),
        "if not a:\n  pass  # c\n",
    ),
    "delete all of a branch of several": (
        "if a:\n  b\nelif c:\n  d\n",
        lambda m: edits.delete_statement(m, m.statement("b"), m.statement("d")),
        "if a:\n  pass\nelif c:\n  pass\n",
    ),
    "delete all of a block, several": (
        "try:\n    a\n    b  # c\n    d; e\nfinally:\n    f\n",
        lambda m: edits.delete_statement(m, *(m.statement(code) for code in "abde")),
        "try:\n    pass\n    # c\nfinally:\n    f\n",
    ),
    "delete a compound": (
        BLOCK,
        lambda m: edits.delete_statement(m, m.statement("if c:...")),
        BLOCK.replace("    if c:\n        d()\n", ""),
    ),
    "delete in the module": ("a\n", lambda m: edits.delete_statement(m, m.statement("a")), ""),
    "delete the last line": ("a\nb", lambda m: edits.delete_statement(m, m.statement("b")), "a"),
    "delete, semicolons": (
        "a; b ; c;  # d\n",
        lambda m: edits.delete_statement(m, m.statement("a"), m.statement("c")),
        "b;  # d\n",
    ),
    "delete, suite": (
        "if x: a  # c\nelse: b; c\n",
        lambda m: edits.delete_statement(m, m.statement("a"), m.statement("b")),
        "if x: pass  # c\nelse: c\n",
    ),
    "wrap": (
        BLOCK,
        lambda m: edits.wrap_try_finally(m, [m.statement("b(..."), m.statement("if c:...")], ["e()", "if f:", "\tg()"]),
        (
            "def f():\n    # above\n    a()  # side\n    try:\n        b(\n            1,  # one\n        )\n\n"
            "        if c:\n            d()\n    finally:\n        e()\n        if f:\n            g()\n    # last\n"
        ),
    ),
    "wrap, comments above and strings": (
        'a\n# about b\nb = """\n  x\n"""  # c\n\nc',
        lambda m: edits.wrap_try_finally(m, [m.statement("b =..."), m.statement("c")], ["d"]),
        'a\ntry:\n    # about b\n    b = """\n  x\n"""  # c\n\n    c\nfinally:\n    d',
    ),
    "wrap, tabs in windows": (
        "if x:\r\n\ta(\r\n\t  1)\r\n\t# foot\r\n",
        lambda m: edits.wrap_with(m, [m.statement("a(...")], "with y:"),
        "if x:\r\n\twith y:\r\n\t\ta(\r\n\t\t  1)\r\n\t# foot\r\n",
    ),
    "wrap, foot of a nested block": (
        "if x:\n    if y:\n        a\n        # foot\n    b\n",
        lambda m: edits.wrap_try_finally(m, [m.statement("if y:...")], ["c"]),
        "if x:\n    try:\n        if y:\n            a\n            # foot\n    finally:\n        c\n    b\n",
    ),
    "wrap, semicolons": (
        "if x:\n    a; b; c; d  # e\n",
        lambda m: edits.wrap_try_finally(m, [m.statement("b"), m.statement("c")], ["f"]),
        "if x:\n    a\n    try:\n        b; c\n    finally:\n        f\n    d  # e\n",
    ),
    "wrap, suite": (
        "if x: a; b  # c\n",
        lambda m: edits.wrap_try_finally(m, [m.statement("b")], ["d"]),
        "if x:\n    a\n    try:\n        b  # c\n    finally:\n        d\n",
    ),
    "wrap without": (
        "def f():\n    s = start()\n    # work\n    a()\n    if b:\n        s.end()  # now\n    c()\n    s.end()\n",
        lambda m: edits.wrap_with(
            m,
            m.statement("def f...").body.body,
            "with start() as s:",
            without=[m.statement("s = start()"), *m.walk.all(cst.Expr)[1:2], *m.walk.all(cst.Expr)[3:]],
        ),
        (
            "def f():\n    with start() as s:\n        # work\n        a()\n"
            "        if b:\n            pass  # now\n        c()\n"
        ),
    ),
    "wrap nothing": (
        "s = start()\ns.end()\n",
        lambda m: edits.wrap_with(m, m.tree.body, "with start():", without=[line.body[0] for line in m.tree.body]),
        "with start():\n    pass\n",
    ),
    "unwrap": (
        "if x:\n  with a:  # c\n      # d\n      b(\n    1)\n\n      c = '''\n      '''\n  e\n",
        lambda m: edits.unwrap(m, m.statement("with a:...")),
        "if x:\n  # c\n  # d\n  b(\n    1)\n\n  c = '''\n      '''\n  e\n",
    ),
    "unwrap, suite": ("with (a\n  ): b; c\n", lambda m: edits.unwrap(m, m.statement("with (a...")), "b; c\n"),
    "try becomes with": (
        (
            "def f():\n    s = start()  # here\n    try:  # go\n        a\n"
            "    # end it\n    finally:\n        s.end()\n    b\n"
        ),
        lambda m: (
            *edits.delete_statement(m, m.statement("s = start()")),
            *edits.replace_header(m, m.statement("try..."), "with start() as s:"),
            *edits.delete_clause(m, m.statement("try...").finalbody),
        ),
        "def f():\n    # here\n    with start() as s:  # go\n        a\n    # end it\n    b\n",
    ),
    "no longer async": (
        "async def f():\n    async  with a: b\n",
        lambda m: edits.make_sync(m, m.statement("async  with...")),
        "async def f():\n    with a: b\n",
    ),
}


@pytest.mark.parametrize(("text", "make", "expected"), CASES.values(), ids=CASES.keys())
def test_cases(text: str, make, expected: str) -> None:
    check(text, make(StandIn(text)), expected)
