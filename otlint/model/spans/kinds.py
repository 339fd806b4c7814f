"""What is given as the kind of a span where it is no SpanKind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.reason import Reason
from otlint.model.spans.span import Span

if TYPE_CHECKING:
    from otlint.model.module import Module

_PROTO = "opentelemetry.proto."
_TYPES = {
    "builtins.str": "a string", "builtins.int": "a number", "builtins.float": "a number", "builtins.bool": "a bool",
    "builtins.bytes": "bytes", "builtins.dict": "a dict", "builtins.list": "a list", "builtins.tuple": "a tuple",
}  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class WrongKind:
    """A value that reaches the `kind` of a span on some way.

    `what` it is, in words. `meant` is the dotted SpanKind that was meant, None when nobody can say; `sure` whether
    no other one can have been meant. `argument` is the argument of the call that it is the whole of and that can be
    left out. `free`: replacing it changes nothing but kinds.
    """

    value: cst.BaseExpression
    what: str
    meant: str | None
    sure: bool
    argument: cst.Arg | None
    free: bool

    @property
    def is_none(self) -> bool:
        """Whether None is given, which means no kind at all."""
        return _is_none(self.value)


def wrong_kinds(module: Module, span: Span) -> Iterator[WrongKind]:
    """The values of a span's `kind` argument that are certainly no SpanKind."""
    if span.kind_argument is None:
        return
    for value in module.origins(span.kind_argument):
        what = _what(module, value)
        if what is not None:
            meant = _meant(module, value)
            free = module.walk.inside(value, span.start) or _carries_only_kinds(module, span)
            argument = _removable(span.start, value)
            yield WrongKind(value, what, meant or _by_number(value), meant is not None, argument, free)
        else:
            unknown = Reason("what its kind is, is not known", value) if span.kind is None else None
            module.silenced(span.start, unknown)


def _removable(call: cst.Call, value: Node) -> cst.Arg | None:
    """The argument that the value is, if no argument behind it would move."""
    for arg in call.args:
        if arg.value is value and (arg.keyword is not None or arg is call.args[-1]):
            return arg
    return None


def _what(module: Module, value: cst.BaseExpression) -> str | None:
    if _is_none(value):
        return "the kind is None"
    dotted = module.api(value)
    if dotted == otel.SPAN_KIND:
        return "the kind is the class `SpanKind` itself"
    if dotted is not None:
        owner, _, part = dotted.rpartition(".")
        if owner in otel.KINDS.values() and part in {"value", "name"}:
            return f"`{module.code(value)}` is {'a number' if part == 'value' else 'a string'}"
        if part not in {"value", "name"} and (owner.startswith(_PROTO) or module.values.is_enum(owner)):
            return f"`{module.code(value)}` is a member of another enum"
    kind = _TYPES.get(module.type(value) or "")
    if kind is None:
        return None
    code = module.code(value)
    return f"the kind is {kind}" if "\n" in code or len(code) > 40 else f"the kind `{code}` is {kind}"


def _is_none(value: Node) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"


def _meant(module: Module, value: cst.BaseExpression) -> str | None:
    if _is_none(value):
        return otel.KIND_INTERNAL
    if isinstance(value, cst.SimpleString) and isinstance(value.evaluated_value, str):
        return otel.KINDS.get(_plain(value.evaluated_value))
    parts = (module.api(value) or "").split(".")[-2:] if isinstance(value, cst.Attribute) else []
    return next((otel.KINDS[name] for part in reversed(parts) if (name := _plain(part)) in otel.KINDS), None)


def _plain(word: str) -> str:
    """`server`, `SpanKind.SERVER` and `SPAN_KIND_SERVER` → `SERVER`."""
    return word.upper().removeprefix("SPANKIND.").removeprefix("SPAN_KIND_")


def _by_number(value: Node) -> str | None:
    """The kind that a number is the value of in Python; in OTLP each one is one more."""
    if isinstance(value, cst.Integer) and value.evaluated_value < len(otel.KINDS):
        return list(otel.KINDS.values())[value.evaluated_value]
    return None


def _carries_only_kinds(module: Module, span: Span) -> bool:
    """Whether the name that brings the kind is used for nothing else, so that it may hold another type."""
    carrier = span.kind_argument
    if not isinstance(carrier, cst.Name) or span.function is None:
        return False
    walk = module.walk
    uses = [
        each
        for each in walk.below(span.function, functions=True)
        if isinstance(each, cst.Name) and each.value == carrier.value and each is not carrier
    ]
    return all(_is_binding(walk.parent[use], use) for use in uses)


def _is_binding(above: Node, name: Node) -> bool:
    """Whether the name is not read here: a target, a parameter, `kind` in `kind=…` or in `x.kind`."""
    if isinstance(above, cst.Arg):
        return above.keyword is name
    if isinstance(above, cst.Attribute):
        return above.attr is name
    return isinstance(above, cst.Param | cst.AssignTarget | cst.AnnAssign)
