"""Report formats: golden files, a schema for JSON, the structure that GitHub needs in SARIF."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import jsonschema
import pytest

import otlint.report
from otlint.engine import Change, Problem, Report
from otlint.finding import Finding, Level, Location, Related
from otlint.fix import Edit, Fix, Safety
from otlint.report import FORMATS, Setting, frame, statistics, writer
from otlint.rulebook import Entry
from otlint.source import Source
from tests.expected import same

TEXT = """\
import threading
from opentelemetry import trace

tracer = trace.get_tracer(__name__)


def handle(order):
    with tracer.start_as_current_span("order") as span:
        first(order)
        second(order)
        third(order)

        thread = threading.Thread(
\t    target=work,
            args=("é😀", order),
        )
        thread.start()


def work(): \x1b[31m
    pass
"""


def at(row: int, column: int) -> Location:
    return Location(row, column)


def edit(old: str, new: str, text: str = TEXT) -> Edit:
    start = text.index(old)
    return Edit(start, start + len(old), new)


THREAD = Finding(
    "app/handle.py",
    at(13, 18),
    at(16, 10),
    "the thread starts without the span's context, so its telemetry is lost from the trace",
    related=(
        Related("the span starts here", "app/handle.py", at(8, 10), at(8, 47)),
        Related("the thread's [target] is defined here", "app/work, now.py", at(3, 1), at(3, 4)),
    ),
    fix=Fix(
        "run the target in a copy of the context",
        Safety.UNSAFE,
        (
            edit("=work", "=contextvars.copy_context().run"),
            edit('"é😀"', 'work, "é😀"'),
            Edit(0, 0, "import contextvars\n"),
        ),
    ),
    noqa_row=16,
    fingerprint="0123456789abcdef",
    code="OTL101",
    name="thread-drops-context",
    level=Level.WARNING,
)
DETACH = Finding(
    "app/handle.py",
    at(15, 26),
    at(15, 31),
    "100% wrong,\nsays the message: really",
    fix=Fix("delete the statement", Safety.SAFE, (edit("        second(order)\n", ""),)),
    noqa_row=15,
    fingerprint="00000000000000ff",
    code="OTL107",
    name="attach-without-detach",
    level=Level.ERROR,
)
HINT = Finding(
    "app/handle.py",
    at(20, 13),
    at(20, 18),
    "odd characters",
    related=(Related("the function", "app/handle.py", at(20, 5), at(20, 9)),),
    fix=Fix("write it differently", Safety.DISPLAY, (edit("pass", "return"),)),
    noqa_row=20,
    fingerprint="0123456789abcdef",
    code="OTL105",
    name="detached-root-context",
    level=Level.INFO,
)
GONE = Finding(
    "app/gone.py",
    at(7, 1),
    at(7, 1),
    "invalid syntax",
    noqa_row=7,
    fingerprint="0123456789abcdef",
    code="OTL000",
    name="syntax-error",
    level=Level.ERROR,
)
SOURCES = {"app/handle.py": Source("app/handle.py", TEXT)}
CHANGE = Change("a.py", Path("a.py"), SOURCES["app/handle.py"], "", {"OTL107": 2})
RULES = [
    Entry("OTL107", "attach-without-detach", "context", Level.ERROR, Safety.SAFE, "A token.", "Because.", "# Page\n"),
    Entry("OTL101", "thread-drops-context", "context", Level.WARNING, Safety.UNSAFE, "A thread.", "So.", "# Page\n"),
    Entry("OTL602", "sensitive-attribute", "attributes", Level.WARNING, None, "A secret.", "So.", "# Page\n"),
]


def report(*findings: Finding, **given: object) -> Report:
    return Report(findings=list(findings), **given)  # type: ignore[arg-type]


ALL = report(
    GONE,
    THREAD,
    DETACH,
    HINT,
    suppressed=2,
    problems=[Problem("a b.py", "cannot read: gone")],
    notes=["big.py: not judged"],
)


def setting(**given: object) -> Setting:
    return Setting(SOURCES.get, lambda: RULES, **given)  # type: ignore[arg-type]


def written(name: str, found: Report, **given: object) -> str:
    stream = io.StringIO()
    writer(name)(found, stream, setting(**given))
    return stream.getvalue()


@pytest.fixture(autouse=True)
def no_workspace(monkeypatch):
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name):
    same(f"report-{name}.txt", written(name, ALL))


@pytest.mark.parametrize("name", ["full", "concise"])
def test_colours(name):
    colored = written(name, ALL, color=True)
    same(f"report-{name}-color.txt", colored)
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == written(name, ALL)


@pytest.mark.parametrize(
    ("name", "nothing"),
    [("full", "All checks passed!\n"), ("concise", "All checks passed!\n"), ("json", "[]\n"), ("github", "")],
)
def test_nothing_found(name, nothing):
    assert written(name, report()) == nothing


def test_formats_end_their_last_line():
    for name in FORMATS:
        assert written(name, ALL).endswith("\n")


@pytest.mark.parametrize(
    ("found", "given", "line"),
    [
        (report(suppressed=3), {}, "All checks passed! (3 suppressed)"),
        (report(problems=[Problem(None, "x")]), {}, "Found nothing in what could be checked."),
        (report(DETACH), {}, "Found 1 error. [*] 1 fixable with --fix."),
        (report(THREAD), {}, "Found 1 warning. 1 fixable with --fix --unsafe-fixes."),
        (report(THREAD), {"unsafe": True}, "Found 1 warning. [*] 1 fixable with --fix."),
        (
            report(GONE, DETACH, THREAD, THREAD, HINT, suppressed=1),
            {},
            "Found 2 errors, 2 warnings, 1 hint (1 suppressed). [*] 1 fixable with --fix (2 more with --unsafe-fixes).",
        ),
        (report(changes=[CHANGE]), {}, "Fixed 2 findings. Nothing is left."),
        (report(GONE, changes=[CHANGE]), {}, "Fixed 2 findings. Found 1 error."),
    ],
)
def test_the_last_line(found, given, line):
    assert written("concise", found, **given).splitlines()[-1] == line
    assert line not in written("concise", found, summary=False, **given)


def test_statistics():
    stream = io.StringIO()
    statistics("full")(report(THREAD, THREAD, DETACH), stream, setting())
    assert stream.getvalue().splitlines()[:2] == [
        "2  OTL101  [ ]  thread-drops-context",
        "1  OTL107  [*]  attach-without-detach",
    ]
    stream = io.StringIO()
    statistics("json")(report(THREAD, THREAD, DETACH), stream, setting())
    assert json.loads(stream.getvalue())[0] == {
        "code": "OTL101",
        "name": "thread-drops-context",
        "count": 2,
        "fixable": False,
        "fixable_count": 0,
    }


def test_json_follows_its_schema():
    schema = json.loads((Path(otlint.report.__file__).parent / "report.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    found = json.loads(written("json", ALL))
    jsonschema.validate(found, schema)
    ruff = {
        "cell",
        "code",
        "end_location",
        "filename",
        "fix",
        "location",
        "message",
        "name",
        "noqa_row",
        "severity",
        "url",
    }
    assert ruff <= set(found[0])
    assert found[1]["location"] == {"row": 13, "column": 18}
    # Columns are code points: the two before `order` are one é and one emoji.
    assert found[2]["location"]["column"] == 26
    assert found[1]["fix"]["edits"][0] == {
        "content": "import contextvars\n",
        "location": {"row": 1, "column": 1},
        "end_location": {"row": 1, "column": 1},
    }


def sarif() -> dict:
    return json.loads(written("sarif", ALL, partial_facts=True))


def test_sarif_has_what_code_scanning_needs():
    document = sarif()
    assert next(iter(document)) == "$schema"
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["automationDetails"]["id"] == "otlint/"
    assert run["properties"] == {"facts": "partial"}
    driver = run["tool"]["driver"]
    assert {"name", "semanticVersion", "rules"} <= set(driver)
    for rule in driver["rules"]:
        assert {
            "id",
            "name",
            "shortDescription",
            "fullDescription",
            "help",
            "defaultConfiguration",
            "properties",
        } <= set(rule)
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert set(rule["help"]) == {"text", "markdown"}
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        assert rule["properties"]["precision"] in ("very-high", "high", "medium", "low")
        assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
        is_security = "security" in rule["properties"]["tags"]
        assert (
            is_security == ("security-severity" in rule["properties"]) == (rule["id"] in ("OTL526", "OTL602", "OTL604"))
        )
    for result in run["results"]:
        if "ruleIndex" in result:
            assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert re.fullmatch(r"[0-9a-f]{16}:\d+", result["partialFingerprints"]["primaryLocationLineHash"])
        ((place),) = (one["physicalLocation"] for one in result["locations"])
        assert set(place["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert not place["artifactLocation"]["uri"].startswith(("/", "file:"))
        assert "uriBaseId" not in place["artifactLocation"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [one["level"] for one in invocation["toolExecutionNotifications"]] == ["error", "note"]
    assert invocation["toolExecutionNotifications"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "a%20b.py"
    }


def test_sarif_links_related_places_and_carries_fixes():
    result = sarif()["runs"][0]["results"][1]
    assert result["message"]["text"].endswith(
        "lost from the trace. [the span starts here](1). [the thread's \\[target\\] is defined here](2)."
    )
    assert [one["id"] for one in result["relatedLocations"]] == [1, 2]
    assert result["relatedLocations"][1]["physicalLocation"]["artifactLocation"]["uri"] == "app/work%2C%20now.py"
    replacements = result["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacements[0]["insertedContent"]["text"] == "import contextvars\n"
    assert result["properties"] == {"fixApplicability": "unsafe"}


def test_equal_findings_of_a_file_have_different_fingerprints_in_sarif():
    document = json.loads(written("sarif", report(THREAD, HINT)))
    prints = [one["partialFingerprints"]["primaryLocationLineHash"] for one in document["runs"][0]["results"]]
    assert prints == ["0123456789abcdef:1", "0123456789abcdef:2"]


def test_github_places_and_order(monkeypatch, tmp_path):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    lines = written("github", report(THREAD, DETACH)).splitlines()
    assert lines[0].startswith(
        "::error title=otlint (OTL107),file=sub/app/handle.py,line=15,col=26,endLine=15,endColumn=31::"
    )
    assert lines[0].endswith("OTL107 100%25 wrong,%0Asays the message: really%0A  help: delete the statement")
    # Columns are left out where the place has several lines: GitHub would refuse it.
    assert lines[1].startswith("::warning title=otlint (OTL101),file=sub/app/handle.py,line=13,endLine=16::")
    assert json.loads(written("sarif", report(DETACH)))["runs"][0]["results"][0]["locations"][0]["physicalLocation"][
        "artifactLocation"
    ] == {"uri": "sub/app/handle.py"}
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "elsewhere"))
    assert "file=app/handle.py," in written("github", report(DETACH))


def framed(text: str, *marks: frame.Mark) -> str:
    return "\n".join(frame.frame("a.py:1:1", Source("a.py", text), marks, "red", frame.Paint(False)))


def test_marks_stand_below_their_text_whatever_its_width():
    text = "\tx = '日本語é́\u200b', here\n"
    column = text.index("here") + 1
    shown = framed(text, frame.Mark(at(1, column), at(1, column + 4), main=True)).splitlines()
    assert shown[2] == "1 |     x = '日本語é́\u200b', here"
    assert shown[3] == "  | " + " " * (4 + len("x = '") + 6 + 1 + len("', ")) + "^^^^"


def test_long_lines_are_cut_around_the_mark():
    text = "a" * 500 + "here" + "b" * 500
    shown = framed(text, frame.Mark(at(1, 501), at(1, 505), main=True)).splitlines()
    assert len(shown[2]) < 160
    column = shown[2].index("here")
    assert shown[3][column : column + 4] == "^^^^"
    assert len(framed("c" * 300, frame.Mark(at(1, 1), at(1, 301), main=True)).splitlines()[3]) < 160


def test_frames_at_the_ends_of_a_file():
    assert framed("", frame.Mark(at(1, 1), at(1, 1), main=True)).splitlines()[1:] == ["  |", "1 |", "  | ^", "  |"]
    shown = framed("x\n", frame.Mark(at(2, 1), at(2, 1), main=True))
    assert "x" in shown
    assert "9" not in framed("x\n", frame.Mark(at(9, 4), at(9, 5), main=True))


def test_a_long_finding_is_cut_in_the_middle():
    text = "".join(f"line{row}\n" for row in range(1, 30))
    shown = framed(text, frame.Mark(at(5, 1), at(25, 7), main=True))
    assert "line7" in shown
    assert "line15" not in shown
    assert "line23" in shown
    assert "\n...\n" in shown


def differs(before: str, *edits: Edit) -> list[str]:
    fix = Fix("x", Safety.SAFE, edits)
    return list(frame.diff(Source("a.py", before), fix, frame.Paint(False)))


def test_diffs_count_rows_after_the_fix():
    before = "a\nb\nc\nd\ne\nf\ng\nh\n"
    assert differs(before, edit("b", "B1\nB2", before), edit("g\n", "", before)) == [
        "  |",
        "1 | a",
        "  - b",
        "2 + B1",
        "3 + B2",
        "4 | c",
        "...",
        "7 | f",
        "  - g",
        "8 | h",
        "  |",
    ]


def test_diffs_keep_odd_line_ends_apart_from_lines():
    before = "a\r\nb\x0c\u2028b\r\nc"
    assert differs(before, edit("c", "d", before))[1:-1] == ["2 | b␌\u2028b", "  - c", "3 + d"]
    assert differs("", Edit(0, 0, "x\n"))[1:-1] == ["1 + x"]
