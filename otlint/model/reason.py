"""Why a rule is silent, or the model certain: a fact in words, and the place that states it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from otlint.deployment import Evidence
from otlint.model.walk import Node


@dataclass(frozen=True, slots=True)
class Mention:
    """The place in a file of the project, by its path, that calls one of these dotted names, or else names one.

    Facts have no rows: which row it is, is found out when somebody asks.
    """

    path: str
    names: frozenset[str]


Where = Node | Evidence | Mention | None


@dataclass(frozen=True, eq=False, slots=True)
class Reason:
    """A fact in words. `where` states it: a node of the judged file, a line of a deployment file, another file.

    A place that takes a search is a function, called by whoever asks.
    """

    text: str
    where: Where | Callable[[], Where] = None

    def __str__(self) -> str:
        return self.text


# Who hears of a silence: the code of the rule, the node that it is silent about, and the reason.
Listener = Callable[[str, Node, Reason], None]
