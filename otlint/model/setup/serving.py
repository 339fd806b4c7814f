"""The servers and workers that run an application, and end its processes without `atexit`."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from otlint import known
from otlint.deployment import launch
from otlint.deployment.services import Deployment, Evidence
from otlint.model.code.values import argument
from otlint.model.facts.reach import is_test
from otlint.model.setup.pools import may_not_fork
from otlint.model.setup.providers import Provider

if TYPE_CHECKING:
    from otlint.model.facts.data import Facts
    from otlint.model.module import Module

# From this version on, uvicorn ends by the signal that it was sent.
_RAISES_AGAIN = "0.29"
_FIRST = ", unless it is the first process of a container"
# Files of what starts and restarts processes.
_MANAGED = re.compile(r"\.(?:service|conf|ini)$")


@dataclass(frozen=True, slots=True)
class Served:
    """What runs an application and ends its process without `atexit`.

    `server` says which one, `ends` how, `unless` when not, empty if that is always so, and `instead` what shuts a
    provider down there.
    """

    server: str
    unless: str = ""
    ends: str = "ends by the SIGTERM that stops it, without `atexit`"
    instead: str = "shut it down when the application shuts down"


def served(module: Module) -> Served | None:
    """The uvicorn that runs what the file belongs to; None for other servers, and for a uvicorn that ends normally."""
    project = module.project
    together = project.reach.together(module.path) if module.path in project.files else []
    deployment = _deployment(module)
    if deployment is not None and deployment.at_least("uvicorn", _RAISES_AGAIN) is False:
        return None
    commands = [each for each in deployment.commands if "--reload" not in each.text] if deployment is not None else []
    gunicorn = next((each for each in commands if each.word == "gunicorn-uvicorn-worker"), None)
    own = gunicorn is not None and gunicorn.path == module.path
    if not own and (project.reach.is_spare(module.path) or not any(map(_is_application, together))):
        return None
    if gunicorn is not None:
        return Served(f"gunicorn's uvicorn worker ({gunicorn.path})")
    found = _in_code(module, together)
    if found is not None and not found.unless:
        return found
    plain = [each for each in commands if each.word in {"uvicorn", "granian"}]
    plain = [each for each in plain if _is_container(each)] or plain  # scripts are for developers
    asked = deployment.env.get("WEB_CONCURRENCY", "") if deployment is not None else ""
    ends = [(each, name) for each in plain if (name := _ends_as_child(each, asked)) is not None]
    alone = [each for each in plain if _ends_as_child(each, asked) is None]
    if ends and (not alone or _is_container(ends[0][0])) and not any(_may_replace(each, ends[0][0]) for each in alone):
        return Served(f"{ends[0][1]} ({ends[0][0].path})")
    if any(_is_container(each) for each in alone) or any(_starts(each, together) for each in commands):
        return None
    return found or (Served("uvicorn", _FIRST) if alone else None)


def is_handed_out(module: Module, provider: Provider) -> bool:
    """Whether a provider is a public attribute of a class that only programs elsewhere use: they shut it down."""
    place = module.walk.parent[provider.call]
    target = place.targets[0].target if isinstance(place, cst.Assign) else None
    function = module.function_of(provider.call)
    owner = module.walk.class_of(function) if function is not None else None
    if owner is None or not isinstance(target, cst.Attribute) or target.attr.value.startswith("_"):
        return False
    own = module.names.module_name
    others = (facts for facts in module.project.files.values() if facts.path != module.path and not is_test(facts.path))
    takers = [facts for facts in others if posixpath.basename(facts.path) != "__init__.py"]
    taken = any(name == own or name.endswith(f".{owner.name.value}") for facts in takers for name in facts.imports)
    return not taken and len(module.walk.named(owner.name.value, module.tree)) == 1


def _deployment(module: Module) -> Deployment | None:
    """How the file is started, or what imports it where it is shared by services that are started elsewhere."""
    deployments = module.project.deployments
    if deployments is None:
        return None
    own = deployments.for_path(module.path)
    importers = [facts.path for facts in module.project.reach.importers(module.path) if not is_test(facts.path)]
    return (
        own if any(each.word != "python" for each in own.commands) else deployments.for_paths([module.path, *importers])
    )


def pooled(module: Module, held: list[Provider]) -> Served | None:
    """The Celery or RQ whose worker process builds these providers: the processes that it forks end by `os._exit`."""
    builders = _builders(module, held)
    for facts in module.project.reach.importers(module.path):
        if facts.path != module.path and not (builders is None or builders & facts.imports):
            continue
        if "rq.Worker" in facts.calls:
            return Served("a job of RQ", ends="ends by `os._exit`", instead="flush it at the end of each job")
        if "celery.Celery" in facts.imports or any(name.startswith("celery.signals.") for name in facts.imports):
            return _celery(module, facts)
    return None


def _celery(module: Module, application: Facts) -> Served | None:
    deployments = module.project.deployments
    found = deployments.for_paths([module.path, application.path]).commands if deployments is not None else ()
    commands = [each for each in found if each.word == "celery"]
    forks = next((each for each in commands if each.how != "alone"), None)
    own = application.path == module.path
    if (commands and forks is None) or (may_not_fork(module) if own else application.may_not_fork):
        return None
    sure = forks is not None or "celery.signals.worker_process_init" in application.imports
    return Served(
        f"a process of Celery's pool ({forks.path})" if forks is not None else "a process of Celery's pool",
        "" if sure else ", unless the pool is another than `prefork`",
        "ends by `os._exit`",
        "shut it down on `worker_process_shutdown`",
    )


def _builders(module: Module, held: list[Provider]) -> set[str] | None:
    """The functions of the file that build one of the providers, by dotted name; None if importing it is enough."""
    waiting = [module.function_of(each.call) for each in held]
    found: set[str] = set()
    while waiting:
        function = waiting.pop()
        if not isinstance(function, cst.FunctionDef):
            return None
        owner = module.walk.class_of(function)
        name = module.names.qualified(owner if owner is not None else function)
        if name not in found:
            found.add(name)
            waiting.extend(module.function_of(call) for call in module.values.call_sites(function))
    return found


def _ends_as_child(command: Evidence, asked: str) -> str | None:
    """What of a server is never the first process of a container, None for one that may be.

    `asked`: the number of workers that the environment asks for.
    """
    if command.word == "granian":
        return "a worker of granian"
    if command.how == "workers" or ("--workers" not in command.text and asked.isdecimal() and int(asked) > 1):
        return "a worker of uvicorn"
    return "uvicorn" if command.how == "child" and (_is_container(command) or _MANAGED.search(command.path)) else None


def _is_container(evidence: Evidence) -> bool:
    reader = launch.reader(posixpath.basename(evidence.path))
    return evidence.how != "hosted" and reader in {launch.container_file, launch.compose, launch.manifest}


def _may_replace(other: Evidence, command: Evidence) -> bool:
    """Whether another container's command may be the one that is run; images of two folders are two services."""
    image = launch.reader(posixpath.basename(other.path)) is launch.container_file
    return _is_container(other) and not (image and posixpath.dirname(other.path) != posixpath.dirname(command.path))


