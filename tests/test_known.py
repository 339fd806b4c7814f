from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from otlint import known
from otlint.known import semconv

DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
TYPE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+(\('[a-z0-9-]+'\))?")
METHOD = re.compile(r"\*|\w+(\.\w+)*")
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
DOES = {"server", "client", "producer", "consumer", "db", "genai", "context", "internal", "logging", "metrics"}
SIGNALS = {"traces", "metrics", "logs"}
ROLE_KEYS = set(known.ROLES)
CLIENT_KEYS = ROLE_KEYS | {
    "instrumentors",
    "beneath",
    "commands",
    "remote",
    "awaited",
    "types",
    "factories",
    "async_factories",
    "services",
}
TYPE_KEYS = ROLE_KEYS | {"made", "of", "decorated", "awaited", "local", "stages", "twin", "twin_made"}
ENTRY_KEYS = {
    "instrumentors",
    "native",
    "decorators",
    "registers",
    "settings",
    "bases",
    "handlers",
    "hooks",
    "loops",
    "fails",
    "raises",
    "records",
    "plain",
    "types",
}


def test_every_instrumentor_is_well_formed() -> None:
    for key, entry in known.instrumentors().items():
        assert re.fullmatch(r"[a-z0-9-]+", key)
        assert entry.does, key
        assert entry.does <= DOES, key
        assert entry.status in {None, "response", "exception"}, key
        assert entry.cls or entry.calls, f"nothing switches {key} on"
        assert all(DOTTED.fullmatch(name) for name in (*entry.calls, *([entry.cls] if entry.cls else []))), key
        assert all(NAME.fullmatch(name) for name in (*entry.libraries, *entry.objects)), key
        assert entry.package == known.distribution(entry.package), key


def test_no_class_belongs_to_two_instrumentors() -> None:
    classes = Counter(
        name for entry in known.instrumentors().values() for name in ({entry.cls} - {None}) | set(entry.calls)
    )
    # Two distributions share the module opentelemetry.instrumentation.openai_agents, and two that of vertexai.
    shared = {name for name, count in classes.items() if count > 1}
    assert shared == {
        "opentelemetry.instrumentation.openai_agents.OpenAIAgentsInstrumentor",
        "opentelemetry.instrumentation.vertexai.VertexAIInstrumentor",
    }


def test_every_distribution_is_well_formed() -> None:
    calls = Counter(call for entry in known.distros().values() for call in entry.calls)
    assert max(calls.values()) == 1
    for key, entry in known.distros().items():
        assert entry.instruments - {"*"} <= set(known.instrumentors()), key
        assert entry.providers <= SIGNALS, key
        assert entry.does <= DOES, key
        assert all(DOTTED.fullmatch(call) for call in entry.calls), key
        assert entry.calls or entry.launch or entry.imports, key


def test_native_tracing_is_well_formed() -> None:
    for key, entry in known.table("instrumentors")["native"].items():
        assert set(entry) <= {"package", "since", "calls", "keyword", "off", "does", "status"}, key
        assert ("since" in entry) != ("calls" in entry), key
        assert set(entry["does"]) <= DOES, key


@pytest.mark.parametrize(("key", "entry"), known.table("clients")["client"].items())
def test_client_is_well_formed(key: str, entry: dict) -> None:
    assert re.fullmatch(r"[a-z0-9_-]+", key)
    assert set(entry) <= CLIENT_KEYS
    assert {*entry["instrumentors"], *entry.get("beneath", [])} <= set(known.instrumentors())
    functions = [name for role in known.ROLES for name in entry.get(role, [])]
    assert all(DOTTED.fullmatch(name) for name in functions)
    assert not duplicates(functions)
    if isinstance(entry.get("awaited"), list):
        assert set(entry["awaited"]) <= set(functions)
    for name, kind in entry.get("types", {}).items():
        assert TYPE.fullmatch(name)
        assert set(kind) <= TYPE_KEYS, name
        methods = [method for role in known.ROLES for method in kind.get(role, [])]
        assert all(METHOD.fullmatch(method) for method in methods), name
        assert not duplicates(methods), name
        assert any(role in kind for role in known.ROLES), f"{name} has no role"
        if isinstance(kind.get("awaited"), list):
            assert set(kind["awaited"]) <= set(methods), name
        assert "local" not in kind or "*" in methods, name


