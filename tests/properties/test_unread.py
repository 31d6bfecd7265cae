"""The events of a long file are read twice, in pieces; nobody who reads a message or an event can tell."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from smallest import SMALLEST
from test_loader import EXAMPLES, events, tables

from pipeline.catalogue import long_mistakes, unread
from pipeline.catalogue.load import Source, load
from pipeline.catalogue.models import dump
from pipeline.catalogue.texts import Hold, Prose, in_brief, packed
from pipeline.catalogue.toml import pieces
from pipeline.errors import CatalogueError

NOW = datetime(2026, 9, 1, tzinfo=UTC)
GROUP = '[group]\nid = "g"\nname = "G"\n'
WITH_PROSE = 'abstract = """\nA long text.\n\n[[event]]\n"""\nnotice.en = "’"\n'
WRONG_PROSE = 'abstract = ""\nnotice = { xx = "No such language" }\ntitel = "T"\n'


@pytest.fixture(scope="module", autouse=True)
def _everything_is_long() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unread, "LONG", 0)
        for module in (unread, long_mistakes):
            patch.setattr(module, "pieces", partial(pieces, at_once=1))
        yield


def outcome(main: str, group: str, *, twice: bool, hold: Hold = packed) -> tuple[bool, object, object]:
    """Whether a catalogue is taken, what is told of it, and what it holds."""

    def source(name: str, text: str) -> Source:
        return Source(name, text.encode() if twice else text)

    try:
        loaded = load(source("events.toml", main), lambda _: [source("g.toml", group)], NOW, hold=hold)
    except CatalogueError as error:
        return False, error.problems, None
    return True, loaded.remarks, dump(loaded.catalogue)


rows = st.lists(st.one_of(tables(), events(), st.sampled_from([WITH_PROSE, WRONG_PROSE])), max_size=6)


@settings(max_examples=EXAMPLES)
@given(rows, rows)
@example([], [])
@example(['[[event]]\nid = "a"', WRONG_PROSE, '[[event]]\nid = "a"', WITH_PROSE], ['[[event]]\nid = "b"\nx = 1'])
@example(
    ['[[event]]\nid = "a"\ntba = ["title", "date", "time"]', WITH_PROSE], ['[[event]]\nid = "b"\ntitle = "T"\ndate = 1']
)
def test_what_is_told_and_held_is_that_of_one_reading(main: list[str], group: list[str]) -> None:
    texts = 'include = ["g.toml"]\n' + SMALLEST + "\n".join(main), GROUP + "\n".join(group)
    whole = outcome(*texts, twice=False)
    assert outcome(*texts, twice=True) == whole
    assert outcome(*texts, twice=True, hold=in_brief)[:2] == whole[:2]


NO_TOML = (
    'title = "T',
    'abstract = """\nWithout an end',
    'abstract = """\nAn end\n"""\ntitle = """\nNone',
    'id = "a"\nid = "b"',
    "title = ",
    "[event]",
    "[series]\nid = 1",
    "title = [1, 2",
    "[[event]",
    "[event.title]\nen = 1\n[event.title]",
    "x = 2027-13-45",
    "\x01",
)
sound = st.sampled_from(['[[event]]\r\nid = "é"', WITH_PROSE, '[[venue]]\nid = "v"', 'title = "T"', '"""'])


@settings(max_examples=EXAMPLES)
@given(st.lists(sound, max_size=6), st.sampled_from(NO_TOML), st.lists(sound, max_size=6), st.integers(1, 200))
@example(["[[event]]"], NO_TOML[1], [WITH_PROSE, "[[event]]"], 1)
@example([WITH_PROSE, "[[event]]"], NO_TOML[0], ["[[event]]", WITH_PROSE], 1)
@example([], "[event]", ['[[event]]\r\nid = "é"'], 1)
def test_what_is_no_toml_is_refused_with_the_words_and_the_place_of_one_reading(
    before: list[str], wrong: str, after: list[str], enough: int
) -> None:
    text = SMALLEST + "\n".join([*before, wrong, *after])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_mistakes, "ENOUGH", enough)
        assert outcome(text, GROUP, twice=True) == outcome(text, GROUP, twice=False)


@pytest.mark.parametrize("wrong", NO_TOML)
def test_no_more_is_read_of_what_is_no_toml_than_can_tell(wrong: str) -> None:
    events = '[[event]]\nid = "a"\n\nabstract = "A"\n' * 25
    text = f"[series]\n{events}[[event]]\n{wrong}\n{events}".encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_mistakes, "ENOUGH", 200)
        part = long_mistakes.wrong_part(text)
    assert part == text or part.count(b"abstract") < 10
    assert (part == text) == ('"""\nWithout' in wrong or wrong.endswith("None"))


def test_an_event_is_read_again_only_when_it_is_judged() -> None:
    read = unread.read_file(b'a = 1\n[[event]]\nid = "a"\n[[event]]\nid = "b"\ntitle = "T"\n')
    assert [set(row) for row in read["event"]] == [{"id"}, {"id", "title"}]
    assert all(isinstance(row, unread.UnreadRow) for row in read["event"])
    assert list(unread.whole(read["event"])) == [{"id": "a"}, {"id": "b", "title": "T"}]


def test_a_catalogue_in_brief_holds_no_prose_of_its_events() -> None:
    event = '[[event]]\nid = "a"\ntba = ["title", "date", "time"]\n' + WITH_PROSE.replace("notice.en", "notice")
    text = SMALLEST.replace("[site]", 'description = "Of the series"\n[site]') + event
    loaded = load(Source("events.toml", text), hold=in_brief)
    [held] = loaded.catalogue.events
    assert held.abstract is not None
    assert held.abstract.said_in("en").text == "…"
    assert loaded.catalogue.series.description is not None
    assert loaded.catalogue.series.description.said_in("en").text == "Of the series"


@given(st.text("aé’😀 ", min_size=1).filter(str.strip), st.integers(1, 300))
def test_prose_is_said_and_written_as_it_was_typed(text: str, times: int) -> None:
    typed = (text * times).strip()
    held = Prose.model_validate({"en": typed})
    assert held.said_in("fr") == (typed, "en")
    assert held.model_dump(mode="json") == {"en": typed}
    assert held == Prose.model_validate({"en": typed})
