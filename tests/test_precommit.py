"""The hooks of this repository in a real git repository, installed by the real pre-commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

BAD = """\
from opentelemetry import context, propagate, trace

tracer = trace.get_tracer(__name__)


def work(headers):
    with open(headers["body"]) as body:
        print(body.read())


def handle(headers):
    token = context.attach(propagate.extract(headers))
    with tracer.start_as_current_span("handle"):
        work(headers)
    context.detach(token)
"""


class Repository:
    """A git repository with an environment of its own: no user configuration, no shared pre-commit cache."""

    def __init__(self, path: Path, home: Path) -> None:
        path.mkdir()
        self.path = path
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT", "OTLINT"))
        }
        self._environment = clean | {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home),
            "PRE_COMMIT_HOME": str(home / "pre-commit"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }
        self.run("git", "init", "--quiet")
        for key, value in (("user.name", "Test"), ("user.email", "test@example.com"), ("commit.gpgsign", "false")):
            self.run("git", "config", key, value)

    def run(self, *command: str, code: int = 0) -> str:
        """What a command prints; fails unless it exits with `code`."""
        done = subprocess.run(
            command, cwd=self.path, env=self._environment, capture_output=True, text=True, check=False, timeout=300
        )
        output = done.stdout + done.stderr
        assert done.returncode == code, output
        return output

    def commit(self, code: int = 0) -> str:
        self.run("git", "add", "--all")
        return self.run("git", "commit", "--message", "a change", code=code)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def hooks(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Path and revision of a repository that holds this one's tracked files, as they are in the work tree."""
    scratch = Repository(tmp_path_factory.mktemp("hooks") / "otlint", home)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (scratch.path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, scratch.path / name)
    scratch.commit()
    return str(scratch.path), scratch.run("git", "rev-parse", "HEAD").strip()


def _using(hooks: tuple[str, str], hook: str, path: Path, home: Path) -> Repository:
    """A repository whose commits pass one hook."""
    repository = Repository(path, home)
    config = f"repos:\n- repo: {hooks[0]}\n  rev: {hooks[1]}\n  hooks:\n  - id: {hook}\n"
    (path / ".pre-commit-config.yaml").write_text(config)
    repository.run("pre-commit", "install")
    return repository


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the tracked files of a clone")
def test_a_bad_commit_is_stopped_then_fixed_then_made(hooks: tuple[str, str], home: Path, tmp_path: Path) -> None:
    checked = _using(hooks, "otlint", tmp_path / "checked", home)
    (checked.path / "handler.py").write_text(BAD)
    assert "OTL107" in checked.commit(code=1)
    assert (checked.path / "handler.py").read_text() == BAD

    fixed = _using(hooks, "otlint-fix", tmp_path / "fixed", home)
    (fixed.path / "handler.py").write_text(BAD)
    assert "files were modified by this hook" in fixed.commit(code=1)
    assert "finally:" in (fixed.path / "handler.py").read_text()
    fixed.commit()
    assert "handler.py" in fixed.run("git", "show", "--stat")

    shutil.copy2(fixed.path / "handler.py", checked.path / "handler.py")
    checked.commit()


def test_the_manifest_is_valid(home: Path, tmp_path: Path) -> None:
    manifest = str(ROOT / ".pre-commit-hooks.yaml")
    Repository(tmp_path / "any", home).run("pre-commit", "validate-manifest", manifest)
