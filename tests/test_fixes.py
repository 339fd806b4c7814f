"""Whatever surrounds a defect, its fix keeps its promises: the bad examples of all pages in random contexts.

`OTLINT_FUZZ=2000` tries that many new ones instead of the usual, always equal few.
"""

from __future__ import annotations

import ast
import io
import os
import re
import textwrap
import tokenize
import warnings
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from otlint.engine import Report
from otlint.fix import Safety
from tests.judge import Case, all_cases, check_repair, judge, repairs, report
from tests.spec import SINGLE

FUZZ = int(os.environ.get("OTLINT_FUZZ", "0"))
Step = Callable[[str, st.DataObject], str]


def _fixable() -> list[Case]:
    """Bad examples of one file that have a fix."""
    return [
        case
        for case in all_cases()
        if case.example.section == "Bad"
        and [block.path for block in case.example.files] == [SINGLE]
        and repairs(report(case), case.code, Safety.SAFE, Safety.UNSAFE)
    ]


def _wrapped(text: str, data: st.DataObject) -> str:
    """The module's body inside a block; lines inside of strings keep their place, so such a text is left alone."""
    header, footer = data.draw(
        st.sampled_from(
            [
                ("def outer():", ""),
                ("async def outer():", ""),
                ("class Outer:", ""),
                ("if True:", ""),
                ("try:", "finally:\n    print('done')\n"),
                ("try:", "except ValueError:\n    pass\n"),
                ("for _ in range(2):", "else:\n    pass\n"),
                ("with open('x') as file:", ""),
                ("def outer(self, *args, key=None):\n    '''Say why.'''", ""),
            ]
        ),
        label="wrap",
    )
    assume("'''" not in text and '"""' not in text and "__future__" not in text)
    return f"{header}\n{textwrap.indent(text, '    ')}{footer}"


def _indented_otherwise(text: str, data: st.DataObject) -> str:
    unit = data.draw(st.sampled_from(["\t", "  ", "   "]), label="indent")
    assume("'''" not in text and '"""' not in text)
    return re.sub(r"(?m)^(?:    )+", lambda match: unit * (len(match[0]) // 4), text)


def _commented(text: str, data: st.DataObject) -> str:
    """Comments at the end of logical lines."""
    lines = text.splitlines(keepends=True)
    ends = [token.start[0] for token in _tokens(text) if token.type == tokenize.NEWLINE and "#" not in token.line]
    for row in data.draw(st.sets(st.sampled_from(ends or [1]), max_size=4), label="comments"):
        lines[row - 1] = lines[row - 1].rstrip("\n") + f"  # 🐍 note {row}\n"
    return "".join(lines)


def _commented_above(text: str, data: st.DataObject) -> str:
    """Comments and empty lines of their own, at the indentation of the line below them."""
    lines = text.splitlines(keepends=True)
    starts = _starts(text)
    for row in sorted(data.draw(st.sets(st.sampled_from(starts), max_size=4), label="above"), reverse=True):
        indent = re.match(r"\s*", lines[row - 1])[0]  # type: ignore[index]
        lines.insert(row - 1, data.draw(st.sampled_from([f"{indent}# naïve {row}\n", "\n", f"{indent}\n"])))
    return "".join(lines)


def _with_semicolons(text: str, data: st.DataObject) -> str:
    """A trailing semicolon, or a second statement on the line."""
    lines = text.splitlines(keepends=True)
    simple = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Expr | ast.Assign | ast.Return)]
    rows = [node.end_lineno or 0 for node in simple]
    rows = [row for row in rows if "#" not in lines[row - 1] and lines[row - 1].strip()[-1:] != ";"]
    for row in data.draw(st.sets(st.sampled_from(rows or [0]), max_size=3), label="semicolons") - {0}:
        lines[row - 1] = lines[row - 1].rstrip("\n") + data.draw(st.sampled_from([";", "; pass"])) + "\n"
    return "".join(lines)


