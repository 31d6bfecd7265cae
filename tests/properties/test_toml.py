"""The quick reader of catalogues reads, and refuses, exactly what Python's own does."""

import os
import tomllib
from datetime import datetime
from typing import Any

import pytest
from checkout import ROOT
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.catalogue.toml import decoded, read_toml
from pipeline.catalogue.toml import pieces as cut

EXAMPLES = int(os.environ.get("TOCSIN_FUZZ", "400"))

KEYS = ["a", "b", "c", "a.b", "a.b.c", '"a b"', "'a'.b", '""', "é", "1", "-"]
VALUES = [
    "1", "+1", "01", "1_0", "0xff", "99999999999999999999", "9223372036854775807", "1.5", "1.", ".5", "1e400", "inf",
    "-nan", "true", "True", "2026-05-07", "2026-02-30", "0000-01-01", "19:00", "19:00:00", "19:00:00.123456789",
    "24:00:00", "2026-05-07T19:00", "2026-05-07 19:00", "2026-05-07T19:00Z", "2026-05-07t19:00:00z",
    "2026-05-07 19:00:00+02:00", "2026-05-07T19:00:60Z", "9999-12-31T23:59:59.9999999Z", '"x"', "''", '"19:00"',
    '"\\e"', '"\\x41"', '"\\u0007"', '"\\ud800"', '"\\U0001F600"', "'\\e'", '"a\tb"', '"a\x7fb"', '"\u202e"',
    '"""a\r\nb"""', '"""\na\\\n   b"""', "'''\n19:00\n{ a = 1,\n'''", '"""x""""', '"}"', "'{'", '"a # b"', "'it''",
    "[]", "[1, 2,]", "[\n19:00 ]", "[ # {\n 1 ]", "{}", "{ a = 1 }", "{ a = 1, }", "{ a = 1,\n b = 2 }",
    "{ a = '}',\n b = 1 }", "{ a = 1, # }\n b = 2 }", "{ a = '''\n}''' }", "{ a = '''\n''', }", "{ a.b = 1, a.c = 2 }",
    "{ a = [1,\n 2] }", "[{ a = 1 }, { a = 2 }]", "[{ a = '{' }, {\n}]", '{ a = "}", b = { c = 1 }\n}',
]  # fmt: skip
HEADERS = ["[a]", "[a.b]", "[[a]]", "[[ a . b ]]", "[c]", "[[c]]", "['é']", "[a]]", "[", "[]"]
pieces = st.one_of(
    st.builds("{} = {}".format, st.sampled_from(KEYS), st.sampled_from(VALUES)),
    st.sampled_from(HEADERS),
    st.sampled_from(["", "# it's { 19:00", "\t", "\x00", "\ufeff", "a", "= 1", "\r"]),
)
documents = st.lists(pieces, max_size=5).flatmap(
    lambda lines: st.sampled_from(["\n", "\n", "\r\n", " "]).map(lambda end: end.join(lines))
)


def outcome(read: Any, text: str) -> object:
    """What a reader makes of a text: its values with their types, or its very complaint."""
    try:
        return typed(read(text))
    except ValueError as error:
        return type(error), str(error)


def typed(value: Any) -> object:
    if isinstance(value, dict):
        # The order of keys means nothing: a reader may count a table from its header or from one within it.
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    offset = value.utcoffset() if isinstance(value, datetime) else None
    return type(value), repr(value) if isinstance(value, float) else value, offset


@settings(max_examples=EXAMPLES)
@given(documents)
@example("\ufeffa = 1")
@example("a = { b = 1,\n}")
@example("a = 1\r\r\nb = 2")
def test_both_readers_give_the_same_values_or_the_same_complaint(text: str) -> None:
    assert outcome(read_toml, text) == outcome(tomllib.loads, text)


HEADERS_OF_ITEMS = [*HEADERS, "[[b]]", "[b]", "[a.c]", "[[a.c]]", "[b.a]", "a = []", "b = [{ c = 1 }]", "'''", '"""']
item_documents = st.lists(st.one_of(st.sampled_from(HEADERS_OF_ITEMS), pieces), max_size=9).map("\n".join)


@settings(max_examples=EXAMPLES)
@given(item_documents, st.integers(1, 40))
@example("[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 1\n[[a]]", 1)
@example("a = [{ b = 1 }]\n[[b]]\n[[a]]", 1)
@example("[[b]]\nc = '''\n[[b]]\nd = 1\n'''\n[[b]]", 1)
@example("[[b]]\n[[a]]\n[[b]]\n[b.c]\n[[a]]\n[b.d]", 1)
def test_a_text_read_in_pieces_is_read_alike(text: str, at_once: int) -> None:
    expected = outcome(tomllib.loads, text)
    assert outcome(lambda whole: read_toml(whole, at_once), text) == expected
    assert outcome(lambda whole: read_toml(whole.encode(), at_once), text) == expected
    assert "".join(map(decoded, cut(text, at_once))) == text
    assert b"".join(cut(text.encode(), at_once)).decode() == text


def test_a_long_text_is_cut() -> None:
    text = "a = 1\n" + "[[b]]\nc = 'x'\n" * 20
    assert len(list(cut(text, 100))) == 4
    assert len(list(cut(text.encode(), 100))) == 4


@pytest.mark.parametrize("value", VALUES)
def test_each_kind_of_value_is_read_alike(value: str) -> None:
    for text in (f"a = {value}", f"a = {value}\n[t]\nb = {value} # c", f"a = [ {value} ]", f"a = {{ b = {value} }}"):
        assert outcome(read_toml, text) == outcome(tomllib.loads, text)


@settings(max_examples=EXAMPLES)
@given(st.data())
def test_a_real_catalogue_with_any_slip_is_read_alike(data: st.DataObject) -> None:
    text = (ROOT / "events.toml").read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text)))
    gone = data.draw(st.integers(0, 3))
    typed_there = data.draw(st.one_of(st.text(max_size=3), st.sampled_from([*VALUES, *HEADERS, "\n", ",", "{", "}"])))
    spoilt = text[:at] + typed_there + text[at + gone :]
    assert outcome(read_toml, spoilt) == outcome(tomllib.loads, spoilt)
