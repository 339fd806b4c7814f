"""Suppression comments: what each form covers, and what is said about comments that are of no use."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

from otlint.finding import Finding, Location
from otlint.fix import Safety
from otlint.model.module import Module
from otlint.settings.config import Config, Configs
from otlint.settings.layers import inline
from otlint.source import Source
from otlint.suppress import Suppressions
from tests.catalogue import CODES, catalogue, level  # noqa: F401
from tests.stand_in import applied


def suppressions(text: str) -> Suppressions:
    source = Source("a.py", text)
    return Suppressions.of(Module(source, cst.parse_module(text), "a.py"))


def finding(row: int, code: str = "OTL201", *, last: int | None = None, noqa_row: int | None = None) -> Finding:
    end = Location(last or row, 9 if last is None else 2)
    return Finding("a.py", Location(row, 2), end, "", code=code, name=CODES.get(code, "syntax-error"),
                   level=level(code), noqa_row=noqa_row or last or row)  # fmt: skip


def covered(text: str, code: str = "OTL201") -> list[int]:
    """The rows on which a finding is suppressed."""
    found = suppressions(text)
    return [row for row in range(1, text.count("\n") + 1) if found.covers(finding(row, code))]


@pytest.fixture
def config(tmp_path, monkeypatch) -> Config:
    monkeypatch.chdir(tmp_path)
    return Configs().of(str(Path.cwd()))


def configured(text: str) -> Config:
    return Configs([inline(text)], isolated=True).of("/")


@pytest.mark.parametrize(
    "comment",
    [
        "# otlint: ignore[OTL201]",
        "#otlint:ignore[OTL201]",
        "# otlint: ignore[unbounded-span-name] bounded by an enum",
        "# otlint: ignore[OTL2]",
        "# otlint: ignore[names]",
        "# otlint: ignore[ALL]",
        "# otlint: ignore[OTL101, OTL201]",
        "# otlint: ignore[OTL101,OTL201,]",
        "# type: ignore  # otlint: ignore[OTL201]",
        "# otlint: ignore[OTL201] see #123  # noqa: E501",
        "# noqa: E501  # otlint: ignore[OTL201]",
        "# noqa",
        "# noqa: OTL201",
        "# NoQA:OTL201",
        "# noqa: E501,OTL201",
        "# noqa: E501 otl201",
        "# noqa: OTL2",
        "# noqa: OTL201 the set is fixed",
        "# pylint: disable=all # noqa:OTL201",
    ],
)
def test_a_trailing_comment_covers_its_line(comment):
    assert covered(f"a = 1\nb = 2  {comment}\nc = 3\n") == [2]


@pytest.mark.parametrize(
    "comment",
    [
        "# otlint: ignore[OTL101]",
        "# otlint: ignore[hints]",
        "# Otlint: Ignore[OTL201]",
        "# otlint: ignore [OTL201]",
        "# otlint: ignore",
        "# otlint: disable[OTL201]",
        "# noqa: E501",
        "# noqa: see OTL201",
        "# noqa:",
        "# noqas",
        "# type: ignore",
        "# say otlint: ignore[OTL201]",
    ],
)
def test_other_comments_cover_nothing(comment):
    assert covered(f"a = 1\nb = 2  {comment}\nc = 3\n") == []


def test_a_string_is_no_comment():
    assert covered('a = "# otlint: ignore[OTL201]"\nb = """\n# noqa\n"""\n') == []


def test_a_comment_on_any_line_that_the_finding_touches_covers_it():
    text = "span(\n    a,\n    b,  # otlint: ignore[OTL201]\n    c,\n)\n"
    assert suppressions(text).covers(finding(2, last=4))
    assert suppressions(text).covers(finding(1, last=5))
    assert not suppressions(text).covers(finding(1, noqa_row=5))
    assert not suppressions(text).covers(finding(4, noqa_row=5))


def test_a_finding_that_ends_at_the_start_of_a_line_does_not_touch_it():
    found = suppressions("a = 1\nb = 2  # otlint: ignore[OTL201]\n")
    assert not found.covers(Finding("a.py", Location(1, 1), Location(2, 1), "", code="OTL201", noqa_row=1))


