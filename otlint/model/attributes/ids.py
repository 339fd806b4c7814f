"""Trace and span ids that are turned into text.

hex(ctx.trace_id)          0x, and no leading zeros
str(ctx.trace_id)          decimal
f"{ctx.trace_id:x}"        no leading zeros
format(ctx.span_id, "x")   the same
ctx.trace_id.hex           an int has no such attribute
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.conditions import Conditions
from otlint.model.code.given import given

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.module import Module

_IDS = frozenset(otel.FORMAT_IDS)
_PRINTF = re.compile(r"%(?P<name>\(\w+\))?(?P<spec>[-#0 +]*\d*(?:\.\d+)?[sdrixX])")
_BRACES = re.compile(r"\{(?P<name>\w*)(?:!\w)?(?::(?P<spec>[^{}]*))?\}")
_PADS = frozenset({"zfill", "rjust"})
# Keys under which a vendor wants decimal ids, and the header of Google whose span id is decimal: `trace/span;o=1`.
_DECIMAL = re.compile(r"(?i)(?:^|[\"'_.\s])(?:dd|datadog)(?:[._-]|[\"']$)|;o=|x-cloud-trace-context")
_MASK = (1 << 64) - 1


@dataclass(frozen=True, eq=False, slots=True)
class Written:
    """An id as text. `node` is the conversion, `value` the id in it, `field` which one, `fault` what the text lacks.

    `is_number`: it has to stay a number there, as a format elsewhere asks for one.
    """

    node: Node
    value: cst.BaseExpression
    field: str
    fault: str
    is_number: bool = False


def written(module: Module) -> Iterator[Written]:
    """The ids of span contexts that become text which nobody else would know them by."""
    if not any(module.walk.named(name, module.tree) for name in _IDS):
        return
    for text in _written(module):
        why = _is_no_int(module, text) and "it is written here in case it is no int"
        why = why or (_is_of_propagator(module, text.node) and "a propagator has a format of its own")
        why = why or (_is_refused(module, text) and "it says which id is refused")
        if not module.silenced(text.node, why):
            yield text


def _written(module: Module) -> Iterator[Written]:
    for call in module.walk.all(cst.Call):
        yield from _called(module, call)
    for template, values in _templates(module):
        yield from _filled(module, template, values)
    for attribute in module.walk.all(cst.Attribute):
        field = _field(module, attribute.value) if attribute.attr.value == "hex" else None
        if field is not None:
            up = module.walk.parent[attribute]
            node = up if isinstance(up, cst.Call) and up.func is attribute and not up.args else attribute
            yield Written(node, attribute.value, field, "an int has no `hex`, so this raises")
    for part in module.walk.all(cst.FormattedStringExpression):
        field = _field(module, part.expression)
        spec = _spec(part)
        fault = _fault(spec) if field is not None and spec is not None else None
        if field is not None and fault is not None and not _is_vendor(module, part):
            yield Written(part, part.expression, field, fault)


def _filled(module: Module, template: Node, values: Sequence[cst.BaseExpression]) -> Iterator[Written]:
    """The ids that are put into a text: `"%x" % id`, `"{:x}".format(id)`, `logger.info("%s", id)`."""
    text = template.evaluated_value if isinstance(template, cst.SimpleString) else None
    braces = isinstance(text, str) and _PRINTF.search(text) is None
    found = list((_BRACES if braces else _PRINTF).finditer(text)) if isinstance(text, str) else []
    if any(match.group("name") for match in found):
        return
    for match, value in zip(found, values, strict=False):
        field, spec = _field(module, value), match.group("spec") or ""
        plain = spec in {"s", "r", ""} if not braces else not spec
        fault = _fault("" if spec in {"s", "r", "i"} else spec) if field is not None else None
        if field is not None and fault is not None and not _is_vendor(module, value):
            yield Written(value, value, field, fault, is_number=not plain)


def _templates(module: Module) -> Iterator[tuple[Node, list[cst.BaseExpression]]]:
    for node in module.walk.all(cst.BinaryOperation):
        if isinstance(node.operator, cst.Modulo):
            given = node.right
            yield node.left, [each.value for each in given.elements] if isinstance(given, cst.Tuple) else [given]
    for call in module.walk.all(cst.Call):
        plain = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "format":
            yield call.func.value, plain
        elif len(plain) > 1 and isinstance(plain[0], cst.SimpleString) and module.logs.of(call) is not None:
            yield plain[0], plain[1:]


def _called(module: Module, call: cst.Call) -> Iterator[Written]:
    given = call.args[0].value if call.args else None
    field = _field(module, given) if given is not None else None
    if given is None or field is None or _is_vendor(module, call):
        return
    api = module.api(call.func)
    if api == "builtins.hex":
        node = _stripped(module, call)
        if node is not None:
            yield Written(node, given, field, "`hex` drops leading zeros")
    elif api == "builtins.str":
        yield Written(call, given, field, "`str` makes it decimal")
    elif api == "builtins.format" and len(call.args) == 2 and isinstance(call.args[1].value, cst.SimpleString):
        fault = _fault(str(call.args[1].value.evaluated_value))
        if fault is not None:
            yield Written(call, given, field, fault)


def _field(module: Module, expression: cst.BaseExpression, depth: int = 0) -> str | None:
    """Which id of a span context the value is: `span.get_span_context().trace_id`."""
    if isinstance(expression, cst.Attribute) and expression.attr.value in _IDS:
        return expression.attr.value if module.type(expression.value) == otel.SPAN_CONTEXT else None
    if depth > 3:
        return None
    found = {_field(module, each, depth + 1) for each in _sources(module, expression)}
    return found.pop() if len(found) == 1 else None


def _sources(module: Module, expression: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Where the value of a name comes from, callers included, and what a function of the file returns."""
    if isinstance(expression, cst.Name):
        yield from (each for each in module.origins(expression) if each is not expression)
        yield from given(module, expression)
    function = module.values.function(module.api(expression.func)) if isinstance(expression, cst.Call) else None
    for returned in module.values.own(function, cst.Return) if function is not None else ():
        if returned.value is not None:
            yield returned.value


