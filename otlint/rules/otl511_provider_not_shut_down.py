"""OTL511: a process that ends in a way by which what its providers still hold is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from otlint import edits, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.endings import Abrupt
    from otlint.model.module import Module
    from otlint.model.providers import Provider
    from otlint.model.walk import Node


@rule(Level.WARNING, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    if module.is_test:
        return
    yield from _repeated(module)
    if module.declared.shutdown_handled:
        return
    yield from _abrupt(module)
    holding = [each for each in module.providers if each.batch is not None]
    if holding and not module.sends:
        never = [each for each in holding if each.at_exit is False]
        for provider in never:
            yield _never(module, provider)
        others = [each for each in holding if each.at_exit]
        if others:
            yield from _by_signal(module, others)


def _never(module: Module, provider: Provider) -> Finding:
    """`TracerProvider(shutdown_on_exit=False)`."""
    return module.finding(
        provider.call,
        "nothing shuts this provider down, and it is told not to do so itself, so its last batch is lost whenever the "
        "process ends; leave `shutdown_on_exit` out",
        fix=_leave_out(module, provider),
    )


def _leave_out(module: Module, provider: Provider) -> Fix | None:
    given = provider.at_exit_argument
    arg = next((arg for arg in provider.call.args if arg.value is given), None)
    if arg is None or given is None:
        return None
    if arg.keyword is None:
        return Fix("shut it down at exit", Safety.SAFE, edits.replace(module, given, "True"))
    return Fix("leave `shutdown_on_exit` out", Safety.SAFE, edits.remove_argument(module, provider.call, arg))


def _by_signal(module: Module, held: Sequence[Provider]) -> Iterator[Finding]:
    """Servers and scripts that die of SIGTERM; one finding for all providers that die with them."""
    from otlint.model.endings import endless_loop, served

    first, *more = held
    related: list[tuple[Node, str]] = [(each.call, "so is what this one holds") for each in more]
    server = served(module)
    if server is not None:
        unless = ", unless it is the first process of a container" if server.first else ""
        yield module.finding(
            first.call,
            f"{server.server} ends by the SIGTERM that stops it, without `atexit`{unless}, so what this provider still "
            "holds is lost; shut it down when the application shuts down",
            related=related,
            fix=_in_lifespan(module, held),
            hint=server.first,
        )
        return
    loop = endless_loop(module)
    if loop is not None:
        yield module.finding(
            first.call,
            "SIGTERM ends this script without `atexit`, so what this provider still holds is lost; handle the signal",
            related=[(loop, "the script works here until it is killed"), *related],
            hint=True,
        )


def _in_lifespan(module: Module, held: Sequence[Provider]) -> Fix | None:
    from otlint.model.endings import lifespan

    function = lifespan(module)
    made = edits.sending(module, held, function.body.body[-1], "shutdown") if function is not None else None
    if function is None or made is None:
        return None
    lines, imports = made
    return Fix("shut it down in the lifespan", Safety.UNSAFE, (*edits.append(module, function.body, lines), *imports))


def _abrupt(module: Module) -> Iterator[Finding]:
    """`os._exit(0)`, `os.execv(…)`."""
    from otlint.model.endings import abrupt_ends

    for end in abrupt_ends(module):
        yield module.finding(
            end.call,
            f"`{module.api(end.call.func)}` ends the program without `atexit`, so the spans that wait in the batch "
            "processor are lost; flush the provider before",
            related=[(end.made, "spans are made here")] if end.made is not None else (),
            fix=_flush(module, end),
        )


def _flush(module: Module, end: Abrupt) -> Fix | None:
    from otlint.model.blocks import plain_statement

    statement = plain_statement(module, end.call)
    if statement is None or module.span_around(end.call) is not None:
        return None
    held = [each for each in module.providers if each.batch is not None]
    made = edits.sending(module, held, end.call, "force_flush") if held else None
    lines, imports = made or edits.sending_global(module, otel.SDK_PROVIDER, end.call, "force_flush")
    return Fix("flush it before", Safety.UNSAFE, (*edits.insert_before(module, statement, lines), *imports))


def _repeated(module: Module) -> Iterator[Finding]:
    """`atexit.register(provider.shutdown)`."""
    from otlint.model.blocks import plain_statement
    from otlint.model.providers import registered_again

    for call in registered_again(module):
        statement = plain_statement(module, call)
        yield module.finding(
            call,
            "the provider registers its `shutdown` with `atexit` by itself; leave this out",
            fix=Fix("leave it out", Safety.SAFE, edits.delete_statement(module, statement)) if statement else None,
            hint=True,
        )