def _with_form_feeds(text: str, data: st.DataObject) -> str:
    lines = text.splitlines(keepends=True)
    rows = [row for row in _starts(text) if not lines[row - 1][:1].isspace()]
    for row in sorted(data.draw(st.sets(st.sampled_from(rows), max_size=2), label="form feeds"), reverse=True):
        lines.insert(row - 1, "\f\n")
    return "".join(lines)


def _with_unicode(text: str, data: st.DataObject) -> str:
    """Columns are counted in code points: a wide statement on a line before, and on the same one."""
    return data.draw(st.sampled_from(['smile = "😀"\n', 'smile = "😀é\\u0301"; ']), label="unicode") + text


STEPS: list[Step] = [
    _wrapped,
    _indented_otherwise,
    _commented,
    _commented_above,
    _with_semicolons,
    _with_form_feeds,
    _with_unicode,
]


def _starts(text: str) -> list[int]:
    """The rows on which logical lines start."""
    rows, is_new = [], True
    for token in _tokens(text):
        if token.type in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING):
            continue
        if is_new and token.type != tokenize.ENDMARKER:
            rows.append(token.start[0])
        is_new = token.type == tokenize.NEWLINE
    return rows


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


def _compiles(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, SINGLE, "exec", dont_inherit=True)
        except SyntaxError:
            return False
    return True


@pytest.mark.parametrize("case", _fixable(), ids=lambda case: f"{case.code} {case.example.key}")
def test_fixes_where_the_file_ends_with_the_defect(case: Case) -> None:
    """Without its callers a repaired function may have other defects, so only crashes and line ends are looked at."""
    text = case.example.texts[SINGLE]
    rows = [finding.start.row for finding in report(case).findings if finding.code == case.code and finding.fix]
    body = [each for each in ast.parse(text).body if each.lineno <= max(rows)]
    text = "".join(text.splitlines(keepends=True)[: body[-1].end_lineno]).removesuffix("\n")
    files: dict[str, str | bytes] = {**case.example.texts, SINGLE: text}
    repaired = judge(case.code, files, Safety.UNSAFE)
    assert not repaired.problems
    _check_changes(case, files, repaired, text, "\n")


@pytest.mark.skipif(not _fixable(), reason="no rule has a fix yet")
@settings(
    max_examples=FUZZ or 120,
    deadline=None,
    derandomize=not FUZZ,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_fixes_keep_their_promises_in_any_surroundings(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(_fixable()), label="example")
    text = case.example.texts[SINGLE]
    for step in data.draw(st.lists(st.sampled_from(STEPS), max_size=4, unique=True), label="steps"):
        text = step(text, data)
        assume(_compiles(text))
    newline = data.draw(st.sampled_from(["\n", "\r\n", "\r"]), label="newline")
    bom = data.draw(st.sampled_from(["", "\ufeff"]), label="bom")
    if data.draw(st.booleans(), label="no newline at the end"):
        text = text.removesuffix("\n")
    text = text.replace("\n", newline)
    _check(case, {**case.example.texts, SINGLE: (bom + text).encode()}, text, newline)


def _check(case: Case, files: dict[str, str | bytes], text: str, newline: str) -> None:
    before = judge(case.code, files)
    repaired = judge(case.code, files, Safety.UNSAFE)
    check_repair(case.code, before, repaired)
    _check_changes(case, files, repaired, text, newline)


def _check_changes(case: Case, files: dict[str, str | bytes], repaired: Report, text: str, newline: str) -> None:
    for change in repaired.changes:
        data = change.before.encode(change.after)
        assert data.startswith(b"\xef\xbb\xbf") == (files[SINGLE][:3] == b"\xef\xbb\xbf"), "the BOM"
        assert change.before.text == text
        assert set(re.findall(r"\r\n|\r|\n", change.after)) <= {newline}, "newlines are mixed"
        last = text.rpartition(newline)[2]  # where it goes, the line before has an end
        assert change.after.endswith(newline) == text.endswith(newline) or last not in change.after
        again = judge(case.code, {**files, SINGLE: data}, Safety.UNSAFE)
        assert not again.changes, "a second fix changes something again"
