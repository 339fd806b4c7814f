"""What a number says as a point in time: its unit, whether it is whole, and whether it counts from the epoch.

time.time()                 seconds, a float
int(time.time() * 1000)     milliseconds
time.time_ns()              nanoseconds
datetime.now()              no number at all
now_ms()                    what the function of this file returns
time.perf_counter_ns()      nanoseconds since some point of this process's own
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from otlint.model.module import Module

_DEPTH = 8
_DATETIME = frozenset(
    f"datetime.datetime.{name}" for name in ("now", "utcnow", "today", "fromtimestamp", "fromisoformat", "strptime")
) | {"datetime.datetime"}
_DATES = _DATETIME | {"django.utils.timezone.now", "datetime.date.today"}
_WHOLE = frozenset({"builtins.int", "math.floor", "math.ceil", "math.trunc"})
_RECENT = 10**17  # nanoseconds: some day of 1973
_UNITS = {0: "seconds", 3: "milliseconds", 6: "microseconds"}


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as a value. `power` is that of ten by which it counts in one second, 9 for nanoseconds.

    `is_date`: a datetime. `is_epoch`: it counts from 1970. `is_fixed`: a number as it is written, which `power` then
    holds. `call` is what reads the clock.
    """

    power: float
    is_whole: bool
    is_epoch: bool = True
    is_date: bool = False
    is_fixed: bool = False
    call: cst.BaseExpression | None = None

    @property
    def fault(self) -> str | None:
        """What is wrong with it as a timestamp of OpenTelemetry; None when nothing is known to be."""
        if self.is_date:
            return "is a datetime"
        if self.is_fixed:
            return "lies near 1970" if self.power < _RECENT else None
        if not self.is_epoch:
            return "does not count from the epoch"
        if not self.is_whole:
            return "is a float"
        if not math.isclose(self.power, 9):
            unit = _UNITS.get(round(self.power), "some other unit")
            return f"counts {unit}"
        return None


def _clocks() -> dict[str, Moment]:
    found = {"time.time": Moment(0, is_whole=False), "time.time_ns": Moment(9, is_whole=True)}
    for name in ("perf_counter", "monotonic", "process_time", "thread_time"):
        found[f"time.{name}"] = Moment(0, is_whole=False, is_epoch=False)
        found[f"time.{name}_ns"] = Moment(9, is_whole=True, is_epoch=False)
    return found


_CLOCKS = _clocks()


def moment(module: Module, expression: cst.BaseExpression, depth: int = 0) -> Moment | None:
    """The point in time that an expression certainly stands for."""
    if depth > _DEPTH:
        return None
    found = _written(module, expression, depth)
    return found if found is not None or depth else _typed(module, expression)


def _typed(module: Module, expression: cst.BaseExpression) -> Moment | None:
    """What is known of a value of which only the type is."""
    kind = module.type(expression)
    if kind == "builtins.float":
        return Moment(9, is_whole=False)
    return Moment(9, is_whole=True, is_date=True, call=expression) if kind == "datetime.datetime" else None


def _written(module: Module, expression: cst.BaseExpression, depth: int) -> Moment | None:
    if isinstance(expression, cst.Call):
        return _called(module, expression, depth)
    if isinstance(expression, cst.BinaryOperation):
        return _operation(module, expression, depth)
    if isinstance(expression, cst.Float):
        return Moment(9, is_whole=False)
    if isinstance(expression, cst.Integer):
        return Moment(expression.evaluated_value, is_whole=True, is_fixed=True)
    if isinstance(expression, cst.Name):
        return _agreed(
            [moment(module, each, depth + 1) for each in module.origins(expression) if each is not expression]
        )
    if isinstance(expression, cst.Attribute):
        return _stored(module, expression, depth)
    return None


