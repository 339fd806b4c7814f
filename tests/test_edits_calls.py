"""Edits inside a statement: arguments, names, expressions, caught exceptions."""

from __future__ import annotations

import libcst as cst
import pytest
from stand_in import StandIn, applied

from otlint import edits
from otlint.fix import Edit


def check(text: str, made: tuple[Edit, ...], expected: str) -> None:
    assert applied(text, made) == expected
    StandIn(expected)


def call_of(module: StandIn) -> cst.Call:
    return module.walk.all(cst.Call)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f()", "f(k=v)"),
        ("f(  # c\n)", "f(k=v  # c\n)"),
        ("f(a)", "f(a, k=v)"),
        ("f(a,)", "f(a, k=v,)"),
        ("f(*a, **b)", "f(*a, k=v, **b)"),
        ("f(**a, **b)", "f(k=v, **a, **b)"),
        ("f(x for x in y)", "f((x for x in y), k=v)"),
        ("f((x for x in y))", "f((x for x in y), k=v)"),
        ("f(\n    a,  # c\n)", "f(\n    a,  # c\n    k=v,\n)"),
        ("f(\n    a  # c\n)", "f(\n    a,  # c\n    k=v,\n)"),
        ("f(\n    a)", "f(\n    a,\n    k=v)"),
        ("f(\n    a, b\n)", "f(\n    a, b, k=v\n)"),
        ("f(a,\n  b)", "f(a,\n  b,\n  k=v)"),
        ("f(\n\ta,\n\t# kw\n\t**b,\n)", "f(\n\ta,\n\t# kw\n\tk=v,\n\t**b,\n)"),
        ("f(\n    a=[\n        1,\n    ],\n)", "f(\n    a=[\n        1,\n    ],\n    k=v,\n)"),
        ("f(lambda: 1)", "f(lambda: 1, k=v)"),
        ("f(a, k=1)", "f(a, k=v)"),
        ("f(a, k=(1))", "f(a, k=(v))"),
        ("f(\r\n  a,\r\n)", "f(\r\n  a,\r\n  k=v,\r\n)"),
    ],
)
def test_set_argument(text: str, expected: str) -> None:
    module = StandIn(text)
    check(text, edits.set_argument(module, call_of(module), "k", "v"), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(a, b, c)", "f(a, v or w, c)"),
        ("f(a, (b))", "f(a, (v or w))"),
        ("f(a)", "f(a, k=v or w)"),
        ("f(*a, b)", "f(*a, b, k=v or w)"),
        ("f(a, c=1)", "f(a, c=1, k=v or w)"),
        ("f(a, c, k=1)", "f(a, c, k=v or w)"),
    ],
)
def test_set_argument_by_position(text: str, expected: str) -> None:
    module = StandIn(text)
    check(text, edits.set_argument(module, call_of(module), "k", "v or w", position=1), expected)


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("f()", 0, "f(v)"),
        ("f(a)", 0, "f(v, a)"),
        ("f(a)", 1, "f(a, v)"),
        ("f(\n    a,  # c\n)", 0, "f(\n    v,\n    a,  # c\n)"),
        ("f(\r\n\ta,\r\n\tb,\r\n)", 0, "f(\r\n\tv,\r\n\ta,\r\n\tb,\r\n)"),
        ("f(\n    a, b\n)", 0, "f(\n    v, a, b\n)"),
        ("f(k=1, **a)", 5, "f(v, k=1, **a)"),
        ("f(x for x in y)", 0, "f(v, (x for x in y))"),
        ("f(x for x in y)", 1, "f((x for x in y), v)"),
    ],
)
def test_insert_argument(text: str, position: int, expected: str) -> None:
    module = StandIn(text)
    check(text, edits.insert_argument(module, call_of(module), "v", position), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(x)", "f()"),
        ("f(x,)", "f()"),
        ("f(a, x)", "f(a)"),
        ("f(a, x,)", "f(a,)"),
        ("f(x, b)", "f(b)"),
        ("f(k=(x), b=1)", "f(b=1)"),
        ("f(\n  x,\n  b,\n)", "f(\n  b,\n)"),
        ("f(\n  x,  # why\n  b,\n)", "f(\n  # why\n  b,\n)"),
        ("f(\n  a,\n  x,\n)", "f(\n  a,\n)"),
        ("f(\n  a,  # one\n  x,  # two\n)", "f(\n  a,  # one\n    # two\n)"),
        ("f(\n  x  # one\n  , b)", "f(\n    # one\n   b)"),
        ("f(\n  a,  # one\n  x  # two\n  ,)", "f(\n  a,  # one\n    # two\n  )"),
    ],
)
def test_remove_argument(text: str, expected: str) -> None:
    module = StandIn(text)
    call = call_of(module)
    arg = next(arg for arg in call.args if module.code(arg.value) == "x")
    check(text, edits.remove_argument(module, call, arg), expected)


