"""What puts the ids of the current span on log records, under the names that a log format can ask for.

`LoggingInstrumentor().instrument()` alone has not done so since OpenTelemetry 1.40.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.code.values import is_hidden
from otlint.model.code.walk import Node
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

_FIELDS = frozenset({"otelTraceID", "otelSpanID", "otelServiceName", "otelTraceSampled"})
# `%(otelTraceID)s`, `{otelTraceID}` and `${otelTraceID}` of the three styles.
_ASKS = re.compile(r"%\((otel(?:TraceID|SpanID|ServiceName|TraceSampled))\)|\$?\{(otel(?:TraceID|SpanID))[!:}]")
_SWITCH = "OTEL_PYTHON_LOG_CORRELATION"
# Arguments that make the instrumentor put the fields there, by itself or by a function of the project.
_INJECTS = ("set_logging_format", "inject_trace_context", "log_hook")
_KEY = "logging"


def asking(module: Module) -> Iterator[tuple[cst.BaseExpression, str]]:
    """The literals of log formats that ask for a field, and the first field that each asks for."""
    if not any(word in module.source.text for word in _FIELDS):
        return
    texts: list[cst.BaseString] = list(module.walk.all(cst.SimpleString))
    texts += module.walk.all(cst.FormattedString)
    for text in texts:
        asked = _ASKS.search(_written(text))
        if asked is None or _is_unused(module, text):
            continue
        yield _whole(module, text), asked[1] or asked[2]


def _written(text: cst.BaseString) -> str:
    """A literal as it is written; of an f-string what stands between its replacement fields."""
    if isinstance(text, cst.FormattedString):
        return " ".join(part.value for part in text.parts if isinstance(part, cst.FormattedStringText))
    return text.value if isinstance(text, cst.SimpleString) else ""


def _is_unused(module: Module, text: cst.BaseString) -> bool:
    """Whether it is a docstring, or the format that the instrumentor itself is given."""
    above = module.walk.parent[text]
    switched = isinstance(above, cst.Arg) and module.walk.parent[above] in switches(module)
    return isinstance(above, cst.Expr) or switched


def _whole(module: Module, text: cst.BaseString) -> cst.BaseExpression:
    whole: cst.BaseExpression = text
    for up in module.walk.ancestors(text):
        if not isinstance(up, cst.ConcatenatedString | cst.BinaryOperation):
            break
        whole = up
    return whole


def switches(module: Module) -> list[cst.Call]:
    """The calls of this file that switch the instrumentation of logging on."""
    return module.calls(otel.INSTRUMENT_LOGGING)


def correlates(module: Module) -> bool:
    """Whether something in the file may put the fields on log records."""
    if module.calls("logging.setLogRecordFactory") or any(map(_injects, switches(module))):
        return True
    if not any(word in module.source.text for word in (*_FIELDS, _SWITCH)):
        return False
    if any(_is_target(module, each) for each in module.walk.all(cst.Attribute) if each.attr.value in _FIELDS):
        return True
    return any(_sets(module, each) for each in module.walk.all(cst.SimpleString))


def _injects(call: cst.Call) -> bool:
    given = [arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value in _INJECTS]
    return is_hidden(call) or any(not (isinstance(each, cst.Name) and each.value == "False") for each in given)


def _is_target(module: Module, node: Node) -> bool:
    return isinstance(module.walk.parent[node], cst.AssignTarget | cst.AnnAssign)


def _sets(module: Module, text: cst.SimpleString) -> bool:
    """`record["otelTraceID"] = …`, `setattr(record, "otelTraceID", …)`, `extra={"otelTraceID": …}`; the variable."""
    value = text.evaluated_value
    if value == _SWITCH:
        return True
    if value not in _FIELDS:
        return False
    above = module.walk.parent[text]
    if isinstance(above, cst.DictElement):
        return not any(isinstance(up, cst.Arg) and _says(up, "rename_fields") for up in module.walk.ancestors(above))
    if isinstance(above, cst.Arg):
        call = module.walk.parent[above]
        return isinstance(call, cst.Call) and module.api(call.func) == "builtins.setattr"
    subscripts = (up for up in module.walk.ancestors(text) if isinstance(up, cst.Subscript))
    return isinstance(above, cst.Index) and any(_is_target(module, up) for up in subscripts)


def _says(arg: cst.Arg, keyword: str) -> bool:
    return arg.keyword is not None and arg.keyword.value == keyword


def correlated(module: Module) -> Reason | None:
    """Why log records may have the fields, None when nothing gives them any."""
    instrumentation = module.instrumentation
    for facts in module.project.reach.around(module.path):
        if correlates(module) if facts.path == module.path else facts.correlates:
            return Reason(f"{facts.path} puts the fields on log records")
        if otel.INSTRUMENT_LOGGING in facts.calls and not instrumentation.otel_at_least("1.40"):
            return Reason("the instrumentation of logging before OpenTelemetry 1.40 puts them on log records")
        for each in known.distros().values():
            if not each.instruments.isdisjoint({"*", _KEY}) and not facts.calls.isdisjoint(each.calls):
                return Reason(f"{facts.path} sets up a distribution, which may put them on log records")
    if instrumentation.variable(_SWITCH) is not None:
        return Reason(f"`{_SWITCH}` is set")
    return instrumentation.launched([_KEY])
