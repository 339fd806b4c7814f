"""Fixes as data, how they go together, and how the result is written and shown."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otlint import fix
from otlint.fix import Edit, Fix, Safety
from otlint.source import Source


def a_fix(*edits: Edit, title: str = "do it", safety: Safety = Safety.SAFE) -> Fix:
    return Fix(title, safety, edits)


def shared(at: int, text: str) -> Edit:
    return Edit(at, at, text, shared=True)


# -- one fix ------------------------------------------------------------------------------------------------------


def test_edits_are_kept_in_order() -> None:
    made = a_fix(Edit(5, 6, "x"), Edit(2, 2, "b"), shared(0, "i"), Edit(2, 2, "a"), shared(0, "i"), shared(2, "j"))
    assert made.edits == (shared(0, "i"), shared(2, "j"), Edit(2, 2, "ba"), Edit(5, 6, "x"))
    assert made.range == (2, 6)


def test_a_fix_with_overlapping_edits_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="overlap"):
        a_fix(Edit(0, 5, ""), Edit(4, 6, ""))
    with pytest.raises(ValueError, match="overlap"):
        a_fix(Edit(0, 5, ""), Edit(4, 4, "x"))
    a_fix(Edit(0, 5, ""), Edit(5, 6, ""), Edit(0, 0, "x"), Edit(5, 5, "y"))


# -- several fixes ------------------------------------------------------------------------------------------------

TEXT = "0123456789"


@pytest.mark.parametrize(
    ("first", "second", "after", "both"),
    [
        (a_fix(Edit(1, 3, "a")), a_fix(Edit(5, 6, "b")), "0a34b6789", True),
        (a_fix(Edit(1, 3, "a")), a_fix(Edit(3, 6, "b")), "0ab6789", True),
        (a_fix(Edit(1, 3, "a")), a_fix(Edit(2, 6, "b")), "0a3456789", False),
        (a_fix(Edit(1, 3, "a")), a_fix(Edit(1, 3, "a"), title="again"), "0a3456789", True),
        (a_fix(Edit(1, 3, "a")), a_fix(Edit(2, 2, "b")), "0a3456789", False),
        (a_fix(Edit(1, 3, "a")), a_fix(Edit(3, 3, "b")), "0ab3456789", True),
        (a_fix(Edit(1, 1, "a")), a_fix(Edit(1, 3, "b")), "0ab3456789", True),
        (a_fix(Edit(1, 1, "a")), a_fix(Edit(1, 1, "b")), "0a123456789", False),
        # the text between the edits of a fix is the fix's
        (a_fix(Edit(1, 1, "a"), Edit(8, 8, "b")), a_fix(Edit(4, 5, "c")), "0a1234567b89", False),
        # indentation that two fixes add is added twice or not at all, never once
        (a_fix(Edit(1, 1, "a"), Edit(3, 3, " ")), a_fix(Edit(3, 3, " "), Edit(4, 4, "c")), "0a12 3456789", False),
        # imports
        (a_fix(shared(0, "i"), Edit(3, 4, "a")), a_fix(shared(0, "i"), Edit(7, 8, "b")), "i012a456b89", True),
        (a_fix(shared(0, "i"), Edit(3, 4, "a")), a_fix(shared(0, "h"), Edit(7, 8, "b")), "hi012a456b89", True),
        (a_fix(shared(3, "i"), Edit(7, 7, "a")), a_fix(Edit(3, 3, "b")), "012ib3456a789", True),
        (a_fix(shared(3, "i"), Edit(7, 7, "a")), a_fix(Edit(2, 4, "b")), "01b456789", False),
        (a_fix(Edit(1, 1, "a"), Edit(8, 8, "b")), a_fix(shared(4, "i"), Edit(9, 9, "c")), "0a123i4567b8c9", True),
        (a_fix(shared(0, "from a import b\n")), a_fix(shared(0, "from a import c as d\n")), None, True),
    ],
)
def test_pairs(first: Fix, second: Fix, after: str | None, both: bool) -> None:
    expected = ("from a import b, c as d\n" + TEXT) if after is None else after
    for fixes in ([first, second], [second, first]):
        got, taken = fix.apply(TEXT, fixes)
        assert got == expected
        assert len(taken) == (2 if both else 1)


def test_imports_of_other_modules_stay_on_their_own_lines() -> None:
    imports = ["from b import y\n", "from b import x\n", "import a\n", "from c import z\n", "\nfrom b import w"]
    after, taken = fix.apply("", [a_fix(shared(0, text), title=text) for text in imports])
    assert after == "from b import x, y\nfrom c import z\nimport a\n\nfrom b import w"
    assert len(taken) == 5


def test_imports_that_become_long_are_wrapped() -> None:
    text = "from shop.orders_of_all_customers import first_order_of_a_customer  # orders\r\nx = 1\r\n"
    end = text.index("  #")
    more = Fix("a", Safety.SAFE, (Edit(end, end, ", second_order_of_a_customer", shared=True),))
    assert fix.apply(text, [more])[0] == (
        "from shop.orders_of_all_customers import (  # orders\r\n    first_order_of_a_customer,\r\n"
        "    second_order_of_a_customer,\r\n)\r\nx = 1\r\n"
    )
    assert "(" not in fix.apply(text + "y" * 110, [more])[0]


def test_leftovers_go_with_the_last_of_their_uses() -> None:
    left = (fix.Leftover((Edit(0, 2, ""),), (2, 4)),)
    first, second = (Fix("a", Safety.SAFE, (Edit(at, at + 1, "z"),), left) for at in (2, 4))
    assert fix.apply("i\nabc", [first])[0] == "i\nzbc"
    assert fix.apply("i\nabc", [first, second])[0] == "zbz"
    line = Fix("b", Safety.SAFE, (Edit(1, 1, "!"),))
    assert fix.apply("i\nabc", [first, second, line])[0] == "i!\nzbz"


def test_a_display_fix_is_never_applied() -> None:
    assert fix.apply("a", [a_fix(Edit(0, 1, "b"), safety=Safety.DISPLAY)]) == ("a", [])


def test_fixes_that_break_the_text_together_are_taken_one_by_one() -> None:
    one, two, three = (a_fix(Edit(at, at + 1, "")) for at in range(3))
    assert fix.apply("abc", [one, two, three], parses=bool) == ("c", [one, two])
    assert fix.apply("abc", [one], parses=lambda text: text == "abc") == ("abc", [])


fixes = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.sampled_from(["", "x", "yy"])), min_size=1, max_size=3),
    max_size=5,
)


@given(fixes)
def test_applied_edits_never_overlap_and_the_rest_stays(drawn: list[list[tuple[int, int, str]]]) -> None:
    text = "0123456789abc"
    made = []
    for edits in drawn:
        try:
            made.append(a_fix(*(Edit(at, at + length, new) for at, length, new in edits)))
        except ValueError:
            continue
    after, taken = fix.apply(text, made)
    gone = {at for each in taken for edit in each.edits for at in range(edit.start, edit.end)}
    assert after.replace("x", "").replace("y", "") == "".join(c for at, c in enumerate(text) if at not in gone)
    assert fix.apply(text, reversed(made))[0] == after


# -- comments -----------------------------------------------------------------------------------------------------


def test_a_fix_that_loses_a_comment_is_unsafe() -> None:
    text = "f(  # one\n  1)"
    comments = [(4, 9)]
    loses, keeps, beside = a_fix(Edit(0, 14, "g(1)")), a_fix(Edit(0, 14, "g(  # one\n  1)")), a_fix(Edit(9, 12, ""))
    assert fix.downgrade(loses, text, comments).safety is Safety.UNSAFE
    assert fix.downgrade(keeps, text, comments) is keeps
    assert fix.downgrade(beside, text, comments) is beside
    shown = a_fix(Edit(0, 14, ""), safety=Safety.DISPLAY)
    assert fix.downgrade(shown, text, comments) is shown


# -- writing ------------------------------------------------------------------------------------------------------


def test_write_keeps_mode_and_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.py", tmp_path / "b.py"
    target.write_bytes(b"old")
    target.chmod(0o750)
    link.symlink_to(target)
    assert fix.write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o750
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.py", "b.py", "real"]


def test_write_touches_nothing_when_nothing_changes(tmp_path: Path) -> None:
    target = tmp_path / "a.py"
    target.write_bytes(b"old")
    before = target.stat()
    assert not fix.write(target, b"old")
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_write_leaves_nothing_behind_on_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.py"
    target.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        fix.write(target, b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.py", b"old")]


def test_write_refuses_what_is_not_there_or_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        fix.write(tmp_path / "a.py", b"")
    target = tmp_path / "b.py"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError):
        fix.write(target, b"new")


# -- diffs --------------------------------------------------------------------------------------------------------

CHANGES = {
    "plain": (b"a\nb\nc\n", "a\nB\nc\n"),
    "windows": (b"a\r\nb\r\nc\r\n", "a\r\nB\r\nc\r\n"),
    "mac": (b"a\rb\r", "a\rB\r"),
    "mixed": (b"a\r\nb\nc\rd\n", "a\r\nb\nC\rd\n"),
    "no end before": (b"a\nb", "a\nB\n"),
    "no end after": (b"a\nb\n", "a\nB"),
    "no end at all": (b"a\nb", "A\nb"),
    "byte order mark": (b"\xef\xbb\xbfa\nb\n", "A\nb\n"),
    "form feed": (b"a\n\x0cb\x0b\x1c\n", "a\n\x0cB\x0b\x1c\n"),
    "unicode": ("é\u2028x\nb\n".encode(), "é\u2028x\nB\n"),
    "latin": (b"# coding: latin-1\n\xe9\nb\n", "# coding: latin-1\né\nB\n"),
    "emptied": (b"a\n", ""),
    "filled": (b"", "a\n"),
    "far apart": (b"1\n" * 20 + b"x\n" + b"2\n" * 20 + b"y\n", "1\n" * 20 + "X\n" + "2\n" * 20 + "Y\n"),
}


@pytest.mark.parametrize("tool", [["git", "apply", "--whitespace=nowarn"], ["patch", "-p1", "--binary", "-i"]])
@pytest.mark.parametrize("name", ["dir/a.py", "a b.py", 'q"uo\\te.py', "é.py"])
@pytest.mark.parametrize(("data", "after"), CHANGES.values(), ids=CHANGES.keys())
def test_the_diff_applies(tmp_path: Path, tool: list[str], name: str, data: bytes, after: str) -> None:
    if shutil.which(tool[0]) is None:
        pytest.skip(f"no {tool[0]}")
    source = Source.decode(data, name)
    shown = fix.diff(source, after, name)
    target = tmp_path / name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(data)
    (tmp_path / "changes.patch").write_bytes(shown.encode(source.encoding))
    subprocess.run([*tool, "changes.patch"], cwd=tmp_path, check=True, capture_output=True)
    assert (target.read_bytes() if target.exists() else b"") == source.encode(after)


def test_the_diff_reads_like_one() -> None:
    shown = fix.diff(Source("a.py", "a\nb"), "a\nc\n", "/src/a.py")
    assert shown == ("--- a/src/a.py\n+++ b/src/a.py\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n")
    assert fix.diff(Source("a.py", "a\n"), "a\n", "a.py") == ""