def test_every_service_has_roles_and_instrumentors() -> None:
    services = known.table("clients")["client"]["boto3"]["services"]
    for name, roles in services.items():
        assert set(roles) <= ROLE_KEYS | {"also"}, name
        assert set(roles.get("also", [])) <= set(known.instrumentors()), name
        assert not duplicates([method for role in known.ROLES for method in roles.get(role, [])]), name


@pytest.mark.parametrize(("key", "entry"), known.entries().items())
def test_entry_is_well_formed(key: str, entry: known.Entry) -> None:
    section, name = key.split(".", 1)
    assert set(known.table("clients")[section][name]) <= ENTRY_KEYS
    assert entry.instrumentors <= set(known.instrumentors())
    assert entry.native <= set(known.table("instrumentors")["native"])
    assert entry.loops <= set(known.clients().makes.values()) | {"boto3.sqs.Queue"}
    for names in (entry.decorators, entry.hooks, entry.registers, entry.fails, entry.raises):
        assert all(TYPE.fullmatch(api) for api in names), key
    assert not any(slot.always for slot in entry.registers.values())
    assert not set(entry.fails) & set(entry.raises)
    for handler in entry.handlers:
        assert all(NAME.fullmatch(parameter) for parameter, _ in handler.parameters)
        assert handler.names or handler.returns or len(handler.parameters) > 1 or handler.parameters[0][1], (
            "too little to recognise a handler by"
        )


def test_a_call_makes_one_type_only() -> None:
    seen: dict[str, set[str]] = {}
    for section in ("client", "server", "consumer"):
        for entry in known.table("clients")[section].values():
            for name, kind in entry.get("types", {}).items():
                for maker in (name, *kind.get("made", [])):
                    seen.setdefault(maker, set()).add(name)
    assert {maker: types for maker, types in seen.items() if len(types) > 1} == {}


def test_no_table_line_is_written_twice() -> None:
    for name in ("clients", "instrumentors"):
        heads = re.findall(r"^\[[^\n]+\]$", (Path(known.__file__).with_name(f"{name}.toml")).read_text(), re.MULTILINE)
        assert not duplicates(heads)


def test_runs_names_servers() -> None:
    assert all(DOTTED.fullmatch(api) for api in known.runs())


@pytest.mark.parametrize(
    ("api", "role", "awaited"),
    [
        ("requests.post", "http", False),
        ("httpx.AsyncClient.stream", "http", True),
        ("psycopg2.extensions.cursor.execute", "db", False),
        ("redis.Redis.hgetall", "db", False),
        ("redis.asyncio.Redis.publish", "send", True),
        ("openai.AsyncOpenAI.chat.completions.create", "genai", True),
        ("litellm.completion", "genai", False),
        ("litellm.acompletion", "genai", True),
        ("grpc.Stub.SayHello", "rpc", False),
        ("boto3.client.put_object", "rpc", False),
        ("boto3.client('sqs').receive_message", "receive", False),
        ("boto3.client('sqs').list_queues", "rpc", False),
        ("aioboto3.Session.client('sqs').delete_message", "settle", True),
        ("kafka.KafkaConsumer.__iter__", "receive", False),
        ("aiokafka.AIOKafkaProducer.send_and_wait", "send", True),
    ],
)
def test_operation(api: str, role: str, awaited: bool) -> None:
    operation = known.clients().operation(api)
    assert operation is not None
    assert (operation.role, operation.awaited) == (role, awaited)


@pytest.mark.parametrize(
    "api",
    ["requests.Session", "redis.Redis.pipeline", "boto3.client.get_paginator", "grpc.Stub.__init__", "json.dumps"],
)
def test_not_an_operation(api: str) -> None:
    assert known.clients().operation(api) is None


