"""Write otlint/known/past.toml: the names that modules of OpenTelemetry had in older versions and have no more.

`python -m scripts.past` builds an environment in .older/ for each of VERSIONS, and asks the modules there. What
api.toml has is left out, so `scripts.surface` goes first.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import venv
from collections.abc import Iterable
from pathlib import Path

import tomli

from scripts import surface

ROOT = Path(__file__).parent.parent
TARGET = surface.TARGET.with_name("past.toml")
VERSIONS = ("1.20", "1.25", "1.30", "1.35", "1.38", "1.40", "1.41", "1.43", "1.44")
_ASK = "import json; from scripts import past; print(json.dumps(past.names()))"


def names() -> dict[str, list[str]]:
    """The names in the modules of the OpenTelemetry that is installed."""
    found = {}
    for name in surface.MODULES:
        with contextlib.suppress(ImportError):
            found[name] = surface.within(name)
    return found


def asked(version: str) -> dict[str, list[str]]:
    """The names in the modules of a version."""
    python = ROOT / ".older" / f"names-{version}" / "bin" / "python"
    if not python.exists():
        venv.create(python.parent.parent, with_pip=True)
    # Old releases need the `pkg_resources` of an old setuptools.
    packages = [f"opentelemetry-sdk=={version}.*", "setuptools<81", "tomli"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    done = subprocess.run([python, "-W", "ignore", "-c", _ASK], cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def written(versions: Iterable[dict[str, list[str]]]) -> str:
    """The table as TOML."""
    present = tomli.loads(surface.TARGET.read_text(encoding="utf-8"))
    past: dict[str, set[str]] = {}
    for found in versions:
        for module, inside in found.items():
            past.setdefault(module, set()).update(each for each in inside if not each.startswith("__"))
    lines = [
        "# The names that modules of OpenTelemetry had in some older version and that those of api.toml do not have.",
        f"# Made by scripts/past.py from opentelemetry-sdk {', '.join(VERSIONS)}; not edited by hand.",
        "",
    ]
    for module in sorted(past):
        gone = sorted(past[module].difference(present.get(module, ())))
        if gone:
            lines.append(f'"{module}" = {json.dumps(gone)}')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written(map(asked, VERSIONS)), encoding="utf-8")
