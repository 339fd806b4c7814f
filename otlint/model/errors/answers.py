"""What a value that a handler returns, sends or stores says: something failed, nothing is there, or neither."""

from __future__ import annotations

import enum
import functools
import http
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.model.code.logs import last_name, pattern
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.errors.handlers import Handler
    from otlint.model.module import Module

# Codes of gRPC that no HTTP status is called: who is to blame, as the semantic conventions for servers have it.
_RPC_CODES = {
    **dict.fromkeys(("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"), 500),
    **dict.fromkeys(("INVALID_ARGUMENT", "ALREADY_EXISTS", "PERMISSION_DENIED", "UNAUTHENTICATED"), 400),
    **dict.fromkeys(("FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "RESOURCE_EXHAUSTED", "CANCELLED"), 400),
}
# Calls that show their first argument.
_SHOWS = frozenset({"json", "jsonify", "dumps", "dict", "JSONResponse", "encode", "str", "Response", "make_response"})
_EMPTY = frozenset({"list", "dict", "set", "tuple", "empty"})


class Answer(enum.IntEnum):
    """What a value says to the one who gets it."""

    VALUE = 0
    NOTHING = 1
    REFUSAL = 2
    ERROR = 3


class Answers:
    """What values in a handler say."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.module: Module = handler.module

    def answer(self, value: Node | None, depth: int = 0) -> Answer:
        """What an expression says when it is returned, sent or shown."""
        if value is None or depth > 8:
            return Answer.NOTHING if value is None else Answer.VALUE
        if self._blames(value):
            return Answer.REFUSAL
        if isinstance(value, cst.Await):
            return self.answer(value.expression, depth + 1)
        if isinstance(value, cst.Name):
            return self._name(value, depth)
        if isinstance(value, cst.SimpleString | cst.ConcatenatedString | cst.FormattedString):
            return self._text(value)
        if isinstance(value, cst.Integer | cst.Float):
            nothing = {"0", "0.0", "1", "2"} if self._answers_exit_codes() else {"0", "0.0"}
            return Answer.NOTHING if value.value in nothing else Answer.VALUE
        if isinstance(value, cst.UnaryOperation) and isinstance(value.expression, cst.Integer):
            return Answer.NOTHING
        if isinstance(value, cst.Dict):
            return self._dict(value, depth)
        if isinstance(value, cst.Tuple | cst.List):
            return self._sequence(value, depth)
        if isinstance(value, cst.Call):
            return self._call(value, depth)
        if isinstance(value, cst.IfExp):
            found = {self.answer(value.body, depth + 1), self.answer(value.orelse, depth + 1)}
            return Answer.VALUE if Answer.VALUE in found else max(found)
        if isinstance(value, cst.BinaryOperation) and self.handler.mentions(value):
            return Answer.ERROR
        return Answer.VALUE

    @cached_property
    def _catches_wrong_input(self) -> bool:
        return all(pattern("values", "refused").fullmatch(each) for each in self.handler.caught)

    def _blames(self, value: Node) -> bool:
        """Whether an exception that tells of wrong input is passed on in a text that says so."""
        if not self._catches_wrong_input:
            return False
        texts = [node for node in self.module.walk.below(value) if isinstance(node, cst.FormattedString)]
        starts = [each.parts[0] for each in texts if each.parts and self.handler.mentions(each)]
        said = [each.value for each in starts if isinstance(each, cst.FormattedStringText)]
        return any(pattern("values", "refusals").fullmatch(each) for each in said)

    def _answers_exit_codes(self) -> bool:
        """Whether the handler's function is a program's main one, or answers 0 where all is well and 1 or 2 here."""
        function = self.handler.function
        if not isinstance(function, cst.FunctionDef):
            return False
        returned = [each.value for each in self.module.walk.own(function.body, cst.Return)]
        codes = {each.value for each in returned if isinstance(each, cst.Integer)}
        only_codes = all(isinstance(each, cst.Integer) for each in returned)
        return function.name.value in {"main", "_main", "cli", "run"} or ("0" in codes and only_codes)

    def _name(self, name: cst.Name, depth: int) -> Answer:
        if name.value in {"None", "False"}:
            return Answer.NOTHING
        if name.value in self.handler.text_names:
            return Answer.REFUSAL if any(map(self._blames, self._given(name))) else Answer.ERROR
        walk, handler = self.module.walk, self.handler
        bindings = self.module.names.bindings(name.value, name)
        inside = [each for each in bindings if walk.inside(each.node, handler.node.body)]
        before = [each for each in bindings if walk.order[each.node] < walk.order[handler.tried]]
        chosen = inside[-1:] or before[-1:]
        if (
            not chosen
            or chosen[0].kind != "assign"
            or chosen[0].value is None
            or self.module.function_of(chosen[0].node) is not handler.function
        ):
            return Answer.VALUE
        return self.answer(chosen[0].value, depth + 1)

    def _text(self, text: Node) -> Answer:
        if self.handler.mentions(text):
            return Answer.ERROR
        start = text
        while isinstance(start, cst.ConcatenatedString):
            start = start.left
        if isinstance(start, cst.FormattedString):
            first = start.parts[0] if start.parts else None
            said = first.value if isinstance(first, cst.FormattedStringText) else None
        else:
            said = _literal(start)
        if said == "":
            return Answer.NOTHING
        return Answer.ERROR if pattern("values", "text").fullmatch(said or "") else Answer.VALUE

    def _dict(self, value: cst.Dict, depth: int) -> Answer:
        if not value.elements:
            return Answer.NOTHING
        found = [Answer.VALUE]
        counted = self._counts_attempts(value)
        for element in value.elements:
            key = _literal(element.key) if isinstance(element, cst.DictElement) else None
            if key is not None and pattern("values", "verdicts").fullmatch(key):
                continue  # what a check has found is its result
            if key is not None:
                found.append(self._keyed(key, element.value))
            if counted and self._is_record(element.value):
                continue
            if self.handler.mentions(element.value):
                found.append(Answer.ERROR)
            elif isinstance(element.value, cst.Dict | cst.List):
                inner = self.answer(element.value, depth + 1)
                found.append(inner if inner is not Answer.NOTHING else Answer.VALUE)
        return _strongest(found)

    def _counts_attempts(self, value: cst.Dict) -> bool:
        """Whether an answer tells how many attempts were made: whoever gets it decides on another one."""
        keys = [_literal(each.key) for each in value.elements if isinstance(each, cst.DictElement)]
        return any(key is not None and pattern("values", "attempts").fullmatch(key) for key in keys)

    def _is_record(self, value: Node) -> bool:
        """Whether it is a list or dict, which tells of an attempt what there is to tell."""
        if isinstance(value, cst.Name):
            made = self._given(value)
            return bool(made) and all(map(self._is_record, made))
        return isinstance(value, cst.Dict | cst.List | cst.ListComp)

    def _given(self, name: cst.Name) -> list[cst.BaseExpression]:
        """What the handler assigns to a variable."""
        own = [each for each in self.handler.own if isinstance(each, cst.Assign)]
        return [each.value for each in own if name.deep_equals(each.targets[0].target)]

    def _keyed(self, key: str, value: Node) -> Answer:
        """One entry of a dict or one keyword argument."""
        status = http_status(value) if pattern("values", "status_keys").fullmatch(key) else None
        if status is not None:
            return status
        return Answer.ERROR if self.marks_failure(key, value) else Answer.VALUE

    def marks_failure(self, name: str, value: Node) -> bool:
        """Whether a key, keyword or variable says failure by that value."""
        word = value.value if isinstance(value, cst.Name) else None
        if pattern("values", "success_keys").fullmatch(name):
            return word == "False"
        if pattern("values", "failure_keys").fullmatch(name) and word == "True":
            return True
        if pattern("values", "error_keys").fullmatch(name):
            return not self.handler.is_exception(value) and (self.handler.mentions(value) or self._is_text(value))
        if name == "status_code":
            return http_status(value) is Answer.ERROR
        if pattern("values", "state_keys").fullmatch(name):
            return is_failed_state(value)
        return False

    def _is_text(self, value: Node) -> bool:
        """Whether it is a text that is not empty."""
        if isinstance(value, cst.SimpleString):
            return bool(value.evaluated_value)
        return isinstance(value, cst.FormattedString | cst.ConcatenatedString)

    def _sequence(self, value: cst.Tuple | cst.List, depth: int) -> Answer:
        if not value.elements:
            return Answer.NOTHING
        if isinstance(value, cst.Tuple):
            last = value.elements[-1].value
            status = http_status(last) if len(value.elements) > 1 else None
            if status is not None:
                return status
            if isinstance(last, cst.Attribute | cst.Name) and "status" in (last_name(last) or "").lower():
                return Answer.REFUSAL
        found = [self.answer(each.value, depth + 1) for each in value.elements]
        if last_name(value.elements[0].value) == "False" and any(self._is_text(each.value) for each in value.elements):
            return Answer.ERROR
        if all(each is Answer.NOTHING for each in found):
            return Answer.NOTHING
        return max(found) if max(found) is not Answer.NOTHING else Answer.VALUE

    def _call(self, call: cst.Call, depth: int) -> Answer:
        called = self.module.api(call.func) or ""
        name = last_name(call.func) or ""
        found = [Answer.VALUE]
        if not name[:1].isupper() and pattern("values", "recovers").fullmatch(name):
            return Answer.VALUE
        is_error = pattern("values", "makes").fullmatch(name) is not None and not self._copes(called)
        slot = _answers().get(called)
        if slot is not None:
            given = _slot_value(call, slot)
            found.append(Answer.ERROR if slot.always else self.status(given))
        for i, arg in enumerate(call.args):
            if arg.keyword is not None and arg.keyword.value == "status_code":
                found.append(self.status(arg.value))
            elif arg.keyword is not None:
                found.append(self._keyed(arg.keyword.value, arg.value))
            elif is_error:
                found.append(http_status(arg.value) or Answer.VALUE)
            if self.handler.is_exception(arg.value):
                found.append(Answer.ERROR if name[:1].isupper() or name in _SHOWS else Answer.VALUE)
            elif self.handler.mentions(arg.value):
                found.append(Answer.ERROR)
            elif name in _SHOWS and i == 0:
                inner = self.answer(arg.value, depth + 1)
                found.append(inner if inner is not Answer.NOTHING else Answer.VALUE)
        if is_error:
            found.append(Answer.ERROR)
        if not call.args and _strongest(found) is Answer.VALUE and (name in _EMPTY or name[:1].isupper()):
            return Answer.NOTHING
        return _strongest(found)

    def _copes(self, called: str) -> bool:
        """Whether a function of the file may answer something that says nothing of a failure: `{"text": raw}`."""
        function = self.module.values.function(called)
        returned = self.module.walk.own(function.body, cst.Return) if function is not None else []
        return any(isinstance(each.value, cst.Dict) and self._is_content(each.value) for each in returned)

    def _is_content(self, answer: cst.Dict) -> bool:
        """Whether no entry of a dict tells of a failure by its name, or could be a message for people."""
        kinds = ("error_keys", "failure_keys", "success_keys", "state_keys", "status_keys")
        keys = [_literal(each.key) if isinstance(each, cst.DictElement) else None for each in answer.elements]
        told = [key is None or any(pattern("values", kind).fullmatch(key) for kind in kinds) for key in keys]
        return (
            bool(keys) and not any(told) and {"message", "msg", "detail", "reason", "code"}.isdisjoint(map(str, keys))
        )

    def fails(self, call: cst.Call) -> bool:
        """Whether a call of a framework makes the answer an error: `context.set_code(StatusCode.INTERNAL)`."""
        if any((self.module.api(arg.value) or "").startswith("grpc.StatusCode.") for arg in call.args):
            return any(http_status(arg.value) is Answer.ERROR for arg in call.args)
        slot = _answers().get(self.module.api(call.func) or "")
        return slot is not None and (slot.always or self.status(_slot_value(call, slot)) is Answer.ERROR)

    def status(self, value: Node | None) -> Answer:
        """What the status of a response says; one that is not known may well blame the caller."""
        if value is None:
            return Answer.VALUE
        found = http_status(value)
        if found is None and not isinstance(value, cst.Integer) and not _literal(value):
            known_fine = isinstance(value, cst.Attribute) and (
                value.attr.value in http.HTTPStatus.__members__ or "HTTP_" in value.attr.value
            )
            return Answer.VALUE if known_fine else Answer.REFUSAL
        return found or Answer.VALUE


def http_status(value: Node) -> Answer | None:
    """What an HTTP or RPC status says; None when it is none, or says that all is well."""
    if isinstance(value, cst.Integer) and len(value.value) == 3:
        code = int(value.value)
    else:
        name = last_name(value) or ""
        if name in http.HTTPStatus.__members__:
            code = http.HTTPStatus[name].value
        elif name.startswith("HTTP_") and name[5:8].isdigit():
            code = int(name[5:8])
        elif name in _RPC_CODES:
            code = _RPC_CODES[name]
        else:
            return None
    if code < 400:
        return None
    return Answer.ERROR if code >= 500 else Answer.REFUSAL


def _strongest(found: Sequence[Answer]) -> Answer:
    """A status that blames the caller outweighs an error text beside it."""
    return Answer.REFUSAL if Answer.REFUSAL in found else max(found)


def is_failed_state(value: Node) -> bool:
    """Whether a text, a member or a constant names a failed state: `"failed"`, `State.FAILED.value`, `JOB_FAILED`."""
    text = _literal(value)
    if isinstance(value, cst.Attribute):
        text = last_name(value.value) if value.attr.value == "value" else value.attr.value
    elif isinstance(value, cst.Name) and value.value.isupper():
        text = value.value.rpartition("_")[2]
    return text is not None and pattern("values", "failed_states").fullmatch(text) is not None


def _literal(node: Node) -> str | None:
    text = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return text if isinstance(text, str) else None


@functools.cache
def _answers() -> Mapping[str, known.Slot]:
    return {api: slot for entry in known.entries().values() for api, slot in entry.fails.items()}


def _slot_value(call: cst.Call, slot: known.Slot) -> Node | None:
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value in slot.keywords:
            return arg.value
    if slot.position is not None and slot.position < len(call.args):
        given = call.args[: slot.position + 1]
        if all(arg.keyword is None and not arg.star for arg in given):
            return given[-1].value
    return None