def test_types_follow_calls_attributes_and_subscripts() -> None:
    clients = known.clients()
    assert clients.made_by("redis.StrictRedis.from_url") == "redis.Redis"
    assert clients.made_by("psycopg2.extensions.connection.cursor") == "psycopg2.extensions.cursor"
    assert clients.made_by("boto3.client", "sqs") == "boto3.client('sqs')"
    assert clients.made_by("boto3.client", "ec2") == "boto3.client"
    assert clients.made_by("boto3.session.Session.client", "sns") == "boto3.client('sns')"
    assert clients.made_by("shop.cart_pb2_grpc.CartStub") == "grpc.Stub"
    assert clients.made_by("shop.Cart") is None
    assert clients.attribute("pymongo.MongoClient", "shop") == "pymongo.database.Database"
    assert clients.attribute("pymongo.MongoClient", "admin") is None
    assert clients.item("pymongo.database.Database") == "pymongo.collection.Collection"
    assert clients.decorates["celery.shared_task"] == "celery.Task"


def test_kinds() -> None:
    clients = known.clients()
    assert [
        operation.kinds
        for api in ("requests.get", "kafka.KafkaProducer.send", "kafka.KafkaConsumer.poll", "sqlite3.Cursor.execute")
        if (operation := clients.operation(api))
    ] == [("CLIENT",), ("PRODUCER", "CLIENT"), ("CLIENT",), ("INTERNAL", "CLIENT")]


def test_switches() -> None:
    switches = known.switches()
    assert switches["opentelemetry.instrumentation.flask.FlaskInstrumentor"] == {"flask"}
    assert "requests" in switches["azure.monitor.opentelemetry.configure_azure_monitor"]
    assert switches["opentelemetry.instrumentation.auto_instrumentation.initialize"] == {"*"}
    assert switches["logfire.instrument_httpx"] == {"httpx"}


def test_frameworks_by_decorator_and_call() -> None:
    assert known.decorators()["celery.shared_task"].kind == "CONSUMER"
    assert known.decorators()["fastapi.FastAPI.get"].native == {"fastapi"}
    entry, slot = known.registers()["pika.channel.Channel.basic_consume"]
    assert (entry.key, slot.position, slot.keywords) == ("consumer.pika", 1, ("on_message_callback",))
    names = [api for entry in known.entries().values() for api in (*entry.decorators, *entry.registers)]
    assert not duplicates(names)


def test_handlers_of_classes() -> None:
    grpc = known.entries()["server.grpc"]
    assert grpc.handles("shop_pb2_grpc.CartServicer", "AddItem")
    assert not grpc.handles("shop_pb2_grpc.CartServicer", "_add")
    assert known.entries()["server.tornado"].handles("tornado.web.RequestHandler", "get")
    assert not known.entries()["server.tornado"].handles("tornado.web.RequestHandler", "prepare")


def duplicates(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def test_old_names_of_the_conventions() -> None:
    found = semconv.old("http.status_code", "span")
    assert found is not None and found.new == ("http.response.status_code",) and found.same
    assert semconv.old("state", "metric") is None
    assert semconv.old("message.id", "span") is None and semconv.old("message.id", "event") is not None
    assert semconv.old("gen_ai.usage.input_tokens", "span") is None
    prefixed = semconv.old("container.labels.app", "resource")
    assert prefixed is not None and prefixed.new == ("container.label.app",)


def test_every_successor_is_alive() -> None:
    table = known.table("semconv")
    old = [*table["renamed"], *table["reviewed"], *table["split"], *table["prefixes"]]
    assert not duplicates(old)
    assert not [key for key in old if semconv.kind(key)]
    new = [*table["renamed"].values(), *table["prefixes"].values(), *(new for new, _ in table["reviewed"].values())]
    new += [key for keys in table["split"].values() for key in keys]
    assert not [key for key in new if not semconv.kind(key) and not key.startswith("http.re")]