def _in_code(module: Module, together: list[Facts]) -> Served | None:
    for call in module.calls("uvicorn.run"):
        workers = argument(call, "workers", ())
        if isinstance(workers, cst.Integer) and workers.evaluated_value > 1:
            return Served("a worker of uvicorn")
    runs = {server for facts in together for call in facts.calls if (server := known.runs().get(call)) is not None}
    if "granian" in runs:
        return Served("a worker of granian")
    return Served("uvicorn", _FIRST) if "uvicorn" in runs else None


def _starts(command: Evidence, together: list[Facts]) -> bool:
    """Whether the first process of a container is the program that calls a server: `python -m shop.main`."""
    if command.word != "python" or command.how == "child" or not _is_container(command):
        return False
    programs = [facts.module for facts in together if not known.runs().keys().isdisjoint(facts.calls)]
    words = set(re.split(r"[^\w]+", command.text))
    return any(words.issuperset(each.removesuffix(".__main__").split(".")[-1:]) for each in programs)


def _is_application(facts: Facts) -> bool:
    """Whether the file has to do with an ASGI application."""
    return any(name.startswith(each) for name in facts.imports for each in _applications())


def _applications() -> tuple[str, ...]:
    entries = [entry for entry in known.entries().values() if "asgi" in entry.instrumentors]
    packages = {api.partition(".")[0] for entry in entries for api in (*entry.decorators, *entry.bases, *entry.hooks)}
    keys = {key for entry in entries for key in entry.instrumentors}
    return tuple(f"{name}." for name in (*packages, *(f"opentelemetry.instrumentation.{key}" for key in keys)))


def lifespan(module: Module) -> cst.FunctionDef | None:
    """The file's only function that an application is given as its `lifespan`: a manager with one `yield`."""
    given = [
        arg.value for arg in module.walk.all(cst.Arg) if arg.keyword is not None and arg.keyword.value == "lifespan"
    ]
    found = {module.names.definition(each) for each in given}
    function = found.pop() if len(found) == 1 else None
    if not isinstance(function, cst.FunctionDef) or not module.values.is_manager(function):
        return None
    return function if len(module.flow(function).yields) == 1 else None