def test_a_comment_on_the_last_line_of_a_statement_covers_its_findings():
    text = 'span(f"""\n{a}\n""")  # noqa: OTL201\n'
    assert suppressions(text).covers(finding(1, noqa_row=3))
    assert not suppressions(text).covers(finding(1, noqa_row=1))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("#C\na = 1\nb = 2\n", [2]),
        ("a = 1\n\n#C\n\n# more\nb = (\n  1,\n)\nc = 3\n", [6, 7, 8]),
        ("#C\na = 1; b = 2\nc = 3\n", [2]),
        ("#C\ndef f(\n    a,\n):\n    b = 1\n", [2, 3, 4]),
        ("#C\n@one\n@two(\n    1)\ndef f(a):\n    b = 1\n", [2, 3, 4, 5]),
        ("@one\n#C\n@two\ndef f(a):\n    b = 1\n", [3, 4]),
        ("@one\n#C\nclass F:\n    b = 1\n", [3]),
        ("#C\nasync def f(a): return a\nb = 1\n", [2]),
        ("def f():\n    #C\n    with a, \\\n         b:\n        c = 1\n", [3, 4]),
        ("if a:\n    b = 1\n    #C\nelif c:\n    d = 1\n", [4]),
        ("if a:\n    b = 1\n#C\nelse:\n    d = 1\n", [4]),
        ("try:\n    b = 1\n#C\nexcept E:\n    d = 1\nfinally:\n    c = 1\n", [4]),
        ("try:\n    b = 1\nexcept E:\n    d = 1\n#C\nfinally:\n    c = 1\n", [6]),
        ("match a:\n    #C\n    case 1:\n        b = 1\n    case 2: pass\n", [3]),
        ("#C\nmatch a:\n    case 1:\n        b = 1\n", [2]),
        ("#C\nfor a in (\n  b\n): c()\nd = 1\n", [2, 3, 4]),
        ("class A:\n    #C\n    x = 1\n    y = 2\n", [3]),
        ("span(\n    a,\n    #C\n    # more\n    b,\n    c,\n)\n", [5]),
        ("def f(\n    a,\n    #C\n    b,\n): pass\n", [4]),
        ("a = 1\n#C\n", []),
        ("def f():\n    a = 1\n    #C\n\n\nb = 2\n", [6]),
    ],
)
def test_a_comment_on_a_line_of_its_own_covers_the_next_statement_or_header(text, rows):
    assert covered(text.replace("#C", "# otlint: ignore[OTL201] reason")) == rows


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_line_ends(newline):
    text = f"# otlint: ignore[OTL201]{newline}a = 1{newline}b = 2  # noqa: OTL201{newline}c = 3{newline}"
    found = suppressions(text)
    assert [row for row in range(1, 5) if found.covers(finding(row))] == [2, 3]


def test_a_file_comment_covers_the_file():
    assert covered("a = 1\nb = 2\n# otlint: file-ignore[OTL201, OTL514] generated\nc = 3\n") == [1, 2, 3, 4]
    assert covered("# otlint: file-ignore[ALL]\na = 1\n") == [1, 2]
    assert covered("# otlint: file-ignore[OTL101]\na = 1\n") == []


def test_a_syntax_error_is_never_suppressed():
    assert covered("# otlint: file-ignore[ALL, OTL000]\na = 1  # noqa\n", "OTL000") == []


def said(text: str, config: Config, used: tuple[Finding, ...] = ()) -> list[tuple[str, int, str]]:
    found = suppressions(text)
    for one in used:
        found.covers(one)
    return [(one.code, one.start.row, one.message) for one in found.own_findings(config)]


def fixed(text: str, config: Config, used: tuple[Finding, ...] = (), safety: Safety = Safety.SAFE) -> str:
    """The text after the fixes of this safety."""
    found = suppressions(text)
    for one in used:
        found.covers(one)
    edits = [
        edit for one in found.own_findings(config) if one.fix and one.fix.safety is safety for edit in one.fix.edits
    ]
    return applied(text, edits)


