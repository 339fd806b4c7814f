"""Run the examples that a page gives for an older version of OpenTelemetry under that version.

`python -m scripts.older_sdk` builds an environment in .older/ for each `target-otel` of VERSIONS, runs the static
examples that are written for it, and writes what a collector receives to tests/golden/sdk-VERSION.txt. A test compares
where the environment exists; elsewhere it is skipped.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import tomli

from tests import spec
from tests.observe import Observer

ROOT = Path(__file__).parent.parent
# Versions that a page proves something about: `target-otel` → what is installed.
VERSIONS = {"1.44": "1.44.0"}


def interpreter(version: str) -> Path:
    """The Python of the environment of a version, which need not exist."""
    return ROOT / ".older" / version / "bin" / "python"


def golden(version: str) -> Path:
    """What came out when the examples were last run."""
    return ROOT / "tests" / "golden" / f"sdk-{version}.txt"


def build(version: str) -> None:
    """Make the environment of a version."""
    python = interpreter(version)
    if not python.exists():
        venv.create(python.parent.parent, with_pip=True)
    packages = [f"opentelemetry-{name}=={VERSIONS[version]}" for name in ("sdk", "exporter-otlp-proto-common")]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)


def observed(version: str) -> str:
    """What the examples of all pages for a version export, each below its key."""
    observer = Observer(str(interpreter(version)))
    lines: list[str] = []
    for name, example in _examples(version):
        lines += [f"# {name}/{example.key}", *observer.run(example.texts, example.script), ""]
    observer.close()
    return "\n".join(lines)


def _examples(version: str) -> Iterator[tuple[str, spec.Example]]:
    for page in sorted((ROOT / "rules").glob("OTL*.md")):
        for example in spec.examples(page.read_text(encoding="utf-8")):
            if example.is_static and _target(example) == version:
                yield page.stem, example


def _target(example: spec.Example) -> str | None:
    found = tomli.loads(example.config).get("tool", {}).get("otlint", {}).get("target-otel")
    return found if isinstance(found, str) else None


if __name__ == "__main__":
    for wanted in sys.argv[1:] or VERSIONS:
        build(wanted)
        golden(wanted).write_text(observed(wanted), encoding="utf-8")
