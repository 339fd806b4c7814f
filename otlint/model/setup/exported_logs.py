"""The handlers that send what is logged to OpenTelemetry, and the loggers that they are put on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.values import argument
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

_SWITCH = "OTEL_PYTHON_LOG_AUTO_INSTRUMENTATION"
_OFF = "enable_log_auto_instrumentation"


@dataclass(frozen=True, eq=False, slots=True)
class Handler:
    """One exporting handler on one logger, whose name is empty for the root; `add` puts it there."""

    call: cst.Call
    add: cst.Call
    logger: str


def exporting_handlers(module: Module) -> Iterator[Handler]:
    """The handlers that the file puts on loggers, in source order: on those whose name is known."""
    for add in module.walk.all(cst.Call):
        if module.api(add.func) == "logging.basicConfig":
            handlers = argument(add, "handlers", ())
            for origin in module.origins(handlers) if handlers is not None else ():
                elements = origin.elements if isinstance(origin, cst.List | cst.Tuple) else ()
                for element in elements:
                    yield from _of(module, add, element.value, "")
        elif isinstance(add.func, cst.Attribute) and add.func.attr.value == "addHandler" and len(add.args) == 1:
            logger = _logger(module, add.func.value)
            if logger is not None:
                yield from _of(module, add, add.args[0].value, logger)


def _of(module: Module, add: cst.Call, handler: cst.BaseExpression, logger: str) -> Iterator[Handler]:
    for origin in module.origins(handler):
        if isinstance(origin, cst.Call) and module.api(origin.func) in otel.LOG_HANDLERS:
            yield Handler(origin, add, logger)


def _logger(module: Module, expression: cst.BaseExpression) -> str | None:
    """The name of a logger; None when it is not known."""
    found = module.origins(expression)
    if len(found) != 1:
        return None
    origin = found[0]
    if module.api(origin) == "logging.root":
        return ""
    if not isinstance(origin, cst.Call) or module.api(origin.func) != "logging.getLogger":
        return None
    if not origin.args:
        return ""
    name = origin.args[0].value
    if isinstance(name, cst.SimpleString):
        return str(name.evaluated_value)
    return {"None": "", "__name__": module.names.module_name}.get(module.code(name))


def stays(module: Module, logger: str) -> bool:
    """Whether a logger may keep its records from the root, as some logger of the file does."""
    return bool(logger) and any(
        isinstance(target.target, cst.Attribute) and target.target.attr.value == "propagate"
        for assign in module.walk.all(cst.Assign)
        for target in assign.targets
    )


def switch(module: Module) -> cst.Call | None:
    """The call of this file that makes the instrumentation of logging export as well, None where none does."""
    calls = module.calls(otel.INSTRUMENT_LOGGING)
    return calls[0] if calls and switched_off(module, calls[0]) is None else None


def switches_on(call: cst.Call) -> bool:
    """Whether the instrumentation of logging is told nothing about exporting, so that it does."""
    return not any(arg.star or (arg.keyword is not None and arg.keyword.value == _OFF) for arg in call.args)


def switched_elsewhere(module: Module) -> str | None:
    """The file, besides this one, that makes the instrumentation of logging export, of those that run together."""
    together = module.project.reach.together(module.path) if module.path in module.project.files else []
    found = next((facts.path for facts in together if facts.exports_logs and facts.path != module.path), None)
    return found if found is not None and _unswitched(module) is None else None


def switched_off(module: Module, call: cst.Call) -> Reason | None:
    """Why the instrumentation of logging does not export what is logged."""
    if not switches_on(call):
        return Reason(f"the instrumentation is told about `{_OFF}`")
    return _unswitched(module)


def _unswitched(module: Module) -> Reason | None:
    """The same, by what is not said in its call."""
    value = module.instrumentation.variable(_SWITCH)
    if value is not None and value.strip().lower() != "true":
        return Reason(f"`{_SWITCH}` is `{value}`")
    if _SWITCH in module.source.text:
        return Reason(f"the file speaks of `{_SWITCH}`")
    if not module.instrumentation.otel_at_least("1.40"):
        return Reason("the instrumentation of logging before OpenTelemetry 1.40 exports nothing")
    return None
