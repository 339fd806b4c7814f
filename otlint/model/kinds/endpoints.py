"""Where telemetry is sent: hosts inside and outside of a network, and what senders are known by."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from otlint import known

_SHORTEST = 8
_OPAQUE = re.compile(r"[\w.~+/=:@-]+")
_RESERVED = ("example.com", "example.org", "example.net")


def is_local(host: str, more: Iterable[str] = ()) -> bool:
    """Whether a host is a loopback or private address, a service name, or below a name that is private.

    Names without a dot are those of services in compose and Kubernetes. Reserved example names count as local, as
    nobody sends there. `more` are further hosts; one that starts with a dot is the end of a name.
    """
    host = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        return (
            last == host
            or last in known.table("credentials")["local"]
            or any(host == each or host.endswith(f".{each}") for each in _RESERVED)
            or any(host == each.lower() or (each.startswith(".") and host.endswith(each.lower())) for each in more)
        )
    return address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified


def is_credential(header: str, value: str) -> bool:
    """Whether a header is one by which a sender is known, with a value that is no placeholder."""
    return header.strip().lower() in known.table("credentials")["headers"] and is_secret(value)


def is_secret(value: str) -> bool:
    """Whether a text is long enough for a credential, and no word for one that somebody has to put in."""
    words = value.strip().split()
    if words and words[0].lower() in known.table("credentials")["schemes"]:
        words = words[1:]
    if len(words) != 1 or len(words[0]) < _SHORTEST or not _OPAQUE.fullmatch(words[0]):
        return False
    parts = re.split(r"[^a-z]+", words[0].lower())
    return not any("xxx" in part for part in parts) and set(known.table("credentials")["placeholders"]).isdisjoint(
        parts
    )
