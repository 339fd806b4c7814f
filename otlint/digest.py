"""Digests that name what the cache knows."""

from __future__ import annotations

try:
    from _blake2 import blake2b  # `hashlib` loads OpenSSL, which takes longer than all that is to be hashed
except ImportError:
    from hashlib import blake2b


def digest(data: str | bytes) -> str:
    """32 hexadecimal digits that only this text has."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return blake2b(raw, digest_size=16).hexdigest()
