"""What names of variables, attributes and keys say of their values, by the words of text.toml."""

from __future__ import annotations

import functools
import re

from otlint import known


@functools.cache
def words(table: str, key: str) -> frozenset[str]:
    """A list of the table."""
    return frozenset(known.table("text")[table][key])


def says_unbounded(identifier: str, owner: str = "") -> bool:
    """Whether a name itself says that every thing has its own value: `user_id`, `raw_path`, `orderUuid`, `order.id`."""
    said = tokens(identifier)
    if not said:
        return False
    if tokens(owner)[-1:] and tokens(owner)[-1] in words("words", "fixed"):
        return False
    if "_".join(said) in words("words", "whole"):
        return True
    return said[-1] in words("words", "unbounded") and not says_few(identifier, owner)


def says_few(identifier: str, owner: str = "") -> bool:
    """Whether a name says that of such things a system has a fixed few: `worker_id`, `queue.id`."""
    said = tokens(identifier)
    before = [*tokens(owner), *said[:-1]] if len(said) < 3 else said[:-1]
    return (
        said[-1:] != ()
        and said[-1] in words("words", "unbounded")
        and not words("words", "bounded").isdisjoint({"_".join(before[-1:]), "_".join(before[-2:])})
    )


def is_measured(identifier: str) -> bool:
    """Whether a name says that it is a measured number: `duration`, `lag_ms`."""
    said = [token for token in tokens(identifier) if token not in words("words", "units")]
    return said[-1:] != [] and said[-1] in words("words", "measured") and not words("words", "chosen") & {*said}


def is_identity(key: str) -> bool:
    """Whether a key is that of an id."""
    return not {"id", "ids", "uuid", "guid", "uid"}.isdisjoint(tokens(key))


@functools.lru_cache(maxsize=4096)
def tokens(identifier: str) -> tuple[str, ...]:
    """`orderId`, `ORDER_ID` and `_order_id` → (`order`, `id`)."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier)
    return tuple(part for part in snake.lower().split("_") if part)
