"""Bytes to text, places and back."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otlint.finding import Location
from otlint.source import Source, SourceError

BOM = codecs.BOM_UTF8


@pytest.mark.parametrize(
    ("data", "text", "encoding", "bom"),
    [
        (b"", "", "utf-8", False),
        (b"x = 1\r\ny = 2\n", "x = 1\r\ny = 2\n", "utf-8", False),
        ("x = 'é'\r".encode(), "x = 'é'\r", "utf-8", False),
        (BOM + b"x = 1\n", "x = 1\n", "utf-8", True),
        (BOM + b"# coding: utf8\n", "# coding: utf8\n", "utf-8", True),
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "# -*- coding: latin-1 -*-\nx = 'é'\n", "iso8859-1", False),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n'\x80'\n", None, "cp1252", False),
        (b"\x0c \t# coding=utf-8-unix\n", None, "utf-8", False),
        (b"# coding: utf_8_sig\nx\n", None, "utf-8", False),
        (b"# encoding: cp1251\r'\xe4'\r", "# encoding: cp1251\r'д'\r", "cp1251", False),
        (b"\r\n# coding: cp1251\r\n'\xe4'", "\r\n# coding: cp1251\r\n'д'", "cp1251", False),
        (b"x = 1\n# coding: no-such-codec\n", None, "utf-8", False),
        (b"\n\n# coding: no-such-codec\n", None, "utf-8", False),
        (b"x = '# coding: no-such-codec'\n", None, "utf-8", False),
    ],
)
def test_decode(data: bytes, text: str | None, encoding: str, bom: bool) -> None:
    source = Source.decode(data, "a.py")
    assert (source.encoding, source.bom, source.path) == (encoding, bom, "a.py")
    if text is not None:
        assert source.text == text
    assert source.encode(source.text) == data


@pytest.mark.parametrize(
    ("data", "message", "row", "column"),
    [
        (b"a\n\xc3\xa9\xff\n", "cannot decode byte 0xff at row 2, column 2 as utf-8: invalid start byte", 2, 2),
        (b"\xff\xfea\0", "cannot decode byte 0xff at row 1, column 1 as utf-8: invalid start byte", 1, 1),
        (b"a\r\nb\r\n\0", "source contains a null byte", 3, 1),
        (b"x = 1 \0\n", "source contains a null byte", 1, 7),
        (b"# coding: klingon\n", "unknown encoding `klingon`", 1, 1),
        (b"\n# coding: base64\n", "unknown encoding `base64`", 2, 1),
        (b"# coding: rot13\n", "unknown encoding `rot13`", 1, 1),
        (b"# coding: ascii\nx = '\xe9'\n", "cannot decode byte 0xe9 at row 2, column 6 as ascii: ", 2, 6),
        (BOM + b"# coding: latin-1\n", "encoding `latin-1` contradicts the UTF-8 byte order mark", 1, 1),
        (BOM + BOM + b"x\n", "second byte order mark", 1, 1),
    ],
)
def test_refused(data: bytes, message: str, row: int, column: int) -> None:
    with pytest.raises(SourceError) as caught:
        Source.decode(data, "a.py")
    assert caught.value.message.startswith(message)
    assert (caught.value.row, caught.value.column) == (row, column)


def test_a_codec_that_loses_bytes_is_never_written_back() -> None:
    source = Source.decode(b"# coding: utf-7\nx = '+AOk-+AOk-'\n", "a.py")
    assert not source.exact
    with pytest.raises(SourceError, match="unchanged"):
        source.encode(source.text)


def test_a_text_that_the_codec_cannot_hold_is_refused() -> None:
    with pytest.raises(SourceError, match="ascii"):
        Source.decode(b"# coding: ascii\n", "a.py").encode("é")


def test_newline_is_the_most_frequent_one() -> None:
    assert Source("a.py", "").newline == "\n"
    assert Source("a.py", "a\r\nb\r\nc\n").newline == "\r\n"
    assert Source("a.py", "a\rb\rc\n").newline == "\r"
    assert Source("a.py", "a\nb\r\n").newline == "\n"


def test_places() -> None:
    source = Source("a.py", "a\U0001f600b\r\n\fx\u2028y\x0b\x1c\x85\rlast")
    assert source.rows == 3
    assert [source.line(row) for row in range(5)] == ["", "a\U0001f600b", "\fx\u2028y\x0b\x1c\x85", "last", ""]
    assert source.location(0) == Location(1, 1)
    assert source.location(2) == Location(1, 3)
    assert source.location(5) == Location(2, 1)
    assert source.location(10**6) == Location(3, 5)
    assert source.location(-1) == Location(1, 1)
    assert source.offset(Location(1, 99)) == 3
    assert source.offset(Location(9, 9)) == len(source.text)


@given(st.text(alphabet="a\r\n\f\té\U0001f600", max_size=30))
def test_offset_is_the_inverse_of_location(text: str) -> None:
    source = Source("a.py", text)
    rebuilt = [source.line(row) for row in range(1, source.rows + 1)]
    assert "".join(rebuilt) == text.replace("\r", "").replace("\n", "")
    for offset in range(len(text) + 1):
        inside_line_end = text[offset - 1 : offset + 1] == "\r\n" and offset > 0
        location = source.location(offset)
        if not inside_line_end:
            assert source.offset(location) == offset


@given(st.text(max_size=30), st.booleans())
def test_decode_and_encode_are_inverse(text: str, bom: bool) -> None:
    body = text.replace("\0", "").lstrip("\ufeff").encode("utf-8", "ignore")
    data = BOM + body if bom else body
    try:
        source = Source.decode(data, "a.py")
    except SourceError:
        return
    assert source.encode(source.text) == data
