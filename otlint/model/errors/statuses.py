"""Statuses and descriptions that a span does not take, or with which it is lost."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.logs import words
from otlint.model.code.nature import Nature, is_text, nature
from otlint.model.code.values import argument, parameters
from otlint.model.code.walk import Node
from otlint.model.functions.passing import Given
from otlint.model.reason import Reason

if TYPE_CHECKING:
    from otlint.model.module import Module

_CODES = frozenset(otel.STATUS_CODES.values())
_FINE = _CODES - {otel.STATUS_ERROR}


class Fault(enum.Enum):
    """What is wrong.

    `IGNORED`: no status, so `set_status` does nothing. `FATAL`: no code in a `Status`, at which the exporter fails.
    `MISSING`: a member that `StatusCode` does not have. `DROPPED`: a description of OK or UNSET. `BESIDE`: one beside
    a `Status`. `NO_TEXT`: one that is no string.
    """

    IGNORED = enum.auto()
    FATAL = enum.auto()
    MISSING = enum.auto()
    DROPPED = enum.auto()
    BESIDE = enum.auto()
    NO_TEXT = enum.auto()


@dataclass(frozen=True, eq=False, slots=True)
class WrongStatus:
    """A value that a call gives for a status or a description.

    `value` is what is wrong, as it is written, and `argument` what the call gives, which may hold or name it. `meant`
    is the dotted code that was meant, None when nobody can say; `sure` whether no other one can have been meant, or
    whether the description is dropped on every way.
    `description` is what the call gives beside the code.
    """

    call: cst.Call
    fault: Fault
    value: cst.BaseExpression
    argument: cst.BaseExpression
    helper: bool
    nature: Nature | None = None
    meant: str | None = None
    sure: bool = False
    description: cst.BaseExpression | None = None


def wrong_statuses(module: Module) -> Iterator[WrongStatus]:
    """The first thing that is wrong in each call, in source order."""
    seen: set[Node] = set()
    for given in module.told:
        if given.api not in {otel.SET_STATUS, otel.STATUS} or given.call in seen:
            continue
        found = next(_faults(module, given), None)
        if found is not None:
            seen.add(given.call)
            yield found
    yield from _without_code(module)


def _faults(module: Module, given: Given) -> Iterator[WrongStatus]:
    if given.parameter == "description":
        yield from _no_text(module, given)
        return
    codes = module.origins(given.value)
    description = None if given.helper else argument(given.call, "description", otel.PARAMETERS[given.api])
    for value in codes:
        module.silenced(given.call, nature(module, value) is None and Reason("what it gives is not known", value))
        fault = _code_fault(module, given, value)
        if fault is not None:
            meant, sure = _meant(module, value)
            yield WrongStatus(
                given.call, fault, value, given.value, given.helper, nature(module, value), meant, sure, description
            )
    if description is None or _is_nothing(module, description):
        return
    if module.silenced(given.call, _is_left_out(module, description) and "no caller is known that gives a description"):
        return
    made = next((each for each in codes if nature(module, each) is Nature.STATUS and isinstance(each, cst.Call)), None)
    if given.api == otel.SET_STATUS and made is not None:
        yield WrongStatus(given.call, Fault.BESIDE, made, description, given.helper, description=description)
    fine = [module.api(each) in _FINE for each in codes]
    if any(fine) and ((all(fine) and _is_all(module, given.value)) or is_text(description)):
        code = codes[fine.index(True)]
        yield WrongStatus(given.call, Fault.DROPPED, code, description, given.helper, sure=all(fine))


def _code_fault(module: Module, given: Given, value: cst.BaseExpression) -> Fault | None:
    if _is_missing(module, value):
        return Fault.MISSING
    api = module.api(value) or ""
    kind = nature(module, value)
    if api in {otel.STATUS_CODE, otel.STATUS}:
        kind = Nature.CLASS
    if kind in {None, Nature.CODE} or (kind is Nature.STATUS and given.api == otel.SET_STATUS):
        return None
    if kind is Nature.NONE and (given.helper or given.api == otel.SET_STATUS or value is not given.value):
        return None  # `set_status(None)` says that there is none
    return Fault.FATAL if given.api == otel.STATUS else Fault.IGNORED


def _is_missing(module: Module, value: cst.BaseExpression) -> bool:
    """`StatusCode.FAILED`, `StatusCode.ok`, `Status.ERROR`, `StatusCode("ERROR")`."""
    if isinstance(value, cst.Call):
        given = value.args[0].value if value.args else None
        return module.api(value.func) == otel.STATUS_CODE and given is not None and nature(module, given) is Nature.TEXT
    api = module.api(value) or ""
    owner, _, name = api.rpartition(".")
    if owner not in {otel.STATUS_CODE, otel.STATUS} or api in _CODES:
        return False
    return name.isupper() or _by_word(name) is not None


def _no_text(module: Module, given: Given) -> Iterator[WrongStatus]:
    for value in module.origins(given.value):
        kind = nature(module, value)
        if kind not in {None, Nature.NONE, Nature.TEXT, Nature.CODE, Nature.STATUS, Nature.BOOL}:
            yield WrongStatus(given.call, Fault.NO_TEXT, value, given.value, given.helper, kind)


def _without_code(module: Module) -> Iterator[WrongStatus]:
    """`Status(description="…")` is UNSET."""
    for call in module.calls(otel.STATUS):
        description = module.argument(call, "description")
        hidden = any(arg.star for arg in call.args)
        if description is not None and module.argument(call, "status_code") is None and not hidden:
            yield WrongStatus(call, Fault.DROPPED, description, description, helper=False, sure=True)


def _is_nothing(module: Module, description: cst.BaseExpression) -> bool:
    """Whether a description is certainly none."""
    return _is_all(module, description) and all(
        nature(module, each) is Nature.NONE or (isinstance(each, cst.SimpleString) and not is_text(each))
        for each in module.origins(description)
    )


def _is_left_out(module: Module, description: cst.BaseExpression) -> bool:
    """Whether a description is a parameter that is None, unless callers that are not known give another one."""
    function = module.function_of(description)
    if not isinstance(function, cst.FunctionDef) or not isinstance(description, cst.Name):
        return False
    bindings = module.names.reaching(description.value, description)
    node = bindings[0].node if len(bindings) == 1 else None
    default = node.default if isinstance(node, cst.Param) else None
    if not (isinstance(default, cst.Name) and default.value == "None"):
        return False
    names = parameters(function)
    return not any(argument(site, description.value, names) for site in module.values.call_sites(function))


def _is_all(module: Module, value: cst.BaseExpression) -> bool:
    """Whether the origins of a value are all that it can come from: nothing of it is up to callers."""
    bindings = module.names.reaching(value.value, value) if isinstance(value, cst.Name) else []
    return all(binding.kind == "assign" for binding in bindings)


def _meant(module: Module, value: cst.BaseExpression) -> tuple[str | None, bool]:
    """The code that was meant, and whether it is sure."""
    if isinstance(value, cst.SimpleString) and isinstance(value.evaluated_value, str):
        return _by_word(value.evaluated_value), True
    if isinstance(value, cst.Integer) and value.evaluated_value < len(otel.STATUS_CODES):
        return list(otel.STATUS_CODES.values())[value.evaluated_value], False
    if isinstance(value, cst.Call) and value.args and _is_missing(module, value):
        return _meant(module, value.args[0].value)
    api = module.api(value) or ""
    owner, _, name = api.rpartition(".")
    if owner in _CODES:
        return owner, True
    if nature(module, value) is Nature.MEMBER or owner in {otel.STATUS_CODE, otel.STATUS}:
        return _by_word(name), True
    return None, False


def _by_word(word: str) -> str | None:
    """`ok`, `StatusCode.OK`, `STATUS_CODE_OK` → `StatusCode.OK`."""
    plain = word.lower().removeprefix("statuscode.").removeprefix("status_code_").removeprefix("status.")
    found = (name for name in otel.STATUS_CODES if plain in words("status", name.lower()))
    return next((otel.STATUS_CODES[name] for name in found), None)