@pytest.mark.parametrize(
    ("text", "message", "after"),
    [
        (
            "a = 1  # otlint: ignore[OTL201]\n",
            "`OTL201` has no finding to suppress here; remove the comment",
            "a = 1\n",
        ),
        (
            "# otlint: ignore[OTL201]\na = 1\n",
            "`OTL201` has no finding to suppress here; remove the comment",
            "a = 1\n",
        ),
        ("def f():\n    # otlint: ignore[names]\n    a = 1\n", "`names` has no finding", "def f():\n    a = 1\n"),
        ("a = 1\r\n# otlint: file-ignore[OTL201]\r\nb = 2\r\n", "`OTL201` has no", "a = 1\r\nb = 2\r\n"),
        ("a = 1\n# otlint: ignore[OTL201]", "`OTL201` has no finding", "a = 1\n"),
        ("a = 1  # type: ignore  # otlint: ignore[OTL201]\n", "`OTL201` has no", "a = 1  # type: ignore\n"),
        ("a = 1  # otlint: ignore[OTL201]  # noqa: E501\n", "`OTL201` has no", "a = 1  # noqa: E501\n"),
        ("a = 1  # noqa: OTL201\n", "`OTL201` has no finding", "a = 1\n"),
        ("a = 1  # noqa: OTL201 # pragma: no cover\n", "`OTL201` has no finding", "a = 1  # pragma: no cover\n"),
        (
            "a = 1  # noqa: E501, OTL201, F401\n",
            "`OTL201` has no finding to suppress here; remove it from the comment",
            "a = 1  # noqa: E501, F401\n",
        ),
        ("a = 1  # otlint: ignore[OTL101,OTL201]\n", "`OTL101`, `OTL201` has no", "a = 1\n"),
    ],
)
def test_an_unused_suppression_is_reported_and_removed(text, message, after, config):
    ((code, _, found),) = said(text, config)
    assert code == "OTL001"
    assert found.startswith(message)
    assert fixed(text, config) == after
    assert said(after, config) == []


def test_only_the_unused_part_is_removed(config):
    text = "a = 1  # otlint: ignore[OTL101, OTL201] both reasons\n"
    used = (finding(1, "OTL101"),)
    assert said(text, config, used) == [
        ("OTL001", 1, "`OTL201` has no finding to suppress here; remove it from the comment")
    ]
    assert fixed(text, config, used) == "a = 1  # otlint: ignore[OTL101] both reasons\n"


def test_a_reason_is_not_removed_without_asking(config):
    text = "a = 1  # otlint: ignore[OTL201] a few names\n"
    assert fixed(text, config) == text
    assert fixed(text, config, safety=Safety.UNSAFE) == "a = 1\n"


def test_a_used_suppression_is_not_reported(config):
    text = "# otlint: file-ignore[OTL514]\na = 1  # noqa: OTL201\n# otlint: ignore[OTL2]\nb = 1\nc = 1  # noqa\n"
    assert said(text, config, (finding(2), finding(4), finding(5, "OTL514"))) == []


def test_only_rules_that_are_on_can_be_unused():
    text = "a = 1  # otlint: ignore[OTL201]\nb = 1  # otlint: ignore[OTL105]\nc = 1  # otlint: ignore[OTL1]\n"
    unused = "has no finding to suppress here; remove the comment"
    assert said(text, configured("")) == [("OTL001", 1, f"`OTL201` {unused}"), ("OTL001", 3, f"`OTL1` {unused}")]
    assert said(text, configured("select = ['OTL0', 'OTL105']\nignore = ['OTL004']")) == [
        ("OTL001", 2, f"`OTL105` {unused}")
    ]
    assert said(text, configured("per-file-ignores = { 'a.py' = ['OTL2', 'OTL107'] }")) == []
    assert said(text, configured("ignore = ['OTL001']")) == []


@pytest.mark.parametrize(
    ("text", "message", "after", "after_unsafe"),
    [
        (
            "a = 1  # otlint: ignore[OTL999]\n",
            "`OTL999` is no rule, so nothing is suppressed",
            "a = 1\n",
            "a = 1  # otlint: ignore[OTL999]\n",
        ),
        (
            "a = 1  # noqa: OTL999, E501\n",
            "`OTL999` is no rule, so nothing is suppressed",
            "a = 1  # noqa: E501\n",
            "a = 1  # noqa: OTL999, E501\n",
        ),
        (
            "a = 1  # otlint: ignore[unbound-span-name]\n",
            "`unbound-span-name` is no rule, so nothing is suppressed; did you mean `unbounded-span-name`?",
            "a = 1  # otlint: ignore[unbound-span-name]\n",
            "a = 1  # otlint: ignore[unbounded-span-name]\n",
        ),
        (
            "a = 1  # otlint: ignore[hints]\n",
            "`hints` is no rule, so nothing is suppressed",
            "a = 1\n",
            "a = 1  # otlint: ignore[hints]\n",
        ),
    ],
)
def test_unknown_rules(text, message, after, after_unsafe, config):
    (found,) = said(text, config)
    assert found == ("OTL002", 1, message)
    assert fixed(text, config) == after
    assert fixed(text, config, safety=Safety.UNSAFE) == after_unsafe


