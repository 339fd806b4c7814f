"""Which files of a project are judged."""

from __future__ import annotations

from otlint.gather import gather

OBS = """\
import os

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

tracer = trace.get_tracer("shop")


def set_up():
    trace.set_tracer_provider(TracerProvider())


def traced(function):
    def call(*args):
        with tracer.start_as_current_span(function.__name__):
            return function(*args)

    return call


class Service:
    def __init__(self):
        self._tracer = tracer
        self.started = False

    def start(self):
        with self._tracer.start_as_current_span("start"):
            self.started = True
"""


def judged(**files: str) -> set[str]:
    """The files that are judged beside `obs.py`."""
    texts = {"obs.py": OBS} | {f"{name}.py": text for name, text in files.items()}
    return gather({path: text.encode() for path, text in texts.items()}, str, None).judged - {"obs.py"}


def test_files_that_get_telemetry_are_judged() -> None:
    assert judged(
        spans="from obs import tracer\n",
        main="from obs import set_up\n\nset_up()\n",
        orders="import obs\n\n@obs.traced\ndef pack(order):\n    return order\n",
        stock="from obs import Service\n\nclass Stock(Service):\n    def count(self):\n        return self._tracer\n",
        given="def load(tracer):\n    with tracer.start_as_current_span('load'):\n        return 1\n",
    ) == {"spans.py", "main.py", "orders.py", "stock.py", "given.py"}


def test_callers_get_no_telemetry_from_what_makes_it_for_itself() -> None:
    calling = "from obs import Service\n\ndef run():\n    Service().start()\n"
    assert judged(shop=calling) == set()
    assert judged(shop=calling + "\ndef stop():\n    os._exit(1)\n") == {"shop.py"}
    assert judged(shop=calling, pool="from shop import run\nimport threading\n\nthreading.Thread(target=run)\n") == {
        "shop.py",
        "pool.py",
    }
    assert judged(shop="from obs import Service as S\n\nclass Shop(S):\n    pass\n") == set()


def test_classes_in_between_hand_on_what_they_inherit() -> None:
    base = "from obs import Service as S\n\nclass Base(S):\n    pass\n"
    shop = "from base import Base\n\nclass Shop(Base):\n    def name(self):\n        return self._tracer\n"
    assert judged(base=base, shop=shop) == {"base.py", "shop.py"}


def test_packages_hand_on_what_they_import() -> None:
    files = {"shop/__init__.py": "from shop.obs import Service\n", "shop/obs.py": OBS}
    files["app.py"] = "from shop import Service\n\ndef provider():\n    return Service()._tracer\n"
    assert gather({path: text.encode() for path, text in files.items()}, str, None).judged == set(files)


def test_tests_are_judged_for_what_rules_look_at_in_tests() -> None:
    reads = "from opentelemetry import trace\n\ndef helper():\n    return trace\n"
    assert judged(test_shop=reads) == set()
    assert judged(test_shop=reads + "\ndef test_it(tracer):\n    tracer.start_span('x')\n") == {"test_shop.py"}
    assert judged(test_shop=reads, test_more="from obs import tracer\n") == set()


def test_tests_are_judged_where_judged_files_import_them() -> None:
    reads = "from opentelemetry import trace\n\ndef helper():\n    return trace\n"
    uses = "from opentelemetry import trace\nfrom test_shop import helper\n"
    assert judged(test_shop=reads, shop=uses) == {"test_shop.py", "shop.py"}
    assert judged(test_shop=reads, test_base=reads, test_more=uses) == set()
