"""The scanner finds every key of every TOML document where it stands."""

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.catalogue.places import Path, Places

bare = st.text("abcdefgh_-09", min_size=1, max_size=4)
quoted = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=5).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
literal_key = st.text("ab .#[]=,", max_size=5).map(lambda text: f"'{text}'")
keys = st.one_of(bare, bare, quoted, literal_key)
strings = st.one_of(
    quoted,
    st.text("ab\\#]}, ", max_size=8).map(lambda text: f"'{text}'"),
    st.text("ab\n#]}' ", max_size=12).map(lambda text: f'"""{text}"""'),
    st.text('ab\n#]}"\\ ', max_size=12).filter(lambda text: '"""' not in text).map(lambda text: f"'''{text}'''"),
    st.just('"""a ""b"" \\""""""'),
    st.just("''''a'''''"),
)
scalars = st.one_of(strings, st.sampled_from(["1", "-2.5", "true", "2026-05-07", "2026-05-07 19:00:00", "19:00:00"]))


def join(rows: list[str]) -> str:
    return ", ".join(rows)


values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + join(items) + "]"),
        st.lists(inner, max_size=3).map(
            lambda items: "[ # a ] comment\n" + "".join(f" {item},\n" for item in items) + "]"
        ),
        st.dictionaries(bare, inner, max_size=3).map(
            lambda items: "{ " + join([f"{key} = {value}" for key, value in items.items()]) + " }"
        ),
    ),
    max_leaves=6,
)
dotted = st.lists(keys, min_size=1, max_size=3).map(".".join)
pairs = st.tuples(dotted, values).map(lambda pair: f"{pair[0]} = {pair[1]}")
headers = st.one_of(
    dotted.map(lambda key: f"[{key}]"), dotted.map(lambda key: f"[[ {key} ]]"), dotted.map(lambda k: f"[[{k}]]")
)
lines = st.one_of(pairs, pairs, headers, st.sampled_from(["", "# comment = [", "   "]))
documents = st.lists(lines, max_size=12).map("\n".join)


def leaves(value: Any, path: Path = ()) -> list[Path]:
    """The paths of everything in a parsed document."""
    if isinstance(value, dict):
        return [
            *([path] if path else []),
            *(found for key, item in value.items() for found in leaves(item, (*path, key))),
        ]
    if isinstance(value, list):
        return [path, *(found for index, item in enumerate(value) for found in leaves(item, (*path, index)))]
    return [path]


@settings(max_examples=400)
@given(documents, st.booleans())
def test_every_key_of_a_valid_document_has_a_place_and_nothing_else_has(text: str, carriage_returns: bool) -> None:
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    if carriage_returns:
        text = text.replace("\n", "\r\n")
    places = Places(text)
    expected = set(leaves(parsed))
    others = {other for path in expected for other in ((*path, "x"), (*path, 0), (*path[:-1], 1), path[1:])} - {()}
    places.seek([*expected, *others])
    assert {path for path in expected | others if places.holds(path)} == expected
    assert all(Places(text).holds(path) for path in list(expected)[:3])
    rows = text.split("\n")
    for path in expected:
        line, column = places.of(path)
        assert 1 <= line <= len(rows)
        assert 1 <= column <= len(rows[line - 1])


@given(st.lists(bare, min_size=1, max_size=6, unique=True), st.integers(0, 5), st.sampled_from(["\n", "\r\n"]))
def test_a_key_is_found_on_its_very_line_and_column(names: list[str], indent: int, end: str) -> None:
    text = f"[table]{end}" + "".join(f'{end}{" " * indent}{name} = """x{end}y = 1"""' for name in names) + end
    places = Places(text)
    for number, name in enumerate(names):
        assert places.of(("table", name)) == (3 + 2 * number, indent + 1)


def test_a_missing_key_is_placed_at_the_header_of_its_table() -> None:
    places = Places('a = 1\n[[event]]\nid = "x"\n\n[[event]]\nspeakers = [\n  { name = "y" },\n]\n')
    assert places.of(("event", 1, "title")) == (5, 1)
    assert places.of(("event", 1, "speakers", 0, "role")) == (7, 3)
    assert places.of(("nothing",)) == (1, 1)


def test_places_on_one_line_are_the_same_in_whatever_order_they_are_asked_for() -> None:
    text = 'tags = ["é", "🎈🎈", "ç", "d"]\nnames = ["à", "b"]\n'
    paths = [(key, number) for key, count in (("tags", 4), ("names", 2)) for number in range(count)]
    alone = [Places(text).of(path) for path in paths]
    assert [place.column for place in alone] == [9, 14, 20, 25, 10, 15]
    for order in ([0, 1, 2, 3, 4, 5], [5, 3, 1, 0, 4, 2], [1, 1, 4, 1, 5, 3]):
        places = Places(text)
        assert [places.of(paths[index]) for index in order] == [alone[index] for index in order]
        assert places.line(2) == places.line(2) == 'names = ["à", "b"]'
