"""What is changed in LibCST for speed changes no answer, and nothing in a process that has trees of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parent / "demo"
NODES = """
import inspect
from collections.abc import Hashable
from otlint.quick import quicken
quicken()
from otlint.parse import parse
from otlint.source import Source
import libcst as cst
tree = parse(Source.decode(b"def order(shop, *items):\\n    return [shop(x) for x in items if x]  # all\\n", "a.py"))
kinds = [each for each in vars(cst).values() if inspect.isclass(each) and issubclass(each, cst.CSTNode)]
nodes, waiting = [], [tree]
while waiting:
    nodes.append(waiting.pop())
    waiting += nodes[-1].children
found = {node: at for at, node in enumerate(nodes)}
spaces = (cst.SimpleWhitespace, cst.Newline)  # of these, nodes with the same text may be one
assert all(found[node] == at for at, node in enumerate(nodes) if not isinstance(node, spaces))
assert all(found[node] == at for at, node in enumerate(nodes) if nodes.count(node) == 1)
assert tree.code == cst.parse_module(tree.code).code and tree.deep_equals(cst.parse_module(tree.code))
for node in nodes:
    print(type(node).__name__, [each.__name__ for each in kinds if isinstance(node, each)], isinstance(node, Hashable))
    assert [isinstance(node, each) for each in kinds] == [each in type(node).__mro__ for each in kinds]
try:
    cst.Name("not a name", lpar=[cst.LeftParen()])
except cst.CSTValidationError as error:
    print(error)
print(cst.Name("made").with_changes(value="changed").value, cst.Comma().whitespace_after.value == "")
print(cst.SimpleWhitespace(" ") is not cst.SimpleWhitespace(" "))
"""
HASH = "print('quick' if cst.Name.__hash__ is object.__hash__ else 'as it was')\n"


FIXED = """
import sys
from otlint.cli import main
code = '''from opentelemetry import trace
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from sqlalchemy import create_engine

engine = create_engine("postgresql://db/orders")
SQLAlchemyInstrumentor().instrument( )

async def ship():
    async  with trace.get_tracer("shop").start_as_current_span("ship"):
        pass

def pack(orders):
    tracer = trace.get_tracer("shop")
    for order in orders: tracer.start_as_current_span("pack").__enter__()
    if orders:  tracer.start_span("load")
'''
import io
sys.stderr = io.StringIO()
sys.stdin = io.TextIOWrapper(io.BytesIO(code.encode()))
main(["check", "--isolated", "--no-cache", "--exit-zero", "--fix", "--unsafe-fixes", "--stdin-filename", "a.py", "-"])
"""


def ran(code: str, *args: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, cwd=DEMO, check=False)
    assert done.stderr == ""
    return done.stdout


def test_nodes_answer_as_before() -> None:
    quick, hosted = ran(NODES + HASH), ran("import libcst\n" + NODES + HASH)
    assert quick.endswith("quick\n")
    assert hosted.endswith("as it was\n")
    assert quick.splitlines()[:-1] == hosted.splitlines()[:-1]
    assert "without right paren" in quick  # nodes that are made by hand are still checked


def test_findings_are_the_same_in_a_host() -> None:
    check = "import sys\nfrom otlint.cli import main\nmain(sys.argv[1:])\n"
    args = ["check", "--isolated", "--no-cache", "--exit-zero", "--select", "ALL", "--output-format", "json", "."]
    found = ran(check, *args)
    assert found.count('"code"') > 10
    assert ran("import libcst\n" + check, *args) == found


def test_fixes_stand_where_they_should() -> None:
    fixed = ran(FIXED)
    assert "instrument(engine=engine )" in fixed
    assert "\n    with trace" in fixed
    assert ran("import libcst\n" + FIXED) == fixed


LAID_OUT = """
import logging

from opentelemetry import trace
from opentelemetry.instrumentation.logging import LoggingInstrumentor

logging.basicConfig(level=logging.INFO, format="%(otelTraceID)s %(message)s")
LoggingInstrumentor().instrument()
tracer = trace.get_tracer("shop")

def refund(pay):
    with tracer.start_as_current_span( "refund" ) as span:
        try: pay()
        except ValueError: return "Error: declined"

async def charge(pay):
    async with tracer.start_as_current_span("charge"):
        await pay()
"""


def test_repairs_are_the_same_in_a_host(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(LAID_OUT)
    check = "import sys\nfrom otlint.cli import main\nmain(sys.argv[1:])\n"
    args = [
        "check",
        "--isolated",
        "--no-cache",
        "--exit-zero",
        "-q",
        "--diff",
        "--unsafe-fixes",
        str(tmp_path / "shop.py"),
    ]
    found = ran(check, *args)
    assert "except ValueError as exc:" in found
    assert "instrument(set_logging_format=True)" in found or "instrument(inject_trace_context=True)" in found
    assert "+    with tracer" in found
    assert ran("import libcst\n" + check, *args) == found
