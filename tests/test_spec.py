"""Pages are read as `rules/README.md` promises, and observed output is written back into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from otlint import pages
from tests import spec

PAGE = '''# some-defect (OTL999)

One sentence that says
what happens.

## Why

Because.

## Bad

Plain:

```python
import a
a.b()  # error: OTL999 "part of it"
# error: OTL998
# error: OTL999 "other"
a.c(
    1,  # todo: OTL997
)  # keep
```

```telemetry
a INTERNAL UNSET
```

```python fixed
import a
```

```telemetry
b INTERNAL UNSET
```

In two files:

`app/one.py`:

```python
x = 1
```

`app/two.py`:
```python
from app.one import x  # error: OTL999
## not a heading
```

`app/two.py`:

```python fixed
y = 1
```

Another pair:

`app/one.py`:

```python static
x = 2
```

## Good

```toml
[tool.otlint]
select = ["OTL9"]
```

```python
a.b()
```

### With other settings

```toml
[tool.otlint]
select = ["OTL1"]
```

```python
a.d()
```

### And again

`Dockerfile`:

```dockerfile
CMD ["opentelemetry-instrument", "python", "app.py"]
```

`app.py`:

````python
"""
```
"""
````

## References

- A link that
  goes on: https://example.com
- Instrumentation Score: RES-004
weaver: some_id
- weaver: another_id
'''


def test_the_page() -> None:
    page = pages.parse(PAGE)
    assert (page.code, page.name, page.summary) == ("OTL999", "some-defect", "One sentence that says what happens.")
    assert list(page.sections) == ["Why", "Bad", "Good", "References"]
    assert page.sections["Why"] == "Because."
    assert "## not a heading" in page.sections["Bad"]
    assert page.references == ("A link that goes on: https://example.com",)
    assert page.mappings == {"Instrumentation Score": ("RES-004",), "weaver": ("some_id", "another_id")}


@pytest.mark.parametrize("text", ["", "# Some Defect (OTL1)\n\nA.\n", "# a-b (OTL999)\n\n## Why\n", PAGE + "## Bad\n"])
def test_a_page_without_its_form(text: str) -> None:
    with pytest.raises(pages.PageError):
        pages.parse(text)


def test_examples_are_named_by_section() -> None:
    keys = [example.key for example in spec.examples(PAGE)]
    assert keys == ["bad-1", "bad-2", "bad-3", "good-1", "good-2", "good-3"]


def test_claims_leave_the_text() -> None:
    first = spec.examples(PAGE)[0]
    assert first.texts == {"example.py": "import a\na.b()\na.c(\n    1,\n)  # keep\n"}
    assert first.claims()["example.py"] == (
        spec.Claim(2, "OTL999", "part of it"),
        spec.Claim(3, "OTL998"),
        spec.Claim(3, "OTL999", "other"),
        spec.Claim(4, "OTL997", todo=True),
    )


def test_observations_belong_to_the_block_above() -> None:
    first, second, *_ = spec.examples(PAGE)
    assert first.telemetry and first.telemetry.body == "a INTERNAL UNSET\n"
    assert first.fixed_telemetry and first.fixed_telemetry.body == "b INTERNAL UNSET\n"
    assert first.fixed_texts == {"example.py": "import a\n"}
    assert second.telemetry is None


def test_files_with_paths_belong_together() -> None:
    _, second, third, *_, last = spec.examples(PAGE)
    assert list(second.texts) == ["app/one.py", "app/two.py"]
    assert second.script == "app/two.py"
    assert second.fixed_texts == {"app/one.py": "x = 1\n", "app/two.py": "y = 1\n"}
    assert third.is_static and not second.is_static
    assert [block.path for block in last.files] == ["Dockerfile", "app.py"] and last.script == "app.py"
    assert last.texts["app.py"] == '"""\n```\n"""\n'


def test_configuration_holds_for_its_section() -> None:
    configs = [example.config for example in spec.examples(PAGE)[3:]]
    assert [config[-6:-3] for config in configs] == ["TL9", "TL1", "TL9"]


@pytest.mark.parametrize(
    ("body", "row"),
    [
        ("```python\nx = 1\n", 3),
        ("```telemetry\na\n```\n", 3),
        ("```python fixed\nx = 1\n```\n", 3),
        ("```python wrong\nx = 1\n```\n", 3),
        ("```python\nx = 1\n```\n\n`b.py`:\n\n```python fixed\nx = 1\n```\n", 9),
        ("```python\nx = 1\n```\n\n```telemetry\na\n```\n\n```telemetry\na\n```\n", 11),
        ("`a.txt`:\n\n```text\nx = 1\n```\n", 5),
    ],
)
def test_blocks_that_do_not_fit(body: str, row: int) -> None:
    with pytest.raises(spec.SpecError, match=rf"^{row}: "):
        spec.examples(f"# a-b (OTL999)\n## Bad\n{body}")


def test_a_claim_needs_a_line() -> None:
    (example,) = spec.examples("# a (OTL999)\n## Bad\n```python\nx = 1\n# error: OTL999\n```\n")
    with pytest.raises(spec.SpecError, match=r"^6: a claim without a line"):
        example.claims()


def _record(tmp_path: Path, page: str, key: str, **observed: object) -> str:
    path = tmp_path / "page.md"
    path.write_text(page)
    spec.record(path, key, **{"fixed": {}, "telemetry": None, "fixed_telemetry": None} | observed)  # type: ignore[arg-type]
    return path.read_text()


def test_missing_blocks_are_added_below_what_they_observe(tmp_path: Path) -> None:
    page = "# a-b (OTL999)\n\nText.\n\n## Bad\n\n```python\nx = 1\n```\n\n## Good\n"
    observed = {"fixed": {"example.py": "x = 2\n"}, "telemetry": "a\n", "fixed_telemetry": "b\n"}
    text = _record(tmp_path, page, "bad-1", **observed)
    added = "```telemetry\na\n```\n\n```python fixed\nx = 2\n```\n\n```telemetry\nb\n```\n\n## Good"
    assert text == page.replace("## Good", added)
    assert _record(tmp_path, text, "bad-1", **observed) == text


def test_wrong_blocks_are_replaced_and_the_rest_is_left_alone(tmp_path: Path) -> None:
    text = _record(tmp_path, PAGE, "bad-1", fixed={"example.py": "import b\n"}, telemetry="c\n", fixed_telemetry="d\n")
    expected = PAGE.replace("a INTERNAL UNSET\n", "c\n").replace("b INTERNAL UNSET\n", "d\n")
    assert text == expected.replace("```python fixed\nimport a\n", "```python fixed\nimport b\n")


def test_a_fixed_file_is_added_with_its_path(tmp_path: Path) -> None:
    text = _record(tmp_path, PAGE, "bad-2", fixed={"app/one.py": "x = 3\n", "app/two.py": "y = 1\n"})
    assert text == PAGE.replace("y = 1\n```\n", "y = 1\n```\n\n`app/one.py`:\n\n```python fixed\nx = 3\n```\n")
