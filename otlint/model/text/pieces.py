"""What a text is made of: operands, the sides of a mapping, the name under which a value is read."""

from __future__ import annotations

import libcst as cst

from otlint.model.code.names import Binding
from otlint.model.code.walk import Node
from otlint.model.text.wording import is_identity, tokens


def side_of(binding: Binding, name: cst.Name) -> str:
    """What of a mapping a name of a loop over it holds: `for key, value in attributes.items()`."""
    target = binding.node.target if isinstance(binding.node, cst.For | cst.CompFor) else None
    if not isinstance(binding.value, cst.Call):
        return "keys"
    if last_name(binding.value.func) != "items" or not isinstance(target, cst.Tuple) or len(target.elements) != 2:
        return "items"
    first = target.elements[0].value
    return "keys" if isinstance(first, cst.Name) and first.value == name.value else "values"


def sides(mapping: cst.Dict, side: str) -> list[Node]:
    """The keys, the values or both of a dict; of one with `**` all that it is made of."""
    pairs = [each for each in mapping.elements if isinstance(each, cst.DictElement)]
    if len(pairs) != len(mapping.elements):
        return list(parts(mapping))
    return [
        *([each.key for each in pairs] if side != "values" else []),
        *([each.value for each in pairs] if side != "keys" else []),
    ]


def parts(expression: Node) -> list[Node]:
    """What a text, conditional or collection is made of; nothing for anything else."""
    if isinstance(expression, cst.FormattedString):
        holes = [part.expression for part in expression.parts if isinstance(part, cst.FormattedStringExpression)]
        return list(holes) or [cst.SimpleString('""')]
    if isinstance(expression, cst.ConcatenatedString | cst.BooleanOperation):
        return [expression.left, expression.right]
    if isinstance(expression, cst.IfExp):
        return [expression.body, expression.orelse]
    if isinstance(expression, cst.Await):
        return [expression.expression]
    if isinstance(expression, cst.NamedExpr):
        return [expression.value]
    if isinstance(expression, cst.Dict):
        return [part for each in expression.elements for part in (getattr(each, "key", None), each.value) if part]
    if isinstance(expression, cst.Tuple | cst.List | cst.Set):
        return [each.value for each in expression.elements]
    if isinstance(expression, cst.GeneratorExp | cst.ListComp | cst.SetComp):
        return [expression.elt]
    return []


def stands_in(either: cst.BooleanOperation) -> bool:
    """`agent.name or agent.id`: the id is for the few that nobody has given a name."""
    named = isinstance(either.operator, cst.Or) and tokens(_key(either.left))[-1:] == ("name",)
    return named and is_identity(_key(either.right))


def _key(expression: Node) -> str:
    """What is read of something: `getattr(agent, "id", None)` reads `id`."""
    if isinstance(expression, cst.Call) and last_name(expression.func) == "getattr" and len(expression.args) > 1:
        key = expression.args[1].value
        return str(key.evaluated_value) if isinstance(key, cst.SimpleString) else ""
    return last_name(expression)


def last_name(expression: Node) -> str:
    """`self.request` → `request`; "" for anything else."""
    if isinstance(expression, cst.Attribute):
        return expression.attr.value
    if isinstance(expression, cst.Name):
        return expression.value
    return ""
