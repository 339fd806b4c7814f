"""The methods by which a `with` enters and leaves an object, and calls of them by hand."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

# What enters → what leaves.
LEAVES_OF = {"__enter__": "__exit__", "__aenter__": "__aexit__"}
ENTERS = frozenset(LEAVES_OF)
LEAVES = frozenset(LEAVES_OF.values())


def leaves(call: cst.Call) -> bool:
    """Whether a call leaves a manager by hand: `self.manager.__exit__(None, None, None)`."""
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in LEAVES


def hands_on(call: cst.Call, given: Sequence[str]) -> bool:
    """Whether a call is given these names, and nothing else: `manager.__exit__(kind, error, trace)`, `…(*raised)`."""
    names = [each.value.value if isinstance(each.value, cst.Name) else "" for each in call.args]
    return bool(names) and names == list(given)
