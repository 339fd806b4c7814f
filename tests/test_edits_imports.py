"""How an API can be written at a place, and what is imported for it."""

from __future__ import annotations

import ast
import itertools

import libcst as cst
import pytest
from stand_in import StandIn, applied

from otlint import edits
from otlint.edits.imports import remove_import
from otlint.fix import Fix, Safety, apply

STATUS = "opentelemetry.trace.StatusCode"
DETACH = "opentelemetry.context.detach"
COPY = "contextvars.copy_context"
CLIENT = "opentelemetry.trace.SpanKind.CLIENT"

# the file before, the API, how it is written at AT, the file after
CASES = {
    "as it is": ("from opentelemetry import trace\nAT\n", STATUS, "trace.StatusCode", None),
    "twice": (
        "from opentelemetry import trace\nimport os\nfrom opentelemetry import trace\nAT\n",
        STATUS,
        "trace.StatusCode",
        None,
    ),
    "under an alias": ("import opentelemetry.trace as ot\nAT\n", STATUS, "ot.StatusCode", None),
    "one more name": (
        "from opentelemetry.trace import SpanKind, Tracer\nAT\n",
        STATUS,
        "StatusCode",
        "from opentelemetry.trace import SpanKind, StatusCode, Tracer\nAT\n",
    ),
    "one more name, not in order": (
        "from opentelemetry.trace import Tracer, SpanKind\nAT\n",
        STATUS,
        "StatusCode",
        "from opentelemetry.trace import Tracer, SpanKind, StatusCode\nAT\n",
    ),
    "one more name, by type": (
        "from opentelemetry.trace import INVALID_SPAN, Tracer, get_tracer\nAT\n",
        STATUS,
        "StatusCode",
        "from opentelemetry.trace import INVALID_SPAN, StatusCode, Tracer, get_tracer\nAT\n",
    ),
    "one more line with a name": (
        "from opentelemetry.trace import (\n    SpanKind,  # k\n    Tracer  # t\n)\nAT\n",
        STATUS,
        "StatusCode",
        "from opentelemetry.trace import (\n    SpanKind,  # k\n    StatusCode,\n    Tracer  # t\n)\nAT\n",
    ),
    "a last line with a name": (
        "from opentelemetry.trace import (\r\n\tLink  # l\r\n)\r\nAT\r\n",
        STATUS,
        "StatusCode",
        "from opentelemetry.trace import (\r\n\tLink,  # l\r\n\tStatusCode,\r\n)\r\nAT\r\n",
    ),
    "a first line with a name": (
        "from opentelemetry.trace import (  # c\n    Tracer,\n)\nAT\n",
        STATUS,
        "StatusCode",
        "from opentelemetry.trace import (  # c\n    StatusCode,\n    Tracer,\n)\nAT\n",
    ),
    "parentheses on one line": (
        "from opentelemetry.trace import (Link)\nAT\n",
        STATUS,
        "StatusCode",
        "from opentelemetry.trace import (Link, StatusCode)\nAT\n",
    ),
    "a backslash": (
        "from opentelemetry.trace import Link as L, \\\n    Span\nAT\n",
        STATUS,
        "StatusCode",
        "from opentelemetry.trace import Link as L, \\\n    Span, StatusCode\nAT\n",
    ),
    "a star": (
        "from opentelemetry.trace import *\nAT\n",
        STATUS,
        "StatusCode",
        "from opentelemetry.trace import *\nfrom opentelemetry.trace import StatusCode\nAT\n",
    ),
    "one more line, in order": (
        '"""doc"""\nimport os\n\nimport flask\nfrom opentelemetry.sdk import x  # c\nfrom .a import b\n\ndef f(): AT',
        STATUS,
        "StatusCode",
        (
            '"""doc"""\nimport os\n\nimport flask\nfrom opentelemetry.sdk import x  # c\n'
            "from opentelemetry.trace import StatusCode\nfrom .a import b\n\ndef f(): AT"
        ),
    ),
    "one more line, first": (
        "import os\n# otel\nfrom opentelemetry.util import x\nAT\n",
        STATUS,
        "StatusCode",
        "import os\n# otel\nfrom opentelemetry.trace import StatusCode\nfrom opentelemetry.util import x\nAT\n",
    ),
    "one more line at the end of the file": (
        "def f(): AT\nif x:\n    from opentelemetry import baggage",
        STATUS,
        "StatusCode",
        "def f(): AT\nif x:\n    from opentelemetry import baggage\n    from opentelemetry.trace import StatusCode",
    ),
    "guarded": (
        (
            "import os\ntry:\n    from opentelemetry import baggage\n"
            "except ImportError:\n    baggage = None\ndef f(): AT\n"
        ),
        STATUS,
        "StatusCode",
        (
            "import os\ntry:\n    from opentelemetry import baggage\n    from opentelemetry.trace import StatusCode\n"
            "except ImportError:\n    baggage = None\ndef f(): AT\n"
        ),
    ),
    "in the same function": (
        "import os\ndef f():\n  from opentelemetry.trace import Tracer\n  AT\n",
        STATUS,
        "StatusCode",
        "import os\ndef f():\n  from opentelemetry.trace import StatusCode, Tracer\n  AT\n",
    ),
    "not in another function": (
        "import os\ndef f():\n  from opentelemetry.trace import Tracer\ndef g(): AT\n",
        STATUS,
        "StatusCode",
        (
            "import os\n\nfrom opentelemetry.trace import StatusCode\ndef f():\n"
            "  from opentelemetry.trace import Tracer\ndef g(): AT\n"
        ),
    ),
    "only for types": (
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    from opentelemetry.trace import StatusCode\ndef f(): AT\n"
        ),
        STATUS,
        "trace.StatusCode",
        (
            "from typing import TYPE_CHECKING\n\nfrom opentelemetry import trace\nif TYPE_CHECKING:\n"
            "    from opentelemetry.trace import StatusCode\ndef f(): AT\n"
        ),
    ),
    "the name is taken": (
        "from opentelemetry import context\nStatusCode = 1\nAT\n",
        STATUS,
        "trace.StatusCode",
        "from opentelemetry import context, trace\nStatusCode = 1\nAT\n",
    ),
    "all names are taken": (
        "import os\ndef f(trace, otel_trace, StatusCode): AT\n",
        STATUS,
        "otel_trace_2.StatusCode",
        "import os\n\nfrom opentelemetry import trace as otel_trace_2\ndef f(trace, otel_trace, StatusCode): AT\n",
    ),
    "too late": (
        "import os\nAT\nfrom opentelemetry.trace import Link\n",
        STATUS,
        "StatusCode",
        "import os\n\nfrom opentelemetry.trace import StatusCode\nAT\nfrom opentelemetry.trace import Link\n",
    ),
    "a module": (
        "from opentelemetry import trace\nAT\n",
        DETACH,
        "context.detach",
        "from opentelemetry import context, trace\nAT\n",
    ),
    "a function beside others": (
        "from opentelemetry.context import attach\nAT\n",
        DETACH,
        "detach",
        "from opentelemetry.context import attach, detach\nAT\n",
    ),
    "a module whose name is taken": (
        "from opentelemetry import trace\ndef f(context): AT\n",
        DETACH,
        "otel_context.detach",
        "from opentelemetry import context as otel_context, trace\ndef f(context): AT\n",
    ),
    "standard library": (
        "import abc\nimport time\nAT\n",
        COPY,
        "contextvars.copy_context",
        "import abc\nimport contextvars\nimport time\nAT\n",
    ),
    "standard library, first": (
        "import flask\nAT\n",
        COPY,
        "contextvars.copy_context",
        "import contextvars\n\nimport flask\nAT\n",
    ),
    "standard library, as a whole": ("import contextvars\nAT\n", COPY, "contextvars.copy_context", None),
    "a module, as a whole": ("import opentelemetry.trace\nAT\n", STATUS, "opentelemetry.trace.StatusCode", None),
    "standard library, by name": (
        "from contextvars import ContextVar\nAT\n",
        COPY,
        "copy_context",
        "from contextvars import ContextVar, copy_context\nAT\n",
    ),
    "behind the other packages, before the project": (
        "import os\n\nimport yaml\nfrom flask import g\n\nfrom shop.orders import x\nfrom .c import y\nAT\n",
        STATUS,
        "StatusCode",
        (
            "import os\n\nimport yaml\nfrom flask import g\nfrom opentelemetry.trace import StatusCode\n\n"
            "from shop.orders import x\nfrom .c import y\nAT\n"
        ),
    ),
    "in order with the other packages": (
        "import yaml\nfrom flask import g\nfrom redis import Redis\nAT\n",
        STATUS,
        "StatusCode",
        "import yaml\nfrom flask import g\nfrom opentelemetry.trace import StatusCode\nfrom redis import Redis\nAT\n",
    ),
    "what shares a name with the project is the project's": (
        "import flask\nfrom shop.made import x\nfrom shop.orders import y\nAT\n",
        STATUS,
        "StatusCode",
        (
            "import flask\nfrom opentelemetry.trace import StatusCode\n"
            "from shop.made import x\nfrom shop.orders import y\nAT\n"
        ),
    ),
    "behind the standard library, before the project": (
        "import os  # o\n\nimport shop.orders\nfrom . import d\nAT\n",
        STATUS,
        "StatusCode",
        "import os  # o\n\nfrom opentelemetry.trace import StatusCode\n\nimport shop.orders\nfrom . import d\nAT\n",
    ),
    "before the project": (
        "from b import tracer\nAT\n",
        STATUS,
        "StatusCode",
        "from opentelemetry.trace import StatusCode\n\nfrom b import tracer\nAT\n",
    ),
    "a member of a class": (
        "from b import tracer\nAT\n",
        CLIENT,
        "SpanKind.CLIENT",
        "from opentelemetry.trace import SpanKind\n\nfrom b import tracer\nAT\n",
    ),
    "a member of a class in reach": (
        "from opentelemetry.trace import SpanKind as Kind\nAT\n",
        CLIENT,
        "Kind.CLIENT",
        None,
    ),
    "a member of a class whose name is taken": (
        "import os\nSpanKind = 1\nAT\n",
        CLIENT,
        "trace.SpanKind.CLIENT",
        "import os\n\nfrom opentelemetry import trace\nSpanKind = 1\nAT\n",
    ),
    "no import": (
        "#!/bin/x\n# licence\nx = AT\n",
        STATUS,
        "StatusCode",
        "#!/bin/x\n# licence\nfrom opentelemetry.trace import StatusCode\n\nx = AT\n",
    ),
    "behind the docstring": (
        '"""doc"""\nfrom __future__ import annotations\n\nx = AT\n',
        STATUS,
        "StatusCode",
        '"""doc"""\nfrom __future__ import annotations\n\nfrom opentelemetry.trace import StatusCode\n\nx = AT\n',
    ),
}