def _called(module: Module, call: cst.Call, depth: int) -> Moment | None:
    api = module.api(call.func) or ""
    if api in _CLOCKS and not call.args:
        clock = _CLOCKS[api]
        return Moment(clock.power, clock.is_whole, clock.is_epoch, call=call)
    if api in _DATES:
        return Moment(9, is_whole=True, is_date=True, call=call)
    if api in _WHOLE or (api == "builtins.round" and len(call.args) == 1):
        found = moment(module, call.args[0].value, depth + 1) if len(call.args) == 1 else None
        return found and dataclasses.replace(found, is_whole=True)
    if api == "builtins.float" and len(call.args) == 1:
        found = moment(module, call.args[0].value, depth + 1)
        return found and dataclasses.replace(found, is_whole=False, is_fixed=False)
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == "timestamp" and not call.args:
        return Moment(0, is_whole=False, call=call)
    return _returned(module, call, api, depth)


def _returned(module: Module, call: cst.Call, api: str, depth: int) -> Moment | None:
    """What a function of this file gives."""
    function = module.values.function(api)
    if function is None or function.asynchronous is not None:
        return None
    values = [each.value for each in module.walk.own(function.body, cst.Return)]
    found = _agreed([moment(module, each, depth + 1) if each is not None else None for each in values])
    return found and dataclasses.replace(found, call=found.call or call)


def _operation(module: Module, node: cst.BinaryOperation, depth: int) -> Moment | None:
    left, right = moment(module, node.left, depth + 1), moment(module, node.right, depth + 1)
    if isinstance(node.operator, cst.Multiply | cst.Divide | cst.FloorDivide):
        factor = _number(node.right) if left is not None else _number(node.left)
        known = left if left is not None else right if isinstance(node.operator, cst.Multiply) else None
        if factor is None or factor <= 0 or known is None or known.is_date or known.is_fixed:
            return None
        power = math.log10(factor) * (1 if isinstance(node.operator, cst.Multiply) else -1)
        whole = known.is_whole and isinstance(factor, int) and not isinstance(node.operator, cst.Divide)
        return Moment(known.power + power, whole, known.is_epoch, call=known.call)
    if isinstance(node.operator, cst.Add | cst.Subtract) and left is not None and left.call is not None:
        # The difference of two points is a duration.
        return left if right is None or right.call is None else None
    return None


def _number(node: cst.BaseExpression) -> int | float | None:
    if isinstance(node, cst.Integer | cst.Float):
        return node.evaluated_value
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Power):
        base, power = _number(node.left), _number(node.right)
        return None if base is None or power is None or power > 18 else base**power
    return None


def _stored(module: Module, attribute: cst.Attribute, depth: int) -> Moment | None:
    """What the methods of the class put into `self.x`, None and zero left out."""
    owner = module.names.owner_class(attribute.value) if isinstance(attribute.value, cst.Name) else None
    if owner is None:
        return None
    bindings = module.names.attributes.get((owner, attribute.attr.value), [])
    values = [each.value for each in bindings if each.kind == "assign" and each.value is not None]
    clocked = [each for each in values if not isinstance(each, cst.Name | cst.Integer | cst.Float)]
    return _agreed([moment(module, each, depth + 1) for each in clocked]) if len(values) == len(bindings) else None


def _agreed(found: list[Moment | None]) -> Moment | None:
    """The one that all of them are alike."""
    first = found[0] if found else None
    if first is None or any(each is None or each.fault != first.fault for each in found):
        return None
    return first


def is_bare(module: Module, expression: cst.BaseExpression, when: Moment) -> bool:
    """Whether the clock is read in the expression, with nothing but conversions around: `int(time.time() * 1000)`."""
    inner: cst.BaseExpression | None = expression
    while inner is not None and inner is not when.call:
        if isinstance(inner, cst.Call):
            inner = inner.args[0].value if len(inner.args) == 1 else None
        elif isinstance(inner, cst.BinaryOperation) and not isinstance(inner.operator, cst.Add | cst.Subtract):
            inner = inner.right if _number(inner.left) is not None else inner.left
        else:
            inner = None
    return isinstance(inner, cst.Call) and (module.api(inner.func) or "").startswith("time.time")
