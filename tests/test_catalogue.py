"""Rule, module, page and README agree, and all of them keep the conventions."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path

import pytest

import otlint.rules
from otlint import own, pages, rule
from otlint.finding import Finding
from scripts import tables
from tests import judge

ORDER = ["Why", "Bad", "Good", "Not flagged", "Known misses", "Fix", "Options", "References"]
OPTIONAL = {"Known misses", "Fix", "Options"}
ROOT = Path(__file__).parent.parent

each_rule = pytest.mark.parametrize("code", rule.codes())


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert list(pages.codes()) == list(rule.codes())
    names = {path.name for path in pages.folder().glob("*.md")} - {"README.md"}
    assert names == {f"{code}-{name}.md" for code, name in rule.codes().items()}


def test_names_are_unique() -> None:
    names = [*rule.codes().values(), *own.codes().values()]
    assert len(set(names)) == len(names)


@each_rule
def test_identity(code: str) -> None:
    found, page = rule.load(code), pages.page(code)
    assert (found.code, found.name) == (page.code, page.name) == (code, rule.codes()[code])
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", found.name)
    assert not re.match(r"(no|use|prefer|avoid|disallow)-", found.name), "a name says the defect, not the remedy"


@each_rule
def test_page_form(code: str) -> None:
    page = pages.page(code)
    assert list(page.sections) == [heading for heading in ORDER if heading in page.sections]
    assert set(ORDER) - OPTIONAL <= set(page.sections)
    assert _is_sentence(page.summary.removesuffix(".")) and page.summary.endswith("."), page.summary
    assert page.references, "References is a list"
    assert all(page.sections.values()), "an empty section"


@each_rule
def test_every_fix_is_explained(code: str) -> None:
    safety, text = rule.load(code).fix, pages.page(code).sections.get("Fix")
    assert (safety is None) == (text is None)
    if safety and text:
        assert re.search(rf"\b{safety.value}\b", text, re.IGNORECASE), f"`Fix` has to say that it is {safety.value}"


@each_rule
def test_silence_is_shown_as_often_as_noise(code: str) -> None:
    sections = [case.example.section for case in judge.cases(code)]
    assert sections.count("Not flagged") >= sections.count("Bad")


@each_rule
def test_the_damage_is_proved(code: str) -> None:
    bad = [case.example for case in judge.cases(code) if case.example.section == "Bad"]
    needs_packages = all(any(_packages(text) for text in _scripts(example.texts)) for example in bad)
    assert needs_packages or not all(example.is_static for example in bad), "no block in Bad is run"


def _scripts(texts: dict[str, str]) -> list[str]:
    return [text for path, text in texts.items() if path.endswith(".py")]


def _packages(text: str) -> set[str]:
    """The packages that a script imports, the standard library and what of OpenTelemetry is installed left out."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {
        name
        for name in names
        if (top := name.partition(".")[0]) not in sys.stdlib_module_names
        and (top != "opentelemetry" or not _is_installed(name))
    }


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("case", judge.all_cases(), ids=lambda case: case.id)
def test_messages(case: judge.Case) -> None:
    for finding in judge.report(case).findings:
        for message in (finding.message, *(related.message for related in finding.related)):
            assert _is_sentence(message), message
            assert not message[0].isupper() or _starts_with_a_name(message), f"lower case: {message}"
        assert _has_title(finding), finding.fix


def _is_sentence(text: str) -> bool:
    """One sentence without a full stop at its end; code in backticks does not count."""
    words = re.sub(r"`[^`]*`", "x", text)
    return bool(text) and text == " ".join(text.split()) and not re.search(r"[.!?](\s|$)", words) and "`" not in words


def _starts_with_a_name(message: str) -> bool:
    return message.split(maxsplit=1)[0].isupper() or message.startswith("OpenTelemetry")


def _has_title(finding: Finding) -> bool:
    return finding.fix is None or (_is_sentence(finding.fix.title) and bool(finding.fix.edits))


def _modules() -> list[Path]:
    return sorted(Path(otlint.rules.__path__[0]).glob("otl*.py"))


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.stem)
def test_rule_modules_are_small_and_ask_the_model(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} is too long"
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert "opentelemetry." not in node.value, f"line {node.lineno}: API names are in otlint.otel"
        assert not isinstance(node, ast.ClassDef), "a rule is a generator without state"
    imported = {name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for name in _imported(node)}
    assert not {name for name in imported if name.startswith("libcst")}, "rule modules import libcst when they run"


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]


@pytest.mark.parametrize("name", tables.FILES)
def test_tables_are_up_to_date(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text == tables.written(text, tables.FILES[name]), "run: python -m scripts.tables"


def test_ci_runs_the_command_of_the_readme() -> None:
    command = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1]
    assert f"\n    {command}\n" in (ROOT / "README.md").read_text(encoding="utf-8")