@pytest.mark.parametrize(("text", "dotted", "written", "after"), CASES.values(), ids=CASES.keys())
def test_cases(text: str, dotted: str, written: str, after: str | None) -> None:
    module = StandIn(text)
    found, made = edits.reference(module, dotted, module.find("AT", cst.Name))
    assert found == written
    assert all(edit.shared for edit in made)
    assert applied(text, made) == (after or text)
    again = StandIn(after or text)
    assert edits.reference(again, dotted, again.find("AT", cst.Name)) == (written, ())


LINK, BAGGAGE = "opentelemetry.trace.Link", "opentelemetry.baggage"
APIS = [STATUS, DETACH, COPY, CLIENT, "opentelemetry.trace.SpanKind", LINK, BAGGAGE]


@pytest.mark.parametrize("text", [case[0] for case in CASES.values()], ids=CASES.keys())
def test_imports_of_two_fixes_go_together(text: str) -> None:
    module = StandIn(text)
    at = module.find("AT", cst.Name)
    for pair in itertools.product(APIS, repeat=2):
        made = [edits.reference(module, dotted, at) for dotted in pair]
        fixes = [Fix(dotted, Safety.SAFE, each) for dotted, (_, each) in zip(pair, made, strict=True) if each]
        after, taken = apply(text, fixes)
        assert len(taken) == len(fixes)
        ast.parse(after)
        again = StandIn(after)
        for dotted, (written, _) in zip(pair, made, strict=True):
            here = again.find("AT", cst.Name)
            assert edits.reference(again, dotted, here)[1] == (), after
            assert written == edits.reference(again, dotted, here)[0] or "." in written


@pytest.mark.parametrize(
    ("text", "name", "after"),
    [
        ("from a import x, y\n", "x", "from a import y\n"),
        ("from a import x, y\n", "y", "from a import x\n"),
        ("from a import (\n    x,  # c\n    y,\n)\n", "x", "from a import (\n    # c\n    y,\n)\n"),
        ("from a import (\n    x,\n    y,\n)\n", "y", "from a import (\n    x,\n)\n"),
        ("import x as z, y\n", "x", "import y\n"),
        ("if a: from b import x\n", "x", ""),
        ("if a(): from b import x\n", "x", "if a(): pass\n"),
        ("from b import x as z  # c\n", "x", "# c\n"),
    ],
)
def test_remove_import(text: str, name: str, after: str) -> None:
    module = StandIn(text)
    statement = module.walk.all(cst.Import, cst.ImportFrom)[0]
    alias = next(alias for alias in statement.names if alias.name.value == name)
    assert applied(text, remove_import(module, statement, alias)) == after
    StandIn(after)
