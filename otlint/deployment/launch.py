"""How a program is started: what container files, manifests, process files and scripts state."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from otlint.deployment.commands import (
    BOOTSTRAP,
    OUTSIDE,
    SERVER_ENV,
    Statement,
    clip,
    command,
    environment,
    join,
    launchers,
    launches,
    logical,
    script,
    tells,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def container_file(path: str, text: str) -> Iterator[Statement]:
    """A Dockerfile. The folders that it copies say whose it is."""
    folder = posixpath.dirname(path)
    copied: list[str] = []
    found: list[Statement] = []
    entry: tuple[str, list[Statement]] | None = None
    for row, line in logical(text):
        match = re.match(r"\s*([A-Za-z]+)\s+(.*)", line)
        word, rest = (match[1].upper(), match[2]) if match else ("", line)
        if word in {"COPY", "ADD"} and "--from" not in rest:
            copied += [source.strip("\",'[]") for source in rest.split()[:-1] if not source.startswith("--")]
        elif word in {"CMD", "ENTRYPOINT"}:
            found.append(Statement("start", "container", row, clip(line)))
            said = list(_run(rest, row, folder, line))
            if word == "CMD" and entry is not None:
                said = list(_run(f"{entry[0]} {rest}", row, folder, line))
                found = [each for each in found if each not in entry[1] or each.kind not in {"server", "script"}]
            entry = (rest, said) if word == "ENTRYPOINT" and rest.startswith("[") else None
            found += said
        elif word == "FROM":
            entry = None
            found += _image_starts(rest, row, line)
        elif word in {"ENV", "ARG"}:
            found += environment(re.sub(rf"^(OTEL_\w+|{'|'.join(SERVER_ENV)})\s+", r"\1=", rest), row)
        if word not in {"CMD", "ENTRYPOINT"} and (launchers().search(rest) or BOOTSTRAP.search(rest)):
            found += command(rest, row, folder, shown=line)
    names = (re.sub(r"(?i)^dockerfile[.-]?|[.-]?(?:dockerfile|containerfile)$", "", posixpath.basename(path)),)
    parts = tuple(dict.fromkeys(where for source in copied for where in (join(folder, source), join("", source))))
    for statement in found:
        yield replace(statement, parts=parts, names=names)


def _run(text: str, row: int, folder: str, shown: str = "") -> Iterator[Statement]:
    """What the command of a container says."""
    yield from command(text, row, folder, shown=shown)
    yield from script(text, row, folder, shown=shown)


def _image_starts(image: str, row: int, line: str) -> Iterator[Statement]:
    """The images that bring a server along."""
    if "/lambda/python" in image:
        yield Statement("server", "lambda", row, clip(line))
    elif "tiangolo/uvicorn-gunicorn" in image:
        yield Statement("server", "gunicorn-uvicorn-worker", row, clip(line))


def lines(path: str, text: str) -> Iterator[Statement]:
    """A script, a process file, or anything that is not understood better: line by line, `cd` followed."""
    if not tells(text):
        return
    folder = here = posixpath.dirname(path)
    for row, line in logical(text):
        if not tells(line) and "cd" not in line:
            continue
        stripped = re.sub(r"^[\s@-]*(?:[\w.-]+\s*[:=]\s+)?(?:\$ +)?", "", line)
        if change := re.match(r"\(?\s*cd\s+([\w./-]+)", stripped):
            here = join(folder, change[1])
        managed = re.match(r"\s*(?:command|cmd|ExecStart)\s*=", line) is not None  # by supervisord, circus, systemd
        for found in command(stripped, row, here, shown=line):
            child = managed and found.kind == "server" and not found.value
            yield replace(found, value="child") if child else found
        yield from environment(line, row)


def process_file(path: str, text: str) -> Iterator[Statement]:
    """A Procfile."""
    yield Statement("start", "Procfile", 1, text.splitlines()[0] if text.strip() else "")
    yield from lines(path, text)


def settings(path: str, text: str) -> Iterator[Statement]:
    """A gunicorn configuration module or a sitecustomize module."""
    for row, line in enumerate(text.splitlines(), 1):
        if "sitecustomize" in path and OUTSIDE.search(line):
            yield Statement("launch", "sitecustomize", row, clip(line))
        elif re.match(r"\s*worker_class\s*=.*?['\"]", line):
            word = "gunicorn-uvicorn-worker" if "uvicorn" in line.lower() else "gunicorn"
            yield Statement("server", word, row, clip(line))


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


@lru_cache(maxsize=32)
def _documents(text: str) -> list[Any] | None:
    """The YAML nodes of a file, of a template with `_` for what it fills in; None for anything else that is no YAML."""
    import yaml  # type: ignore[import-untyped]

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = _untemplated(text) if "{{" in text else text
    if _nested_deeply(text):
        return None
    try:
        return [node for node in yaml.compose_all(text, Loader=loader) if node is not None]
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _untemplated(text: str) -> str:
    """Lines that only steer the template become empty."""
    lines = ("" if re.fullmatch(r"\s*\{\{.*\}\}\s*", line) else line for line in text.splitlines())
    return re.sub(r"['\"]?\{\{.*?\}\}['\"]?", "_", "\n".join(lines))


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


def _started(node: Any, folder: str, *, first: bool = True) -> Iterator[Statement]:
    """The command and the environment of a Compose service or a container; `first`: no other process starts it."""
    names = ("entrypoint", "entryPoint", "command", "args")
    parts = [part for name in names if (part := _get(node, name)) is not None]
    if parts:
        line = " ".join(filter(None, map(_text, parts)))
        yield Statement("start", "container", _row(parts[0]), clip(line))
        for said in _run(line, _row(parts[0]), folder):
            child = said.kind in {"server", "script"} and not said.value and not first
            yield replace(said, value="child") if child else said
    for name, value, where in _variables(_get(node, "environment") or _get(node, "env")):
        yield from environment(
            f"{name}={value}" if re.search(r"\s", value) is None else f'{name}="{value}"', _row(where)
        )
        if found := launchers().search(f"{name}={value}") or OUTSIDE.search(value):
            yield Statement("launch", found[0], _row(where), clip(f"{name}={value}"))


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
        for statement in _started(service, folder, first=not _is_true(service, "init")):
            parts = built or (() if image else mounted)
            yield replace(statement, paths=mounted + statement.paths, parts=parts, names=names)


def _is_true(node: Any, *names: str) -> bool:
    return _text(_get(node, *names)).lower() == "true"


def _built(service: Any, folder: str) -> Iterator[str]:
    build = _get(service, "build")
    if build is not None:
        scalar = getattr(build, "id", "") == "scalar"
        context = _text(build) if scalar else _text(_get(build, "context")) or "."
        context = re.sub(r"\$\{[^}]*\}", "", context)
        if file := _text(_get(build, "dockerfile")):
            yield join(folder, posixpath.join(context, posixpath.dirname(file)))
        yield join(folder, context)


def _mounted(service: Any, folder: str) -> Iterator[str]:
    for volume in _sequence(_get(service, "volumes")):
        source = _text(_get(volume, "source")) if volume.id == "mapping" else _text(volume).partition(":")[0]
        if source.startswith("."):
            yield join(folder, source)


def builds(path: str, text: str) -> dict[str, str]:
    """The Dockerfiles that a Compose file builds from another folder → that folder."""
    folder = posixpath.dirname(path)
    found = {}
    for node in _documents(text) or ():
        for _, service in _items(_get(node, "services")):
            file, context = _text(_get(service, "build", "dockerfile")), _text(_get(service, "build", "context")) or "."
            if file:
                found[join(folder, posixpath.join(context, file))] = join(folder, context)
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
    elif not pods:
        yield from _hosted(path, text)
    for names, pod, notes in pods:
        # A chart calls its objects by its values; then its files are called after the services.
        names = names if any(map(_says, names)) else _folder_names(path)
        for note, where in notes:
            if OUTSIDE.search(note):
                yield Statement("launch", note.partition(":")[0], _row(where), clip(note), names=names, wide=True)
        for container in _sequence(_get(pod, "containers")):
            own = (*names, *filter(_says, (_text(_get(container, "name")), _image(container))))
            first = not _is_true(pod, "shareProcessNamespace")
            for statement in _started(container, posixpath.dirname(path), first=first):
                yield replace(statement, names=own, wide=True)


def _says(name: str) -> bool:
    return name.strip("_-. ") != ""


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


# What platforms call the command that starts a service.
_STARTS = re.compile(r"\s*(?:- )?(?:startCommand|start_command|run_command|startupCommand|entrypoint|start):\s+(.*)")


def _hosted(path: str, text: str) -> Iterator[Statement]:
    """A file of App Engine, Render and other platforms."""
    for row, line in enumerate(text.splitlines(), 1):
        if start := _STARTS.fullmatch(line):
            for found in command(start[1], row, posixpath.dirname(path), shown=line):
                value = "hosted" if found.kind == "server" and not found.value else found.value
                yield replace(found, value=value, names=_folder_names(path), wide=True)


def _functions(path: str, text: str) -> Iterator[Statement]:
    python = re.compile(r"runtime:\s*['\"]?python", re.IGNORECASE)
    row = next((row for row, line in enumerate(text.splitlines(), 1) if python.search(line)), None)
    if row is not None:
        code = re.findall(r"CodeUri:\s*['\"]?([\w./-]+)", text)
        paths = tuple(join(posixpath.dirname(path), where) for where in code)
        yield Statement("server", "lambda", row, "Python function", paths=paths)


def settings_json(path: str, text: str) -> Iterator[Statement]:
    """A JSON file with the environment and the commands of a service: function, task or editor settings."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return
    containers = content.get("containerDefinitions") if isinstance(content, dict) else None
    if not containers:
        yield from lines(path, text)
    for node in (_documents(text) or ()) if containers else ():
        for container in _sequence(_get(node, "containerDefinitions")):  # of a task of ECS
            first = not _is_true(container, "linuxParameters", "initProcessEnabled")
            names = (_text(_get(node, "family")), _text(_get(container, "name")), _image(container))
            for statement in _started(container, posixpath.dirname(path), first=first):
                yield replace(statement, names=names, wide=True)


def documented(text: str) -> Iterator[Statement]:
    """The instrumented launches that a README tells its reader to use."""
    if not launches(text):
        return
    for row, line in enumerate(text.splitlines(), 1):
        for found in launchers().finditer(line):
            before, after = line[: found.start()], line[found.end() :]
            if _PROMPT.fullmatch(before) and re.match(r"\s+[\w\\/.-]", after):
                yield Statement("hint", found[0], row, clip(line))


_PROMPT = re.compile(r"(?:.*`|[\s>*-]*\$)?\s*(?:(?:export\s+)?\w+=\S+\s+)*(?:\S+ (?:run|exec) (?:-\S+ )*|exec )?")


@lru_cache(maxsize=4096)
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
