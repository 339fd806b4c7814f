"""The exporters that a file builds, where they send to, and the keys of what is sent along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel

if TYPE_CHECKING:
    from otlint.model.module import Module

Pair = tuple[cst.BaseExpression, cst.BaseExpression]

_CLASS = re.compile(r"\w*?(Span|Trace|Metric|Log)s?(?:Record)?Exporter")
_SIGNALS = {"Span": "traces", "Trace": "traces", "Metric": "metrics", "Log": "logs"}
# Packages whose exporters send to another process.
REMOTE = ("opentelemetry.exporter.", "azure.monitor.opentelemetry.exporter.")
_CONSOLE = re.compile(r"opentelemetry\.sdk\..*\.Console\w+")
_READS = frozenset({"os.getenv", "os.environ.get"})
_EXAMPLES = re.compile(
    r"(?i)(?:^|/)(?:docs?|(?:examples?|samples?|demos?)(?:[-_]apps?)?|snippets|tutorials?|notebooks?"
    r"|quick-?starts?[\w-]*|cookbooks?"
    r"|tests?|testing|benchmarks?|fixtures?|playground|scripts)/"
)


@dataclass(frozen=True, eq=False, slots=True)
class Exporter:
    """One exporter of a known library: its class as a dotted name, and its signal: traces, metrics or logs."""

    call: cst.Call
    kind: str
    signal: str

    @property
    def name(self) -> str:
        return self.kind.rpartition(".")[2]

    @property
    def is_remote(self) -> bool:
        """Whether it sends to another process."""
        return self.kind.startswith(REMOTE)

    @property
    def is_console(self) -> bool:
        """Whether it prints."""
        return _CONSOLE.fullmatch(self.kind) is not None


def exporters(module: Module) -> list[Exporter]:
    """The exporters that the file builds, in source order."""
    found = []
    for call in module.calls(*module.apis_called):
        kind = module.api(call.func) or ""
        signal = signal_of(kind)
        if signal is not None:
            found.append(Exporter(call, kind, signal))
    return found


def made(module: Module, expression: cst.BaseExpression) -> list[Exporter | None]:
    """The exporters that an expression may be, also what a function of the project makes; None for what is not one."""
    found: list[Exporter | None] = []
    for origin in module.origins(expression):
        kind = module.type(origin) or ""
        signal = signal_of(kind) if isinstance(origin, cst.Call) else None
        found.append(Exporter(origin, kind, signal) if isinstance(origin, cst.Call) and signal else None)
    return found


def signal_of(kind: str) -> str | None:
    """What a class exports, by its dotted name: traces, metrics or logs; None for what is no exporter."""
    match = _CLASS.fullmatch(kind.rpartition(".")[2])
    if match is not None and kind.startswith(("opentelemetry.", *REMOTE)):
        return _SIGNALS[match[1]]
    old = kind.startswith(tuple(f"{each}." for each in otel.DEPRECATED_EXPORTERS)) and kind.endswith("Exporter")
    return "traces" if old else None


def is_example(path: str) -> bool:
    """Whether a file shows or tries something, by the folder it is in: nobody deploys it."""
    return _EXAMPLES.search(path) is not None


def resource_key(module: Module, key: cst.BaseExpression) -> str | None:
    """`"service.name"`, `SERVICE_NAME`, `ResourceAttributes.SERVICE_NAME`: None where it is not known."""
    if isinstance(key, cst.SimpleString):
        return str(key.evaluated_value)
    dotted = module.api(key)
    if dotted is None or not otel.is_otel(dotted):
        return None
    return dotted.rpartition(".")[2].lower().replace("_", ".")


def variable_read(module: Module, expression: cst.BaseExpression) -> str | None:
    """The name of the variable of the environment that an expression reads."""
    if isinstance(expression, cst.Call):
        name = expression.args[0].value if module.api(expression.func) in _READS and expression.args else None
    elif isinstance(expression, cst.Subscript) and module.api(expression.value) == "os.environ":
        index = expression.slice[0].slice
        name = index.value if isinstance(index, cst.Index) else None
    else:
        return None
    return str(name.evaluated_value) if isinstance(name, cst.SimpleString) else None


def fallback(module: Module, expression: cst.BaseExpression) -> cst.SimpleString | None:
    """The text of `os.getenv("COLLECTOR", "http://localhost:4318")` where the variable is not set."""
    if variable_read(module, expression) is None or not isinstance(expression, cst.Call) or len(expression.args) != 2:
        return None
    text = expression.args[1].value
    return text if isinstance(text, cst.SimpleString) and text.evaluated_value else None


def header_pairs(module: Module, headers: cst.BaseExpression) -> Iterator[Pair]:
    """The names and values of headers, given as a mapping or as pairs."""
    if isinstance(headers, cst.Tuple | cst.List):
        for element in headers.elements:
            pair = element.value.elements if isinstance(element.value, cst.Tuple | cst.List) else ()
            if len(pair) == 2:
                yield pair[0].value, pair[1].value
        return
    for key, value in module.helpers.attributes.entries(headers):
        if value is not None:
            yield key, value


def variables_set(module: Module) -> Iterator[tuple[str, cst.BaseExpression]]:
    """The variables of the environment that a file sets: `os.environ["NAME"] = value`, `os.environ.setdefault`."""
    for call in module.calls("os.environ.setdefault", "os.putenv"):
        if len(call.args) == 2 and isinstance(name := call.args[0].value, cst.SimpleString):
            yield str(name.evaluated_value), call.args[1].value
    for assign in module.walk.all(cst.Assign):
        target = assign.targets[0].target
        variable = variable_read(module, target) if isinstance(target, cst.Subscript) else None
        if variable is not None:
            yield variable, assign.value
