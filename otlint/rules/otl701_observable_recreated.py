"""OTL701: an observable instrument that is made again, so that its callbacks are ignored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.module import Module


@rule(Level.ERROR)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.metrics.recreated import recreated

    if module.is_spared_test:
        return
    for again in recreated(module):
        # for queue in queues:
        #     meter.create_observable_gauge("queue.size", callbacks=[queue.observe])
        yield module.finding(
            again.call,
            f"the observable instrument `{again.name}` is made {again.why}, and only the callbacks of the first one "
            "are called; make it once, with a callback that observes everything",
            related=[(again.other, "here")] if again.other is not None else [],
        )
