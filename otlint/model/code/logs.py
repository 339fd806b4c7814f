"""Calls that write to a log: how loud they are, and whether they hand the exception over to the log record."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import libcst as cst

from otlint import known
from otlint.model.code.values import Values
from otlint.model.code.walk import Node

ERROR = 3
WARNING = 2
_LOGGERS = ("logging.", "loguru.", "structlog.", "logfire.")


@dataclass(frozen=True, slots=True)
class Log:
    """A log call. `level` is 0 for debug, 1 info, 2 warning, 3 error and above; `carries`: with the exception."""

    level: int
    carries: bool


@functools.cache
def pattern(section: str, key: str) -> re.Pattern[str]:
    """A pattern of the table of error words; it has to match the whole name."""
    return re.compile(known.table("errors")[section][key], re.IGNORECASE | re.DOTALL)


def words(section: str, key: str) -> frozenset[str]:
    """A list of that table."""
    return frozenset(known.table("errors")[section][key])


class Logs:
    """Answers for one file. A logger is known by its type, or by what it is called."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self._levels: Mapping[str, Any] = known.table("errors")["logs"]["levels"]

    def of(self, call: cst.Call) -> Log | None:
        """What the call logs, None when it is no log call."""
        name = last_name(call.func)
        if name is None:
            return None
        if pattern("logs", "function").fullmatch(name):
            return Log(ERROR, "exception" in name.lower())
        if name in self._levels and isinstance(call.func, cst.Attribute):
            if not self._is_logger(call.func):
                return None
            return Log(self._levels[name], name == "exception" or self._has_exception(call))
        if "log" in name.lower():
            level = self._given_level(call)
            return Log(level, self._has_exception(call)) if level is not None else None
        return None

    def _is_logger(self, method: cst.Attribute) -> bool:
        called = self.values.api(method)
        if called is not None and called.startswith(_LOGGERS):
            return True
        return any(pattern("logs", "receiver").fullmatch(name) for name in names_in(method.value))

    def _given_level(self, call: cst.Call) -> int | None:
        """`logger.log(logging.ERROR, …)`, `structured_log("ERROR", …)`."""
        if not call.args or call.args[0].star:
            return None
        first = call.args[0].value
        word = first.evaluated_value if isinstance(first, cst.SimpleString) else last_name(first)
        level = self._levels.get(word.lower()) if isinstance(word, str) else None
        return level if isinstance(level, int) else None

    def _has_exception(self, call: cst.Call) -> bool:
        """`exc_info=` of the logging module and structlog, `opt(exception=…)` of loguru."""
        for each in _chain(call):
            for arg in each.args:
                keyword = arg.keyword.value if arg.keyword is not None else None
                if keyword == "exc_info" or (keyword == "exception" and last_name(each.func) in {"opt", "bind"}):
                    return not (isinstance(arg.value, cst.Name) and arg.value.value in {"False", "None"})
        return False


def _chain(call: cst.Call) -> Iterator[cst.Call]:
    node: Node = call
    while isinstance(node, cst.Call | cst.Attribute):
        if isinstance(node, cst.Call):
            yield node
        node = node.func if isinstance(node, cst.Call) else node.value


def names_in(node: Node) -> Iterator[str]:
    """The names of `self.app.logger.bind(…)`, from the last to the first."""
    while isinstance(node, cst.Attribute | cst.Call | cst.Subscript):
        if isinstance(node, cst.Attribute):
            yield node.attr.value
        node = node.func if isinstance(node, cst.Call) else node.value
    if isinstance(node, cst.Name):
        yield node.value


def last_name(node: Node) -> str | None:
    """`a.b.c` and `c` are c."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else None
