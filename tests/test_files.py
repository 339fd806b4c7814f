"""Discovery: which files a path means, what is left out, and what cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from otlint import files
from otlint.settings.config import Configs
from otlint.settings.layers import inline


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def make(*paths: str, text: str = "") -> None:
    for path in paths:
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def listed(*paths: str, configure: str = "") -> list[str]:
    listing = files.discover(paths or ["."], Configs([inline(configure)]))
    assert listing.problems == []
    return [file.shown for file in listing.files]


def problems(*paths: str) -> list[tuple[str, str]]:
    return files.discover(paths or ["."], Configs()).problems


def test_a_folder_means_its_python_files_sorted():
    make("b.py", "a/c.pyi", "a/b.py", "readme.md", "a.py", "data.pyc")
    assert listed() == ["a.py", "a/b.py", "a/c.pyi", "b.py"]
    assert listed("a") == ["a/b.py", "a/c.pyi"]
    assert listed("a/") == ["a/b.py", "a/c.pyi"]
    assert listed(str(Path.cwd())) == ["a.py", "a/b.py", "a/c.pyi", "b.py"]


def test_paths_outside_of_the_working_directory():
    make("x.py", "a/y.py")
    os.chdir("a")
    assert listed("..") == ["../x.py", "y.py"]


def test_a_file_given_by_name_is_meant_whatever_its_name():
    make("script", ".venv/lib.py")
    assert listed("script", ".venv/lib.py") == [".venv/lib.py", "script"]


def test_no_file_is_meant_twice():
    make("a/x.py")
    Path("a/link.py").symlink_to("x.py")
    Path("b").symlink_to("a")
    assert listed(".", "a", "a/x.py", "./a/../a/x.py") == ["a/x.py"]
    assert listed("a/link.py", "a/x.py") == ["a/x.py"]
    assert listed("a/link.py") == ["a/link.py"]
    assert listed("b") == ["b/x.py"]


def test_the_usual_folders_are_left_out():
    make("x.py", ".venv/x.py", "a/node_modules/x.py", "a/dist/x.py", "a/build/x.py", ".git/x.py")
    assert listed() == ["a/build/x.py", "x.py"]
    assert listed(configure="exclude = []") == [
        ".git/x.py",
        ".venv/x.py",
        "a/build/x.py",
        "a/dist/x.py",
        "a/node_modules/x.py",
        "x.py",
    ]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["gen"], ["a/x.py", "x.py"]),
        (["/gen"], ["a/gen/x.py", "a/x.py", "x.py"]),
        (["./gen"], ["a/gen/x.py", "a/x.py", "x.py"]),
        (["a/gen"], ["a/x.py", "gen/x.py", "x.py"]),
        (["gen/*.py"], ["a/gen/x.py", "a/x.py", "x.py"]),
        (["**/gen/*.py"], ["a/x.py", "x.py"]),
        (["x.py", "!/x.py"], ["x.py"]),
    ],
)
def test_excludes_are_gitignore_patterns(patterns, expected):
    make("x.py", "a/x.py", "gen/x.py", "a/gen/x.py")
    assert listed(configure=f"extend-exclude = {patterns}") == expected


def test_absolute_excludes():
    make("x.py", "gen/x.py", "a/gen/x.py")
    assert listed(configure=f"extend-exclude = ['{Path.cwd()}/gen']") == ["a/gen/x.py", "x.py"]


def test_an_excluded_path_given_by_name_is_meant_unless_forced():
    make(".venv/x.py", ".venv/gen/x.py", "gen/x.py", "gen/sub/x.py", "gen/sub/venv/y.py")
    assert listed(".venv") == [".venv/gen/x.py", ".venv/x.py"]
    assert listed("gen", configure="exclude = ['gen', 'sub']") == ["gen/x.py"]
    assert listed("gen/sub", configure="exclude = ['gen']") == ["gen/sub/venv/y.py", "gen/sub/x.py"]
    assert listed("gen/x.py", configure="exclude = ['gen']") == ["gen/x.py"]
    forced = "force-exclude = true\nextend-exclude = ['gen']"
    assert listed("gen/x.py", ".venv", ".venv/x.py", "gen", "gen/sub", configure=forced) == []


def test_include_names_the_files_of_folders():
    make("x.py", "a/y.py", "a/z.pyx", "b/z.pyx", "script")
    assert listed(configure="include = ['*.pyx', '/x.py']") == ["a/z.pyx", "b/z.pyx", "x.py"]
    assert listed("a/y.py", "script", configure="include = []") == ["a/y.py", "script"]


def test_ignore_files():
    make(
        "x.py",
        "gen/x.py",
        "a/x.py",
        "a/keep.py",
        "a/b/y.py",
        "a/b/x.py",
        "c/x.py",
        "local/x.py",
        "d/x.py",
        "new\\name.py",
    )
    make(".gitignore", text="# comment\n\ngen/\na/*\n!a/b/\n!a/keep.py\n")
    make("a/b/.gitignore", text="x.py\n")
    make(".git/info/exclude", text="/local\n")
    make(".ignore", text="/c\n")
    make("d/.gitignore", text="\n# nothing\n")
    assert listed() == ["a/b/y.py", "a/keep.py", "d/x.py", "new\\name.py", "x.py"]
    assert listed("a") == ["a/b/y.py", "a/keep.py"]
    assert listed("a/b") == ["a/b/y.py"]
    assert listed("gen") == ["gen/x.py"]
    assert listed("a/x.py", "gen/x.py", configure="force-exclude = true") == ["a/x.py", "gen/x.py"]
    assert len(listed(configure="respect-gitignore = false")) == 10


def test_git_agrees_about_what_is_ignored():
    subprocess.run(["git", "init", "-q", "."], check=True)
    make("x.py", "a/x.py", "a/foo/x.py", "a/foo/bar.py", "build/x.py", "src/build/x.py", "log/a/b.py", "log/b.py")
    make("space name.py", "a/doc/frotz/x.py", "doc/frotz/x.py", "!odd.py", "#odd.py")
    make(
        ".gitignore",
        text="/build/\nfoo/*\n!foo/bar.py\nlog/**/b.py\ndoc/frotz\n\\!odd.py\n\\#odd.py\nspace\\ name.py\n",
    )
    make("a/.gitignore", text="!/x.py\n/doc\n")
    known = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard", "*.py"], check=True, capture_output=True, text=True
    )
    assert listed() == sorted(known.stdout.rstrip("\0").split("\0"))


def test_each_file_has_the_settings_nearest_to_it():
    make("a/x.py", "x.py", "a/gen.py", "a/b/x.py")
    make("a/otlint.toml", text="extend-exclude = ['gen.py']\nmax-file-size = 1\n")
    listing = files.discover(["."], Configs())
    assert {file.shown: file.config.max_file_size for file in listing.files} == {
        "a/b/x.py": 1,
        "a/x.py": 1,
        "x.py": 1024 * 1024,
    }


def test_what_cannot_be_read_is_named():
    make("x.py")
    Path("d.py").mkdir()
    make("d.py/inner.py")
    Path("gone.py").symlink_to("nowhere")
    Path(".#x.py").symlink_to("user@host.1")
    Path("gone.txt").symlink_to("nowhere")
    listing = files.discover([".", "missing.py", "gone.txt"], Configs())
    assert [file.shown for file in listing.files] == ["d.py/inner.py", "x.py"]
    assert listing.problems == [
        ("gone.py", "dangling link: nowhere does not exist"),
        ("missing.py", "no such file or directory"),
        ("gone.txt", "dangling link: nowhere does not exist"),
    ]


def test_an_unreadable_folder_is_named_and_the_rest_goes_on(monkeypatch):
    make("a/x.py", "b/x.py")
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = files.discover(["."], Configs())
    assert [file.shown for file in listing.files] == ["b/x.py"]
    assert listing.problems == [("a", "cannot be read: Permission denied")]


def test_project_files_are_those_of_the_root():
    make("x.py", ".venv/x.py", "a/x.py", "gen/x.py")
    config = Configs([inline("extend-exclude = ['gen']")]).of(str(Path.cwd()))
    assert [str(path.relative_to(Path.cwd())) for path in files.project_files(Path.cwd(), config)] == ["x.py", "a/x.py"]


def test_the_project_root(tmp_path):
    make("repo/service/app/x.py")
    start = tmp_path / "repo/service/app"
    plain = Configs().of(str(start))
    assert files.project_root(start, plain) == Path.cwd()
    make("repo/.git/HEAD")
    assert files.project_root(start, plain) == tmp_path / "repo"
    make("repo/service/pyproject.toml")
    assert files.project_root(start, plain) == tmp_path / "repo/service"
    make("repo/otlint.toml")
    assert files.project_root(start, Configs().of(str(start))) == tmp_path / "repo"
    make("repo/otlint.toml", text="project.root = 'service/app'")
    assert files.project_root(start, Configs().of(str(start))) == start
    assert files.project_root(start, plain, Path("repo")) == tmp_path / "repo"


def test_the_common_folder(tmp_path):
    make("a/b/x.py", "a/c/y.py")
    assert files.common_folder(["a/b/x.py"]) == tmp_path / "a/b"
    assert files.common_folder(["a/b", "a/c/y.py"]) == tmp_path / "a"
    assert files.common_folder([]) == tmp_path


def test_ten_thousand_files_are_cheap_and_need_no_patterns(monkeypatch):
    for folder in range(100):
        Path(f"d{folder}").mkdir()
        for name in range(100):
            os.close(os.open(f"d{folder}/f{name}.py", os.O_CREAT))
    asked: list[object] = []

    def heard(ask: Callable[..., object]) -> Callable[..., object]:
        def asking(path: object, *given: object, **more: object) -> object:
            asked.append(path)
            return ask(path, *given, **more)

        return asking

    for name in ("stat", "lstat"):
        monkeypatch.setattr(os, name, heard(getattr(os, name)))
    assert len(listed()) == 10_000
    assert not [path for path in asked if str(path).endswith(".py")]
    code = "import sys; from otlint import files; from otlint.settings.config import Configs; "
    code += "files.discover(['.'], Configs()); print({'pathspec', 'tomli', 'libcst'}.intersection(sys.modules))"
    env = {**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[1])}
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env)
    assert run.stdout == "set()\n"
