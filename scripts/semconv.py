"""Write otlint/known/semconv.toml and registry.toml: what became of old names, and what the living ones hold.

    python -m scripts.semconv RENAMES VALUES CONSTANTS MODEL

RENAMES, VALUES and CONSTANTS are JSON tables taken from the semantic conventions: every deprecated name with its
successor, what changes with the value, and the constants of the deprecated Python classes. MODEL is the `model` folder
of open-telemetry/semantic-conventions at the version of RENAMES. Needs PyYAML.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

KNOWN = Path(__file__).parent.parent / "otlint" / "known"
Row = Mapping[str, Any]

# Deprecated on certain metrics only, where nobody writes them by hand; elsewhere the words mean anything.
GENERIC = frozenset({"state", "pool.name", "pool", "type"})
# What these words mean on other signals is not the conventions' business.
ONLY = {
    "event": ("message.compressed_size", "message.id", "message.type", "message.uncompressed_size"),
    "log": ("event.domain", "event.name"),
    "metric": (
        "container.cpu.state", "db.client.connections.pool.name", "db.client.connections.state",
        "linux.memory.slab.state", "process.cpu.state", "system.cpu.state", "system.network.state",
    ),
}  # fmt: skip
# Removed before the registry remembered what it removes: CHANGELOG.md of 1.17 and 1.22.
BEFORE = {
    "client.socket.address": ["network.peer.address"],
    "client.socket.port": ["network.peer.port"],
    "container.image.tag": ["container.image.tags"],
    "destination.domain": ["destination.address"],
    "messaging.destination.kind": [],
    "messaging.source": ["messaging.destination.name"],
    "messaging.source.kind": [],
    "messaging.source.name": ["messaging.destination.name"],
    "messaging.source_kind": [],
    "server.socket.address": ["network.peer.address", "network.local.address"],
    "server.socket.domain": ["network.peer.address"],
    "server.socket.port": ["network.peer.port", "network.local.port"],
    "source.domain": ["source.address"],
}
# Said elsewhere than in the registry: docs of the GenAI conventions, and the migration guide for HTTP.
SUCCESSORS = {
    "gen_ai.completion": ["gen_ai.output.messages"],
    "gen_ai.prompt": ["gen_ai.input.messages"],
    "http.request_content_length": ["http.request.body.size", "http.request.header.content-length"],
    "net.peer.ip": ["network.peer.address", "client.address"],
    "http.response_content_length": ["http.response.body.size", "http.response.header.content-length"],
}
# Renames after which the old value is, with few exceptions, the right one.
STANDS = (
    "container.runtime", "db.name", "db.operation", "db.statement", "deployment.environment", "feature_flag.variant",
    "http.client_ip", "http.method", "http.scheme", "http.url", "messaging.protocol",
)  # fmt: skip
# What back ends still read under the old name, and names that people make up themselves.
DOUBTFUL = ("error.message", "peer.service")
# Notes that name no change of the value.
IDLE = (
    "client/peer", "exporter-written", "free text", "merged into", "semantics", "server:", "service.peer", "value sem",
)  # fmt: skip
# Seen in opentelemetry-semantic-conventions 0.46b0: their constants were not in a stable module yet.
LATE = ("container.", "k8s.", "otel.scope.", "service.instance.id", "service.namespace")
# The conventions allow no other value.
CLOSED = ("http.request.method", "otel.status_code")


def renames(rows: Sequence[Row], notes: Mapping[str, str], constants: Sequence[Row]) -> Iterator[str]:
    """The tables of semconv.toml."""
    attributes = {row["old"]: row for row in rows if row["kind"] == "attribute" and row["old"] not in GENERIC}
    usable = {old: row for old, row in attributes.items() if row["class"] != "not-deprecated-moved-repo"}
    gone = {old for old, row in usable.items() if row.get("final") and not _lives(row["final"], attributes, row)}
    nowhere = {row["value"] for row in constants if not (row["stable"] or row["incubating"])} - GENERIC - set(usable)
    plain = {
        old: row["final"] for old, row in usable.items() if row["class"] == "rename-one-to-one" and old not in gone
    }
    prefixes = {old: new for old, new in plain.items() if str(usable[old]["old_type"]).startswith("template")}
    reviewed = {
        old: [row["final"], _note(notes.get(old, ""), row["final"])]
        for old, row in usable.items()
        if row["class"] == "rename-value-review" and old not in gone and old not in SUCCESSORS
    }
    split = {
        old: [key for key in row["replacements_in_note"] if old not in DOUBTFUL and key not in usable]
        for old, row in usable.items()
        if row["class"] == "split-or-context"
    }
    removed = {old for old, row in usable.items() if row["class"] == "removed"}
    split |= {key: [] for key in removed | gone | nowhere} | BEFORE | SUCCESSORS
    yield from _table("renamed", {old: new for old, new in plain.items() if old not in prefixes})
    yield from _table("prefixes", prefixes)
    yield from _table("reviewed", reviewed)
    yield from _table("split", split)
    yield from _table("only", {signal: list(keys) for signal, keys in ONLY.items()})
    for old, row in usable.items():
        if row.get("value_map"):
            yield from _table(f'values."{old}"', {key: value or "" for key, value in row["value_map"].items()})


def _lives(key: str, attributes: Mapping[str, Row], row: Row) -> bool:
    moved = key in attributes and attributes[key]["class"] == "not-deprecated-moved-repo"
    return moved or bool(row.get("new_exists_in_registry") or row.get("new_stability"))


def _note(note: str, new: str) -> str:
    """The first thing that a note says, without the documents it comes from."""
    first = re.split(r" \(|; ", note.removeprefix(f"{new}: "))[0].strip(" '")
    return "" if first == new or first.startswith(("resource attribute", "metric attribute", *IDLE)) else first


def metrics(rows: Sequence[Row]) -> Iterator[str]:
    """Metric names; the successors of those in milliseconds are in seconds."""
    found = [row for row in rows if row["kind"] == "metric" and not _is_moved(row["old"])]
    named = {row["old"]: row.get("final") or row["renamed_to"] for row in found if row.get("renamed_to")}
    by_note = {
        "db.client.connections.create_time": "db.client.connection.create_time",
        "db.client.connections.use_time": "db.client.connection.use_time",
        "db.client.connections.wait_time": "db.client.connection.wait_time",
        "rpc.client.duration": "rpc.client.call.duration",
        "rpc.server.duration": "rpc.server.call.duration",
    }
    removed = [row["old"] for row in found if row["old"] not in named and row["old"] not in by_note]
    seconds = [*by_note, *(row["old"] for row in found if row.get("unit_change"))]
    yield from _table("metrics.renamed", named | by_note)
    yield from _table("metrics", {"removed": sorted(removed), "seconds": sorted(seconds)})


def _is_moved(name: str) -> bool:
    return name.startswith(("gen_ai.", "mcp."))


def registry(model: Path, rows: Sequence[Row]) -> Iterator[str]:
    """The tables of registry.toml: living keys by type, enumerations, and the keys that describe a resource."""
    moved = {row["old"] for row in rows if row.get("class") == "not-deprecated-moved-repo"}
    attributes, described, used = _read(model)
    living = {
        key: each["type"] for key, each in sorted(attributes.items()) if not each.get("deprecated") or key in moved
    }
    types: dict[str, list[str]] = {}
    enums: dict[str, list[str]] = {}
    for key, kind in living.items():
        if isinstance(kind, dict):
            values = [member["value"] for member in kind["members"] if not member.get("deprecated")]
            if all(isinstance(value, str) for value in values):
                enums[key] = values
            kind = "string" if key in enums else "int"
        types.setdefault(kind, []).append(key)
    yield from _table("types", types)
    yield from _table("enums", {"closed": list(CLOSED)} | enums)
    yield from _table("resource", {"keys": sorted(described & living.keys() - used)})


def _read(model: Path) -> tuple[dict[str, Row], set[str], set[str]]:
    """Every attribute by key, the keys that entities have, and the keys that spans have."""
    attributes: dict[str, Row] = {}
    described: set[str] = set()
    used: set[str] = set()
    groups: dict[str, Row] = {}
    for path in sorted(model.rglob("*.yaml")):
        text = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        attributes |= {each["key"]: each for each in text.get("attributes", ())}
        for group in [*text.get("groups", ()), *text.get("attribute_groups", ())]:
            groups[group["id"]] = group
            attributes |= {each["id"]: each for each in group.get("attributes") or () if "id" in each}
        for kind in ("spans", "span_refinements"):
            each_of_kind = enumerate(text.get(kind, ()))
            groups |= {f"{kind}.{number}.{path}": {**each, "type": kind} for number, each in each_of_kind}
    for group in groups.values():
        keys = set(_keys(group, groups))
        if group.get("type") == "entity" and not group.get("deprecated"):
            described |= keys
        elif group.get("type") in {"span", "spans", "span_refinements"}:
            used |= keys
    return attributes, described, used


def _keys(group: Row, groups: Mapping[str, Row]) -> Iterator[str]:
    for each in group.get("attributes") or ():
        if "ref_group" in each:
            yield from _keys(groups.get(each["ref_group"], {}), groups)
        else:
            yield each.get("ref") or each.get("id") or each["key"]
    if group.get("extends") in groups:
        yield from _keys(groups[group["extends"]], groups)


def _table(name: str, entries: Mapping[str, Any]) -> Iterator[str]:
    if entries:
        yield from ["", f"[{name}]"]
        yield from (f"{_key(key)} = {_value(value)}" for key, value in sorted(entries.items()))


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _value(value: str | Iterable[str]) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    words = [json.dumps(each, ensure_ascii=False) for each in value]
    line = ", ".join(words)
    if len(line) < 90:
        return f"[{line}]"
    lines, row = [], ""
    for word in words:
        if len(row) + len(word) > 108:
            lines, row = [*lines, row], ""
        row += f" {word},"
    return "\n   ".join(["[", *lines, row]) + "\n]"


def main(renamed: str, values: str, constants: str, model: str) -> None:
    """Write both tables."""
    table = json.loads(Path(renamed).read_text(encoding="utf-8"))
    rows, meta = table["rows"], table["meta"]
    notes = json.loads(Path(values).read_text(encoding="utf-8"))
    source = f"{meta['source'].split(' (')[0]}, commit {meta['source_commit'][:12]}"
    made = f"# Made by scripts/semconv.py from {source}; not edited by hand."
    head = [
        "# What became of old names of the semantic conventions. `renamed`, `prefixes`: the value stays. `reviewed`:",
        "# it changes, as the note says; for those of `stands` it seldom does. `split`: into one of these, or none.",
        "# `doubtful`: in wide use under the old name. `only`: deprecated on that signal only. `values`: new values,",
        "# empty for none.",
        made,
        "",
        f"doubtful = {_value(DOUBTFUL)}",
        f"stands = {_value(STANDS)}",
    ]
    lines = [*head, *renames(rows, notes, json.loads(Path(constants).read_text(encoding="utf-8"))), *metrics(rows)]
    (KNOWN / "semconv.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    head = [
        "# The living attributes of the semantic conventions by type, the values of enumerations (`closed`: no others",
        "# are allowed), and the keys that describe a resource and nothing else. Keys of gen_ai, mcp and openai, which",
        "# moved to a repository of their own, are alive. `late`: keys whose constants the stable Python modules got",
        "# after their first version, 0.46b0.",
        made,
        "",
        f"late = {_value(LATE)}",
    ]
    (KNOWN / "registry.toml").write_text("\n".join([*head, *registry(Path(model), rows)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