@pytest.mark.parametrize(
    ("text", "name", "dotted"),
    [
        ("a.b.c(1)", "a.b.g(1)", "x.g(1)"),
        ("f (1)", "g (1)", "x.g (1)"),
        ("(f)(1)", "(g)(1)", "(x.g)(1)"),
        ("a().b(1)", "a().g(1)", "x.g(1)"),
    ],
)
def test_rename_function(text: str, name: str, dotted: str) -> None:
    module = StandIn(text)
    check(text, edits.rename_function(module, call_of(module), "g"), name)
    check(text, edits.rename_function(module, call_of(module), "x.g"), dotted)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = a", "x = v or w"),
        ("f(a, k=a)", "f(v or w, k=a)"),
        ("(a)", "(v or w)"),
        ("not a", "not (v or w)"),
        ("a.b", "(v or w).b"),
        ("1if a else 2", "1if (v or w) else 2"),
        ("with a: pass", "with v or w: pass"),
        ("[a]", "[v or w]"),
        ("x[a]", "x[v or w]"),
        ("for x in a: pass", "for x in (v or w): pass"),
        ("return(a)", "return(v or w)"),
    ],
)
def test_replace_an_expression(text: str, expected: str) -> None:
    module = StandIn(text)
    check(text, edits.replace(module, module.find("a", cst.Name), "v or w"), expected)


def test_replacements_do_not_grow_together_with_keywords() -> None:
    text = "f(b)if(a)else 0if a else 1"
    module = StandIn(text)
    check(text, edits.replace(module, module.find("f(b)"), "g"), "g if(a)else 0if a else 1")
    check(text, edits.replace(module, module.find("0"), "g"), "f(b)if(a)else g if a else 1")


def test_replace_a_tuple_keeps_its_parentheses() -> None:
    module = StandIn("f(args=(1, 2))")
    made = edits.replace(module, module.find("1, 2", cst.Tuple), "0, 1, 2")
    check("f(args=(1, 2))", made, "f(args=(0, 1, 2))")


def test_surround_keeps_what_is_inside() -> None:
    text = "f(a, (b +  # c\n  1))"
    module = StandIn(text)
    added = module.find("b +...", cst.BinaryOperation)
    check(text, edits.surround(module, added, "str(", ")"), "f(a, str((b +  # c\n  1)))")
    check(text, edits.surround(module, module.find("a", cst.Name), "run, ", ""), "f(run, a, (b +  # c\n  1))")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "[v]"),
        ("{}", "{v: v}"),
        ("[1]", "[1, v]"),
        ("{1: 2,}", "{1: 2, v: v,}"),
        ("{\n  1: 2,  # c\n}", "{\n  1: 2,  # c\n  v: v,\n}"),
        ("{\n  1: 2,\n  **k\n}", "{\n  1: 2,\n  **k,\n  v: v,\n}"),
    ],
)
def test_append_element(text: str, expected: str) -> None:
    module = StandIn(text)
    made = edits.append_element(module, module.walk.all(cst.List, cst.Dict)[0], "v" if text[0] == "[" else "v: v")
    check(text, made, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("()", "(v,)"),
        ("( )", "(v, )"),
        ("(a,)", "(v, a)"),
        ("(a, b)", "(v, a, b)"),
        ("((a, b))", "((v, a, b))"),
        ("(  # c\n    a,\n)", "(v,   # c\n    a,\n)"),
        ("[]", "[v]"),
        ("[a]", "[v, a]"),
        ("f(args=(a,))", "f(args=(v, a))"),
    ],
)
def test_prepend_element(text: str, expected: str) -> None:
    module = StandIn(text)
    check(text, edits.prepend_element(module, module.walk.all(cst.List, cst.Tuple)[0], "v"), expected)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("try: a\nexcept X as e: b\n", "e", None),
        ("try: a\nexcept X: b\n", "exc", "try: a\nexcept X as exc: b\n"),
        ("try: a\nexcept (X, Y): b\n", "exc", "try: a\nexcept (X, Y) as exc: b\n"),
        ("try: a\nexcept(X): b\n", "exc", "try: a\nexcept(X) as exc: b\n"),
        ("try: a\nexcept X, Y: b\n", "exc", "try: a\nexcept (X, Y) as exc: b\n"),
        ("try: a\nexcept* X: b\n", "exc", "try: a\nexcept* X as exc: b\n"),
        ("try: a\nexcept : b\n", "exc", "try: a\nexcept BaseException as exc : b\n"),
        ("exc = 1\ntry: a\nexcept X: b\n", "error", "exc = 1\ntry: a\nexcept X as error: b\n"),
        ("exc = error = 1\ntry: a\nexcept X: b\n", "exc_2", "exc = error = 1\ntry: a\nexcept X as exc_2: b\n"),
        ("try: a\nexcept Y as exc: c\nexcept X: b\n", "exc", "try: a\nexcept Y as exc: c\nexcept X as exc: b\n"),
    ],
)
def test_bind_exception(text: str, name: str, expected: str | None) -> None:
    module = StandIn(text)
    bound, made = edits.bind_exception(module, module.walk.all(cst.ExceptHandler, cst.ExceptStarHandler)[-1])
    assert bound == name
    check(text, made, text if expected is None else expected)


def test_a_nested_handler_takes_its_name_away() -> None:
    text = "try: a\nexcept X{}:\n  try: b\n  except Y{}: c\n"
    for names in ((" as exc", ""), ("", " as exc")):
        module = StandIn(text.format(*names))
        handler = next(each for each in module.walk.all(cst.ExceptHandler) if each.name is None)
        assert edits.bind_exception(module, handler)[0] == "error"
