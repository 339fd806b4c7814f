"""The table of speeds. `python -m tests.benchmarks SPARSE DENSE --tools VENV/bin`; README.md says more."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.rows import ROWS, Bench


def main() -> None:
    """Measure what was asked for, and print the table while it grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("sparse", type=Path, help="a tree in which few files use OpenTelemetry: livekit/agents")
    parser.add_argument("dense", type=Path, help="one in which most do: open-telemetry/opentelemetry-python-contrib")
    parser.add_argument("--tools", type=Path, default=Path(sys.executable).parent, help="folder with ruff and fixit")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="rows whose name holds this text")
    parser.add_argument("--sample", type=int, default=60, help="how many files fixit gets: it is slow")
    given = parser.parse_args()
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f}, medians of {given.runs} runs, seconds\n")
    print("| case | otlint | against | | ratio | must | aim |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="otlint-speed-") as folder:
        bench = Bench(given.sparse, given.dense, Path(folder), given.tools, given.runs, given.sample)
        for row in ROWS:
            if given.only in row.case:
                print(row.measured(bench), flush=True)
    print(f"\nload at the end: {os.getloadavg()[0]:.1f}")


main()
