"""Attribute values that are not for everybody who may read traces: secrets, personal data, whole requests and answers.

    span.set_attribute("user.password", form.password)
    baggage.set_baggage("customer", user.email)
    span.set_attribute("record.body", json.dumps(body))

What is masked, hashed, counted, or a literal tells nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known, otel
from otlint.model.attributes.wanted import is_asked_for, is_asked_inside, is_for_backend, is_left_to_callers, words
from otlint.model.attributes.written import Attribute
from otlint.model.code.walk import Node
from otlint.model.text.spelled import is_plain

if TYPE_CHECKING:
    from otlint.model.module import Module

Words = tuple[str, ...]
_MASKS = ("mask", "redact", "sanitiz", "sanitis", "scrub", "censor", "anonym", "obfuscat")


@dataclass(frozen=True, eq=False, slots=True)
class Sensitive:
    """What is written, and what it is: "a secret", "personal data" or "content"; `said` is the word that shows it.

    `is_meant`: where the file sends its spans, this is what they are for.
    """

    write: Attribute
    what: str
    said: str
    is_meant: bool = False


def sensitive(module: Module, more: Sequence[str] = ()) -> Iterator[Sensitive]:
    """The attributes of a file that hold what they should not; `more` are further keys for personal data."""
    seen: set[Node] = set()
    for each in module.attributes:
        if each.value is None or each.value in seen or _says_nothing(module, each.value):
            continue
        found = _judge(module, each, more)
        if found is not None:
            seen.add(each.value)
            yield found


def _judge(module: Module, write: Attribute, more: Sequence[str]) -> Sensitive | None:
    assert write.value is not None
    key, value = write.name or "", _identifier(module, write.value)
    if key in more:
        return Sensitive(write, "personal data", key)
    for what, word in (("a secret", "secret"), ("personal data", "person")):
        for name in (key, value):
            if _ends_in(name, word):
                left = what == "personal data" and is_left_to_callers(module, write.call, write.value)
                why = left and "callers give it for telemetry alone, so they decide"
                return None if module.silenced(write.key, why) else Sensitive(write, what, name)
    if write.signal in {"resource", "scope"} or not _is_content(key) or not _is_whole(module, write.value):
        return None
    asked = is_asked_for(module, write.call) or is_asked_for(module, write.key)
    asked = asked or (write.helper and is_asked_inside(module, write.call))
    why = asked and "a test shows that somebody asks for the content"
    why = why or (_passes_on(module, write.call) and "what others have recorded is passed on")
    why = why or (
        _is_made_up(module, write.call) and "what is recorded here is made up, for a test or to show something"
    )
    if module.silenced(write.key, why):
        return None
    meant = words(key)[0] in known.table("sensitive")["backends"] or (_is_of_models(key) and is_for_backend(module))
    return Sensitive(write, "content", key, is_meant=meant)


def _is_made_up(module: Module, call: Node) -> bool:
    """Whether it is done for tests, by the path of the file, or by a function whose name says that it only acts."""
    *folders, name = module.path.split("/")
    if not set(known.table("sensitive")["tests"]).isdisjoint([*folders, name.removesuffix(".py")]):
        return True
    function = module.function_of(call)
    named = words(function.name.value) if isinstance(function, cst.FunctionDef) else ()
    return not set(known.table("sensitive")["acts"]).isdisjoint(named)


def _passes_on(module: Module, call: Node) -> bool:
    """Whether it is a logger or processor of OpenTelemetry that writes down log records: who made them has asked."""
    function = module.function_of(call)
    owner = module.walk.class_of(function) if function is not None else None
    return owner is not None and not otel.RECORD_TAKERS.isdisjoint(module.values.lineage(owner))


@functools.cache
def _phrases(kind: str) -> frozenset[Words]:
    return frozenset(tuple(phrase.split()) for phrase in known.table("sensitive")[kind])


def _ends_in(name: str, kind: str) -> bool:
    """Whether a key or identifier ends in one of the phrases, and nothing in its last part takes that back."""
    parts, last = words(name), words(name.rpartition(".")[2])
    if not parts or not set(last).isdisjoint(known.table("sensitive")["harmless"]):
        return False
    return any(parts[-length:] in _phrases(kind) for length in (1, 2, 3))


def _identifier(module: Module, value: Node) -> str:
    """`user.email` of `user.email`, `str(user.email)`, `f"{user.email}"`; "" for anything else.

    `email` of `user["email"]` and `user.get("email")`; all that comes out of cookies is one.
    """
    if isinstance(value, cst.Name):
        return value.value
    if isinstance(value, cst.Attribute):
        return f"{_identifier(module, value.value)}.{value.attr.value}"
    if isinstance(value, cst.Call) and value.args and module.api(value.func) == "builtins.str":
        return _identifier(module, value.args[0].value)
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) and value.func.attr.value == "get":
        key = value.args[0].value if value.args else None
        return _key(value.func.value, key) if isinstance(key, cst.SimpleString) else ""
    if isinstance(value, cst.BooleanOperation):
        return _identifier(module, value.left)
    if isinstance(value, cst.FormattedString):
        holes = [part.expression for part in value.parts if isinstance(part, cst.FormattedStringExpression)]
        return _identifier(module, holes[0]) if len(holes) == 1 else ""
    item = value.slice[0].slice if isinstance(value, cst.Subscript) else None
    if isinstance(value, cst.Subscript) and isinstance(item, cst.Index) and isinstance(item.value, cst.SimpleString):
        return _key(value.value, item.value)
    return ""


def _key(owner: Node, key: cst.SimpleString) -> str:
    return "cookie" if _last(owner) == "cookies" else str(key.evaluated_value)


def _says_nothing(module: Module, value: cst.BaseExpression) -> bool:
    """Whether a value is a literal, a yes or no, a number, or what a call left of the real one."""
    if isinstance(value, cst.Comparison | cst.UnaryOperation | cst.BaseNumber | cst.SimpleString):
        return True
    if module.type(value) in {"builtins.int", "builtins.float", "builtins.bool"}:
        return True
    origins = module.origins(value)
    if origins and all(isinstance(each, cst.SimpleString | cst.BaseNumber | cst.Comparison) for each in origins):
        return True
    calls = [call for each in (value, *origins) for call in module.walk.all(cst.Call, within=each)]
    written = [arg.value for call in calls if _serializes(_last(call.func)) for arg in call.args[:1]]
    calls += [each for given in written for each in module.origins(given) if isinstance(each, cst.Call)]
    return any(_is_blind(_last(call.func)) or _masks(module, call) for call in calls)


def _is_blind(name: str) -> bool:
    blind = known.table("sensitive")["blind"]
    return any(name.lower() == word or (len(word) > 3 and word in name.lower()) for word in blind)


def _masks(module: Module, call: cst.Call) -> bool:
    """Whether a function of the file replaces what should not be told by something whose name says so."""
    function = module.values.function(module.api(call.func))
    names = module.walk.all(cst.Name, within=function.body) if function is not None else ()
    return any(word in each.value.lower() for each in names for word in _MASKS)


def _last(function: Node) -> str:
    if isinstance(function, cst.Attribute):
        return function.attr.value
    return function.value if isinstance(function, cst.Name) else ""


def _is_content(key: str) -> bool:
    parts = words(key)
    return bool(parts) and parts[-1] in known.table("sensitive")["content"] and parts[-2:] not in _phrases("wrong")


def _is_of_models(key: str) -> bool:
    """Whether a key is one that the conventions for language models have for what goes in and comes out."""
    return key.startswith(tuple(known.table("sensitive")["models"]))


def _is_whole(module: Module, value: cst.BaseExpression) -> bool:
    """Whether a value is all of a request or answer, or something that is written down completely."""
    return any(_is_all(module, each) for each in module.origins(value))


def _is_all(module: Module, value: Node) -> bool:
    table = known.table("sensitive")
    if isinstance(value, cst.Await):
        return _is_all(module, value.expression)
    if isinstance(value, cst.Subscript):
        item = value.slice[0].slice
        return isinstance(item, cst.Slice) and _is_whole(module, value.value)
    if isinstance(value, cst.Call):
        return _gives_all(module, value, _last(value.func))
    if isinstance(value, cst.FormattedString) and len(value.parts) == 1:
        part = value.parts[0]
        return isinstance(part, cst.FormattedStringExpression) and _is_thing(module, part.expression)
    if isinstance(value, cst.Attribute) and module.api(value) == "os.environ":
        return True
    if isinstance(value, cst.Attribute):
        return value.attr.value in table["whole"] and _last(value.value) in table["carriers"]
    return False


def _gives_all(module: Module, call: cst.Call, name: str) -> bool:
    """`request.get_json()`, `body.decode()`, `json.dumps(order)`."""
    table = known.table("sensitive")
    if isinstance(call.func, cst.Attribute) and name in table["whole"] and all(arg.keyword for arg in call.args):
        return _last(call.func.value) in table["carriers"]
    if isinstance(call.func, cst.Attribute) and name in {"decode", "strip"}:
        made = isinstance(call.func.value, cst.Call) and _serializes(_last(call.func.value.func))
        return not made and _is_thing(module, call.func.value)  # what is made for a trace may have been asked for
    if not _serializes(name):
        return False
    if name not in {"str", "repr", "dict"}:
        return not call.args or not is_plain(module, call.args[0].value)
    return bool(call.args) and _is_thing(module, call.args[0].value)


def _serializes(name: str) -> bool:
    return any(
        name == word[1:] if word.startswith("~") else word in name.lower()
        for word in known.table("sensitive")["serializers"]
    )


def _is_thing(module: Module, value: cst.BaseExpression) -> bool:
    """`str(body)`: what is called a body, or is one; all arguments of a call."""
    if isinstance(value, cst.Name) and _gathers(module, value):
        return True
    tail = words(_identifier(module, value))[-1:]
    named = bool(tail) and tail[0] in {"body", "payload", "prompt", "messages", "arguments"}
    return named or _is_whole(module, value)


def _gathers(module: Module, name: cst.Name) -> bool:
    """Whether it is the `*args` or `**kwargs` of its function."""
    function = module.function_of(name)
    if not isinstance(function, cst.FunctionDef):
        return False
    params = (function.params.star_arg, function.params.star_kwarg)
    return any(isinstance(each, cst.Param) and each.name.value == name.value for each in params)
