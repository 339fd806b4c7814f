"""`[instrumentation]` and `[wrappers]`: what users declare reaches the model of every file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from otlint.gather import gather
from otlint.model.module import Module
from otlint.settings.declared import Instrumentation, Wrappers

CALLER = b"""
import requests
from acme.obs import tracer, span
from acme import obs
import acme.obs as telemetry

def a(order_id):
    with tracer.start_as_current_span("a"):
        obs.tracer.start_span("b").end()
    with span("c", tags=order_id), telemetry.span("d") as live:
        live.record_exception(ValueError())
    obs.get_tracer("x").start_span("e").end()

@span("f")
def f():
    requests.get("http://shop")
"""
WRAPPERS = Wrappers(tracers=("acme.obs.tracer", "acme.obs.get_tracer"), span_starters=("acme.obs.span",))


def modules(files: dict[str, bytes], wrappers: Wrappers | None = None, root: Path | None = None) -> dict[str, Module]:
    return gather(files, os.path.basename, root, wrappers=wrappers).modules


def names(module: Module) -> list[str]:
    return [module.code(span.name) for span in module.spans if span.name is not None]


def test_unknown_wrappers_are_not_judged():
    assert not modules({"app.py": CALLER})


def test_wrappers_of_a_library():
    module = modules({"app.py": CALLER}, WRAPPERS)["app.py"]
    assert names(module) == ['"a"', '"b"', '"c"', '"d"', '"e"', '"f"']
    kinds = {module.code(span.name): span.kind for span in module.spans if span.name is not None}
    assert kinds['"a"'] is not None
    assert kinds['"c"'] is None, "what a wrapper makes of it is not known"
    f = next(each for each in module.walk.all(type(module.spans.all[0].function)) if each.name.value == "f")
    assert module.span_around(f.body.body[0]) is not None


def test_wrappers_of_the_project_that_hide_the_tracer():
    files = {
        "src/acme/obs.py": b"from acme.load import get\ntracer = get('tracer')\nspan = get('span')\n",
        "src/acme/app.py": CALLER,
    }
    assert names(modules(files, WRAPPERS)["src/acme/app.py"])[:3] == ['"a"', '"b"', '"c"']


def test_other_names_that_end_alike():
    files = {"app.py": CALLER.replace(b"acme.obs", b"other.obs").replace(b"from acme ", b"from other ")}
    assert not names(modules(files, WRAPPERS)["app.py"])


def test_executors_that_carry_the_context():
    from otlint.model.context.handoffs import handoffs

    source = b"""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor
    from opentelemetry import trace

    class TracedExecutor(ThreadPoolExecutor):
        pass

    class Other(ThreadPoolExecutor):
        pass

    def work(): ...

    async def main():
        TracedExecutor().submit(work)
        Other().submit(work)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(TracedExecutor(), work)
    """.replace(b"\n    ", b"\n")
    rows = [module.row(each.call) for module in modules({"acme/pool.py": source}).values() for each in handoffs(module)]
    assert rows == [15, 16, 18]
    wrappers = Wrappers(context_executors=("acme.pool.TracedExecutor",))
    found = modules({"acme/pool.py": source}, wrappers)["acme/pool.py"]
    assert [found.row(each.call) for each in handoffs(found)] == [16]


@pytest.mark.parametrize(
    ("declared", "on"),
    [
        (Instrumentation(), set()),
        (Instrumentation(libraries=("requests",)), {"requests"}),
        (Instrumentation(libraries=("Flask", "SQLAlchemy")), {"flask", "sqlalchemy"}),
        (Instrumentation(auto=True), {"flask", "requests", "sqlalchemy"}),
    ],
)
def test_declared_instrumentation(declared: Instrumentation, on: set[str]):
    module = modules({"app.py": b"import opentelemetry\n"})["app.py"].configured({}, declared)
    asked = ("flask", "requests", "sqlalchemy")
    assert {key for key in asked if module.instrumentation.of({key})} == on
    assert {key for key in asked if module.instrumentation.possible({key})} == on


def test_auto_means_what_is_installed(tmp_path):
    (tmp_path / "requirements.txt").write_text("opentelemetry-instrumentation-flask\n")
    module = modules({"app.py": b"import opentelemetry\n"}, root=tmp_path)["app.py"]
    module.configured({}, Instrumentation(auto=True))
    assert module.instrumentation.of({"flask"})
    assert not module.instrumentation.of({"requests"})


@pytest.mark.parametrize(
    ("pins", "declared", "newer"),
    [
        ("", None, True),
        ("opentelemetry-sdk==1.44.0\n", None, False),
        ("opentelemetry-sdk==1.45.2\n", None, True),
        ("opentelemetry-api~=1.40.0\n", None, False),
        ("opentelemetry-api>=1.20\n", None, True),
        ("opentelemetry-sdk>=1.20,<1.45\n", None, False),
        ("opentelemetry-sdk==1.44.0\n", "1.45", True),
        ("opentelemetry-sdk==1.45.2\n", "1.44.9", False),
    ],
)
def test_the_version_of_opentelemetry(tmp_path, pins: str, declared: str | None, newer: bool):
    (tmp_path / "requirements.txt").write_text(pins)
    module = modules({"app.py": b"import opentelemetry\n"}, root=tmp_path)["app.py"]
    module.configured({}, Instrumentation(version=declared))
    assert module.instrumentation.otel_at_least("1.45") is newer
