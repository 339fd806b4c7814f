"""OTL511: a process that ends in a way by which what its providers still hold is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from otlint import edits
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.code.walk import Node
    from otlint.model.module import Module
    from otlint.model.setup.endings import Abrupt
    from otlint.model.setup.providers import Provider


_NAMES = {"os.kill": "SIGKILL"}


@rule(Level.WARNING, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.setup.endings import abrupt_ends
    from otlint.model.setup.providers import kept

    if module.is_spared_test:
        return
    yield from _repeated(module)
    for each in module.providers:
        module.silenced(each.call, partial(kept, module, each))
    if module.declared.shutdown_handled:
        return
    holding = [each for each in module.providers if each.batch is not None]
    for end in abrupt_ends(module):
        yield _abrupt(module, end, holding)
    if holding and not module.sends:
        yield from (_never(module, each) for each in holding if each.at_exit is False)
        yield from _by_signal(module, [each for each in holding if each.at_exit])


def _never(module: Module, provider: Provider) -> Finding:
    """`TracerProvider(shutdown_on_exit=False)`."""
    given = next((arg for arg in provider.call.args if arg.value is provider.at_exit_argument), None)
    fix = None
    if given is not None and given.keyword is not None:
        fix = Fix("leave `shutdown_on_exit` out", Safety.SAFE, edits.remove_argument(module, provider.call, given))
    elif given is not None:
        fix = Fix("shut it down at exit", Safety.SAFE, edits.replace(module, given.value, "True"))
    return module.finding(
        provider.call,
        "nothing shuts this provider down, and it is told not to do so itself, so its last batch is lost whenever the "
        "process ends; leave `shutdown_on_exit` out",
        fix=fix,
    )


def _by_signal(module: Module, held: list[Provider]) -> Iterator[Finding]:
    """Servers and scripts that die of SIGTERM; one finding for all providers that die with them."""
    from otlint.model.setup.endings import endless_loop
    from otlint.model.setup.serving import is_handed_out, lifespan, pooled, served

    server = served(module) if held else None
    if held and (server is None or server.unless):
        server = pooled(module, held) or server
    loop = endless_loop(module) if held and server is None else None
    if server is not None and server.unless:
        held = [each for each in held if not is_handed_out(module, each)]
    if not held:
        return
    others: list[tuple[Node, str]] = [(each.call, "so is what this one holds") for each in held[1:]]
    if server is not None:
        function = lifespan(module)
        made = edits.shut_down_in(module, function, held) if function is not None else None
        yield module.finding(
            held[0].call,
            f"{server.server} {server.ends}{server.unless}, so what this provider still holds is lost; "
            f"{server.instead}",
            related=others,
            fix=Fix("shut it down in the lifespan", Safety.UNSAFE, made) if made is not None else None,
            hint=bool(server.unless),
        )
    elif loop is not None:
        yield module.finding(
            held[0].call,
            "SIGTERM ends this script without `atexit`, so what this provider still holds is lost; handle the signal",
            related=[(loop, "the script works here until it is killed"), *others],
            hint=True,
        )


def _abrupt(module: Module, end: Abrupt, held: Sequence[Provider]) -> Finding:
    """`os._exit(0)`, `os.execv(…)`. What is inside of a span loses that as well, whatever is flushed."""
    from otlint.model.code.blocks import plain_statement

    statement = plain_statement(module, end.call) if module.span_around(end.call) is None else None
    made = edits.flush_before(module, statement, held) if statement is not None else None
    api = module.api(end.call.func) or ""
    return module.finding(
        end.call,
        f"`{_NAMES.get(api, api)}` ends the program without `atexit`, so the spans that wait in the batch "
        "processor are lost; flush the provider before",
        related=[(end.made, "spans are made here")] if end.made is not None else (),
        fix=Fix("flush it before", Safety.UNSAFE, made) if made is not None else None,
    )


def _repeated(module: Module) -> Iterator[Finding]:
    """`atexit.register(provider.shutdown)`."""
    from otlint.model.setup.providers import registered_again

    for call, statement in registered_again(module):
        yield module.finding(
            call,
            "the provider registers its `shutdown` with `atexit` by itself; leave this out",
            fix=Fix("leave it out", Safety.SAFE, edits.delete_statement(module, statement)) if statement else None,
            hint=True,
        )
