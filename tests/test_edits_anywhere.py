"""Properties of the makers of edits, at every statement of sources with odd layouts."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Callable

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_in import StandIn, applied

from otlint import edits
from otlint.fix import Edit
from otlint.model.code.positions import comments

PLAIN = '''\
#!/usr/bin/env python
# licence

"""docstring
    of the module"""; one = 1
from a import b  # import

# about X
@d  # on the decorator
# between
@e(1,
   2)
class X(Y):  # class
    """one line"""

    # about two
    two = 2; three = 3 ; four = 4  # side

  # odd
    async def f(self, a=1,  # a
                b=2):
        # first
        async with g(a) as h, i: await h; await i  # with
        text = """
    # no comment
  less
        """ % (  # inside
            a,

    # far left
        )
        if a: return 1
        elif b:  # elif
            pass; pass;
        else: return """
x"""
        # foot of f
    # foot of X

try: one; two
except A: three  # three
except (B, C) as exc:
    raise  # raise
else:

    four; \\
      five
finally:
    while one:
        for two in three: break
        else:
            x = one + \\
                two
            # deep foot

        # foot of while
    # foot of finally
def h(): "docstring"; return f"""
  {one}
 # no comment
"""
with (one,
      two): x = """
"""; y = 2
match one:
    # case
    case 1: two  # two
    case [_]:
        three
        # foot of match
if one:
    def f(): pass
    # foot
    class Y: z = 1
for one in two:
    three  # three

    # about four
    four
last = """
    """
# end
'''


def tabs(text: str) -> str:
    return re.sub(r"(?m)^ +", lambda found: found.group().replace("    ", "\t"), text)


def form_feeds(text: str) -> str:
    for line in ("@d", "    two = 2", "        # first", "for one"):
        text = text.replace("\n" + line, "\n\x0c" + line)
    return text.replace("\n\n", "\n\x0c\n")


SOURCES = {
    "plain": PLAIN,
    "tabs": tabs(PLAIN.replace("  # odd\n", "# odd\n").replace("\n  less", "\n    less")),
    "windows": PLAIN.replace("\n", "\r\n"),
    "mac": PLAIN.replace("\n", "\r"),
    "mixed": PLAIN.replace("\n    ", "\r\n    "),
    "no last line end": PLAIN.removesuffix("\n# end\n"),
    "no last line end, suite": "if a: b",
    "form feeds": form_feeds(PLAIN),
    "two spaces": PLAIN.replace("    ", "  ").replace("  # odd", " # odd"),
}
MODULES = {name: StandIn(text) for name, text in SOURCES.items()}

Statement = cst.BaseSmallStatement | cst.BaseCompoundStatement


def blocks_of(module: StandIn) -> list[list[Statement]]:
    """The statements of each block, in order."""
    found = []
    for block in module.walk.all(cst.Module, cst.IndentedBlock, cst.SimpleStatementSuite):
        lines = [line.body if isinstance(line, cst.SimpleStatementLine) else [line] for line in block.body]
        found.append([statement for line in lines for statement in line])
    return found


def tree(text: str) -> ast.Module:
    return ast.parse(text.replace("\r\n", "\n").replace("\r", "\n"))


class Changed(ast.NodeTransformer):
    """Changes the block in which the statements at some places stand."""

    def __init__(self, places: list[tuple[int, int]], change: Callable[[list[ast.stmt]], list[ast.stmt]]) -> None:
        self.places = places
        self.change = change

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if not isinstance(block, list):
                continue
            found = [at for at, each in enumerate(block) if (each.lineno, each.col_offset) in self.places]
            if found:
                changed = self.change(block[found[0] : found[-1] + 1])
                block[found[0] : found[-1] + 1] = changed
                if not block and not isinstance(node, ast.Module):
                    block.append(ast.Pass())
        return node


class NoIdleBranches(ast.NodeTransformer):
    """Takes out what a deletion may leave or take: `if x: pass`."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        super().generic_visit(node)
        idle = re.fullmatch(r"(not )?\w+( is (not )?\w+)?(( and | or )\w+)*", ast.unparse(node.test))
        return None if idle and not node.orelse and all(isinstance(each, ast.Pass) for each in node.body) else node


def dumped(found: ast.AST) -> str:
    found = NoIdleBranches().visit(found)
    return re.sub(r"Pass\(\), |, Pass\(\)|Pass\(\)", "", ast.dump(found))


def check(
    module: StandIn,
    made: tuple[Edit, ...],
    chosen: list[Statement],
    change: Callable[[list[ast.stmt]], list[ast.stmt]],
) -> str:
    """The edits change the block as expected, and lose no comment."""
    text = module.source.text
    after = applied(text, made)
    locations = [module.source.location(module.range(statement)[0]) for statement in chosen]
    places = [(found.row, found.column - 1) for found in locations]
    assert dumped(tree(after)) == dumped(Changed(places, change).visit(tree(text)))
    assert kept(after) >= kept(text)
    return after


