"""A text as its constant words and the expressions between them, so that some of these can be taken out.

f"GET /users/{user_id}"     → `"GET /users/{user_id}"`, user_id under the key `user.id`
"job %s" % job.id           → `"job"`, job.id under `job_id`
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known

if TYPE_CHECKING:
    from otlint.model.module import Module

Piece = str | cst.BaseExpression

# A removed expression with the separators before it and the brackets around it; `\0` stands for the expression.
_GONE = re.compile(r"[\s:/_.#=|,>@-]*[\[(<'\"]?[\s#]*\0['\"\])>]?")
_EDGE = " \t:/_.#=|,>@-"
_DANGLING = re.compile(r"(?i)(?<=\w)\s+(?:for|to|from|of|in|at|with|by|on|as|is)$")
_FORMAT = re.compile(r"%(?:%|[-#0 +]*\d*(?:\.\d+)?[sdrifgxXaeE])")
_FIELD = re.compile(r"\{\{|\}\}|\{(\w*)(?:![rsa])?(?::[^{}]*)?\}")
_PRIMITIVE = frozenset(f"builtins.{name}" for name in ("str", "int", "float", "bool"))
_TEXT = frozenset({"path", "full_path", "path_info", "path_qs", "request_path"})
_NAMES = frozenset({"name", "span_name", "spanname", "operation_name", "op_name", "operation", "title", "label"})
_FORM_ONLY = frozenset(
    {"str", "repr", "int", "lower", "upper", "strip", "hex", "encode", "decode", "isoformat", "strftime"}
)


@dataclass(frozen=True, slots=True)
class Renamed:
    """A text without its removed expressions: how it is written then, and attributes (key, code) that hold them.

    `place` is what it replaces: the text itself, or the variable that was given for it and serves others as well.
    """

    code: str
    attributes: tuple[tuple[str, str], ...]
    place: cst.BaseExpression


def without(
    module: Module, expression: cst.BaseExpression, gone: Callable[[cst.BaseExpression], bool]
) -> Renamed | None:
    """The text without the expressions that are to go; None when no word of it remains or it cannot be rewritten."""
    value = _assigned(module, expression)
    found = pieces(module, value)
    if found is None:
        return None
    removed = [piece for piece in found if not isinstance(piece, str) and gone(piece)]
    kept = [piece for piece in found if not isinstance(piece, str) and piece not in removed]
    place = value if value is expression or _serves_nothing_else(module, expression, removed) else expression
    if not removed or (place is not value and kept):
        return None
    text = _shortened(found, removed)
    if not re.search(r"[^\W_]|\x01", text):
        return None
    code = _written(module, value, text, kept)
    if code is None:
        return None
    return Renamed(code, tuple(_held(module, expression, value, removed)), place)


def _serves_nothing_else(module: Module, expression: cst.BaseExpression, removed: Sequence[cst.BaseExpression]) -> bool:
    """Whether a variable is there for the text alone, whose removed parts can be told again where it is used."""
    if not isinstance(expression, cst.Name) or key_of(expression) not in _NAMES or not _are_plain(removed):
        return False
    function = module.function_of(expression)
    return len(list(module.walk.named(expression.value, function.body if function else module.tree))) == 2


def _are_plain(parts: Sequence[cst.BaseExpression]) -> bool:
    return all(isinstance(each, cst.Name | cst.Attribute | cst.Subscript) for each in parts)


def _held(
    module: Module, expression: cst.BaseExpression, value: cst.BaseExpression, removed: Sequence[cst.BaseExpression]
) -> Iterator[tuple[str, str]]:
    """The attributes for what is taken out; the whole text of a variable if its parts may be other ones by now."""
    says_nothing = key_of(expression) in _NAMES
    if value is expression or (_are_plain(removed) and says_nothing):
        yield from ((key_of(each), _as_primitive(module, each)) for each in removed)
    else:
        yield "full_name" if says_nothing else key_of(expression), _as_primitive(module, expression)


def _assigned(module: Module, expression: cst.BaseExpression) -> cst.BaseExpression:
    """What a name was set to in the same function, if that is the only thing it can hold."""
    if isinstance(expression, cst.Name):
        bindings = module.names.reaching(expression.value, expression)
        same = len(bindings) == 1 and module.function_of(bindings[0].node) is module.function_of(expression)
        if same and bindings[0].kind == "assign" and bindings[0].value is not None:
            return bindings[0].value
    return expression


def pieces(module: Module, expression: cst.BaseExpression) -> list[Piece] | None:
    """The words and expressions of a text in order; None when the text is not put together here."""
    if isinstance(expression, cst.SimpleString):
        value = expression.evaluated_value
        return [value] if isinstance(value, str) else None
    if isinstance(expression, cst.FormattedString):
        return [_part(part) for part in expression.parts]
    if isinstance(expression, cst.ConcatenatedString):
        return _both(pieces(module, expression.left), pieces(module, expression.right))
    if isinstance(expression, cst.BinaryOperation) and isinstance(expression.operator, cst.Add):
        return _both(*(pieces(module, side) or [side] for side in (expression.left, expression.right)))
    if isinstance(expression, cst.BinaryOperation) and isinstance(expression.operator, cst.Modulo):
        given = expression.right
        values = [each.value for each in given.elements] if isinstance(given, cst.Tuple) else [given]
        return _filled(module, expression.left, _FORMAT, values)
    if isinstance(expression, cst.Call) and isinstance(expression.func, cst.Attribute):
        named = {arg.keyword.value: arg.value for arg in expression.args if arg.keyword is not None}
        plain = [arg.value for arg in expression.args if arg.keyword is None]
        is_format = expression.func.attr.value == "format" and not any(arg.star for arg in expression.args)
        return _filled(module, expression.func.value, _FIELD, plain, named) if is_format else None
    return None


def _part(part: cst.BaseFormattedStringContent) -> Piece:
    if isinstance(part, cst.FormattedStringExpression):
        return part.expression
    assert isinstance(part, cst.FormattedStringText)
    return part.value.replace("{{", "{").replace("}}", "}")


def _both(left: list[Piece] | None, right: list[Piece] | None) -> list[Piece] | None:
    return None if left is None or right is None else [*left, *right]


def _filled(
    module: Module,
    text: cst.BaseExpression,
    field: re.Pattern[str],
    values: Sequence[cst.BaseExpression],
    named: Mapping[str, cst.BaseExpression] | None = None,
) -> list[Piece] | None:
    """`"a %s" % x` and `TEMPLATE.format(x)` as pieces."""
    plain = module.helpers.attributes.text(text)
    if plain is None:
        return None
    found: list[Piece] = []
    at = used = 0
    for match in field.finditer(plain):
        found.append(plain[at : match.start()])
        at = match.end()
        name = match.group(1) if match.re.groups else ""
        if match.group() in {"%%", "{{", "}}"}:
            found.append(match.group()[0])
        elif name and not name.isdigit():
            if name not in (named or {}):
                return None
            found.append((named or {})[name])
        else:
            index = int(name) if name else used
            if index >= len(values):
                return None
            found.append(values[index])
            used += 1
    found.append(plain[at:])
    return found


def _shortened(found: Sequence[Piece], removed: Sequence[Piece]) -> str:
    r"""The words joined; `\1` stands for an expression that stays. An id in a path becomes its placeholder."""
    text = ""
    for piece in found:
        if isinstance(piece, str):
            text += piece
        elif piece in removed:
            key = key_of(piece)
            text += f"{{{key.replace('.', '_')}}}" if text.endswith("/") and not key.startswith("url.") else "\0"
        else:
            text += "\1"
    return _DANGLING.sub("", _GONE.sub("", text).strip(_EDGE))


def _written(module: Module, value: cst.BaseExpression, text: str, kept: Sequence[cst.BaseExpression]) -> str | None:
    """The text as a literal, an f-string if expressions remain; None when quotes would clash."""
    codes = [module.code(each) for each in kept]
    original = value if isinstance(value, cst.FormattedString) else None
    if original is not None and len(original.end) == 1:
        quote, raw = original.end, "r" in original.start.lower()
    else:
        quote, raw = ('"' if not any('"' in code for code in codes) else "'"), False
    if original is None:
        text = text.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n")
        if any("\\" in code or quote in code for code in codes):
            return None
    if any("\n" in code for code in codes) or "\n" in text:
        return None
    prefix = "r" if raw and "\\" in text else ""
    if not kept:
        return f"{prefix}{quote}{text}{quote}"
    words = text.replace("{", "{{").replace("}", "}}").split("\1")
    body = words[0] + "".join(f"{{{code}}}{word}" for code, word in zip(codes, words[1:], strict=True))
    return f"{prefix}f{quote}{body}{quote}"


def _as_primitive(module: Module, expression: cst.BaseExpression) -> str:
    code = module.code(expression)
    whole = expression
    if isinstance(expression, cst.Subscript) and isinstance(expression.slice[0].slice, cst.Slice):
        whole = expression.value
    is_text = isinstance(whole, cst.Attribute) and whole.attr.value in _TEXT
    return code if is_text or module.type(whole) in _PRIMITIVE else f"str({code})"


def key_of(expression: cst.BaseExpression) -> str:
    """An attribute key for a value, by what it is called: `order.id` → `order_id`, `request.path` → `url.path`."""
    words = _words(expression) or ("value",)
    keys = known.table("text")["keys"]
    last, both = words[-1], "_".join(words[-2:])
    key = keys.get(both) or keys.get(last)
    if key is not None:
        return str(key)
    generic = last in {"id", "ids", "uid", "uuid", "guid", "email", "timestamp", "name", "key", "ip", "nonce"}
    return both if generic else last


def _words(expression: cst.CSTNode) -> tuple[str, ...]:
    """The identifiers that name a value, snake case, the most telling last."""
    if isinstance(expression, cst.Name):
        return () if expression.value in {"self", "cls"} else (_snake(expression.value),)
    if isinstance(expression, cst.Attribute):
        name = expression.attr.value
        return _words(expression.value) if name in _FORM_ONLY else (*_words(expression.value), _snake(name))
    if isinstance(expression, cst.Subscript):
        item = expression.slice[0].slice
        key = item.value if isinstance(item, cst.Index) else None
        text = key.evaluated_value if isinstance(key, cst.SimpleString) else None
        return (*_words(expression.value), _snake(text)) if isinstance(text, str) else _words(expression.value)
    if isinstance(expression, cst.Call):
        return _call_words(expression)
    return ()


def _call_words(call: cst.Call) -> tuple[str, ...]:
    func = call.func
    first = call.args[0].value if call.args else None
    name = func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""
    if name == "get" and isinstance(func, cst.Attribute) and isinstance(first, cst.SimpleString):
        text = first.evaluated_value
        return (*_words(func.value), _snake(text)) if isinstance(text, str) else ()
    if re.match(r"uuid|token_|urandom|getrandbits", name):
        return ("run_id",)
    if re.match(r"(time|now|utcnow|today|monotonic|perf_counter)(_ns)?$", name):
        return ("timestamp",)
    if isinstance(func, cst.Attribute) and (name in _FORM_ONLY or first is None):
        return _words(func.value)
    return _words(first) if first is not None else ()


@functools.lru_cache(maxsize=1024)
def _snake(identifier: str) -> str:
    plain = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier))
    return plain.strip("_").lower()
