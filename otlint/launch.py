"""How a program is started: commands and environment in container files, manifests, process files and scripts."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from otlint import known

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Statement:
    """One thing a file says about a service.

    `kind`: "launch" instrumented from outside by `word` · "hint" perhaps so · "bootstrap" installs every instrumentor ·
    "server" run by the server `word` · "env" the variable `word` is `value` · "start" the service is started here.
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


_BOOTSTRAP = re.compile(r"\b(?:opentelemetry|splunk-py-trace|splunk)-bootstrap\b|\bedot-bootstrap\b")
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
_ENV = re.compile(r"(?<![\w-])(OTEL_\w+)['\"]?\s*[=:]\s*(\"[^\"\n]*\"|'[^'\n]*'|[^\s\"';}\]]*)")
# Variables that only an instrumented launch reads; they are also set, and copied, without one.
_AUTO_ENV = frozenset({"OTEL_PYTHON_DISTRO", "OTEL_PYTHON_CONFIGURATOR", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"})
_OUTSIDE = re.compile(
    r"instrumentation\.opentelemetry\.io/inject-python['\"]?\s*[:=]\s*(?!\s*['\"]?false)"
    r"|layer:(?:aws-otel-python|AWSOpenTelemetryDistroPython|opentelemetry-python)"
    r"|opentelemetry[/.]instrumentation[/.]auto_instrumentation|otel-auto-instrumentation-python"
)
_PYTHON_TARGET = re.compile(
    r"(?<![\w./-])((?:[\w.-]+/)*[\w-]+\.py)\b|(?:-m\s+)([a-zA-Z_][\w.]*)|(?<![\w./-])([a-zA-Z_][\w.]*):\w+"
)


@cache
def _launchers() -> re.Pattern[str]:
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
_TELLING_FILE = tuple(word.encode() for word in (*_TELLING, "OTEL_", "otel", "lambda", "untime: ", "python"))


def interesting(data: bytes) -> bool:
    """Whether a file may say anything about a launch; cheap."""
    return any(word in data for word in _TELLING_FILE)


def command(text: str, row: int, folder: str, *, shown: str = "") -> Iterator[Statement]:
    """What one command line says."""
    if not _TELLING_LINE.search(text) and not _OUTSIDE.search(text):
        return
    if found := _BOOTSTRAP.search(text):
        yield Statement("bootstrap", found[0], row, _clip(shown or text))
    flat = re.sub(r"[\",']+|(?<!\w)\[|\](?=\s|$)", " ", text)
    if _NO_START.search(flat) and not re.search(r"&&|;", flat):
        return
    shown = _clip(shown or text)
    paths = tuple(dict.fromkeys(_targets(flat, folder)))
    found = _launchers().search(flat) or _OUTSIDE.search(text)
    if found and not _TEST.search(flat[found.end() :]):
        yield Statement("launch", found[0].strip(), row, shown, paths=paths)
    for name, pattern in _SERVER:
        if pattern.search(flat):
            yield Statement("server", name, row, shown, paths=paths)
            break


def _targets(text: str, folder: str) -> Iterator[str]:
    for file, module, app in _PYTHON_TARGET.findall(text):
        dotted = (module or app).replace(".", "/")
        for path in (file,) if file else (f"{dotted}.py", f"{dotted}/__init__.py", f"{dotted}/__main__.py"):
            yield _join(folder, path)
            yield path


def environment(text: str, row: int) -> Iterator[Statement]:
    """The OTEL_ variables that a line sets."""
    for name, value in _ENV.findall(text):
        value = value.rstrip(",").strip("'\"")
        yield Statement("env", name, row, _clip(text), value)
        if name in _AUTO_ENV and value:
            yield Statement("hint", name, row, _clip(text))


def _join(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined


def _clip(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 160 else text[:159] + "…"


def _logical(text: str) -> Iterator[tuple[int, str]]:
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


# ---------------------------------------------------------------- files


def container_file(path: str, text: str) -> Iterator[Statement]:
    """A Dockerfile. The folders that it copies say whose it is."""
    folder = posixpath.dirname(path)
    copied: list[str] = []
    found: list[Statement] = []
    for row, line in _logical(text):
        match = re.match(r"\s*([A-Za-z]+)\s+(.*)", line)
        word, rest = (match[1].upper(), match[2]) if match else ("", line)
        if word in {"COPY", "ADD"} and "--from" not in rest:
            copied += [source.strip("\",'[]") for source in rest.split()[:-1] if not source.startswith("--")]
        elif word in {"CMD", "ENTRYPOINT"}:
            found.append(Statement("start", "container", row, _clip(line)))
            found += command(rest, row, folder, shown=line)
        elif word == "FROM" and "/lambda/python" in rest:
            found.append(Statement("server", "lambda", row, _clip(line)))
        elif word in {"ENV", "ARG"}:
            found += environment(re.sub(r"^(OTEL_\w+)\s+", r"\1=", rest), row)
        if word not in {"CMD", "ENTRYPOINT"} and (_launchers().search(rest) or _BOOTSTRAP.search(rest)):
            found += command(rest, row, folder, shown=line)
    names = (re.sub(r"(?i)^dockerfile[.-]?|[.-]?(?:dockerfile|containerfile)$", "", posixpath.basename(path)),)
    parts = tuple(dict.fromkeys(where for source in copied for where in (_join(folder, source), _join("", source))))
    for statement in found:
        yield replace(statement, parts=parts, names=names)


def lines(path: str, text: str) -> Iterator[Statement]:
    """A script, a process file, or anything that is not understood better: line by line, `cd` followed."""
    folder = here = posixpath.dirname(path)
    for row, line in _logical(text):
        stripped = re.sub(r"^[\s@-]*(?:[\w.-]+\s*[:=]\s+)?(?:\$ +)?", "", line)
        if change := re.match(r"\(?\s*cd\s+([\w./-]+)", stripped):
            here = _join(folder, change[1])
        yield from command(stripped, row, here, shown=line)
        yield from environment(line, row)


def process_file(path: str, text: str) -> Iterator[Statement]:
    """A Procfile."""
    yield Statement("start", "Procfile", 1, text.splitlines()[0] if text.strip() else "")
    yield from lines(path, text)


def settings(path: str, text: str) -> Iterator[Statement]:
    """A gunicorn configuration module or a sitecustomize module."""
    for row, line in enumerate(text.splitlines(), 1):
        if "sitecustomize" in path and _OUTSIDE.search(line):
            yield Statement("launch", "sitecustomize", row, _clip(line))
        elif match := re.match(r"\s*worker_class\s*=\s*['\"]([^'\"]+)", line):
            word = "gunicorn-uvicorn-worker" if "uvicorn" in match[1].lower() else "gunicorn"
            yield Statement("server", word, row, _clip(line))


def tasks(path: str, text: str) -> Iterator[Statement]:
    """A pyproject.toml: the scripts of task runners; dependencies are not commands."""
    section = ""
    for row, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[+([^\]]+)\]+", line):
            section = head[1]
        if section.startswith("tool.") and re.search(r"script|task|cmd|command|run", section):
            value = re.sub(r"^\s*[\w.\"-]+\s*=\s*(?:\{[^}]*?cmd\s*=\s*)?", "", line)
            yield from command(value, row, posixpath.dirname(path), shown=line)
            yield from environment(line, row)


# ---------------------------------------------------------------- YAML


def _documents(text: str) -> list[Any] | None:
    """The YAML nodes of a file, or None for a template and anything else that is no YAML."""
    import yaml  # type: ignore[import-untyped]

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if _nested_deeply(text):
        return None
    try:
        return [node for node in yaml.compose_all(text, Loader=loader) if node is not None]
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _nested_deeply(text: str) -> bool:
    depth = 0
    for match in re.finditer(r"[\[\]{}]", text):
        depth += 1 if match[0] in "[{" else -1
        if depth > 100:
            return True
    return re.search(r"(?:[-?][ \t]+){50}", text) is not None


def _items(node: Any) -> Iterator[tuple[str, Any]]:
    """The entries of a mapping node, merge keys included; nothing for any other node."""
    for key, value in node.value if getattr(node, "id", "") == "mapping" else ():
        if key.value == "<<":
            for merged in value.value if value.id == "sequence" else [value]:
                yield from _items(merged) if merged is not node else ()
        elif isinstance(key.value, str):
            yield key.value, value


def _get(node: Any, *names: str) -> Any:
    for name in names:
        node = dict(_items(node)).get(name) if node is not None else None
    return node


def _sequence(node: Any) -> list[Any]:
    return node.value if getattr(node, "id", "") == "sequence" else []


def _text(node: Any) -> str:
    if getattr(node, "id", "") == "scalar":
        return str(node.value)
    return " ".join(_text(item) for item in _sequence(node))


def _row(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _variables(node: Any) -> Iterator[tuple[str, str, Any]]:
    """Environment as a mapping, as a list of NAME=value, or as a list of name and value."""
    for name, value in _items(node):
        yield name, _text(value), value
    for item in _sequence(node):
        if item.id == "scalar":
            name, _, text = item.value.partition("=")
            yield name, text, item
        elif name := _text(_get(item, "name")):
            yield name, _text(_get(item, "value")), item


def _started(node: Any, folder: str) -> Iterator[Statement]:
    """The command and the environment of a Compose service or a Kubernetes container."""
    parts = [part for name in ("entrypoint", "command", "args") if (part := _get(node, name)) is not None]
    if parts:
        line = " ".join(filter(None, map(_text, parts)))
        yield Statement("start", "container", _row(parts[0]), _clip(line))
        yield from command(line, _row(parts[0]), folder)
    for name, value, where in _variables(_get(node, "environment") or _get(node, "env")):
        yield from environment(
            f"{name}={value}" if re.search(r"\s", value) is None else f'{name}="{value}"', _row(where)
        )
        if found := _launchers().search(f"{name}={value}") or _OUTSIDE.search(value):
            yield Statement("launch", found[0], _row(where), _clip(f"{name}={value}"))


def compose(path: str, text: str) -> Iterator[Statement]:
    """A Compose file: a service is about the folder it is built from, else one it mounts, else what it runs."""
    documents = _documents(text)
    services = [item for node in documents or () for item in _items(_get(node, "services"))]
    if not services:
        yield from lines(path, text)
        return
    folder = posixpath.dirname(path)
    for name, service in services:
        built, mounted = tuple(_built(service, folder)), tuple(_mounted(service, folder))
        image = _image(service)
        names = (name, _text(_get(service, "container_name")), image)
        for statement in _started(service, folder):
            parts = built or (() if image else mounted)
            yield replace(statement, paths=mounted + statement.paths, parts=parts, names=names)


def _built(service: Any, folder: str) -> Iterator[str]:
    build = _get(service, "build")
    if build is not None:
        scalar = getattr(build, "id", "") == "scalar"
        context = _text(build) if scalar else _text(_get(build, "context")) or "."
        context = re.sub(r"\$\{[^}]*\}", "", context)
        if file := _text(_get(build, "dockerfile")):
            yield _join(folder, posixpath.join(context, posixpath.dirname(file)))
        yield _join(folder, context)


def _mounted(service: Any, folder: str) -> Iterator[str]:
    for volume in _sequence(_get(service, "volumes")):
        source = _text(_get(volume, "source")) if volume.id == "mapping" else _text(volume).partition(":")[0]
        if source.startswith("."):
            yield _join(folder, source)


def builds(path: str, text: str) -> dict[str, str]:
    """The Dockerfiles that a Compose file builds from another folder → that folder."""
    folder = posixpath.dirname(path)
    found = {}
    for node in _documents(text) or ():
        for _, service in _items(_get(node, "services")):
            file, context = _text(_get(service, "build", "dockerfile")), _text(_get(service, "build", "context")) or "."
            if file:
                found[_join(folder, posixpath.join(context, file))] = _join(folder, context)
    return found


def _image(node: Any) -> str:
    return posixpath.basename(_text(_get(node, "image"))).partition(":")[0]


def manifest(path: str, text: str) -> Iterator[Statement]:
    """A Kubernetes manifest, a chart, a SAM template or another YAML file; what does not parse is read by line."""
    pods = [pod for node in _documents(text) or () for pod in _pods(node)] if "containers" in text else []
    if not pods and _is_script(path):
        yield from (found for found in lines(path, text) if found.kind == "launch")
    elif not pods and (any(word in text for word in _OUTSIDE_WORDS) or _is_function(text)):
        names = _folder_names(path)
        yield from (replace(found, names=names, wide=True) for found in lines(path, text))
        yield from _functions(path, text)
    for names, pod, notes in pods:
        for note, where in notes:
            if _OUTSIDE.search(note):
                yield Statement("launch", note.partition(":")[0], _row(where), _clip(note), names=names, wide=True)
        for container in _sequence(_get(pod, "containers")):
            own = (*names, _text(_get(container, "name")), _image(container))
            for statement in _started(container, posixpath.dirname(path)):
                yield replace(statement, names=own, wide=True)


def _is_function(text: str) -> bool:
    return ("AWS::" in text or "provider:" in text) and "untime: " in text


def _is_script(path: str) -> bool:
    return path.startswith((".github/", ".circleci/")) or "ci" in re.split(r"[-_./]", posixpath.basename(path).lower())


def _folder_names(path: str) -> tuple[str, ...]:
    folders = [
        part for part in path.split("/")[:-1] if part not in {"templates", "k8s", "kubernetes", "deploy", "helm"}
    ]
    return (re.sub(r"[-.](?:deployment|service|values)|\.ya?ml", "", posixpath.basename(path)), *folders[-1:])


_OUTSIDE_WORDS = (
    "-instrument",
    "inject-python",
    "layer:",
    "auto_instrumentation",
    "auto-instrumentation",
    "logfire run",
)
_Pod = tuple[tuple[str, ...], Any, list[tuple[str, Any]]]


def _pods(node: Any) -> Iterator[_Pod]:
    """The pod specifications below an object, with the names that it goes by and its annotations."""
    if (items := _get(node, "items")) is not None:
        for item in _sequence(items):
            yield from _pods(item)
        return
    labels = [_text(value) for key, value in _items(_get(node, "metadata", "labels")) if key.endswith(("app", "/name"))]
    names = tuple(filter(None, (_text(_get(node, "metadata", "name")), *labels)))
    for spec in (
        node,
        _get(node, "spec", "template"),
        _get(node, "spec", "jobTemplate", "spec", "template"),
    ):
        pod = _get(spec, "spec") if spec is not None else None
        if _get(pod, "containers") is not None:
            notes = [*_items(_get(spec, "metadata", "annotations")), *_items(_get(node, "metadata", "annotations"))]
            yield names, pod, [(f"{key}: {_text(value)}", value) for key, value in notes]
            return


def _functions(path: str, text: str) -> Iterator[Statement]:
    python = re.compile(r"runtime:\s*['\"]?python", re.IGNORECASE)
    row = next((row for row, line in enumerate(text.splitlines(), 1) if python.search(line)), None)
    if row is not None:
        code = re.findall(r"CodeUri:\s*['\"]?([\w./-]+)", text)
        paths = tuple(_join(posixpath.dirname(path), where) for where in code)
        yield Statement("server", "lambda", row, "Python function", paths=paths)


def settings_json(path: str, text: str) -> Iterator[Statement]:
    """A JSON file with the environment and the commands of a service: function, task or editor settings."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return
    yield from lines(path, text)


def documented(text: str) -> Iterator[Statement]:
    """The instrumented launches that a README tells its reader to use."""
    for row, line in enumerate(text.splitlines(), 1):
        for found in _launchers().finditer(line):
            before, after = line[: found.start()], line[found.end() :]
            if _PROMPT.fullmatch(before) and re.match(r"\s+[\w\\/.-]", after):
                yield Statement("hint", found[0], row, _clip(line))


_PROMPT = re.compile(r"(?:.*`|[\s>*-]*\$)?\s*(?:(?:export\s+)?\w+=\S+\s+)*(?:\S+ (?:run|exec) (?:-\S+ )*|exec )?")


def reader(name: str) -> Any:
    """The function that reads a file of this name, or None."""
    lower = name.lower()
    stem, _, suffix = lower.rpartition(".")
    if lower.startswith(("dockerfile", "containerfile")) or suffix in {"dockerfile", "containerfile"}:
        return container_file
    if re.fullmatch(r"(?:docker-)?compose[\w.-]*\.ya?ml", lower):
        return compose
    if lower.startswith("procfile"):
        return process_file
    if re.fullmatch(r"(?:gunicorn[\w.-]*|sitecustomize|usercustomize)\.py", lower):
        return settings
    if lower == "pyproject.toml":
        return tasks
    if suffix in {"yml", "yaml"} or lower.endswith((".yaml.tpl", ".yml.j2", ".yaml.j2")):
        return manifest
    if suffix == "json" or lower.endswith(".json.in"):
        return settings_json if _SETTINGS.search(stem) else None
    return lines if _SCRIPT.fullmatch(lower) else None


_SETTINGS = re.compile(r"config|task|setting|railway|launch|devcontainer|host|lambda|function|container|values")
_SCRIPT = re.compile(
    r".*\.(?:sh|bash|zsh|mk|service|env|tf|hcl|nomad|toml|ini|conf|cfg|just|ps1|bat|cmd)|\.env[\w.-]*"
    r"|(?:gnu)?makefile|justfile|tiltfile|jenkinsfile|vagrantfile|taskfile"
    r"|(?:docker[-_])?entrypoint|(?:start|run|serve|bootstrap)(?:[-_]\w+)?"
)
