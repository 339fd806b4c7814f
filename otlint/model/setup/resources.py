"""Resources: their keys, and those that have what the environment says from elsewhere or that it is not about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from otlint.model.code.values import is_hidden
from otlint.model.kinds.endpoints import is_local
from otlint.model.setup.addresses import URL, address
from otlint.model.setup.exporters import resource_key, variable_read
from otlint.model.setup.providers import is_global

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.module import Module

ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
_PASSED_ON = frozenset({"tracer_provider", "meter_provider", "logger_provider", "provider"})


def is_copy(module: Module, call: cst.Call) -> bool:
    """`Resource({**span.resource.attributes, "shop.region": region})`, also by a variable."""
    given = module.argument(call, "attributes")
    ways = [given, *module.origins(given)] if given is not None else []
    return any(each.attr.value == "attributes" for way in ways for each in module.walk.all(cst.Attribute, within=way))


def reads_environment(module: Module) -> bool:
    """Whether the file looks by itself at the attributes that the environment gives."""
    return ATTRIBUTES in module.source.text and any(
        variable_read(module, each) == ATTRIBUTES and not isinstance(module.walk.parent[each], cst.AssignTarget)
        for kind in (cst.Call, cst.Subscript)
        for each in module.walk.all(kind)
    )


def is_for_maker(module: Module, call: cst.Call) -> bool:
    """Whether a resource is that of a product which tells its maker how it is used.

    The provider is not the global one and nobody else gets it; all is sent to an address that the code spells out. What
    the environment says is about the telemetry of those who use the product.
    """
    mine = [each for each in module.providers if _has(module, each.call, call)]
    if not mine or any(is_global(module, each) for each in mine):
        return False
    targets = []
    for each in module.walk.all(cst.Call):
        for arg in each.args:
            keyword = arg.keyword.value if arg.keyword is not None else None
            if keyword in _PASSED_ON:
                return False
            if keyword == "endpoint":
                targets.append(address(module, _kept(module, arg.value)))
    return bool(targets) and all(map(_is_outside, targets))


def _has(module: Module, provider: cst.Call, resource: Node) -> bool:
    given = module.argument(provider, "resource")
    return given is not None and any(way is resource for way in (_kept(module, given), *module.origins(given)))


def _kept(module: Module, value: cst.BaseExpression) -> cst.BaseExpression:
    """What an attribute of the object holds, if that is one thing besides None; else the expression itself."""
    owner = value.value if isinstance(value, cst.Attribute) else None
    cls = module.names.owner_class(owner) if isinstance(owner, cst.Name) else None
    if cls is None or not isinstance(value, cst.Attribute):
        return value
    bound = [each.value for each in module.names.attributes.get((cls, value.attr.value), [])]
    held = [each for each in bound if not (isinstance(each, cst.Name) and each.value == "None")]
    only = held[0] if len(held) == 1 else None
    return only if isinstance(only, cst.BaseExpression) else value


def _is_outside(text: str | None) -> bool:
    url = URL.fullmatch(text or "")
    return url is not None and url["scheme"] == "https" and not is_local(url["host"])


def keys(module: Module, call: cst.Call) -> list[str] | None:
    """The keys of the attributes that a resource is made with, None when some are not known."""
    given = module.argument(call, "attributes")
    if given is None:
        return None if is_hidden(call) else []
    if not isinstance(given, cst.Dict) or not all(isinstance(each, cst.DictElement) for each in given.elements):
        return None
    written = [each.key for each in given.elements if isinstance(each, cst.DictElement)]
    known = [resource_key(module, key) for key in written]
    return [key for key in known if key is not None] if None not in known else None
