"""The `github` format: workflow commands that GitHub shows as annotations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from otlint.paths import below
from otlint.settings.level import Level

if TYPE_CHECKING:
    from otlint.engine import Report
    from otlint.finding import Finding
    from otlint.report import Setting

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "notice"}


def write(report: Report, stream: TextIO, setting: Setting) -> None:
    """One line per finding, the worst first: GitHub shows only the first few of a step."""
    for finding in sorted(report.findings, key=lambda finding: (-finding.level.rank, finding.sort_key)):
        stream.write(_line(finding, setting) + "\n")


def in_workspace(shown: str) -> str:
    """The path from the root of the checkout, where GitHub resolves it, if the working directory is inside of it."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if not workspace:
        return shown
    here = str(Path.cwd())
    inside = below(os.path.normpath(os.path.join(here, shown)), os.path.realpath(workspace))  # noqa: PTH118
    inside_given = below(os.path.normpath(os.path.join(here, shown)), workspace)  # noqa: PTH118
    return inside or inside_given or shown


def _line(finding: Finding, setting: Setting) -> str:
    path = in_workspace(finding.path)
    place = {"title": f"otlint ({finding.code})", "file": path, "line": finding.start.row}
    if finding.start.row == finding.end.row:
        place |= {"col": finding.start.column, "endLine": finding.end.row, "endColumn": finding.end.column}
    else:
        place |= {"endLine": finding.end.row}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items())
    message = f"{path}:{finding.start.row}:{finding.start.column}: {finding.code} {finding.message}"
    if finding.fix is not None:
        message += f"\n  help: {finding.fix.title}" + ("" if setting.applicable(finding) else " (not applied by --fix)")
    return f"::{_COMMANDS[finding.level]} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
