"""Configuration: where it is found, what wins, and how a mistake in it is named."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import jsonschema
import pytest
import tomli

from otlint import toml
from otlint.finding import Level
from otlint.fix import Safety
from otlint.settings import keys, selection
from otlint.settings.config import Config, Configs, build
from otlint.settings.layers import inline
from otlint.toml import ConfigError
from tests.catalogue import CODES, catalogue, level  # noqa: F401


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return file.absolute()


def configured(text: str) -> Config:
    write("otlint.toml", text)
    return Configs().of(str(Path.cwd()))


def selected(config: Config, path: str = "x.py") -> set[str]:
    names = selection.known()
    return {code for code, name in names.items() if config.selects(code, name, level(code), path)} - {
        "OTL000",
        "OTL001",
        "OTL002",
        "OTL003",
    }


def error(text: str, file: str = "otlint.toml") -> str:
    write(file, text)
    with pytest.raises(ConfigError) as caught:
        Configs().of(str(Path.cwd()))
    return str(caught.value)


DEFAULT = {"OTL101", "OTL107", "OTL201", "OTL301", "OTL404", "OTL514"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", DEFAULT),
        ('select = ["OTL1"]', {"OTL101", "OTL105", "OTL107"}),
        ('select = ["context"]', {"OTL101", "OTL105", "OTL107"}),
        ('select = ["OTL10"]\nignore = ["OTL107"]', {"OTL101", "OTL105"}),
        ('select = ["thread-drops-context"]', {"OTL101"}),
        ('select = ["ALL"]', {*CODES, "OTL004"}),
        ('select = ["hints"]', {"OTL105", "OTL004"}),
        ('extend-select = ["OTL105"]', {*DEFAULT, "OTL105"}),
        ('ignore = ["names", "OTL3"]', DEFAULT - {"OTL201", "OTL301"}),
        # The more specific word wins, whatever the key …
        ('select = ["OTL101"]\nignore = ["OTL1"]', {"OTL101"}),
        ('select = ["ALL"]\nignore = ["OTL1"]\nextend-select = ["OTL107"]', {*CODES, "OTL004"} - {"OTL101", "OTL105"}),
        # … and between equals `ignore`.
        ('select = ["OTL1"]\nignore = ["context"]', set()),
        ('select = ["ALL"]\nextend-ignore = ["hints"]', DEFAULT),
    ],
)
def test_selection(text, expected):
    assert selected(configured(text)) == expected


def test_a_syntax_error_cannot_be_deselected():
    config = configured('select = []\nignore = ["ALL", "OTL000"]')
    assert config.selects("OTL000", "syntax-error", Level.ERROR, "x.py")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ('select = ["ALL"]', False),
        ('extend-select = ["OTL4"]', False),
        ('extend-select = ["OTL404"]', True),
        ('extend-select = ["missing-consumer-kind"]', True),
        ('extend-select = ["hints"]', True),
        ('extend-select = ["hints"]\nignore = ["OTL4"]', False),
        ('select = ["OTL404"]\nignore = ["hints"]', False),
        ('select = ["OTL404"]\nignore = ["OTL4"]', True),
        ('extend-select = ["hints"]\nper-file-ignores = { "x.py" = ["kinds"] }', False),
    ],
)
def test_the_weaker_part_of_a_rule_is_reported_only_when_asked_for(text, expected):
    assert configured(text).selects_hint("OTL404", "missing-consumer-kind", "x.py") is expected


def test_the_command_line_starts_anew_or_changes_what_the_file_says():
    write("otlint.toml", 'select = ["OTL1"]\nignore = ["OTL107"]')

    def with_option(text: str) -> set[str]:
        return selected(Configs([inline(text)]).of(str(Path.cwd())))

    assert with_option('select = ["OTL2"]') == {"OTL201"}
    assert with_option('extend-select = ["OTL2"]') == {"OTL101", "OTL105", "OTL201"}
    assert with_option('ignore = ["OTL101"]') == {"OTL105"}
    assert with_option('extend-select = ["OTL107"]') == {"OTL101", "OTL105", "OTL107"}


def test_per_file_ignores_are_relative_to_the_configuration():
    write(
        "a/otlint.toml",
        """
        [per-file-ignores]
        "tests/" = ["OTL1"]
        "/x.py" = ["OTL201"]
        "!lib/" = ["OTL514"]
        [extend-per-file-ignores]
        "lib/*.py" = ["OTL301"]
        """,
    )
    config = Configs().of(str(Path("a/sub").absolute()))
    assert selected(config, "a/sub/tests/deep/y.py") == DEFAULT - {"OTL101", "OTL107", "OTL514"}
    assert selected(config, "a/x.py") == DEFAULT - {"OTL201", "OTL514"}
    assert selected(config, "a/sub/x.py") == DEFAULT - {"OTL514"}
    assert selected(config, str(Path("a/lib/y.py").absolute())) == DEFAULT - {"OTL301"}


def test_levels_and_fix_control():
    config = configured(
        """
        extend-safe-fixes = ["OTL1"]
        extend-unsafe-fixes = ["OTL107"]
        unfixable = ["names"]
        [severity]
        OTL1 = "info"
        attach-without-detach = "error"
        ALL = "warning"
        """
    )
    assert config.level("OTL101", "thread-drops-context", Level.WARNING) is Level.INFO
    assert config.level("OTL107", "attach-without-detach", Level.WARNING) is Level.ERROR
    assert config.level("OTL201", "unbounded-span-name", Level.ERROR) is Level.WARNING
    assert config.safety("OTL101", "thread-drops-context", Safety.UNSAFE) is Safety.SAFE
    assert config.safety("OTL101", "thread-drops-context", Safety.DISPLAY) is Safety.DISPLAY
    assert config.safety("OTL107", "attach-without-detach", Safety.SAFE) is Safety.UNSAFE
    assert config.safety("OTL301", "swallowed-exception", Safety.UNSAFE) is Safety.UNSAFE
    assert not config.may_fix("OTL201", "unbounded-span-name")
    assert config.may_fix("OTL101", "thread-drops-context")


def test_tables():
    config = configured(
        """
        target-otel = "1.44"
        max-file-size = 10
        [project]
        root = "../up"
        facts = "off"
        [instrumentation]
        auto = true
        libraries = ["fastapi"]
        [wrappers]
        span-starters = ["acme.obs.span"]
        [rules.swallowed-exception]
        exception-signal = "log"
        [rules.OTL201]
        allow-values = ["region"]
        """
    )
    assert config.instrumentation.version == "1.44"
    assert config.max_file_size == 10
    assert config.project.root == Path.cwd().parent / "up"
    assert not config.project.facts
    assert config.instrumentation.auto
    assert config.instrumentation.libraries == ("fastapi",)
    assert config.wrappers.span_starters == ("acme.obs.span",)
    assert config.options("OTL301", "swallowed-exception") == {"exception-signal": "log"}
    assert config.options("OTL201", "unbounded-span-name") == {"allow-values": ["region"]}
    assert config.options("OTL101", "thread-drops-context") == {}


def test_the_nearest_configuration_wins():
    write("pyproject.toml", "[tool.otlint]\nselect = ['OTL1']")
    write("a/pyproject.toml", "[project]\nname = 'no-otlint-here'")
    write("a/b/pyproject.toml", "[tool.otlint]\nselect = ['OTL2']")
    write("a/b/otlint.toml", "select = ['OTL3']")
    write("a/b/c/.otlint.toml", "select = ['OTL4']")
    write("a/b/c/otlint.toml", "select = ['OTL5']")
    configs = Configs()
    here = str(Path.cwd())
    assert selected(configs.of(here)) == {"OTL101", "OTL105", "OTL107"}
    assert selected(configs.of(f"{here}/a")) == {"OTL101", "OTL105", "OTL107"}
    assert selected(configs.of(f"{here}/a/b")) == {"OTL301"}
    assert selected(configs.of(f"{here}/a/b/c/d")) == {"OTL404"}
    assert configs.of(f"{here}/a/b/c").path == Path(here, "a/b/c/.otlint.toml")
    assert selected(Configs(isolated=True).of(f"{here}/a/b/c")) == DEFAULT
    assert selected(Configs(file=Path("a/b/otlint.toml")).of(f"{here}/a/b/c")) == {"OTL301"}


def test_a_broken_pyproject_of_others_is_not_read():
    write("pyproject.toml", "[tool.other\n")
    assert Configs().of(str(Path.cwd())).path is None


def test_extend_fills_what_is_missing_and_adds_up_lists():
    write(
        "base/pyproject.toml",
        """
        [tool.otlint]
        select = ["OTL1", "OTL2"]
        fail-on = "error"
        extend-exclude = ["/gen"]
        severity = { OTL1 = "info", OTL2 = "info" }
        [tool.otlint.rules.OTL201]
        allow-values = ["a"]
        """,
    )
    config = configured(
        """
        extend = "base/pyproject.toml"
        ignore = ["OTL101"]
        extend-exclude = ["/old"]
        severity = { OTL2 = "error" }
        rules.OTL201.allow-values = ["b"]
        """
    )
    assert selected(config) == {"OTL105", "OTL107", "OTL201"}
    assert config.fail_on is Level.ERROR
    assert config.options("OTL201", "") == {"allow-values": ["a", "b"]}
    assert config.level("OTL101", "", Level.WARNING) is Level.INFO
    assert config.level("OTL201", "", Level.WARNING) is Level.ERROR
    assert config.extend_exclude is not None
    assert config.extend_exclude.match(str(Path("base/gen/x.py").absolute()))
    assert config.extend_exclude.match(str(Path("old/x.py").absolute()))
    assert not config.extend_exclude.match(str(Path("gen/x.py").absolute()))


def test_with_a_named_configuration_patterns_are_relative_to_the_working_directory():
    write("ci/lint.toml", 'exclude = ["/gen"]')
    config = Configs(file=Path("ci/lint.toml")).of(str(Path.cwd()))
    assert config.exclude is not None
    assert config.exclude.match(str(Path("gen/x.py").absolute()))
    assert not config.exclude.match(str(Path("ci/gen/x.py").absolute()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slect = []", "otlint.toml:1: unknown key `slect`; did you mean `select`?"),
        ("\n# slect\nslect = []", "otlint.toml:3: unknown key `slect`; did you mean `select`?"),
        ("zzz = 1", "otlint.toml:1: unknown key `zzz`"),
        ("fix = 1", "otlint.toml:1: `fix`: expected true or false, got a number"),
        ("select = 'OTL1'", "otlint.toml:1: `select`: expected a list of strings, got a string"),
        ("select = [1]", "otlint.toml:1: `select`: expected strings in the list, got a number"),
        (
            "select = [\n  'OTL1',\n  'OTL107x',\n]",
            "otlint.toml:3: `select`: unknown rule `OTL107x`; did you mean `OTL107`?",
        ),
        (
            "ignore = ['thread-drop-context']",
            "otlint.toml:1: `ignore`: unknown rule `thread-drop-context`; did you mean `thread-drops-context`?",
        ),
        (
            "fail-on = 'err'",
            "otlint.toml:1: `fail-on`: `err` is none of `error`, `warning`, `info`",
        ),
        (
            "[severity]\nOTL1 = 'bad'",
            "otlint.toml:2: `severity`: `OTL1`: `bad` is none of `error`, `warning`, `info`",
        ),
        (
            "[per-file-ignores]\n'a.py' = []\n'b.py' = ['OTL9']",
            "otlint.toml:3: `per-file-ignores`: `b.py`: unknown rule `OTL9`",
        ),
        ("max-file-size = -1", "otlint.toml:1: `max-file-size`: expected a whole number of zero or more, got a number"),
        ("[projekt]\nroot = '.'", "otlint.toml:1: unknown key `projekt`; did you mean `project`?"),
        ("project = 1", "otlint.toml:1: `project`: expected a table"),
        ("[project]\nrooot = '.'", "otlint.toml:2: unknown key `rooot` in [project]; did you mean `root`?"),
        ("[rules.OTL301x]\na = 1", "otlint.toml:1: unknown rule `OTL301x`; did you mean `OTL301`"),
        ("[rules.OTL107]\na = 1", "otlint.toml:1: rule `OTL107` has no options"),
        (
            "[rules.OTL301]\nexception-signl = 1",
            "otlint.toml:2: unknown key `exception-signl` in [rules.OTL301]; did you mean `exception-signal`?",
        ),
        (
            "[rules.OTL301]\nexception-signal = 'x'",
            "otlint.toml:2: `rules.OTL301.exception-signal`: `x` is none of `either`, `span-event`, `log`",
        ),
        ("select = [\n", "otlint.toml:2: invalid TOML: "),
        (
            "required-version = '>=99'",
            "otlint.toml:1: `required-version`: this configuration asks for otlint >=99, but ",
        ),
        ("required-version = 'new'", "otlint.toml:1: `required-version`: `new` is no version specifier"),
        ("target-otel = 'new'", "otlint.toml:1: `target-otel`: `new` is no version such as `1.44`"),
        ("extend = 'gone.toml'", "otlint.toml:1: `extend`: gone.toml does not exist"),
        ("fix = false\nextend = 'otlint.toml'", "otlint.toml:2: `extend`: otlint.toml extends otlint.toml in turn"),
    ],
)
def test_mistakes_are_named_with_place_and_nearest_word(text, expected):
    message = error(text)
    assert message.startswith(expected)


def test_mistakes_in_pyproject_are_found_in_otlints_table():
    message = error(
        """\
        [tool.other]
        slect = 1  # slect
        [tool.otlint]
        text = \"\"\"
        """,
        "pyproject.toml",
    )
    assert message.startswith("pyproject.toml:5: invalid TOML")
    message = error("[tool.other]\nslect = 1\n\n[tool.otlint]\nslect = 1", "pyproject.toml")
    assert message.startswith("pyproject.toml:5: unknown key `slect`")


def test_a_cycle_through_two_files():
    write("a.toml", "extend = 'otlint.toml'")
    assert error("extend = 'a.toml'").startswith("a.toml:1: `extend`: otlint.toml extends a.toml in turn")


def test_files_that_are_no_text():
    Path("otlint.toml").write_bytes(b"fix = true\n# \xff\n")
    with pytest.raises(ConfigError, match=r"^otlint.toml:2: is not UTF-8$"):
        Configs().of(str(Path.cwd()))
    with pytest.raises(ConfigError, match=r"^gone.toml: cannot be read: No such file"):
        Configs(file=Path("gone.toml"))


def test_inline_settings():
    assert inline("rules.OTL301.exception-signal = 'log'").values == {"rules.OTL301": {"exception-signal": "log"}}
    with pytest.raises(ConfigError, match="--config: unknown key `slect`"):
        inline("slect = []")
    with pytest.raises(ConfigError, match="neither a file nor `key = value`"):
        inline("gone.toml")


def test_the_version_at_hand_is_accepted():
    assert build([inline("select = []")], None, Path.cwd()).values == {"select": []}
    assert configured("required-version = '>=0.1'").path is not None


def test_the_schema_agrees_with_the_loader():
    schema = json.loads(json.dumps(keys.schema()))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    good = """
        select = ["OTL1", "OTL10", "names", "ALL", "thread-drops-context"]
        severity = { "OTL5" = "info" }
        per-file-ignores = { "a/*.py" = ["OTL201"] }
        max-file-size = 5
        [project]
        facts = "off"
        [rules.OTL301]
        exception-signal = "log"
    """
    assert list(validator.iter_errors(tomli.loads(good))) == []
    for bad in (
        "slect = []",
        "select = ['OTL9']",
        "fix = 1",
        "max-file-size = -1",
        "severity = { OTL9 = 'info' }",
        "severity = { OTL1 = 'bad' }",
        "[project]\nx = 1",
        "[rules.OTL107]\nx = 1",
        "[rules.OTL301]\nexception-signal = 'x'",
    ):
        assert list(validator.iter_errors(tomli.loads(bad))), bad


def test_every_default_in_the_table_is_what_the_loader_uses():
    plain = build([], None, Path.cwd())
    attributes = {"fail-on": "fail_on", "max-file-size": "max_file_size", "output-format": "output_format"}
    attributes |= {name: name.replace("-", "_") for name in ("fix", "unsafe-fixes", "show-fixes", "force-exclude")}
    attributes |= {"respect-gitignore": "respect_gitignore"}
    for key, attribute in attributes.items():
        value = getattr(plain, attribute)
        written = tomli.loads(f"x = {keys.BY_NAME[key].default}")["x"]
        assert written == (value.value if isinstance(value, Level) else value)


def test_places_of_keys():
    text = 'a = """\nb = 1\n"""\n[t]\n# b = 1\n"b" = [\n  "x",\n  "y",\n]\nc = 1\n'
    assert toml.line_of(text, ["t", "b"]) == 6
    assert toml.line_of(text, ["t", "b"], "y") == 8
    assert toml.line_of(text, ["t"]) == 4
    assert toml.line_of(text, ["t", "c"]) == 10
    assert toml.line_of(text, ["gone"]) is None
