"""Why a rule is silent, or the model certain: a fact in words, and the place that states it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otlint.deployment.services import Evidence
from otlint.model.code.walk import Node

if TYPE_CHECKING:
    from otlint.model.module import Module


@dataclass(frozen=True, eq=False, slots=True)
class Elsewhere:
    """A place in another file of the project, by its path from the root, which `find` finds in that file.

    Facts have no rows, so a place that only they tell of is looked up when somebody asks.
    """

    path: str
    find: Callable[[Module], Node | None]


Where = Node | Evidence | Elsewhere | None


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
