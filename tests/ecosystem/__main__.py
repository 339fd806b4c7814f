"""`python -m tests.ecosystem`: what otlint says about real repositories, and what a change made of it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.ecosystem import snapshot, trees

VARIABLE = "OTLINT_ECOSYSTEM"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ecosystem", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="OWNER/NAME", help="only these repositories")
    parser.add_argument("--update", action="store_true", help="rewrite the snapshot of the repositories at hand")
    parser.add_argument("--no-fixes", action="store_true", help="do not try what the repairs make of them")
    parser.add_argument("--clone", metavar="DIR", type=Path, help=f"bring the repositories to DIR, for {VARIABLE}")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - snapshot.pins().keys():
        parser.error(f"not in {snapshot.PINS.name}: {', '.join(sorted(unknown))}")
    pins = {name: commit for name, commit in snapshot.pins().items() if name in options.names or not options.names}
    if options.clone:
        for name, commit in pins.items():
            clone(name, commit, options.clone / name.replace("/", "+"))
        return 0
    before = snapshot.read(snapshot.FINDINGS.read_text(encoding="utf-8"))
    wrong, found = 0, {}
    for name, commit in pins.items():
        root = tree(name, commit)
        if isinstance(root, str):
            print(f"{name}: skipped, {root}")
            continue
        judged = trees.judge(root)
        found[name] = snapshot.lines(judged)
        faults = [f"{problem.path}: {problem.message}" for problem in judged.problems]
        faults += [] if options.no_fixes else trees.faults(root, judged)
        print(*(f"{name} {fault}" for fault in faults), sep="\n", end="\n" * bool(faults), flush=True)
        wrong += len(faults)
    changed = snapshot.differences({name: before.get(name, []) for name in found}, found)
    print(*snapshot.report(changed, before), sep="\n", end="\n" * bool(changed))
    print(f"{len(found)} repositories, {sum(map(len, found.values()))} findings: "
          f"{len(changed)} changed, {wrong} faults")  # fmt: skip
    if options.update:
        kept = {name: lines for name, lines in before.items() if name in snapshot.pins()}
        snapshot.FINDINGS.write_text(snapshot.written({**kept, **found}), encoding="utf-8")
    return int(bool(wrong or (changed and not options.update) or not found))


def tree(name: str, commit: str) -> Path | str:
    """The work tree of a repository at its pinned commit, or why there is none."""
    folders = [Path(folder) for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]
    if not folders:
        return f"{VARIABLE} is not set"
    root = next((path for folder in folders if (path := folder / name.replace("/", "+")).is_dir()), None)
    if root is None:
        return f"not in {VARIABLE}"
    head = _git(root, "rev-parse", "HEAD").strip()
    if head != commit:
        return f"at {head[:10]} and not at {commit[:10]}"
    changed = [line for line in _git(root, "status", "--porcelain").splitlines() if line.endswith((".py", '.py"'))]
    return f"changed: {changed[0]}" if changed else root


def clone(name: str, commit: str, root: Path) -> None:
    """Bring one commit of a repository from GitHub."""
    if not root.is_dir():
        root.mkdir(parents=True)
        _git(root, "init", "--quiet")
        _git(root, "fetch", "--quiet", "--depth", "1", f"https://github.com/{name}", commit)
        _git(root, "-c", "advice.detachedHead=false", "checkout", "--quiet", commit)
    print(f"{name}: {_git(root, 'log', '-1', '--format=%h of %cs').strip()}", flush=True)


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