def test_the_place_of_an_unknown_rule_is_its_word(config):
    found = suppressions("a = 1  # otlint: ignore[OTL9999, OTL999]\n").own_findings(config)
    assert [(one.start.column, one.end.column) for one in found] == [(25, 32), (34, 40)]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# otlint: ignore", "`otlint: ignore` lacks its brackets; write `# otlint: ignore[OTL101] reason`"),
        ("# otlint: ignore OTL201", "`otlint: ignore` lacks its brackets; write `# otlint: ignore[OTL101] reason`"),
        ("# otlint: ignore[OTL201", "`otlint: ignore` lacks its brackets; write `# otlint: ignore[OTL101] reason`"),
        ("# otlint: ignore[ ]", "`otlint: ignore[]` names no rule; write `# otlint: ignore[OTL101] reason`"),
        ("# otlint: ignroe[OTL201]", "`otlint: ignroe` is no suppression; did you mean `ignore`?"),
        ("# otlint: disable[OTL201]", "`otlint: disable` is no suppression; write `# otlint: ignore[OTL101] reason`"),
        (
            "# otlint: file-ignore[OTL201]",
            "`file-ignore` covers nothing here; put it on a line of its own outside of blocks",
        ),
    ],
)
def test_malformed_comments(comment, message, config):
    assert said(f"a = 1  {comment}\n", config) == [("OTL003", 1, message)]


def test_a_file_comment_inside_of_a_block_or_brackets_is_malformed(config):
    text = "def f():\n    # otlint: file-ignore[OTL201]\n    a(\n# otlint: file-ignore[OTL201]\n    )\n"
    assert [(code, row) for code, row, _ in said(text, config)] == [("OTL003", 2), ("OTL003", 4)]


def test_a_missing_reason_is_reported_when_asked_for():
    text = "a = 1  # otlint: ignore[OTL201]\nb = 1  # otlint: ignore[OTL201] because\nc = 1  # noqa: OTL201\n"
    used = (finding(1), finding(2), finding(3))
    assert said(text, configured(""), used) == []
    assert said(text, configured("extend-select = ['OTL004']"), used) == [
        ("OTL004", 1, "this suppression gives no reason; write a few words after the bracket")
    ]


def test_findings_about_comments_are_hidden_only_by_words_that_mean_them(config):
    unused = "a = 1  # otlint: ignore[OTL201]\n"
    assert [code for code, _, _ in said(unused, config)] == ["OTL001"]
    assert said("# otlint: file-ignore[OTL001] kept for later\n" + unused, config) == []
    assert said("# otlint: ignore[unused-suppression]\n" + unused, config) == []
    assert said("# otlint: file-ignore[ALL]\n" + unused, configured("ignore = ['OTL105']")) != []
    lonely = "# otlint: file-ignore[OTL001]\na = 1\n"
    assert said(lonely, config) == [("OTL001", 1, "`OTL001` has no finding to suppress here; remove the comment")]


def test_levels_and_safety_follow_the_configuration():
    text = "a = 1  # otlint: ignore[OTL201]\n"
    (one,) = suppressions(text).own_findings(
        configured("severity = { OTL001 = 'error' }\nextend-unsafe-fixes = ['OTL001']")
    )
    assert (one.level.value, one.name, one.noqa_row) == ("error", "unused-suppression", 1)
    assert one.fix is not None
    assert one.fix.safety is Safety.UNSAFE
    assert len(one.fingerprint) == 16


def test_files_that_mention_no_suppression_are_not_searched(monkeypatch):
    monkeypatch.setattr("otlint.model.code.positions.positions", lambda *_: pytest.fail("searched"))
    assert suppressions("a = 1  # a comment\n").own_findings(configured("")) == []
