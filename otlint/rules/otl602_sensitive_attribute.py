"""OTL602: a secret, personal data, or a whole request or answer in an attribute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint.finding import Finding, Level
from otlint.rule import rule

if TYPE_CHECKING:
    from otlint.model.attributes.sensitive import Sensitive
    from otlint.model.module import Module

_WHERE = {
    "baggage": "goes to every service that is called",
    "resource": "is sent with every span",
}


@rule(Level.WARNING)
def check(module: Module) -> Iterator[Finding]:
    from otlint.model.attributes.sensitive import sensitive

    if module.is_test:
        return
    more = module.options.get("sensitive-keys")
    for found in sensitive(module, list(map(str, more)) if isinstance(more, list) else ()):
        yield module.finding(found.write.key, _message(found), hint=found.is_meant)


def _message(found: Sensitive) -> str:
    name = f"`{found.write.name}`" if found.write.name else "an attribute"
    where = _WHERE.get(found.write.signal, "is kept where traces are read")
    if found.what == "content":
        return (
            f"{name} holds a whole request, answer or message, which {where}; "
            "leave it out, or record it only where it is asked for"
        )
    said = "" if found.said == found.write.name else f" (`{found.said}`)"
    return f"{name} holds {found.what}{said}, which {where}; leave it out or mask it"
