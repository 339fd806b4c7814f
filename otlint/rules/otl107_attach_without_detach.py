"""OTL107: an attached context whose token is not detached on every way out, or not in the right order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Edit, Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.context.attaches import Leak, Tangle
    from otlint.model.flow.ways import Exit
    from otlint.model.module import Module

_EXITS = {
    "exception": "when an exception leaves the function",
    "raise": "when the function raises",
    "return": "when the function returns here",
    "end": "when the function ends",
    "loop": "when the loop attaches the next one",
    "yield": "when the generator is closed here",
}


@rule(Level.ERROR, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.context.attaches import attaches

    for each in attaches(module):
        for leak in each.leaks():
            if leak.kept is not None:
                yield module.finding(
                    leak.call,
                    f"`{module.code(leak.kept)}` is never detached, so its context stays current for whatever runs "
                    "here next; `detach` it where what has begun here ends",
                )
                continue
            way = _worst(leak.exits)
            yield module.finding(
                leak.call,
                _message(leak, way),
                related=[(way.node, f"still current {_EXITS[way.kind]}")] if way.kind != "end" else (),
                fix=_fix(module, leak),
            )
        seen: set[Node] = set()
        for tangle in each.tangles():
            if tangle.detach not in seen:
                seen.add(tangle.detach)
                yield module.finding(tangle.detach, _order(tangle), related=_related(tangle))


def _worst(exits: Sequence[Exit]) -> Exit:
    """A way that is written out says more than an exception that may come."""
    return min(exits, key=lambda way: way.kind in {"exception", "yield"})


def _message(leak: Leak, way: Exit) -> str:
    custody = leak.custody
    if not custody.names:
        return (
            "the token of this `attach` is dropped, so its context stays current for whatever runs here next; "
            "keep the token and `detach` it in a `finally`"
        )
    token = custody.names[0]
    if not custody.discharged:
        return (
            f"`{token}` is never detached, so its context stays current for whatever runs here next; "
            "`detach` it in a `finally`"
        )
    return f"`{token}` is not detached {_EXITS[way.kind]}; `detach` it in a `finally`"


def _order(tangle: Tangle) -> str:
    first, second = tangle.first.names[0], tangle.second.names[0]
    return (
        f"`{first}` is detached before `{second}`, which was attached later, and then `{second}` brings back a context "
        "that is over; detach in the opposite order"
    )


def _related(tangle: Tangle) -> list[tuple[Node, str]]:
    return [(tangle.first.start, "attached first"), (tangle.second.start, "attached on top of it")]


def _fix(module: Module, leak: Leak) -> Fix | None:
    """`token = attach(…)`, and `try: … finally: detach(token)` around what follows in its block."""
    from otlint.model.code.blocks import guarded

    guard = guarded(module, leak.custody)
    if guard is None or leak.covered:
        return None
    token, made = _token(module, leak)
    ending = guard.ending
    imports: tuple[Edit, ...] = ()
    if ending is None:
        detach, imports = edits.reference(module, otel.DETACH, leak.call)
        ending = f"{detach}({token})"
    lines = [ending]
    if guard.branch is not None:
        made = (*made, *(edits.insert_before(module, guard.branch, [f"{token} = None"]) if guard.unset else ()))
        lines = [f"if {token} is not None:", f"\t{ending}"]
    wrapped = edits.wrap_try_finally(module, guard.inside, lines, without=guard.gone)
    safety = Safety.SAFE if guard.exact else Safety.UNSAFE
    return Fix("detach in a `finally`", safety, (*made, *wrapped, *imports))


def _token(module: Module, leak: Leak) -> tuple[str, tuple[Edit, ...]]:
    """The name that holds the token, and the edits that bind it."""
    if leak.custody.names:
        return leak.custody.names[0], ()
    names = ("token", "context_token", "attached")
    free = next((name for name in names if module.names.is_free(name, leak.call)), "otel_context_token")
    return free, edits.replace(module, leak.call, f"{free} = {module.code(leak.call)}")
