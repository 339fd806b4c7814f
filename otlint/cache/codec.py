"""Frozen values as plain JSON and back, by the annotations of their fields: what is read runs nothing."""

from __future__ import annotations

import dataclasses
import enum
import functools
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
Part = Callable[[Any], Any]


def encode(value: object) -> Any:
    """A value of the types that `decode` knows, as JSON: a dataclass is the list of its fields, a set is sorted."""
    kind: Any = type(value)
    return _encoder(kind)(value)


def decode(kind: type[T], plain: Any) -> T:
    """The value of that type; raises ValueError, TypeError or KeyError for what `encode` never made."""
    annotation: Any = kind
    part = _decoder(annotation) or _same
    value: T = part(plain)
    return value


def _same(value: Any) -> Any:
    return value


@functools.cache
def _encoder(kind: Any) -> Part:
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
        return lambda value: [_plain(getattr(value, name)) for name in names]
    if issubclass(kind, enum.Enum):
        return lambda value: value.value
    if issubclass(kind, tuple | list):
        return lambda value: [_plain(each) for each in value]
    if issubclass(kind, frozenset | set):
        return lambda value: sorted(map(_plain, value))
    if issubclass(kind, Mapping):
        return lambda value: {key: _plain(each) for key, each in value.items()}
    if kind in _ATOMS:
        return _same
    raise TypeError(f"{kind} has no plain form")


_ATOMS = frozenset({str, int, bool, type(None)})


def _plain(value: Any) -> Any:
    kind: Any = type(value)
    return value if kind in _ATOMS else _encoder(kind)(value)


@functools.cache
def _decoder(kind: Any) -> Part | None:
    """What makes a value of an annotation from JSON; None when it is the JSON itself."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind in _ATOMS or kind is None:
        return None
    if origin in (typing.Union, types.UnionType):
        return _optional(*(each for each in inner if each is not type(None)))
    if origin is tuple and inner[-1:] == (...,):
        return _several(inner[0])
    if origin is tuple:
        return _pair([_decoder(each) for each in inner])
    if origin is frozenset:
        item = _decoder(inner[0])
        return frozenset if item is None else lambda plain: frozenset(map(item, plain))
    if origin is not None and issubclass(origin, Mapping):
        value = _decoder(inner[1])
        return None if value is None else lambda plain: {key: value(each) for key, each in plain.items()}
    if dataclasses.is_dataclass(kind):
        return _record(typing.cast("Any", kind))
    if issubclass(kind, enum.Enum):
        return typing.cast("Part", kind)
    raise TypeError(f"{kind} has no plain form")


def _optional(*kinds: Any) -> Part | None:
    parts: list[Part | None] = [_decoder(each) for each in kinds]
    if all(part is None for part in parts):
        return None
    [part] = parts  # one type beside None: JSON does not say which of several it is
    assert part is not None
    return lambda plain: None if plain is None else part(plain)


def _several(kind: Any) -> Part:
    item = _decoder(kind)
    return tuple if item is None else lambda plain: tuple([item(each) for each in plain])


def _pair(parts: list[Part | None]) -> Part:
    if all(part is None for part in parts):
        return tuple
    several = [part or _same for part in parts]
    return lambda plain: tuple([part(each) for part, each in zip(several, plain, strict=True)])


def _record(kind: type) -> Part:
    hints = typing.get_type_hints(kind, vars(sys.modules[kind.__module__]) | _late())
    names = [field.name for field in dataclasses.fields(kind)]
    count = len(names)
    parts = [(at, part) for at, name in enumerate(names) if (part := _decoder(hints[name])) is not None]

    def make(plain: Any) -> Any:
        if len(plain) != count:
            raise ValueError(f"{kind.__name__} has {count} fields")
        values = list(plain)
        for at, part in parts:
            values[at] = part(values[at])
        return kind(*values)

    return make


def _late() -> dict[str, Any]:
    """The types that modules import for annotations only."""
    from otlint.fix import Fix

    return {"Fix": Fix}
