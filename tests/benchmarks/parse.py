"""The floor: LibCST parses the files that name OpenTelemetry, one process, no garbage collection."""

import gc
import sys
from pathlib import Path

import libcst

gc.disable()
for path in Path(sys.argv[1]).rglob("*.py"):
    data = path.read_bytes()
    if b"opentelemetry" in data:
        try:
            libcst.parse_module(data)
        except (libcst.ParserSyntaxError, UnicodeError):
            continue
