"""What a file imports, found in its bytes: the file is not parsed."""

from __future__ import annotations

import re

_IMPORT = re.compile(
    rb"(?m)(?:^|;)[ \t]*(?:"
    rb"from[ \t]+([.\w]+)[ \t]+import\b(?:[ \t]|\\\r?\n)*(\([^)]*\)|[^\n#;]+)|import[ \t]+([^\n#;]+))"
)
_NAME = re.compile(rb"([\w.]+)(?:[ \t]+as[ \t]+\w+)?")


def imports(data: bytes, path: str) -> list[str]:
    """The dotted names that import lines found in the bytes name; relative ones as seen from the path."""
    found: list[str] = []
    package = path.split("/")[:-1]
    for match in _IMPORT.finditer(data):
        source, names, plain = match.groups()
        if plain is not None:
            found.extend(each.decode() for each in _NAME.findall(plain))
            continue
        module = source.decode()
        level = len(module) - len(module.lstrip("."))
        if level:
            base = package[: len(package) - (level - 1)]
            module = ".".join([*base, *filter(None, [module[level:]])])
        found.extend(
            [module] if names.strip() == b"*" else (f"{module}.{each.decode()}" for each in _NAME.findall(names))
        )
    return found
