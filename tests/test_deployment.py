# ruff: noqa: E501 — a file text is one line
from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from otlint.deployment import pins
from otlint.deployment.services import MAX_SIZE, Deployment, Deployments, collect

if TYPE_CHECKING:
    from pathlib import Path


def project(root: Path, files: dict[str, str | bytes]) -> Deployments:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return collect(root)


def single(root: Path, name: str, text: str) -> Deployment:
    return project(root, {"app.py": "", name: text}).for_path("app.py")


POD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  template:
    metadata:
      annotations:
        instrumentation.opentelemetry.io/inject-python: "{value}"
    spec:
      containers:
        - name: {name}
          image: registry.example.com/shop/{name}:1.2
"""


@pytest.mark.parametrize(
    ("name", "text", "row"),
    [
        ("Dockerfile", 'FROM python\nCMD ["opentelemetry-instrument", "python", "app.py"]\n', 2),
        ("Dockerfile", "FROM python\nENTRYPOINT /venv/bin/opentelemetry-instrument \\\n    python app.py\n", 2),
        ("api.Dockerfile", "FROM python\nCMD splunk-py-trace python app.py\n", 2),
        ("Dockerfile", "FROM python\nENV AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-instrument\nCMD app.handler\n", 2),
        ("compose.yaml", "services:\n  web:\n    build: .\n    command: opentelemetry-instrument python app.py\n", 4),
        ("docker-compose.yml", "services:\n  web:\n    build: .\n    command:\n    - opentelemetry-instrument\n    - python\n", 5),
        ("docker-compose.yml", "services:\n  web:\n    image: x\n    command: opentelemetry-instrument python app.py\n", 4),
        ("Procfile", "web: opentelemetry-instrument gunicorn app:app\n", 1),
        ("start.sh", "#!/bin/sh\nset -e\nexec opentelemetry-instrument uvicorn app:app\n", 3),
        ("bin/entrypoint", "#!/bin/sh\nopentelemetry-instrument python app.py\n", 2),
        ("Makefile", "run:\n\tOTEL_SERVICE_NAME=x opentelemetry-instrument python app.py\n", 2),
        ("supervisord.conf", "[program:web]\ncommand=opentelemetry-instrument gunicorn app:app\n", 2),
        ("circus.ini", "[watcher:web]\ncmd = opentelemetry-instrument gunicorn app:app\n", 2),
        ("web.service", "[Service]\nExecStart=/opt/venv/bin/opentelemetry-instrument /opt/venv/bin/python app.py\n", 2),
        (".github/workflows/run.yml", "jobs:\n  run:\n    steps:\n      - run: opentelemetry-instrument python app.py\n", 4),
        ("pyproject.toml", '[project]\nname = "x"\n[tool.poe.tasks]\nrun = "opentelemetry-instrument python app.py"\n', 4),
        ("sitecustomize.py", "import opentelemetry.instrumentation.auto_instrumentation.sitecustomize\n", 1),
        ("k8s/web.yaml", POD.format(name="web", value="true"), 9),
        ("chart/templates/web.yaml", "{{- if .Values.x }}\n" + POD.format(name="{{ x }}", value="true"), 10),
        ("chart/values.yaml", 'podAnnotations:\n  instrumentation.opentelemetry.io/inject-python: "true"\n', 2),
        (
            "template.yaml",
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: python3.12\n      Environment:\n        Variables:\n          AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-instrument\n",
            8,
        ),
        (".chalice/config.json", '{\n  "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"\n}\n', 2),
        ("main.tf", 'resource "aws_lambda_function" "f" {\n  layers = ["arn:aws:lambda:x:1:layer:aws-otel-python-amd64:1"]\n}\n', 2),
    ],
)  # fmt: skip
def test_a_launch_is_seen_where_it_is_written(tmp_path: Path, name: str, text: str, row: int) -> None:
    found = single(tmp_path, name, text)
    assert found.auto_instrumented
    assert found.evidence is not None
    assert (found.evidence.path, found.evidence.row) == (name, row)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dockerfile", "FROM python\nRUN pip install opentelemetry-instrumentation-flask opentelemetry-distro\nCMD python app.py\n"),
        ("Dockerfile", "FROM python\nRUN opentelemetry-bootstrap -a install\nCMD python app.py\n"),
        ("Dockerfile", "FROM python\n# CMD opentelemetry-instrument python app.py\nCMD python app.py\n"),
        ("Makefile", "test:\n\topentelemetry-instrument pytest tests\n"),
        ("requirements.txt", "opentelemetry-instrumentation==0.50b0\nopentelemetry-distro\n"),
        ("pyproject.toml", '[project]\nname = "x"\ndependencies = ["opentelemetry-instrumentation-flask"]\n'),
        ("k8s/web.yaml", POD.format(name="web", value="false")),
        ("Procfile", "web: ddtrace-run gunicorn app:app\n"),
        ("README.md", "Run `opentelemetry-instrument python app.py`.\n"),
        ("notes.txt", "opentelemetry-instrument python app.py\n"),
    ],
)  # fmt: skip
def test_no_launch(tmp_path: Path, name: str, text: str) -> None:
    assert not single(tmp_path, name, text).auto_instrumented


def test_a_readme_and_a_variable_only_hint(tmp_path: Path) -> None:
    found = single(
        tmp_path, "README.md", "# Shop\n\n    $ OTEL_SERVICE_NAME=shop opentelemetry-instrument python app.py\n"
    )
    assert [(hint.path, hint.row) for hint in found.hints] == [("README.md", 3)]
    hints = single(tmp_path, ".env", "OTEL_PYTHON_DISTRO=aws_distro\n").hints
    assert {hint.word for hint in hints} == {"opentelemetry-instrument", "OTEL_PYTHON_DISTRO"}
    assert not single(tmp_path, "README.md", "Install `opentelemetry-instrument` first.\n").evidence


@pytest.mark.parametrize(
    ("name", "text", "servers"),
    [
        ("Dockerfile", 'FROM python\nCMD ["uvicorn", "app:app", "--host", "0.0.0.0"]\n', {"uvicorn"}),
        ("Dockerfile", "FROM python\nCMD exec uvicorn app.main:app --port $PORT\n", {"uvicorn"}),
        ("Dockerfile", "FROM python\nCMD fastapi run app.py\n", {"uvicorn"}),
        ("Dockerfile", "FROM python\nRUN pip install uvicorn gunicorn\nCMD python app.py\n", set()),
        ("Dockerfile", "FROM public.ecr.aws/lambda/python:3.12\nCMD [ 'app.handler' ]\n", {"lambda"}),
        ("Procfile", "web: gunicorn app:app\nworker: celery -A app worker -l info\n", {"gunicorn", "celery"}),
        ("Procfile", "beat: celery -A app beat\n", set()),
        ("start.sh", "gunicorn app:app -w 4 -k uvicorn.workers.UvicornWorker\n", {"gunicorn-uvicorn-worker"}),
        ("gunicorn.conf.py", 'worker_class = "uvicorn.workers.UvicornWorker"\n', {"gunicorn-uvicorn-worker"}),
        ("start.sh", "cat > requirements.txt <<EOF\nuvicorn[standard]==0.30\nuvicorn\nEOF\n", set()),
        ("check.ps1", '$packages = @("fastapi", "uvicorn", "confluent-kafka")\n', set()),
        ("start.sh", "hypercorn app:app --bind 0.0.0.0\n", {"hypercorn"}),
        ("start.sh", "flask --app app run --debug\n", {"werkzeug"}),
        ("start.sh", "python manage.py runserver 0.0.0.0:8000\n", {"werkzeug"}),
        ("k8s/web.yaml", POD.format(name="web", value="no") + "          args: [uvicorn, 'app:app']\n", {"uvicorn"}),
        ("serverless.yml", "provider:\n  name: aws\n  runtime: python3.12\n", {"lambda"}),
        ("template.yaml", "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Runtime: nodejs20.x\n", set()),
    ],
)  # fmt: skip
def test_servers(tmp_path: Path, name: str, text: str, servers: set[str]) -> None:
    assert set(single(tmp_path, name, text).servers) == servers


def test_environment(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "app.py": "",
            "Dockerfile": "FROM python\nENV OTEL_SERVICE_NAME=shop OTEL_TRACES_EXPORTER otlp\nCMD python app.py\n",
            "compose.yaml": "services:\n  web:\n    build: .\n    environment:\n"
            "      OTEL_PROPAGATORS: b3\n  db:\n    image: jaeger\n    environment: [OTEL_LOG=1]\n",
            ".env": 'export OTEL_RESOURCE_ATTRIBUTES="a=b,c=d"\n',
        },
    ).for_path("app.py")
    assert found.env["OTEL_SERVICE_NAME"] == "shop"
    assert found.env["OTEL_PROPAGATORS"] == "b3"
    assert found.env["OTEL_RESOURCE_ATTRIBUTES"] == "a=b,c=d"
    assert "OTEL_LOG" not in found.env


def test_a_launch_of_one_service_says_nothing_about_another(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "cart/app.py": "",
            "cart/Dockerfile": "FROM python\nCMD opentelemetry-instrument python app.py\n",
            "cart/requirements.txt": "flask\n",
            "ads/app.py": "",
            "ads/requirements.txt": "fastapi==0.115.0\n",
            "tools/run.py": "",
        },
    )
    assert found.for_path("cart/app.py").auto_instrumented
    assert found.for_path(tmp_path / "cart" / "sub" / "deep.py").auto_instrumented
    assert not found.for_path("ads/app.py").auto_instrumented
    assert not found.for_path("tools/run.py").auto_instrumented
    assert found.for_path("ads/app.py").depends_on("FastAPI")
    assert not found.for_path("ads/app.py").depends_on("flask")
    assert found.unit_of("tools/run.py") == ""
    assert found.for_paths(["ads/app.py", "cart/app.py"]).auto_instrumented


def test_functions_of_one_template_say_nothing_about_others(tmp_path: Path) -> None:
    function = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: {}\n"
    wrapper = "AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-instrument\n"
    found = project(
        tmp_path,
        {
            "lib/telemetry.py": "",
            "cart/handler.py": "",
            "cart/serverless.yml": f"provider:\n  runtime: python3.12\n  environment:\n    {wrapper}",
            "ads/handler.py": "",
            "ads/serverless.yml": "provider:\n  runtime: python3.12\n",
            "cli/bed/template.yaml": f"{function.format('.')}      Environment:\n        Variables:\n          {wrapper}",
        },
    )
    assert found.for_path("cart/handler.py").auto_instrumented
    assert not found.for_path("ads/handler.py").auto_instrumented
    assert not found.for_path("lib/telemetry.py").auto_instrumented


def test_a_template_beside_the_code_reaches_it(tmp_path: Path) -> None:
    function = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: ../src\n"
    wrapper = "      Environment:\n        Variables:\n          AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-instrument\n"
    found = project(tmp_path, {"src/handler.py": "", "sam/template.yaml": function + wrapper})
    assert found.for_path("src/handler.py").auto_instrumented


def test_compose_states_facts_for_the_folder_it_builds(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "cart/app.py": "",
            "cart/Dockerfile": "FROM python\nCMD python app.py\n",
            "ads/app.py": "",
            "ads/Dockerfile": "FROM python\nCMD python app.py\n",
            "web/index.js": "",
            "web/Dockerfile": "FROM node\n",
            "docker-compose.yml": """\
