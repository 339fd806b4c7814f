"""OTL606: the key of a living attribute that is taken from `SpanAttributes` or `ResourceAttributes`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otlint import edits, known, otel
from otlint.finding import Finding, Level
from otlint.fix import Fix, Safety
from otlint.known import semconv
from otlint.rule import rule

if TYPE_CHECKING:
    import libcst as cst

    from otlint.model.module import Module

# The first version that has the modules which take the place of the classes.
_SINCE = "1.25"


@rule(Level.WARNING, fix=Safety.SAFE)
def check(module: Module) -> Iterator[Finding]:
    import libcst as cst

    if module.is_test:
        return
    names = [name.rpartition(".")[2] for name in otel.SEMCONV_CLASSES]
    if not any(name in module.source.text for name in names) or not module.instrumentation.otel_at_least(_SINCE):
        return
    for each in module.walk.all(cst.Attribute):
        assert isinstance(each, cst.Attribute)
        api = module.api(each)
        if api is None or api.rpartition(".")[0] not in otel.SEMCONV_CLASSES:
            continue
        key = known.constant(api)
        if key is not None and semconv.kind(key) is not None:
            yield _finding(module, each, key, api)


def _finding(module: Module, use: cst.Attribute, key: str, api: str) -> Finding:
    cls = api.split(".")[-2]
    stable, unstable = semconv.constant(key), semconv.constant(key, unstable=True)
    fix = None
    if stable is not None:
        safety = Safety.UNSAFE if semconv.is_late(key) else Safety.SAFE
        fix = _moved(module, use, stable, safety)
    elif unstable is not None:
        fix = _moved(module, use, unstable, Safety.UNSAFE)
    where = (stable or unstable or "").rpartition(".")[0]
    return module.finding(
        use,
        f"`{cls}` is deprecated and gets no new keys; "
        + (f"take `{key}` from `{where}`" if where else f"write `{key}` as text"),
        fix=fix,
    )


def _moved(module: Module, use: cst.Attribute, constant: str, safety: Safety) -> Fix:
    text, imports = edits.reference(module, constant, use)
    made = (*edits.replace(module, use, text), *imports, *edits.leftover_imports(module, use))
    leftovers = edits.leftover_with_others(module, use)
    return Fix(f"take it from `{constant.split('.')[-2]}`", safety, made, leftovers)
