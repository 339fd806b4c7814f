"""Digests that name what the cache knows."""

from __future__ import annotations

try:
    from _blake2 import blake2b  # `hashlib` loads OpenSSL, which takes longer than all that is to be hashed
except ImportError:
    from hashlib import blake2b

_SIZE = 16


def digest(data: str | bytes) -> str:
    """32 hexadecimal digits that only this text has."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return blake2b(raw, digest_size=_SIZE).hexdigest()


class Digest:
    """The digest of several texts, in their order."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=_SIZE)

    def add(self, data: bytes) -> None:
        """One text more; where it ends makes a difference."""
        self._hash.update(b"%d:" % len(data))
        self._hash.update(data)

    def hex(self) -> str:
        """The digits."""
        return str(self._hash.hexdigest())
