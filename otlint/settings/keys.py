"""The keys of `[tool.otlint]`: one table from which checking, `otlint config` and the JSON Schema derive."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from otlint.report import FORMATS
from otlint.settings import selection
from otlint.settings.level import Level
from otlint.toml import Fault

_VERSION = re.compile(r"\d+(?:\.\d+)*")
LEVELS = tuple(level.value for level in (Level.ERROR, Level.WARNING, Level.INFO))


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number, zero or more."""


@dataclass(frozen=True, slots=True)
class Word:
    """A string: one of `choices` if there are any, the word of a rule selector if `rule`, a version if `version`."""

    choices: tuple[str, ...] = ()
    rule: bool = False
    version: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """A list of words."""

    item: Word


@dataclass(frozen=True, slots=True)
class Table:
    """Words under words of the user's own."""

    key: Word
    value: Word | Many


Shape = Flag | Count | Word | Many | Table


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. `name` is dotted when it stands in a table; `default` is written as TOML."""

    name: str
    shape: Shape
    default: str
    doc: str


TEXT = Word()
RULES = Many(Word(rule=True))
PATTERNS = Many(TEXT)
IGNORES = Table(TEXT, RULES)

KEYS = (
    Key("required-version", TEXT, "", 'The versions of otlint that may read this configuration, such as ">=0.1,<1".'),
    Key("extend", TEXT, "", "A configuration file whose settings are taken where this one has none."),
    Key("preview", Flag(), "false", "Accepted; changes nothing in this version."),
    Key("select", RULES, "", "The rules to report; without it, all whose level is error or warning."),
    Key("extend-select", RULES, "[]", "Rules to report besides the selected ones."),
    Key("ignore", RULES, "[]", "Rules not to report."),
    Key("extend-ignore", RULES, "[]", "Rules not to report, besides the ignored ones."),
    Key("fixable", RULES, '["ALL"]', "Rules whose fixes may be applied."),
    Key("unfixable", RULES, "[]", "Rules whose fixes are never applied."),
    Key("extend-safe-fixes", RULES, "[]", "Rules whose unsafe fixes count as safe."),
    Key("extend-unsafe-fixes", RULES, "[]", "Rules whose safe fixes count as unsafe."),
    Key("fix", Flag(), "false", "Apply fixes, as `--fix` does."),
    Key("unsafe-fixes", Flag(), "false", "Apply and offer unsafe fixes too."),
    Key("show-fixes", Flag(), "false", "List the fixes that were applied."),
    Key("severity", Table(Word(rule=True), Word(LEVELS)), "{}", "The level of rules; the most specific word wins."),
    Key("fail-on", Word(LEVELS), '"warning"', "The lowest level that makes the exit code 1."),
    Key("per-file-ignores", IGNORES, "{}", "Rules not to report in files that a pattern names."),
    Key("extend-per-file-ignores", IGNORES, "{}", "The same, besides those of the extended configuration."),
    Key("exclude", PATTERNS, "", "Files and folders to leave out instead of the usual ones (.git, .venv, dist …)."),
    Key("extend-exclude", PATTERNS, "[]", "Files and folders to leave out besides."),
    Key("include", PATTERNS, '["*.py", "*.pyi"]', "The files of a folder that are linted."),
    Key("force-exclude", Flag(), "false", "Leave excluded files out even when they are named on the command line."),
    Key("respect-gitignore", Flag(), "true", "Leave out what .gitignore, .ignore and .git/info/exclude name."),
    Key(
        "target-otel",
        Word(version=True),
        "",
        "The OpenTelemetry version of the project; without it, the pin nearest to the file.",
    ),
    Key("max-file-size", Count(), "1048576", "Files with more bytes are not judged; a line on stderr says so."),
    Key("cache-dir", TEXT, '".otlint_cache"', "The folder of the cache, seen from the configuration; `-n` uses none."),
    Key("output-format", Word(FORMATS), '"full"', "How findings are written."),
    Key("project.root", TEXT, "", "The folder whose files are read for facts about the project."),
    Key("project.source-roots", PATTERNS, '[".", "src"]', "Folders from which the project's own modules are imported."),
    Key("project.facts", Word(("auto", "off")), '"auto"', "Whether other files of the project are read for facts."),
    Key("instrumentation.auto", Flag(), "false", "The program is started by `opentelemetry-instrument` or its equal."),
    Key("instrumentation.libraries", Many(TEXT), "[]", "Libraries that are instrumented where otlint cannot see it."),
    Key("instrumentation.bootstrap", PATTERNS, "[]", "Files that set up the providers."),
    Key("instrumentation.shutdown-handled", Flag(), "false", "The providers are shut down where otlint cannot see it."),
    Key("wrappers.tracers", Many(TEXT), "[]", "Dotted names of the project's objects that stand for a tracer."),
    Key("wrappers.span-starters", Many(TEXT), "[]", "Dotted names of functions that start a span."),
    Key("wrappers.context-executors", Many(TEXT), "[]", "Dotted names of executors that carry the context along."),
)
BY_NAME = {key.name: key for key in KEYS}
TABLES = tuple(dict.fromkeys(key.name.partition(".")[0] for key in KEYS if "." in key.name))

_ALLOWED = Key("allow-values", Many(TEXT), "[]", "Names of variables and attributes whose values are known to be few.")
# Lists of a rule extend the list that the rule has built in.
OPTIONS: Mapping[str, tuple[Key, ...]] = {
    "OTL201": (_ALLOWED,),
    "OTL202": (_ALLOWED,),
    "OTL204": (_ALLOWED,),
    "OTL301": (
        Key(
            "exception-signal",
            Word(("either", "span-event", "log")),
            '"either"',
            "What counts as recording an exception: the span event, a log call that carries it, or either one.",
        ),
    ),
    "OTL526": (Key("known-local-hosts", Many(TEXT), "[]", "Hosts of the own network; `.name` is all below."),),
    "OTL602": (Key("sensitive-keys", Many(TEXT), "[]", "Further attribute keys whose values must not be recorded."),),
}
# Rules that judge by the options of another one.
SHARED_OPTIONS: Mapping[str, str] = {"OTL302": "OTL301"}


def fault(shape: Shape, value: object) -> Fault | None:
    """What is wrong with a TOML value, None when it fits."""
    return next(_faults(shape, value), None)


def _faults(shape: Shape, value: object) -> Iterator[Fault]:
    match shape, value:
        case (Flag(), bool()):
            return
        case (Count(), int()) if not isinstance(value, bool) and value >= 0:
            return
        case (Word(), str()):
            yield from _word_faults(shape, value)
        case (Many(item), list()):
            for one in value:
                if not isinstance(one, str):
                    yield Fault(f"expected strings in the list, got {_kind(one)}")
                else:
                    yield from _word_faults(item, one)
        case (Table(key, inner), dict()):
            for name, one in value.items():
                yield from _word_faults(key, name)
                yield from (Fault(f"`{name}`: {bad.message}", bad.word, name) for bad in _faults(inner, one))
        case _:
            yield Fault(f"expected {what(shape)}, got {_kind(value)}")


def _word_faults(shape: Word, value: str) -> Iterator[Fault]:
    if shape.choices and value not in shape.choices:
        allowed = ", ".join(f"`{one}`" for one in shape.choices)
        yield Fault(f"`{value}` is none of {allowed}", value)
    if shape.version and not _VERSION.fullmatch(value):
        yield Fault(f"`{value}` is no version such as `1.44`", value)
    if shape.rule:
        try:
            selection.selector(value)
        except selection.UnknownRuleError as error:
            yield Fault(str(error), value)


def what(shape: Shape) -> str:
    """The shape in words."""
    match shape:
        case Flag():
            return "true or false"
        case Count():
            return "a whole number of zero or more"
        case Word():
            return "a string"
        case Many():
            return "a list of strings"
        case Table(_, Many()):
            return "a table of lists"
        case Table():
            return "a table of strings"


def _kind(value: object) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date")


def schema() -> dict[str, object]:
    """The JSON Schema of `[tool.otlint]` and of otlint.toml."""
    properties: dict[str, object] = {key.name: _property(key) for key in KEYS if "." not in key.name}
    for table in TABLES:
        inside = {key.name.partition(".")[2]: _property(key) for key in KEYS if key.name.startswith(f"{table}.")}
        properties[table] = _object(inside)
    properties["rules"] = _object(
        {word: _object({key.name: _property(key) for key in OPTIONS[code]}) for word, code in rule_tables().items()}
    )
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "otlint.schema.json",
        "title": "Configuration of otlint",
        **_object(properties),
        "definitions": {
            "rule": {
                "description": "A rule's code, the start of one, a rule's name, a category, ALL or hints.",
                "anyOf": [{"enum": selection.words()}, {"pattern": _prefixes()}],
                "type": "string",
            }
        },
    }


def rule_tables() -> dict[str, str]:
    """The names that tables under `[rules]` may have, and the code each one means."""
    names = selection.known()
    return {word: code for code in OPTIONS for word in (code, names.get(code, code))}


def _property(key: Key) -> dict[str, object]:
    return {"description": key.doc, **_schema(key.shape)}


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties)}


def _schema(shape: Shape) -> dict[str, object]:
    match shape:
        case Flag():
            return {"type": "boolean"}
        case Count():
            return {"type": "integer", "minimum": 0}
        case Word(choices, rule):
            if rule:
                return {"$ref": "#/definitions/rule"}
            if shape == Word(version=True):
                return {"type": "string", "pattern": f"^{_VERSION.pattern}$"}
            return {"type": "string", "enum": list(choices)} if choices else {"type": "string"}
        case Many(item):
            return {"type": "array", "items": _schema(item)}
        case Table(key, value):
            names = {"propertyNames": _schema(key)} if key != TEXT else {}
            return {"type": "object", **names, "additionalProperties": _schema(value)}


def _prefixes() -> str:
    starts = {code[:length] for code in selection.known() for length in range(3, len(code))}
    return f"^({'|'.join(sorted(starts))})$"
