"""OTL304: a status that `set_status` ignores or the exporter fails on, or a description that nobody gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.errors.statuses import WrongStatus
    from otlint.model.module import Module


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.errors.statuses import Fault, wrong_statuses

    if module.is_spared_test:
        return
    for wrong in wrong_statuses(module):
        inside = module.walk.inside(wrong.value, wrong.call)
        places = [] if inside or wrong.fault is Fault.DROPPED else [(wrong.value, "the value comes from here")]
        yield module.finding(
            wrong.value if inside and wrong.fault in {Fault.IGNORED, Fault.FATAL, Fault.MISSING} else wrong.argument,
            _message(module, wrong),
            related=places,
            fix=_fix(module, wrong) if not wrong.helper else None,
        )


def _message(module: Module, wrong: WrongStatus) -> str:
    from otlint.model.errors.statuses import Fault

    code = module.code(wrong.value)
    what = f"`{code}`" if len(code) <= 40 and "\n" not in code else "the value"
    give = f"give `{_short(wrong.meant)}`" if wrong.meant and wrong.sure else "give a member of `StatusCode`"
    if wrong.fault is Fault.MISSING:
        return f"there is no {what}, so that it raises an error; {give}"
    if wrong.fault is Fault.FATAL:
        return f"{what} is {_words(wrong)}, no `StatusCode`: the exporter fails on it and loses its whole batch; {give}"
    if wrong.fault is Fault.IGNORED:
        return f"{what} is {_words(wrong)}, no `StatusCode`, and `set_status` ignores it; {give}"
    if wrong.fault is Fault.BESIDE:
        return "a description beside a `Status` is dropped; give it to `set_status` with the code alone"
    if wrong.fault is Fault.NO_TEXT:
        return f"the description is {_words(wrong)}, no string, and is dropped; give its text"
    if not wrong.sure:
        return (
            f"a description goes with `StatusCode.ERROR` only and is dropped with {what}; give it with the former alone"
        )
    return "a description goes with `StatusCode.ERROR` only and is dropped here; leave it out"


def _words(wrong: WrongStatus) -> str:
    return wrong.nature.value if wrong.nature is not None else "a class"


def _short(code: str) -> str:
    return ".".join(code.split(".")[-2:])


def _fix(module: Module, wrong: WrongStatus) -> Fix | None:
    from otlint.model.code.nature import Nature
    from otlint.model.errors.statuses import Fault

    if not module.walk.inside(wrong.value, wrong.call):
        return None
    if wrong.fault in {Fault.IGNORED, Fault.FATAL, Fault.MISSING}:
        return _right_code(module, wrong)
    if wrong.fault is Fault.DROPPED and not wrong.sure:
        return None
    if wrong.fault is Fault.DROPPED and _argument(wrong.call, wrong.argument) is not None:
        return Fix("leave the description out", Safety.SAFE, _removed(module, wrong.call, wrong.argument))
    if wrong.fault is Fault.NO_TEXT and wrong.nature is Nature.EXCEPTION and wrong.value is wrong.argument:
        return Fix("give its text", Safety.SAFE, edits.surround(module, wrong.argument, "str(", ")"))
    return _joined(module, wrong) if wrong.fault is Fault.BESIDE else None


def _right_code(module: Module, wrong: WrongStatus) -> Fix | None:
    if wrong.meant is None:
        return None
    text, imports = edits.reference(module, wrong.meant, wrong.value)
    made = (*edits.replace(module, wrong.value, text), *imports)
    if wrong.meant != otel.STATUS_ERROR and wrong.description is not None:
        if wrong.value is not wrong.argument:
            return None
        made = (*made, *_removed(module, wrong.call, wrong.description))
    return Fix(f"give `{_short(wrong.meant)}`", Safety.SAFE if wrong.sure else Safety.DISPLAY, made)


def _joined(module: Module, wrong: WrongStatus) -> Fix | None:
    """`set_status(Status(StatusCode.ERROR), "no stock")` → `set_status(StatusCode.ERROR, "no stock")`."""
    made = wrong.value
    code = module.argument(made, "status_code")  # type: ignore[arg-type]
    if code is None or module.api(code) != otel.STATUS_ERROR or module.argument(made, "description") is not None:  # type: ignore[arg-type]
        return Fix("leave the description out", Safety.SAFE, _removed(module, wrong.call, wrong.argument))
    return Fix("give the code alone", Safety.SAFE, edits.replace(module, made, module.code(code)))


def _argument(call: cst.Call, value: cst.BaseExpression) -> cst.Arg | None:
    return next((arg for arg in call.args if arg.value is value), None)


def _removed(module: Module, call: cst.Call, value: cst.BaseExpression) -> tuple[Edit, ...]:
    arg = _argument(call, value)
    return edits.remove_argument(module, call, arg) if arg is not None else ()
