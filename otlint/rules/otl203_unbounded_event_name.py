"""OTL203: an event name that is built from something without bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

_PARAMETERS = {otel.ADD_EVENT: "name", otel.LOG_RECORD: "event_name"}


@rule(Level.WARNING, fix=Safety.UNSAFE)
def check(module: Module) -> Iterator[Finding]:
    import libcst as cst

    from otlint.model.code.values import argument
    from otlint.model.functions.passing import span_method

    if module.is_spared_test:
        return
    for call in module.walk.all(cst.Call):
        # span.add_event(f"order {order_id} sold")
        api = span_method(module.values, module.names, call)
        if api not in _PARAMETERS:
            continue
        name = argument(call, _PARAMETERS[api], otel.PARAMETERS.get(api, ()))
        text = module.text(name) if name is not None else None
        if name is None or text is None or module.silenced(name, not text.is_unbounded and text.words):
            continue
        if not text.is_unbounded:
            continue
        yield module.finding(
            name,
            f"the event name holds {module.quoted(text.source)}, and each of its countless values makes a name "
            "of its own; use a constant name and put the value into an attribute",
            fix=_fix(module, call, name),
        )


def _fix(module: Module, call: cst.Call, name: cst.BaseExpression) -> Fix | None:
    import libcst as cst

    from otlint.model.code.values import argument, is_hidden
    from otlint.model.text.template import without

    renamed = without(module, name, lambda part: module.text(part).is_unbounded)
    if renamed is None or is_hidden(call) or module.texts.has_body(name):
        return None  # the body of an answer belongs into no attribute either
    given = argument(call, "attributes", otel.PARAMETERS[otel.ADD_EVENT])
    pairs = ", ".join(f'"{key}": {code}' for key, code in renamed.attributes)
    if given is None:
        kept = edits.set_argument(module, call, "attributes", f"{{{pairs}}}")
    elif isinstance(given, cst.Dict):
        kept = edits.append_element(module, given, pairs)
    else:
        return None
    return Fix(
        f"name the event `{renamed.code}`", Safety.UNSAFE, (*edits.replace(module, renamed.place, renamed.code), *kept)
    )
