"""How the processes of a service end: what its launch says of a uvicorn."""

from __future__ import annotations

import pytest

from tests.judge import judge

APP = """
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
app = FastAPI()
"""
COMPOSE = "services:\n  web:\n    build: .\n    command: {}\n"
UNIT = "[Service]\nExecStart=/srv/venv/bin/uvicorn main:app --port 8000\n"


def said(files: dict[str, str]) -> str | None:
    """One of "lost", "hint" and None."""
    found = [each for each in judge("OTL511", {"main.py": APP, **files}).findings if each.code == "OTL511"]
    assert len(found) <= 1
    return ("hint" if found[0].hint else "lost") if found else None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Dockerfile", 'FROM python\nCMD ["uvicorn", "main:app"]\n', None),
        ("Dockerfile", 'FROM python\nCMD ["python", "-m", "uvicorn", "main:app", "--workers", "1"]\n', None),
        ("Dockerfile", "FROM python\nCMD uvicorn main:app --host 0.0.0.0\n", None),
        ("Dockerfile", 'FROM python\nCMD ["uvicorn", "main:app", "--workers", "4"]\n', "lost"),
        ("Dockerfile", "FROM python\nCMD exec uvicorn main:app --workers=2\n", "lost"),
        ("Dockerfile", "FROM python\nCMD uvicorn main:app --workers $WORKERS\n", None),
        ("Dockerfile", 'FROM python\nCMD ["fastapi", "run", "main.py", "--workers", "4"]\n', "lost"),
        ("Dockerfile", 'FROM python\nCMD ["uv", "run", "uvicorn", "main:app"]\n', "lost"),
        ("Dockerfile", 'FROM python\nCMD ["uv", "run", "uvicorn", "main:app", "--reload"]\n', None),
        ("Dockerfile", 'FROM python\nENTRYPOINT ["/usr/bin/tini", "--", "uvicorn", "main:app"]\n', "lost"),
        ("Dockerfile", "FROM python\nCMD gunicorn main:app -k uvicorn.workers.UvicornWorker\n", "lost"),
        ("Dockerfile", 'FROM python\nCMD ["gunicorn", "main:app", "-k", "gevent"]\n', None),
        ("Dockerfile", 'FROM python\nCMD ["hypercorn", "main:app", "--workers", "4"]\n', None),
        ("gunicorn.conf.py", 'worker_class = "uvicorn_worker.UvicornWorker"\n', "lost"),
        ("compose.yaml", COMPOSE.format("uvicorn main:app"), None),
        ("compose.yaml", COMPOSE.format("uvicorn main:app --workers 3"), "lost"),
        ("web.service", UNIT, "lost"),
        ("Procfile", "web: uvicorn main:app --host 0.0.0.0\n", "hint"),
        ("Procfile", "web: uvicorn main:app --workers 2\n", "lost"),
        ("run.sh", "uvicorn main:app --reload\n", None),
        ("run.sh", "uv run uvicorn main:app\n", "hint"),
        ("README.md", "Run it:\n\n    uvicorn main:app --workers 4\n", None),
    ],
)
def test_launch(name: str, text: str, expected: str | None):
    assert said({name: text}) == expected


def test_what_is_deployed_counts_more_than_a_script():
    script = {"dev.sh": "uvicorn main:app\n"}
    assert said({**script, "Dockerfile": 'FROM python\nCMD ["uvicorn", "main:app", "--workers", "4"]\n'}) == "lost"
    assert said({**script, "Dockerfile": 'FROM python\nCMD ["uvicorn", "main:app"]\n'}) is None


def test_containers_that_disagree():
    files = {
        "Dockerfile": 'FROM python\nCMD ["uvicorn", "main:app", "--workers", "4"]\n',
        "compose.yaml": COMPOSE.format("uvicorn main:app"),
    }
    assert said(files) is None


@pytest.mark.parametrize(
    ("pin", "expected"),
    [("uvicorn", "lost"), ("uvicorn>=0.22", "lost"), ("uvicorn==0.30.6", "lost"), ("uvicorn==0.24.0", None),
     ("uvicorn~=0.28.0", None), ("uvicorn<0.29", None)],
)  # fmt: skip
def test_versions(pin: str, expected: str | None):
    files = {
        "requirements.txt": f"{pin}\n",
        "Dockerfile": 'FROM python\nCMD ["uvicorn", "main:app", "--workers", "4"]\n',
    }
    assert said(files) == expected
