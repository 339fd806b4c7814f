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
POD = """\
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  template:
    spec:
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image }}:{{ .Values.tag }}"
          args: [uvicorn, "main:app", --port, 80]
"""
ECS = '{"family": "shop", "containerDefinitions": [{"name": "web", "command": [ARGS]}]}'
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
        ("Dockerfile", "FROM python\nCMD uvicorn main:app --workers ${WORKERS:-4}\n", "lost"),
        ("Dockerfile", 'FROM python\nENTRYPOINT ["tini", "--"]\nCMD ["uvicorn", "main:app"]\n', "lost"),
        ("Dockerfile", 'FROM python\nENTRYPOINT ["uvicorn"]\nCMD ["main:app", "--workers", "4"]\n', "lost"),
        ("Dockerfile", 'FROM python\nENTRYPOINT ["uvicorn", "main:app"]\nCMD ["--workers", "4"]\n', "lost"),
        ("Dockerfile", 'FROM python\nENTRYPOINT ["uvicorn", "main:app"]\nCMD ["--port", "80"]\n', None),
        ("Dockerfile", 'FROM python AS a\nENTRYPOINT ["tini", "--"]\nFROM python\nCMD ["uvicorn", "main:app"]\n', None),
        ("Dockerfile", 'FROM python\nENV WEB_CONCURRENCY=4\nCMD ["uvicorn", "main:app"]\n', "lost"),
        ("Dockerfile", 'FROM python\nENV WEB_CONCURRENCY 1\nCMD ["uvicorn", "main:app"]\n', None),
        ("Dockerfile", 'FROM python\nENV WEB_CONCURRENCY=4\nCMD ["uvicorn", "main:app", "--workers", "1"]\n', None),
        ("Dockerfile", "FROM tiangolo/uvicorn-gunicorn-fastapi:python3.11\nCOPY . /app\n", "lost"),
        ("Dockerfile", 'FROM python\nCMD ["granian", "--interface", "asgi", "main:app"]\n', "lost"),
        ("Dockerfile", 'FROM python\nCMD ["hypercorn", "main:app"]\n', None),
        ("Dockerfile", 'FROM python\nCMD ["gunicorn", "main:app", "-k", "asgi"]\n', None),
        ("gunicorn.conf.py", 'worker_class = os.getenv("CLS", "uvicorn.workers.UvicornWorker")\n', "lost"),
        (".env", 'GUNICORN_CMD_ARGS="--workers 4 -k uvicorn.workers.UvicornWorker"\n', "lost"),
        ("supervisord.conf", "[program:web]\ncommand=uvicorn main:app --port 80\n", "lost"),
        ("compose.yaml", COMPOSE.format("uvicorn main:app") + "    init: true\n", "lost"),
        ("compose.yaml", COMPOSE.format("uvicorn main:app") + "    init: false\n", None),
        ("k8s.yaml", POD, None),
        ("k8s.yaml", POD.replace("80]", "80, --workers, 4]"), "lost"),
        ("k8s.yaml", POD.replace("containers:", "shareProcessNamespace: true\n      containers:"), "lost"),
        ("chart/templates/web.yaml", "{{- if .on }}\n" + POD.replace("80]", "80, --workers, '4']"), "lost"),
        ("render.yaml", "services:\n  - type: web\n    startCommand: uvicorn main:app --workers 4\n", "lost"),
        ("app.yaml", "runtime: python312\nentrypoint: gunicorn -k uvicorn.workers.UvicornWorker main:app\n", "lost"),
        ("task.json", ECS.replace("ARGS", '"uvicorn", "main:app", "--workers", "4"'), "lost"),
        ("task.json", ECS.replace("ARGS", '"uvicorn", "main:app"'), "hint"),
    ],
)  # fmt: skip
def test_launch(name: str, text: str, expected: str | None):
    assert said({name: text}) == expected


TASKS = """
from celery import Celery
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
app = Celery("shop")
"""


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("celery -A main worker -l info", "lost"),
        ("celery -A main worker --pool=prefork -c 4", "lost"),
        ("celery -A main worker -P solo", None),
        ("celery -A main worker --pool threads", None),
        ("celery -A main worker --pool=gevent -c 100", None),
        ("celery -A main beat", "hint"),
        ("python main.py", "hint"),
    ],
)
def test_pools_of_celery(command: str, expected: str | None):
    assert said({"main.py": TASKS, "Procfile": f"worker: {command}\n"}) == expected


def test_a_container_counts_more_than_a_platform():
    platform = {"render.yaml": "services:\n  - startCommand: uvicorn main:app\n"}
    assert said(platform) == "hint"
    assert said({**platform, "Dockerfile": 'FROM python\nCMD ["uvicorn", "main:app", "--workers", "4"]\n'}) == "lost"
    assert said({**platform, "Dockerfile": 'FROM python\nCMD ["uvicorn", "main:app"]\n'}) is None


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