x-otel: &otel
  environment: {OTEL_TRACES_EXPORTER: otlp}
services:
  shop-cart:
    <<: *otel
    build: {context: ., dockerfile: cart/Dockerfile}
    entrypoint: [opentelemetry-instrument]
    command: [python, app.py]
  ads:
    <<: *otel
    build: ./ads
  web:
    build: ./web
    environment: [OTEL_SERVICE_NAME=web]
""",
        },
    )
    assert found.for_path("cart/app.py").auto_instrumented
    assert found.for_path("cart/app.py").env == {"OTEL_TRACES_EXPORTER": "otlp"}
    assert not found.for_path("ads/app.py").auto_instrumented
    assert found.for_path("ads/app.py").env == {"OTEL_TRACES_EXPORTER": "otlp"}


def test_manifests_are_placed_by_name(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "services/cart/app.py": "",
            "services/cart/requirements.txt": "",
            "services/ads/app.py": "",
            "services/ads/requirements.txt": "",
            "k8s/cart.yaml": POD.format(name="cart-service", value="true"),
            "k8s/broken.yaml": "a: [\n",
        },
    )
    assert found.for_path("services/cart/app.py").auto_instrumented
    assert not found.for_path("services/ads/app.py").auto_instrumented


def test_a_manifest_that_cannot_be_placed_reaches_everything_below(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "cart/app.py": "",
            "cart/Dockerfile": "FROM python\nCMD python app.py\n",
            "k8s/backend.yaml": POD.format(name="backend", value="true"),
        },
    )
    assert found.for_path("cart/app.py").auto_instrumented


def test_a_service_that_starts_itself_takes_no_launch_from_above(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "app.py": "",
            "requirements.txt": "flask==3.0.0\nopentelemetry-sdk\n",
            "Dockerfile": "FROM python\nCMD opentelemetry-instrument gunicorn app:app\n",
            "worker/app.py": "",
            "worker/Dockerfile": "FROM python\nCMD python app.py\n",
            "job/app.py": "",
            "job/requirements.txt": "opentelemetry-sdk==1.45.0\n",
        },
    )
    assert not found.for_path("worker/app.py").auto_instrumented
    assert not found.for_path("worker/app.py").servers
    assert found.for_path("worker/app.py").pins == {"flask": "==3.0.0", "opentelemetry-sdk": None}
    assert found.for_path("job/app.py").auto_instrumented
    assert found.for_path("job/app.py").pins["opentelemetry-sdk"] == "==1.45.0"


def test_a_folder_of_container_files_speaks_for_the_folder_around_it(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "shop/app.py": "",
            "shop/pyproject.toml": '[project]\nname = "shop"\n',
            "shop/docker/Dockerfile": "FROM python\nCMD opentelemetry-instrument python app.py\n",
            "other/app.py": "",
        },
    )
    assert found.for_path("shop/app.py").auto_instrumented
    assert not found.for_path("other/app.py").auto_instrumented


def test_a_container_file_at_the_root_is_about_what_it_copies(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "cart/app.py": "",
            "cart/requirements.txt": "",
            "ads/app.py": "",
            "ads/requirements.txt": "",
            "Dockerfile.cart": "FROM python\nCOPY cart/ /app\nCMD opentelemetry-instrument python app.py\n",
        },
    )
    assert found.for_path("cart/app.py").auto_instrumented
    assert not found.for_path("ads/app.py").auto_instrumented


@pytest.mark.parametrize(
    ("name", "text", "how"),
    [
        ("Dockerfile", 'CMD ["python", "-m", "shop.main"]\n', [""]),
        ("Dockerfile", 'ENTRYPOINT ["python3", "-u", "app.py"]\n', [""]),
        ("Dockerfile", 'ENTRYPOINT ["tini", "--"]\nCMD ["python", "app.py"]\n', ["child"]),
        ("Dockerfile", 'CMD ["uv", "run", "python", "-m", "shop.main"]\n', ["child"]),
        ("Dockerfile", 'CMD ["python", "-m", "uvicorn", "app:app"]\n', []),
        ("compose.yaml", "services:\n  shop:\n    build: .\n    command: python -m shop.main\n", [""]),
        ("compose.yaml", "services:\n  shop:\n    build: .\n    init: true\n    command: python app.py\n", ["child"]),
    ],
)
def test_programs_of_containers(tmp_path: Path, name: str, text: str, how: list[str]) -> None:
    found = single(tmp_path, name, text)
    assert [each.how for each in found.commands if each.word == "python"] == how
    assert "python" not in found.servers


def test_headers_of_a_mesh(tmp_path: Path) -> None:
    text = "allowHeaders:\n  - X-B3-TraceId\n  - my-traceparent\n"
    assert project(tmp_path, {"app.py": "", "mesh/gateway.yaml": text}).headers == {"x-b3-traceid"}


def test_scripts_are_about_what_they_run(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "cart/main.py": "",
            "cart/requirements.txt": "",
            "ads/main.py": "",
            "ads/requirements.txt": "",
            "run.sh": "cd cart\nopentelemetry-instrument python main.py\n",
            "Makefile": "ads:\n\tuvicorn ads.main:app\n",
        },
    )
    assert found.for_path("cart/main.py").auto_instrumented
    assert not found.for_path("ads/main.py").auto_instrumented
    assert set(found.for_path("ads/main.py").servers) == {"uvicorn"}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("requirements.txt", "Flask[async]>=2,<3 ; python_version>'3'  # web\n-r x\n--hash=1\n", {"flask": ">=2,<3"}),
        ("requirements.txt", "a.b_c == 1.0 \\\n  --hash=sha256:0\n\nb (>=1)\nc @ https://x/c.whl\n", {"a-b-c": "==1.0", "b": ">=1", "c": None}),
        ("requirements.txt", "-e git+https://x/y.git#egg=pkg\nhttps://x/z.whl\n", {"pkg": None}),
        ("pyproject.toml", '[project]\ndependencies = ["x>=1"]\noptional-dependencies.a = ["y"]\n[dependency-groups]\nd = ["z~=2.0", {include-group = "a"}]\n', {"x": ">=1", "y": None, "z": "~=2.0"}),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.10"\nx = "^1.2"\ny = {version = "~0.5.1", extras = ["a"]}\nz = "*"\nw = "1.0"\nv = "^0.3"\n', {"x": ">=1.2,<2", "y": ">=0.5.1,<0.6", "z": None, "w": "==1.0", "v": ">=0.3,<0.4"}),
        ("Pipfile", '[packages]\nx = "==1.0"\n[dev-packages]\ny = "*"\n', {"x": "==1.0", "y": None}),
        ("Pipfile.lock", '{"default": {"x": {"version": "==1.1"}}}', {"x": "==1.1"}),
        ("uv.lock", 'version = 1\n[[package]]\nname = "x"\nversion = "1.2.3"\n', {"x": "==1.2.3"}),
        ("setup.py", 'R = ["x>1"]\nsetup(install_requires=R, extras_require={"a": ["y"]})\n', {"x": ">1", "y": None}),
        ("setup.cfg", "[options]\ninstall_requires =\n    x>=1\n    y\n", {"x": ">=1", "y": None}),
        ("environment.yml", "dependencies:\n  - python=3.11\n  - conda-forge::x=1.2\n  - pip:\n    - y==2\n", {"python": "==3.11.*", "x": "==1.2.*", "y": "==2"}),
    ],
)  # fmt: skip
def test_pins(name: str, text: str, expected: pins.Pins) -> None:
    assert pins.read(name, text) == expected


@pytest.mark.parametrize(
    "name", ["requirements.txt", "pyproject.toml", "Pipfile", "Pipfile.lock", "setup.py", "setup.cfg", "uv.lock"]
)
@pytest.mark.parametrize(
    "text", ["", "\x00", "[", "[[[", "=", "x = [" * 3000, "(" * 3000, "{}", '["a"]', "[project]\ndependencies = 1"]
)
def test_broken_pins_say_nothing(name: str, text: str) -> None:
    assert isinstance(pins.read(name, text), dict)


def test_locks_win_and_includes_are_followed(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "app.py": "",
            "pyproject.toml": '[project]\nname = "x"\ndependencies = ["fastapi>=0.100", "httpx"]\n',
            "poetry.lock": '[[package]]\nname = "fastapi"\nversion = "0.115.0"\n',
            "requirements/prod.txt": "-r ../base/requirements.in\n",
            "base/requirements.in": "celery==5.4\n",
            "Dockerfile": "FROM python\nRUN pip install --no-cache-dir 'redis==5.0' -r requirements.txt && apt-get update\n",
        },
    ).for_path("app.py")
    assert found.pins["fastapi"] == "==0.115.0"
    assert found.pins["celery"] == "==5.4"
    assert found.pins["httpx"] is None
    assert found.pins["redis"] == "==5.0"
    assert not found.depends_on("requirements-txt")


def test_installed_instrumentation(tmp_path: Path) -> None:
    found = single(tmp_path, "requirements.txt", "opentelemetry-instrumentation-grpc\nfaststream\nstarlette\n")
    assert found.installed_instrumentation == {"grpc-server", "grpc-client", "grpc-aio-server", "grpc-aio-client"}


def test_bootstrap_installs_the_instrumentors_of_all_libraries(tmp_path: Path) -> None:
    text = "FROM python\nRUN uv run opentelemetry-bootstrap -a install\nCMD opentelemetry-instrument python app.py\n"
    found = single(tmp_path, "Dockerfile", text)
    assert found.bootstrapped
    assert {"flask", "requests", "elasticsearch"} <= found.installed_instrumentation
    assert (
        not {"openllmetry-openai", "openinference-openai", "google-genai", "taskiq"} & found.installed_instrumentation
    )
    assert found.launched_instrumentation == found.installed_instrumentation
    less = single(tmp_path, ".env", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=grpc_server,flask\n")
    assert less.installed_instrumentation - less.launched_instrumentation == {"grpc-server", "flask"}
    assert not single(
        tmp_path / "none", "requirements.txt", "opentelemetry-instrumentation-flask"
    ).launched_instrumentation
    assert single(tmp_path / "k8s", "k8s/web.yaml", POD.format(name="web", value="true")).bootstrapped


@pytest.mark.parametrize(
    ("pin", "expected"),
    [
        ("==0.145.0", True),
        ("==0.150", True),
        (">=0.150", True),
        ("==0.144.9", False),
        ("<0.145", False),
        ("~=0.115.0", False),
        ("~=0.145.0", True),
        ("~=0.115", None),
        ("==0.115.*", False),
        (">=0.100", None),
        ("<1", None),
        ("==0.*", None),
        (None, None),
        ("garbage", None),
    ],
)
def test_at_least(pin: str | None, expected: bool | None) -> None:
    assert Deployment(pins={"fastapi": pin}).at_least("FastAPI", "0.145") is expected


def test_broken_files_never_crash(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "app.py": "",
            "Dockerfile": b"FROM python\n\xff\xfe CMD opentelemetry-instrument\n",
            "docker-compose.yml": "services:\n  a: &a\n    <<: *a\n    command: python\n",
            "compose.yml": "services: [1, 2]\n",
            "compose.dev.yml": "services:\n  a: 1\n  b:\n    build: {context: {}}\n    command: {a: b}\n    environment: 3\n    volumes: 4\n",
            "k8s/deep.yaml": "kind: Pod # flask\n" + "[" * 5000,
            "k8s/dash.yaml": "# flask\n" + "- " * 5000 + "x",
            "k8s/list.yaml": "kind: List # flask\nitems: [{kind: Pod, spec: {containers: [1]}}, 2]\n---\n- flask\n--- !!x\n? {a: b}\n: c\n",
            "config.json": "{opentelemetry-instrument",
            "Procfile": b"\x00\x01",
            "start.sh": "cd ../../..\npython /x/y.py\nopentelemetry-instrument \\",
            "Makefile": "x" * (MAX_SIZE + 1) + "\nopentelemetry-instrument python app.py\n",
            "pyproject.toml": "[tool\n",
            "empty/Procfile": "",
        },
    )
    (tmp_path / "requirements.txt").symlink_to("nowhere")
    (tmp_path / "setup.cfg").mkdir()
    assert isinstance(found.for_path("app.py"), Deployment)
    assert not collect(tmp_path).for_path("app.py").pins


def test_utf16_requirements(tmp_path: Path) -> None:
    found = project(tmp_path, {"app.py": "", "requirements.txt": "flask==3.0\r\n".encode("utf-16")})
    assert found.for_path("app.py").pins == {"flask": "==3.0"}


def test_environments_and_excluded_folders_are_not_read(tmp_path: Path) -> None:
    text = "opentelemetry-instrument python app.py\n"
    found = project(
        tmp_path,
        {
            "app.py": "",
            "node_modules/x/start.sh": text,
            "env/pyvenv.cfg": "",
            "env/bin/start.sh": text,
            "out/start.sh": text,
        },
    )
    assert [item.path for item in found.for_path("app.py").launches] == ["out/start.sh"]
    assert not collect(tmp_path, excluded={"out", "node_modules"}).for_path("app.py").launches


def test_facts_are_plain_data(tmp_path: Path) -> None:
    found = project(tmp_path, {"app.py": "", "Procfile": "web: opentelemetry-instrument uvicorn app:app\n"})
    facts = json.loads(json.dumps(asdict(found.for_path("app.py"))))
    assert facts["launches"][0] == {
        "path": "Procfile",
        "row": 1,
        "text": "web: opentelemetry-instrument uvicorn app:app",
        "word": "opentelemetry-instrument",
        "wide": False,
        "how": "",
    }
    assert list(facts["servers"]) == ["uvicorn"]


def test_nothing_at_all(tmp_path: Path) -> None:
    found = collect(tmp_path / "missing")
    assert found.for_path("app.py") == Deployment()


def test_a_chart_that_takes_names_from_its_values_calls_its_files_after_services(tmp_path: Path) -> None:
    text = POD.format(name="{{ .Values.orders.name }}", value="false").replace(
        "name: {{ .Values.orders.name }}\n          image", "name: server\n          image"
    )
    text += '          env:\n            - name: OTEL_SERVICE_NAME\n              value: "{{ .Values.orders.name }}"\n'
    files = {
        "src/orders/app.py": "",
        "src/orders/Dockerfile": "FROM python",
        "src/cart/app.py": "",
        "src/cart/Dockerfile": "FROM python",
    }
    found = project(tmp_path, {**files, "chart/templates/orders.yaml": text})
    assert "OTEL_SERVICE_NAME" in found.for_path("src/orders/app.py").env
    assert "OTEL_SERVICE_NAME" not in found.for_path("src/cart/app.py").env