def _is_of_propagator(module: Module, node: Node) -> bool:
    function = module.function_of(node)
    owner = module.walk.class_of(function) if function is not None else None
    return owner is not None and otel.PROPAGATOR in module.values.lineage(owner)


def _is_no_int(module: Module, text: Written) -> bool:
    """Whether a test has told that the id is no int, as a double in a test is, or writing it as one has failed before.

    format(trace_id, "032x") if isinstance(trace_id, int) else str(trace_id)
    """
    if any(not truth and _asks_for_int(module, test, text.value) for test, truth in _tests_before(module, text)):
        return True
    around = (up for up in module.walk.ancestors(text.node) if isinstance(up, cst.ExceptHandler | cst.FunctionDef))
    inner = next(around, None)
    return isinstance(inner, cst.ExceptHandler) and _is_second_try(module, inner, text.value)


def _is_refused(module: Module, text: Written) -> bool:
    """Whether it is in what is raised because the id itself is wrong.

    if not 0 <= trace_id < 2**128: raise ValueError(f"{trace_id} is out of bounds")
    """
    statement = module.walk.statement_of(text.node)
    if not isinstance(statement, cst.Raise | cst.Assert):
        return False
    tests: list[Node] = [test for test, _ in _tests_before(module, text)]
    tests += [statement.test] if isinstance(statement, cst.Assert) else []
    compared = (part for test in tests if isinstance(test, cst.Comparison) for part in module.walk.below(test))
    value = module.code(text.value)
    return any(isinstance(part, cst.Name | cst.Attribute) and module.code(part) == value for part in compared)


def _tests_before(module: Module, text: Written) -> Iterator[tuple[Node, bool]]:
    return Conditions(module.walk, module.names, text.node, ()).leading()


def _is_second_try(module: Module, handler: cst.ExceptHandler, value: Node) -> bool:
    """Whether a handler is for what writing the same id as an int raises."""
    block = module.walk.parent[handler]
    caught = module.walk.all(cst.Name, within=handler.type) if handler.type is not None else ()
    if not isinstance(block, cst.Try) or all(each.value not in {"TypeError", "ValueError"} for each in caught):
        return False
    return any(module.code(each) == module.code(value) for each in module.walk.all(cst.Attribute, within=block.body))


def _asks_for_int(module: Module, test: Node, value: Node) -> bool:
    if not isinstance(test, cst.Call) or module.api(test.func) != "builtins.isinstance" or len(test.args) != 2:
        return False
    asked, kind = (arg.value for arg in test.args)
    return module.code(asked) == module.code(value) and module.api(kind) == "builtins.int"


def _spec(part: cst.FormattedStringExpression) -> str | None:
    """The format of a replacement field: "" when there is none, None when it is computed or a conversion is asked.

    None too for `{trace_id=}`, which shows a variable to whoever debugs.
    """
    if part.conversion is not None or part.equal is not None:
        return None
    texts = [each.value if isinstance(each, cst.FormattedStringText) else None for each in part.format_spec or ()]
    return None if None in texts else "".join(each for each in texts if each)


def _fault(spec: str) -> str | None:
    if not spec or spec == "d":
        return "it is written in decimal"
    if re.fullmatch(r"[1-9]\d*[xX]", spec):
        return "blanks stand for leading zeros"
    return "leading zeros are missing" if spec in {"x", "X", "#x"} else None


def _stripped(module: Module, call: cst.Call) -> Node | None:
    """`hex(x)` with what takes its `0x` away; None when the zeros are put back."""
    node: Node = call
    while True:
        up = module.walk.parent[node]
        if isinstance(up, cst.Subscript) and up.value is node:
            node = up
        elif isinstance(up, cst.Attribute) and isinstance(outer := module.walk.parent[up], cst.Call):
            if up.attr.value in _PADS:
                return None
            if up.attr.value not in {"replace", "lstrip", "removeprefix"}:
                return node
            node = outer
        else:
            return node


def _is_vendor(module: Module, node: Node) -> bool:
    """Whether the id is written for a vendor who wants it in decimal, by the words of the statement."""
    statement = module.walk.statement_of(node)
    if statement is None:
        return False
    texts = [each.value for each in module.walk.all(cst.SimpleString, within=statement)]
    texts += [each.value for each in module.walk.all(cst.FormattedStringText, within=statement)]
    names = (each.value for each in module.walk.all(cst.Name, within=statement))
    wanted = any(_DECIMAL.search(each) for each in (*texts, *names)) or _halves(module, node)
    return module.silenced(node, wanted and "it is written for a vendor who wants it in decimal")


def _halves(module: Module, node: Node) -> bool:
    """Whether the function takes the lower half of a trace id, which is what such a vendor knows a trace by."""
    function = module.function_of(node)
    return any(
        isinstance(each.operator, cst.BitAnd) and _is_mask(each.right)
        for each in module.walk.all(cst.BinaryOperation, within=function if function is not None else module.tree)
    )


def _is_mask(value: cst.BaseExpression) -> bool:
    """`0xFFFFFFFFFFFFFFFF`, `(1 << 64) - 1`."""
    if isinstance(value, cst.Integer):
        return value.evaluated_value == _MASK
    shift = value.left if isinstance(value, cst.BinaryOperation) else None
    return isinstance(shift, cst.BinaryOperation) and isinstance(shift.right, cst.Integer) and shift.right.value == "64"
