"""The cache: the same answers as without it, whatever happened to its files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import otlint
from otlint import __main__, gather
from otlint.cache import replay, store
from otlint.cache.codec import decode, encode
from otlint.cli import main
from otlint.finding import Finding
from otlint.model.facts.data import Facts
from otlint.model.facts.watch import Reads
from tests.grove import plant

ROOT = Path(otlint.__file__).parents[1]
FILES = {
    "pyproject.toml": "[project]\nname = 'shop'\n",
    "shop/__init__.py": "",
    "shop/obs.py": "from opentelemetry import trace\n\ntracer = trace.get_tracer('shop')\n\n\n"
    "def begin(name):\n    return tracer.start_span(name)\n",
    "shop/orders.py": "from shop.obs import begin\n\n\ndef place(order):\n    span = begin('place order')\n"
    "    charge(order)\n    span.end()\n\n\ndef charge(order):\n    return order['total']\n",
    "shop/mail.py": "from opentelemetry import trace\nfrom threading import Thread\n\n"
    "tracer = trace.get_tracer('mail')\n\n\ndef send(order):\n    with tracer.start_as_current_span(f'send {order}'):\n"
    "        Thread(target=deliver).start()\n\n\n"
    "def deliver():\n    with tracer.start_as_current_span('deliver'):\n        pass\n",
    "shop/broken.py": "import opentelemetry\ndef (\n",
    "shop/plain.py": "def total(items):\n    return sum(items)\n",
}  # fmt: skip
CHANGES: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "a line more": lambda: change("shop/orders.py", "from shop", "\n\nfrom shop"),
    "the helper gives no span": lambda: change("shop/obs.py", "return tracer", "tracer"),
    "the helper ends the span": lambda: change("shop/obs.py", "(name)\n", "(name).end()\n"),
    "another helper": lambda: change("shop/obs.py", "def begin", "def start"),
    "a plain file learns of telemetry": lambda: Path("shop/plain.py").write_text(FILES["shop/mail.py"]),
    "a file is repaired": lambda: Path("shop/broken.py").write_text("import opentelemetry\n"),
    "a file is broken": lambda: Path("shop/mail.py").write_text("import opentelemetry\ndef (\n"),
    "a file goes": lambda: Path("shop/obs.py").unlink(),
    "a file is added": lambda: Path("shop/more.py").write_text(FILES["shop/mail.py"]),
    "a file of the same name": lambda: (Path("obs.py").write_text("x = 1\n"), Path("shop/shop.py").touch()),
    "pins": lambda: Path("requirements.txt").write_text("opentelemetry-sdk==1.10\n"),
    "a launch": lambda: Path("Dockerfile").write_text("FROM python\nCMD opentelemetry-instrument python -m shop\n"),
    "settings": lambda: change("pyproject.toml", "[project]", "[tool.otlint]\nignore = ['OTL2']\n[project]"),
    "a comment": lambda: change("shop/mail.py", "start()\n", "start()  # otlint: ignore[OTL101]\n"),
}  # fmt: skip


def change(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    plant(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    for name in ("OTLINT_NO_CACHE", "OTLINT_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(capsysbinary):
    def call(*arguments: str) -> bytes:
        code = main(["check", "--output-format", "json", *arguments])
        found = capsysbinary.readouterr()
        assert code in (0, 1), found.err
        assert found.err == b""
        return found.out

    return call


@pytest.fixture
def start(capsysbinary, monkeypatch):
    """Runs a command as a process does: it may be answered without being run."""

    def call(*arguments: str) -> tuple[int, bytes, bytes]:
        monkeypatch.setattr(sys, "argv", ["otlint", *arguments])
        code = __main__.main()
        found = capsysbinary.readouterr()
        return code, found.out, found.err

    return call


@pytest.fixture
def repeated(monkeypatch):
    """The exit codes of runs that were answered by what an earlier one printed."""
    found: list[int] = []
    repeat = replay._repeated

    def note(text: str) -> int | None:
        code = repeat(text)
        if code is not None:
            found.append(code)
        return code

    monkeypatch.setattr(replay, "_repeated", note)
    return found


@pytest.fixture
def parsed(monkeypatch):
    """The files that were parsed."""
    found: list[str] = []
    parse = gather._Gathering._parse

    def note(self, path):
        found.append(path)
        parse(self, path)

    monkeypatch.setattr(gather._Gathering, "_parse", note)
    return found


def cache() -> Path:
    [found] = Path(".otlint_cache").glob("project-*.json")
    return found


@pytest.mark.parametrize("changed", CHANGES)
def test_answers_do_not_depend_on_the_cache(run, changed) -> None:
    before = run()
    assert b"OTL101" in before
    assert b"shop/orders.py" in before
    assert run() == before
    CHANGES[changed]()
    expected = run("--no-cache")
    assert run() == expected
    assert run() == expected
    assert run("shop/orders.py") == run("shop/orders.py", "--no-cache")


@pytest.mark.parametrize("arguments", [(), ("shop/orders.py", "shop/mail.py"), ("--output-format", "concise")])
@pytest.mark.parametrize("changed", CHANGES)
def test_a_run_is_repeated_only_while_nothing_changed(start, repeated, changed, arguments) -> None:
    before = start(*arguments)
    assert start(*arguments) == before
    assert repeated == [before[0]]
    CHANGES[changed]()
    expected = start(*arguments, "--no-cache")
    assert start(*arguments) == expected
    assert start(*arguments) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("--no-cache",), ("-v",), ("--diff",), ("missing.py",), ("--no-project-facts",), ("-o", "report.txt"),
        ("--config", "fail-on = 'error'"), ("--show-files",), ("--exclude", "x"),
    ],
)  # fmt: skip
def test_runs_that_do_or_read_more_are_made_again(start, repeated, arguments) -> None:
    assert start(*arguments)[0] == start(*arguments)[0]
    assert repeated == []


def test_a_run_is_another_one_elsewhere(start, repeated, monkeypatch) -> None:
    first = start()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert start() != first
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.chdir("shop")
    assert start() != first
    assert repeated == []
    assert start("..") != first


def test_what_is_above_a_folder_counts(start, repeated) -> None:
    os.chdir("shop")
    first = start(".")
    assert start(".") == first
    assert len(repeated) == 1
    change("../pyproject.toml", "[project]", "[tool.otlint]\nselect = ['OTL501']\n[project]")
    assert start(".") == start(".", "--no-cache") != first
    Path("../.git").mkdir()
    Path("../.gitignore").write_text("mail.py\n")
    Path("../.otlint.toml").write_text("")
    assert start(".") == start(".", "--no-cache")
    assert len(repeated) == 1


def test_links_count_by_where_they_lead(start) -> None:
    Path("shop/linked.py").symlink_to("mail.py")
    start()
    Path("shop/linked.py").unlink()
    Path("elsewhere.txt").write_text(FILES["shop/mail.py"])
    Path("shop/linked.py").symlink_to("../elsewhere.txt")
    assert start() == start("--no-cache")


def test_a_cache_of_somebody_else_is_not_printed(start, repeated, monkeypatch) -> None:
    start()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    start()
    assert repeated == []


def test_what_did_not_change_is_not_parsed(run, parsed) -> None:
    run()
    assert len(parsed) == 4
    parsed.clear()
    run()
    assert parsed == []
    change("shop/mail.py", "deliver", "carry")
    run()
    assert parsed == ["shop/mail.py"]
    parsed.clear()
    change("shop/obs.py", "def begin", "def more():\n    pass\n\n\ndef begin")
    run()
    assert parsed == ["shop/obs.py"]  # nobody asks for the new function
    parsed.clear()
    change("shop/obs.py", "begin(name)", "begin(name, kind=None)")
    run()
    assert parsed == ["shop/obs.py", "shop/orders.py"]


def test_files_asked_for_alone_are_remembered_as_well(run, parsed) -> None:
    run("shop/orders.py")
    parsed.clear()
    run("shop/orders.py")
    assert parsed == []


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "bits", "version", "folder"])
def test_damaged_files_say_nothing(run, damage, monkeypatch) -> None:
    expected = run()
    file = cache()
    data = file.read_bytes()
    if damage == "folder":
        file.unlink()
        file.mkdir()
    elif damage == "version":
        head, _, body = data.partition(b"\n")
        file.write_bytes(head.replace(b"otlint ", b"otlint 0") + b"\n" + body.replace(b"OTL1", b"OTL9"))
    else:
        damaged = {"cut": data[: len(data) // 2], "empty": b"", "foreign": b"\x80\x04cos\nsystem\n"}
        file.write_bytes(damaged.get(damage, data.replace(b"OTL1", b"OTL9")))
    assert run() == expected
    assert run() == expected


def test_another_otlint_does_not_believe_it(run, monkeypatch, parsed) -> None:
    expected = run()
    parsed.clear()
    monkeypatch.setattr(store, "stamp", lambda: "another")
    assert run() == expected
    assert len(parsed) == 4


def test_it_ignores_itself_and_is_removed(capsys) -> None:
    main(["check"])
    capsys.readouterr()
    assert Path(".otlint_cache/.gitignore").read_text() == "*\n"
    assert Path(".otlint_cache/CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert main(["clean"]) == 0
    assert capsys.readouterr().out.startswith("Removed .otlint_cache (")
    assert not Path(".otlint_cache").exists()
    assert main(["clean"]) == 0
    assert capsys.readouterr().out == "No cache in .otlint_cache\n"


def test_it_is_written_where_one_says(run, tmp_path, monkeypatch) -> None:
    run("--no-cache")
    assert not Path(".otlint_cache").exists()
    run("--cache-dir", "a")
    assert list(Path("a").glob("project-*.json"))
    monkeypatch.setenv("OTLINT_CACHE_DIR", str(tmp_path / "b"))
    run()
    assert list(Path("b").glob("project-*.json"))
    monkeypatch.setenv("OTLINT_NO_CACHE", "1")
    shutil.rmtree("b")
    run()
    assert not Path("b").exists()
    assert not Path(".otlint_cache").exists()


@pytest.mark.parametrize("failing", ["makedirs", "replace"])
def test_a_disk_that_takes_nothing_changes_nothing(run, monkeypatch, failing) -> None:
    expected = run("--no-cache")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, failing, fail)
    assert run() == expected
    assert not list(Path().glob(".otlint_cache/*.new"))


def test_a_file_where_its_folder_should_be_changes_nothing(run) -> None:
    expected = run("--no-cache")
    Path(".otlint_cache").touch()
    assert run() == expected


def test_clocks_do_not_matter(run) -> None:
    run()
    file = Path("shop/mail.py")
    known = file.stat()
    text = file.read_text()
    file.write_text(text.replace("deliver", "deliveR").replace("f'send {order}'", "'send  order'  "))
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
    expected = run("--no-cache")
    assert run() == expected


def test_runs_at_the_same_time_do_not_harm_each_other(run) -> None:
    expected = run("--no-cache")
    command = [sys.executable, "-m", "otlint", "check", "--output-format", "json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def one(_: int) -> bytes:
        return subprocess.run(command, env=environment, capture_output=True, check=False).stdout

    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(one, range(3))) == {expected}
    assert run() == expected


def test_repairs_do_not_depend_on_the_cache(capsysbinary) -> None:
    main(["check", "--diff", "--unsafe-fixes", "--no-cache"])
    expected = capsysbinary.readouterr()
    assert b"+" in expected.out
    for _ in range(2):
        main(["check", "--diff", "--unsafe-fixes"])
        assert capsysbinary.readouterr() == expected
        main(["check"])
        capsysbinary.readouterr()


def test_values_come_back_as_they_were() -> None:
    facts = Facts("a.py", "a", calls=frozenset({"b", "a"}), handled=(("http", frozenset({"x"})),), requires=None)
    assert decode(Facts, json.loads(json.dumps(encode(facts)))) == facts
    with pytest.raises((ValueError, TypeError)):
        decode(Facts, ["a.py"])
    with pytest.raises(TypeError):
        encode(object())
    reads = Reads((("a.py", "send"),), (("called by", "f"),))
    assert decode(Reads, json.loads(json.dumps(encode(reads)))) == reads
    assert Finding.__dataclass_fields__


PER_REQUEST = {
    "shop/meters.py": "from opentelemetry.sdk.metrics import MeterProvider\n"
    "from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader\n\n\n"
    "def meter(name):\n    reader = PeriodicExportingMetricReader(ConsoleMetricExporter())\n"
    "    return MeterProvider(metric_readers=[reader]).get_meter(name)\n",
    "shop/app.py": "from flask import Flask\nfrom opentelemetry import trace\nfrom shop.meters import meter\n\n"
    "app = Flask('shop')\n\n\n@app.get('/orders')\ndef orders():\n    meter('shop').create_counter('orders').add(1)\n"
    "    trace.get_current_span().set_attribute('a', 1)\n    return {}\n",
}
HOOK = {
    "shop/hook.py": "from opentelemetry import context, propagate\n\n\ndef before(headers):\n"
    "    headers['token'] = context.attach(propagate.extract(headers))\n\n\n"
    "def after(headers):\n    context.detach(headers['token'])\n",
    "shop/api.py": "import grpc\nfrom flask import Flask\nfrom opentelemetry import trace\n\n"
    "tracer = trace.get_tracer('api')\napp = Flask('shop')\n\n\n@app.get('/orders')\ndef orders():\n"
    "    with tracer.start_as_current_span('orders', kind=trace.SpanKind.SERVER):\n        return {}\n",
}
KEYS = {
    "shop/keys.py": "METHOD = 'http.method'\n",
    "shop/keyed.py": "from opentelemetry import trace\nfrom shop.keys import METHOD\n\n"
    "trace.get_current_span().set_attribute(METHOD, 'GET')\n",
}
DOWN = {
    "shop/start.py": "import os\nfrom opentelemetry import propagate\n\n\ndef start(run):\n"
    "    carrier = {}\n    propagate.inject(carrier)\n    run({**variables(), **carrier})\n\n\n"
    "def variables():\n    return os.environ.copy()\n",
    "shop/child.py": "import os\nfrom opentelemetry import propagate, trace\n\n"
    "with trace.get_tracer('child').start_as_current_span('work', propagate.extract(os.environ)):\n    print(1)\n",
}
OTHERS: dict[str, tuple[dict[str, str], Callable[[], object], bytes]] = {
    "what calls it handles no request": (
        PER_REQUEST,
        lambda: change("shop/app.py", "@app.get('/orders')\n", ""),
        b"OTL520",
    ),
    "one function does what two did": (
        HOOK,
        lambda: change(
            "shop/hook.py",
            "context.attach(propagate.extract(headers))\n",
            "propagate.extract(headers)\n\n\ndef use(found):\n    return context.attach(found)\n",
        ),
        b"OTL109",
    ),
    "no function hands the environment down": (
        DOWN,
        lambda: change("shop/start.py", "os.environ.copy()", "{}"),
        b"OTL114",
    ),
    "a constant of a file that is not judged": (
        KEYS,
        lambda: change("shop/keys.py", "'http.method'", "'http.request.method'"),
        b"OTL603",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_other_files_do_counts(run, case) -> None:
    files, do, code = OTHERS[case]
    plant(Path(), files)
    before = run()
    do()
    expected = run("--no-cache")
    assert (code in before) != (code in expected)
    assert run() == expected
