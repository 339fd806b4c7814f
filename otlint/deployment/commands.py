"""What command lines and variables say of how a program is started."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from otlint import known

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Statement:
    """One thing a file says about a service.

    `kind`: "launch" instrumented from outside by `word` · "hint" perhaps so · "bootstrap" installs every instrumentor ·
    "server" run by the server `word` · "script" a container runs a program of Python, which may start a server itself ·
    "env" the variable `word` is `value` · "start" the service is started here.
    `value` of a server or script: "workers" if it forks them, "alone" if it is told to work without, "child" if it is
    certainly not the first process of its container, "hosted" if a platform starts it, nobody knows how.
    Which service: the `paths` it runs, the `parts` that its image is made of (both relative to the root, existing or
    not), the `names` it goes by; without them, that of the file. `wide`: about any service below.
    """

    kind: str
    word: str
    row: int
    text: str
    value: str = ""
    paths: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    wide: bool = False


BOOTSTRAP = re.compile(r"\b(?:opentelemetry|splunk-py-trace|splunk)-bootstrap\b|\bedot-bootstrap\b")
_APP = r"\s+(?:[-$]|[\w./${}-]+:\w)"
_SERVERS: tuple[tuple[str, str], ...] = (
    (
        "gunicorn-uvicorn-worker",
        r"gunicorn\s[^;&|]*\b(?:uvicorn\.workers|uvicorn_worker|asgi\.Worker|\w*UvicornWorker)",
    ),
    ("gunicorn", r"gunicorn(?:\s*$|\s+(?:[-$]|[\w./]*[:.]\w))"),
    ("uvicorn", r"uvicorn" + _APP + r"|fastapi\s+(?:run|dev)\b|litestar\s+run\b"),
    ("hypercorn", r"hypercorn" + _APP),
    ("daphne", r"daphne" + _APP),
    ("granian", r"granian" + _APP),
    ("waitress", r"waitress-serve(?=\s|$)"),
    ("uwsgi", r"uwsgi(?=\s|$)"),
    ("mod_wsgi", r"mod_wsgi-express(?=\s|$)"),
    ("werkzeug", r"flask\s(?:[^;&|]*\s)?run\b|(?:\S*/)?manage\.py\s+(?:runserver|runserver_plus)\b"),
    ("sanic", r"sanic\s+\S"),
    ("celery", r"celery\s(?:[^;&|]*\s)?worker\b"),
    ("rq", r"rq\s+worker\b"),
    ("dramatiq", r"dramatiq\s+\S"),
    ("arq", r"arq\s+[\w.]+"),
    ("huey", r"huey_consumer(?:\.py)?\s"),
    ("taskiq", r"taskiq\s+worker\b"),
    ("faststream", r"faststream\s+run\b"),
    ("faust", r"faust\s(?:[^;&|]*\s)?worker\b"),
    ("nameko", r"nameko\s+run\b"),
    ("streamlit", r"streamlit\s+run\b"),
    ("functions-framework", r"functions[-_]framework(?=\s|$)"),
    ("lambda", r"awslambdaric(?=\s|$)"),
    ("azure-functions", r"func\s+(?:host\s+)?start\b"),
)
_WORD = r"(?:^|(?<=[\s/;&|(=`$!]))"
_SERVER = tuple((name, re.compile(_WORD + "(?:" + pattern + ")")) for name, pattern in _SERVERS)
_NO_START = re.compile(
    r"\b(?:pip[\d.]*|uv|poetry|pdm|pipenv|conda|apt-get|apt|apk|yum|brew) +(?:-\S+ +)*(?:install|add|sync)\b|\becho\b"
)
_TEST = re.compile(
    r"^\s*(?:-\S+\s+(?:[^-\s]\S*\s+)?)*(?:python\S*\s+-m\s+)?(?:\S*/)?(?:pytest|tox|nox|unittest|mypy)\b"
)
_SCRIPT = re.compile(_WORD + r"python[\d.]*\s+(?:-[a-zA-Z]+\s+)*(?:-m\s+)?[\w./]*\w")
# What keeps a server from being the first process of its container.
_PARENT = re.compile(r"(?:^|[\s/])(?:uv\s+run|conda\s+run|tini|dumb-init|catatonit)\b")
_WORKERS = re.compile(r"--workers[\s=]+(?:\$\{\w+:?-)?(\d+)")
OTHER_POOL = re.compile(r"(?:-P|--pool)[\s=]+(?:solo|threads|gevent|eventlet)\b")
# What asks a server for workers, or for another kind of them.
SERVER_ENV = ("WEB_CONCURRENCY", "GUNICORN_CMD_ARGS")
_ENV = re.compile(
    rf"(?<![\w-])(OTEL_\w+|{'|'.join(SERVER_ENV)})['\"]?\s*[=:]\s*(\"[^\"\n]*\"|'[^'\n]*'|[^\s\"';}}\]]*)"
)
# Variables that only an instrumented launch reads; they are also set, and copied, without one.
_AUTO_ENV = frozenset({"OTEL_PYTHON_DISTRO", "OTEL_PYTHON_CONFIGURATOR", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"})
OUTSIDE = re.compile(
    r"instrumentation\.opentelemetry\.io/inject-python['\"]?\s*[:=]\s*(?!\s*['\"]?false)"
    r"|layer:(?:aws-otel-python|AWSOpenTelemetryDistroPython|opentelemetry-python)"
    r"|opentelemetry[/.]instrumentation[/.]auto_instrumentation|otel-auto-instrumentation-python"
)
_PYTHON_TARGET = re.compile(
    r"(?<![\w./-])((?:[\w.-]+/)*[\w-]+\.py)\b|(?:-m\s+)([a-zA-Z_][\w.]*)|(?<![\w./-])([a-zA-Z_][\w.]*):\w+"
)


@cache
def launchers() -> re.Pattern[str]:
    """What launches a program with its libraries instrumented."""
    words = sorted(word for distro in known.distros().values() for word in distro.launch)
    texts = [re.escape(word).replace(r"\ ", r"\s+").replace("=", r"['\"]?\s*[=:]\s*['\"]?") for word in words]
    return re.compile(r"(?<![\w.-])(?:" + "|".join(texts) + r")(?![\w-])|(?<!\w)/opt/otel-instrument(?![\w-])")


# fmt: off
_TELLING = (
    "-bootstrap", "instrument", "splunk-py-trace", "logfire", "AUTOWRAPT", "EXEC_WRAPPER", "opentelemetry", "corn",
    "flask", "fastapi", "litestar", "daphne", "granian", "waitress", "uwsgi", "mod_wsgi", "manage.py", "sanic",
    "celery", "rq ", "dramatiq", "arq", "huey", "taskiq", "faststream", "faust", "nameko", "streamlit",
    "functions-framework", "functions_framework", "awslambdaric", "func ",
)
# fmt: on
_TELLING_LINE = re.compile("|".join(_TELLING))
# The headers by which a trace is carried from process to process.
_HEADER = re.compile(
    r"(?i)(?<![\w-])(?:traceparent|x-b3-traceid|uber-trace-id|x-amzn-trace-id|x-cloud-trace-context)(?![\w-])"
)
# fmt: off
_TELLING_FILE = tuple(word.encode() for word in (
    *_TELLING, *SERVER_ENV, "OTEL_", "otel", "lambda", "untime: ", "python", "traceparent", "b3-traceid", "b3-TraceId",
    "B3-TRACEID", "B3-TraceId", "trace-id", "Trace-Id", "cloud-trace", "Cloud-Trace",
))
# fmt: on


# Without their spaces, which may be where two lines are joined. `layer:` is the only one that OUTSIDE adds.
_TELLING_TEXT = (*(word.strip() for word in _TELLING), "OTEL_", *SERVER_ENV, "layer:")


def interesting(data: bytes) -> bool:
    """Whether a file may say anything about a launch; cheap."""
    return any(word in data for word in _TELLING_FILE)


def headers(text: str) -> set[str]:
    """The headers of traces that a text names, in lower case."""
    return {found.lower() for found in _HEADER.findall(text)}


def tells(text: str) -> bool:
    """Whether `command` or `environment` may find something in a line of the text; cheap."""
    return any(word in text for word in _TELLING_TEXT)


def launches(text: str) -> bool:
    """Whether `launchers` may find something in a line of the text; cheap."""
    return any(word in text for word in _launching())


@cache
def _launching() -> tuple[str, ...]:
    words = {re.split(r"[\s=]", word)[0] for distro in known.distros().values() for word in distro.launch}
    return (*words, "/opt/otel-instrument")


def command(text: str, row: int, folder: str, *, shown: str = "") -> Iterator[Statement]:
    """What one command line says."""
    if not _TELLING_LINE.search(text) and not OUTSIDE.search(text):
        return
    if found := BOOTSTRAP.search(text):
        yield Statement("bootstrap", found[0], row, clip(shown or text))
    flat = re.sub(r"[\",']+|(?<!\w)\[|\](?=\s|$)", " ", text)
    if _NO_START.search(flat) and not re.search(r"&&|;", flat):
        return
    shown = clip(shown or text)
    paths = tuple(dict.fromkeys(_targets(flat, folder)))
    found = launchers().search(flat) or OUTSIDE.search(text)
    if found and not _TEST.search(flat[found.end() :]):
        yield Statement("launch", found[0].strip(), row, shown, paths=paths)
    for name, pattern in _SERVER:
        if served := pattern.search(flat):
            yield Statement("server", name, row, shown, _manner(name, flat, served.start()), paths=paths)
            break


def script(text: str, row: int, folder: str, *, shown: str = "") -> Iterator[Statement]:
    """A command line of a container that runs a program of Python, which may start a server itself."""
    flat = re.sub(r"[\"',\[\]]+", " ", text)
    if (found := _SCRIPT.search(flat)) and not any(pattern.search(flat) for _, pattern in _SERVER):
        manner = _manner("python", flat, found.start())
        paths = tuple(dict.fromkeys(_targets(flat, folder)))
        yield Statement("script", "python", row, clip(shown or text), manner, paths=paths)


def _manner(server: str, text: str, start: int) -> str:
    """How a server that is named at `start` runs, as the `value` of a statement."""
    if server == "celery" and OTHER_POOL.search(text, start):
        return "alone"
    workers = _WORKERS.search(text, start)
    if workers is not None and int(workers[1]) > 1:
        return "workers"
    return "child" if _PARENT.search(text[:start]) else ""


def _targets(text: str, folder: str) -> Iterator[str]:
    for file, module, app in _PYTHON_TARGET.findall(text):
        dotted = (module or app).replace(".", "/")
        for path in (file,) if file else (f"{dotted}.py", f"{dotted}/__init__.py", f"{dotted}/__main__.py"):
            yield join(folder, path)
            yield path


def environment(text: str, row: int) -> Iterator[Statement]:
    """The OTEL_ variables that a line sets, and those of servers."""
    for name, value in _ENV.findall(text):
        value = value.rstrip(",").strip("'\"")
        yield Statement("env", name, row, clip(text), value)
        if name == "GUNICORN_CMD_ARGS" and "uvicorn" in value.lower():
            yield Statement("server", "gunicorn-uvicorn-worker", row, clip(text))
        if name in _AUTO_ENV and value:
            yield Statement("hint", name, row, clip(text))


def join(folder: str, path: str) -> str:
    """A path in a folder, both relative to the root."""
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined


def clip(text: str) -> str:
    """A line as evidence shows it."""
    text = " ".join(text.split())
    return text if len(text) <= 160 else text[:159] + "…"


def logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines joined at a trailing backslash, with the row of the first; comment lines are left out."""
    held, start = "", 0
    for row, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        start = start or row
        if line.rstrip().endswith("\\"):
            held += line.rstrip()[:-1] + " "
            continue
        yield start, held + line
        held, start = "", 0
    if held:
        yield start, held
