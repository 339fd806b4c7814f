from __future__ import annotations

from collections import Counter

import pytest

from otlint.gather import gather
from otlint.model.module import Module
from otlint.settle import in_order, levels


def test_files_come_after_those_that_they_import() -> None:
    imports = {"app.py": {"db.py", "obs.py"}, "db.py": {"obs.py"}, "obs.py": set(), "other.py": {"gone.py"}}
    assert in_order(imports) == [["obs.py"], ["db.py"], ["app.py"], ["gone.py"], ["other.py"]]


def test_files_that_import_each_other_are_one_group() -> None:
    imports = {"a.py": {"b.py"}, "b.py": {"c.py"}, "c.py": {"a.py", "d.py"}, "d.py": {"d.py"}, "e.py": {"c.py"}}
    assert [sorted(group) for group in in_order(imports)] == [["d.py"], ["a.py", "b.py", "c.py"], ["e.py"]]


def test_files_of_a_level_have_nothing_to_do_with_each_other() -> None:
    imports = {"a.py": {"b.py"}, "b.py": {"a.py", "d.py"}, "c.py": {"d.py", "gone.py"}, "d.py": set(), "e.py": {"a.py"}}
    assert [sorted(level) for level in levels(imports)] == [["d.py", "gone.py"], ["a.py", "b.py", "c.py"], ["e.py"]]
    assert levels({}) == []


def test_facts_are_collected_once_where_no_files_import_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "shop/obs.py": "from opentelemetry import trace\n\ntracer = trace.get_tracer('shop')\n",
        "shop/spans.py": "from shop.obs import tracer\n\ndef start(name):\n    return tracer.start_span(name)\n",
        "shop/orders.py": "from shop.spans import start\n\ndef place():\n    return start('place order')\n",
        "app.py": "from shop.orders import place\n\nplace().end()\n",
    }
    collected: Counter[str] = Counter()
    facts = Module.facts
    monkeypatch.setattr(Module, "facts", lambda module: collected.update([module.path]) or facts(module))
    gathered = gather({path: text.encode() for path, text in files.items()}, str, None)
    assert collected == dict.fromkeys(files, 1)
    assert gathered.project is not None
    assert gathered.project.files["shop/orders.py"].functions[0].returns == "opentelemetry.trace.Span"


def test_files_that_import_each_other_learn_from_each_other() -> None:
    files = {
        "obs.py": "from opentelemetry import trace\nimport orders\n\ntracer = trace.get_tracer('shop')\n\n"
        "def span():\n    return orders.span()\n",
        "orders.py": "from obs import tracer\n\ndef span():\n    return tracer.start_span('place order')\n",
    }
    project = gather({path: text.encode() for path, text in files.items()}, str, None).project
    assert project is not None
    assert project.files["obs.py"].functions[0].returns == "opentelemetry.trace.Span"


def test_a_file_on_which_the_model_crashes_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "obs.py": "from opentelemetry import trace\nimport orders\n\ntracer = trace.get_tracer('shop')\n",
        "orders.py": "from obs import tracer\n\ndef span():\n    return tracer.start_span('place order')\n",
    }
    facts = Module.facts

    def crash(module: Module) -> object:
        if module.path == "orders.py":
            raise ZeroDivisionError
        return facts(module)

    monkeypatch.setattr(Module, "facts", crash)
    gathered = gather({path: text.encode() for path, text in files.items()}, str, None)
    assert {path: type(error) for path, error in gathered.failed.items()} == {"orders.py": ZeroDivisionError}
    assert gathered.project is not None
    assert list(gathered.project.files) == ["obs.py"]