@functools.cache
def kept(text: str) -> Counter[str]:
    module = StandIn(text)
    return Counter(text[start:end] for start, end in comments(module.ranges))


few = settings(deadline=None, max_examples=40)
INSERTED = ast.Expr(ast.Name("INSERTED", ast.Load()))
DRAWN = st.tuples(st.sampled_from(sorted(SOURCES)), st.integers(0, 10**6), st.integers(1, 4))


def drawn_statements(drawn: tuple[str, int, int]) -> tuple[StandIn, list[Statement]]:
    name, number, length = drawn
    module = MODULES[name]
    blocks = blocks_of(module)
    everywhere = [(block, at) for block in blocks for at in range(len(block))]
    block, at = everywhere[number % len(everywhere)]
    return module, block[at : at + length]


@pytest.mark.parametrize("name", SOURCES)
def test_the_sources_parse(name: str) -> None:
    tree(SOURCES[name])
    assert len(blocks_of(MODULES[name])) > 20 or "suite" in name


@few
@given(DRAWN)
def test_insert_before(drawn: tuple[str, int, int]) -> None:
    module, chosen = drawn_statements(drawn)
    made = edits.insert_before(module, chosen[0], ["INSERTED"])
    after = check(module, made, chosen[:1], lambda found: [INSERTED, *found])
    assert newlines(after) <= newlines(module.source.text) | {module.source.newline}


@few
@given(DRAWN)
def test_insert_after(drawn: tuple[str, int, int]) -> None:
    module, chosen = drawn_statements(drawn)
    made = edits.insert_after(module, chosen[0], ["INSERTED"])
    check(module, made, chosen[:1], lambda found: [*found, INSERTED])


@few
@given(DRAWN)
def test_delete_statement(drawn: tuple[str, int, int]) -> None:
    module, chosen = drawn_statements(drawn)
    if any(isinstance(each, cst.BaseCompoundStatement) or "#" in module.code(each) for each in chosen):
        return
    if "\f" in module.source.text and any(block[0] is chosen[0] for block in blocks_of(module)):
        return  # LibCST cannot parse a form feed in the first indentation of a block
    check(module, edits.delete_statement(module, *chosen), chosen, lambda _: [])


@few
@given(DRAWN)
def test_wrap_try_finally(drawn: tuple[str, int, int]) -> None:
    module, chosen = drawn_statements(drawn)
    made = edits.wrap_try_finally(module, chosen, ["INSERTED"])
    check(module, made, chosen, lambda found: [ast.Try(found, [], [], [INSERTED])])


@few
@given(DRAWN, st.integers(0, 3))
def test_wrap_with(drawn: tuple[str, int, int], deleted: int) -> None:
    module, chosen = drawn_statements(drawn)
    without = [each for each in chosen[deleted:] if isinstance(each, cst.BaseSmallStatement)]
    without = [each for each in without if "#" not in module.code(each)]
    if "\f" in module.source.text:
        without = []  # LibCST cannot parse a form feed in the first indentation of a block
    made = edits.wrap_with(module, chosen, "with INSERTED:", without=without)
    flags = [each in without for each in chosen]

    def change(found: list[ast.stmt]) -> list[ast.stmt]:
        body = [each for each, gone in zip(found, flags, strict=True) if not gone]
        return [ast.With([ast.withitem(INSERTED.value)], body or [ast.Pass()])]

    after = check(module, made, chosen, change)
    again = StandIn(after)
    compound = next(found for found in again.walk.all(cst.With) if again.code(found.items[0]) == "INSERTED")
    unwrapped = applied(after, edits.unwrap(again, compound))
    assert kept(unwrapped) == kept(after)
    if not without and "".join(unwrapped.split()) == "".join(module.source.text.split()):
        assert ast.dump(tree(unwrapped)) == ast.dump(tree(module.source.text))


@pytest.mark.parametrize("name", SOURCES)
def test_unwrap(name: str) -> None:
    module = MODULES[name]
    for compound in module.walk.all(cst.With):
        check(module, edits.unwrap(module, compound), [compound], lambda found: found[0].body)


def newlines(text: str) -> set[str]:
    return set(re.findall(r"\r\n|\n|\r", text))


@pytest.mark.parametrize("name", SOURCES)
def test_calls(name: str) -> None:
    module = MODULES[name]
    text = module.source.text
    for call in module.walk.all(cst.Call):
        makers = [
            edits.set_argument(module, call, "new", "v"),
            edits.insert_argument(module, call, "v"),
            edits.surround(module, call, "str(", ")"),
            *(edits.remove_argument(module, call, arg) for arg in call.args),
        ]
        for made in makers:
            after = applied(text, made)
            tree(after)
            assert kept(after) == kept(text)
