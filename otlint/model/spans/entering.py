"""Context managers of spans that are never entered, and other wrong ways to start a span."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import libcst as cst

from otlint import otel
from otlint.model.code.walk import Node
from otlint.model.spans.keeping import fate
from otlint.model.spans.objects import makes_object
from otlint.model.spans.ownership import MANAGER
from otlint.model.spans.span import Span

if TYPE_CHECKING:
    from otlint.model.module import Module


# By the manner of the span: who else may enter its manager.
_ELSEWHERE = {
    "returned": "the context manager is returned, so the caller may enter it",
    "stored": "the context manager is stored, so whoever finds it may enter it",
    "passed": "the context manager is passed on, so whoever gets it may enter it",
}


@dataclass(frozen=True, slots=True)
class Unentered:
    """A span that does not start, or ends at once, because its manager is used in the wrong way.

    `way`: `statement`, `assigned` (`name` is the variable), `chained` (`name` is the method that is called on the
    manager), `entered` (`__enter__` on a manager that nobody keeps), `given` (to `use_span` as if it were a span),
    `async`, `decorator`, or `bare`: a decorator or `with` that names the function and does not call it.
    """

    at: cst.Call | cst.Name | cst.Attribute
    way: str
    name: str = ""
    with_: cst.With | None = None

    @property
    def function(self) -> cst.BaseExpression:
        """What is called, or should be."""
        return self.at.func if isinstance(self.at, cst.Call) else self.at

    @property
    def call(self) -> cst.Call | None:
        """The call, None where there is none."""
        return self.at if isinstance(self.at, cst.Call) else None


def unentered(module: Module) -> Iterator[Unentered]:
    """The spans of a file that are not entered as they should be."""
    for span in module.spans:
        found = _judge(module, span)
        if found is not None:
            yield found
    decorators = [each.decorator for each in module.walk.all(cst.Decorator)]
    for named in (*decorators, *(item.item for item in module.walk.all(cst.WithItem))):
        if isinstance(named, cst.Name | cst.Attribute) and module.api(named) in _NEEDS_A_CALL:
            yield Unentered(named, "bare")


_NEEDS_A_CALL = frozenset({otel.START_AS_CURRENT_SPAN, otel.START_SPAN, otel.USE_SPAN})


def _judge(module: Module, span: Span) -> Unentered | None:
    if _is_decorating(module, span.start):
        live = span.api == otel.START_SPAN and (span.helper is None or _form(span) == "live")
        return Unentered(span.start, "decorator") if live else None
    if not _is_manager(span):
        return None
    if span.manner == "with":
        return _asynchronous(span)
    if span.manner == "statement":
        return Unentered(span.start, "statement")
    if span.manner == "chained":
        return _chained(module, span)
    if span.manner == "assigned":
        return _assigned(module, span)
    if span.manner == "passed" and _is_used(module, span.start):
        return Unentered(span.start, "given")
    found = _stored(module, span) if span.manner == "stored" else None
    if found is None:
        module.silenced(span.start, _ELSEWHERE.get(span.manner))
    return found


def _is_used(module: Module, call: cst.Call) -> bool:
    """Whether the call is what `use_span` or `set_span_in_context` is given for a span."""
    arg = module.walk.parent[call]
    user = module.walk.parent[arg]
    if not isinstance(user, cst.Call) or user.args[0] is not arg:
        return False
    return module.api(user.func) in {otel.USE_SPAN, otel.SET_SPAN_IN_CONTEXT}


def _form(span: Span) -> str | None:
    return span.helper.span.form if span.helper is not None and span.helper.span is not None else None


def _is_manager(span: Span) -> bool:
    """Whether the call gives a context manager rather than a span."""
    if span.helper is not None:
        return _form(span) == "manager"
    return span.api in {otel.START_AS_CURRENT_SPAN, otel.USE_SPAN}


def _is_decorating(module: Module, call: cst.Call) -> bool:
    up = module.walk.parent[call]
    return isinstance(up, cst.Decorator) and isinstance(module.walk.parent[up], cst.FunctionDef)


def _asynchronous(span: Span) -> Unentered | None:
    """`async with` on a manager that is not asynchronous: neither the API's nor one that a plain function gives."""
    if span.managed_by is None or span.managed_by.asynchronous is None:
        return None
    helper = span.helper
    if helper is not None and (helper.is_async or helper.decorated is not None or makes_object(helper)):
        return None
    return Unentered(span.start, "async", with_=span.managed_by)


def _chained(module: Module, span: Span) -> Unentered | None:
    up = module.walk.parent[span.start]
    if not isinstance(up, cst.Attribute):
        return None
    name = up.attr.value
    if name in {"__enter__", "__aenter__"}:
        return Unentered(span.start, "entered")
    return Unentered(span.start, "chained", name) if name in otel.SPAN_METHODS else None


def _assigned(module: Module, span: Span) -> Unentered | None:
    """A variable that holds the manager and is never entered, given away or called."""
    custody = module.helpers.ownership.of(span.start, MANAGER)
    taken = custody.discharged or custody.handed or custody.lent
    if module.silenced(span.start, bool(taken) and partial(fate, module, custody, "entered")) or not custody.names:
        return None
    uses = [use for use in custody.uses if use is not span.start and not isinstance(use, cst.IfExp | cst.NamedExpr)]
    if all(_is_span_method(module, use) for use in uses):
        return Unentered(span.start, "assigned", custody.names[0])
    return None


def _stored(module: Module, span: Span) -> Unentered | None:
    """`self.span = tracer.start_as_current_span(…)`, where the class then uses `self.span` as a span."""
    up = module.walk.parent[span.start]
    target = up.targets[0].target if isinstance(up, cst.Assign) and len(up.targets) == 1 else None
    if not isinstance(target, cst.Attribute) or not isinstance(target.value, cst.Name):
        return None
    owner, name = module.names.owner_class(target.value), target.attr.value
    writes = module.names.attributes.get((owner, name), []) if owner is not None else []
    values = [each.value for each in writes if each.value is not None and not _is_none(each.value)]
    if owner is None or not all(module.type(each) == otel.SPAN_MANAGER for each in values):
        return None
    uses = [up for up in map(module.walk.parent.get, module.walk.named(name, owner)) if isinstance(up, cst.Attribute)]
    own = [use for use in uses if isinstance(use.value, cst.Name) and module.names.owner_class(use.value) is owner]
    if any(_is_span_method(module, use) for use in own) and not any(_may_enter(module, use) for use in uses):
        return Unentered(span.start, "assigned", f"self.{name}")
    return None


def _is_none(value: cst.BaseExpression | None) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"


def _may_enter(module: Module, use: Node) -> bool:
    """Whether `self.span` gets to what may enter it: a `with`, its own `__enter__`, or somebody else."""
    up = module.walk.parent[use]
    own = isinstance(up, cst.Attribute) and up.value is use
    return isinstance(up, cst.WithItem | cst.Arg | cst.Assign | cst.Element) or (
        own and not _is_span_method(module, use)
    )


def _is_span_method(module: Module, use: Node) -> bool:
    up = module.walk.parent[use]
    return isinstance(up, cst.Attribute) and up.value is use and up.attr.value in otel.SPAN_METHODS
