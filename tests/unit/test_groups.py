"""Groups: each with a file of its own, whose mistakes hurt nobody else; and the defaults of a file."""

import json

import pytest
from federation import BOTH, DAY, LATER, MAIN, NORTH, SOUTH, group, loaded, outputs, published
from html_reader import Reader

from pipeline.catalogue.refused import group_id_in
from pipeline.edition import Edition
from pipeline.errors import CatalogueError
from pipeline.ledger import facts_of, group_of, pending_lines, retirement, vanished

# ------------------------------------------------------------------------------------------- refused alone

BREAKS = {
    "a syntax error": lambda text: text.replace("date = 2026-03-04", "date = 2026-03-"),
    "a wrong day": lambda text: text.replace("date = 2026-03-04", "date = 2026-03-04\nweekday = 'Monday'"),
    "a wrong value": lambda text: text.replace('time = "19:00"', 'time = "19h61"'),
    "an unknown key": lambda text: text.replace('time = "19:00"', 'time = "19:00"\ntimes = "x"'),
    "an unknown table": lambda text: text + '[[reminder]]\nid = "r"\nwhen = "when changed"\n',
    "an unknown venue": lambda text: text.replace('venue = "hall"', 'venue = "moon"'),
    "an event of another file": lambda text: text.replace('id = "south-walk"', 'id = "assembly"'),
    "a wrong default": lambda text: text.replace("[[event]]", "[defaults]\nprice = 3\n[[event]]", 1),
    "no name": lambda text: text.replace("name.en", "nam.en"),
    "no id": lambda text: text.replace('id = "south"\n', ""),
    "an id that can be none": lambda text: text.replace('id = "south"\n', 'id = "South "\n'),
    "the id of another group": lambda text: text.replace('id = "south"\n', 'id = "north"\n'),
    "an unknown id and a wrong value": lambda text: text.replace('id = "south"\n', 'id = "suoth"\n').replace(
        "19:", "1_:"
    ),
    "a group that is no table": lambda text: 'group = "south"\n' + text[text.index("[[event]]") :],
}


@pytest.mark.parametrize("slip", BREAKS)
def test_a_broken_group_file_is_refused_alone_and_its_events_stay_as_published(slip: str) -> None:
    broken = BREAKS[slip](SOUTH)
    assert broken != SOUTH
    moved = NORTH.replace("2026-03-04", "2026-03-05")
    found = loaded({"north": moved, "south": broken}, ledger=BOTH)
    [refused] = found.refused
    assert refused.file == "groups/south.toml"
    assert {problem.file for problem in refused.problems} == {"groups/south.toml"}
    lines = pending_lines(found.catalogue, BOTH, LATER)
    assert [line.event for line in lines] == ["north-talk"]
    assert vanished(found.catalogue, BOTH) == ()
    before = outputs(loaded({"north": NORTH, "south": SOUTH}), BOTH)
    after = outputs(found, BOTH.extended(lines))
    theirs = [path for path in before if "south" in path and not path.endswith(".html")]
    assert len(theirs) > 10
    for path in theirs:
        assert after[path] == before[path], path
    assert "A talk in the south" in Reader(after["groups/south/index.html"].decode()).text
    assert "A talk in the south" in Reader(after["events/south-talk/index.html"].decode()).text


def test_every_mistake_of_every_refused_file_is_told_at_once() -> None:
    north = NORTH.replace('time = "19:00"', 'time = "9"').replace('venue = "hall"', 'venue = "moon"')
    south = BREAKS["a syntax error"](SOUTH)
    found = loaded({"north": north, "south": south}, ledger=BOTH)
    assert [(one.file, one.group, len(one.problems)) for one in found.refused] == [
        ("groups/north.toml", "north", 2), ("groups/south.toml", "south", 1),
    ]  # fmt: skip
    assert set(found.catalogue.event_by_id) == {"assembly", "north-talk", "north-walk", "south-talk", "south-walk"}


def test_a_broken_main_file_still_refuses_all_and_tells_the_groups_mistakes_too() -> None:
    main = MAIN.replace('time = "18:00"', 'time = "25:00"')
    with pytest.raises(CatalogueError) as refusal:
        loaded({"south": BREAKS["a wrong value"](SOUTH)}, main, BOTH)
    assert {problem.file for problem in refusal.value.problems} == {"events.toml", "groups/south.toml"}


def test_an_included_file_without_a_group_refuses_all() -> None:
    with pytest.raises(CatalogueError):
        loaded({"more": '[[event]]\nid = "x"\ntitle = "X"\n'}, ledger=BOTH)


def test_what_other_files_name_is_there_while_the_file_that_holds_it_is_refused() -> None:
    south = SOUTH + '[[venue]]\nid = "barn"\nname = "Barn"\n' + (
        '[[event]]\nid = "dance"\ntitle = "Dance"\ndate = 2026-04-01\ntime = "20:00"\nvenue = "barn"\n')  # fmt: skip
    main = (
        MAIN.replace('venue = "hall"', 'venue = "barn"')
        + '[[reminder]]\nid = "r"\nwhen = "2 days before at 10:00"\nevents = ["dance"]\n'
    )
    ledger = published({"south": south}, main)
    found = loaded({"south": BREAKS["a syntax error"](south)}, main, ledger)
    assert len(found.refused) == 1
    assert pending_lines(found.catalogue, ledger, LATER) == ()


def test_a_changed_venue_of_the_main_file_leaves_a_frozen_event_at_the_place_as_it_was() -> None:
    found = loaded({"south": BREAKS["a wrong value"](SOUTH)}, MAIN.replace("Town hall", "City hall"), BOTH_SOUTH)
    listings = {listing.event.id: listing for listing in Edition(found.catalogue, BOTH_SOUTH, DAY).listings}
    assert listings["south-talk"].venue.name.said_in("en").text == "Town hall"
    assert [line.event for line in pending_lines(found.catalogue, BOTH_SOUTH, LATER)] == ["assembly"]


BOTH_SOUTH = published({"south": SOUTH})


def test_the_group_itself_stays_as_it_was_published() -> None:
    opening = 'organiser = "Old name"\nreply_to = "Old <old@fed.example>"'
    ledger = published({"south": group("south", opening=opening)})
    renamed = group("south", opening='organiser = "New name"\nreply_to = "nobody"')
    [kept] = loaded({"south": renamed}, ledger=ledger).catalogue.groups
    assert (kept.id, kept.organiser[0].name, kept.reply_to) == ("south", "Old name", "Old <old@fed.example>")
    assert kept.name.said_in("fr").text == "Groupe south"


def test_a_group_that_was_never_published_leaves_nothing_behind() -> None:
    found = loaded({"south": SOUTH, "west": BREAKS["a wrong value"](group("west"))}, ledger=BOTH_SOUTH)
    assert [one.group for one in found.refused] == ["west"]
    assert "west" not in found.catalogue.group_by_id


def test_retired_events_of_a_refused_group_stay_retired() -> None:
    gone = SOUTH[: SOUTH.index('[[event]]\nid = "south-walk"')]
    ledger = BOTH_SOUTH.extended([retirement(loaded({"south": gone}).catalogue, BOTH_SOUTH, "south-walk", LATER)])
    found = loaded({"south": BREAKS["a wrong value"](gone)}, ledger=ledger)
    assert set(found.catalogue.event_by_id) == {"assembly", "south-talk"}


def test_a_group_file_that_disappeared_is_as_events_that_were_deleted() -> None:
    found = loaded({"north": NORTH}, ledger=BOTH)
    assert set(vanished(found.catalogue, BOTH)) == {"south-talk", "south-walk"}
    broken = loaded({"north": BREAKS["a syntax error"](NORTH)}, ledger=BOTH)
    assert set(vanished(broken.catalogue, BOTH)) == {"south-talk", "south-walk"}


def test_a_duplicate_belongs_to_the_later_file() -> None:
    ledger = published({"a": group("a"), "b": group("b")})
    found = loaded({"a": group("a"), "b": group("b").replace('id = "b-talk"', 'id = "a-talk"')}, ledger=ledger)
    [refused] = found.refused
    assert (refused.file, refused.problems[0].line) == ("groups/b.toml", 8)
    again = loaded({"a": group("a"), "c": group("a").replace("a-", "c-")}, ledger=ledger)
    assert [one.file for one in again.refused] == ["groups/c.toml"]


def test_a_file_that_two_patterns_name_is_read_once() -> None:
    main = MAIN.replace('["groups/*.toml"]', '["groups/*.toml", "groups/south.toml"]')
    assert len(loaded({"south": SOUTH}, main).catalogue.events) == 3


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[group]\nid = "north"\nname = "N"\n[[event]]\nx = ', "north"),
        ("# x\n [ group ] # y\nname = \"N\nid = 'north'\n", "north"),
        ('group = { id = "north" }\n[[event]\n', "north"),
        ("[group]\nid = 3\n[[event]\n", None),
        ('[group\nname = "N"\n', None),
    ],
)
def test_the_id_of_a_group_is_read_from_a_file_that_is_no_toml(text: str, name: str | None) -> None:
    assert group_id_in(text) == name


def test_nobody_can_type_what_the_loader_fills_in() -> None:
    with pytest.raises(CatalogueError, match="there is no key `kept` here"):
        loaded({}, 'kept = ["assembly"]\n' + MAIN)


def test_the_facts_of_an_event_name_its_group_as_it_was() -> None:
    catalogue = loaded({"north": NORTH}).catalogue
    event = catalogue.event_by_id["north-talk"]
    facts = json.loads(json.dumps(facts_of(event, catalogue.venue_of(event), catalogue.group_of(event))))
    assert group_of(facts) == catalogue.group_by_id["north"]
    assert group_of(facts_of(catalogue.event_by_id["assembly"], None)) is None


# ------------------------------------------------------------------------------------------- defaults


def wrong(main: str, **files: str) -> list[tuple[str, int, str]]:
    with pytest.raises(CatalogueError) as refusal:
        loaded(files, main)
    return [(problem.file, problem.line, problem.key) for problem in refusal.value.problems]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('time = "7 pm"', "time"), ('venue = "moon"', "venue"), ("price = 3", "price"), ('status = "maybe"', "status"),
        ('online = "ftp://x"', "online.url"), ('duration = "long"', "duration"), ('tba = ["tme"]', "tba #1"),
        ('timezone = "Europe/Pari"', "timezone"), ("online = { secret = 'x' }", "online.secret"),
        ('speakers = [{ name = "A", group = "B" }]', "speakers #1"), ('id = "x"', "id"), ('colour = "x"', "colour"),
    ],
)  # fmt: skip
def test_a_bad_default_is_told_once_at_its_own_line_whether_or_not_an_event_inherits_it(line: str, key: str) -> None:
    where = MAIN.index("[[venue]]")
    main = f"{MAIN[:where]}[defaults]\n{line}\n{MAIN[where:]}"
    at = main[:where].count("\n") + 2
    own = line.split(" =")[0]
    ours = 'time = "18:00"\nvenue = "hall"'
    filled = main.replace(ours, f"{ours}\n{GOOD[own]}") if own in GOOD else main
    assert [(file, number, said) for file, number, said in wrong(filled)] == [("events.toml", at, f"defaults.{key}")]
    [(file, number, _)] = wrong(main)
    assert (file, number) == ("events.toml", at)


def test_a_place_that_is_there_may_be_a_default() -> None:
    where = MAIN.index("[[venue]]")
    main = f'{MAIN[:where]}[defaults]\nvenue = "hall"\n{MAIN[where:]}'
    [event] = loaded({}, main.replace('time = "18:00"\nvenue = "hall"', 'time = "18:00"')).catalogue.events
    assert event.venue == "hall"


@pytest.mark.parametrize("tba", ["3", '"time"', '[["time"]]', "[{ time = 1 }]"])
def test_an_event_whose_tba_is_no_list_of_words_is_told_whatever_it_would_inherit(tba: str) -> None:
    where = MAIN.index("[[venue]]")
    main = f'{MAIN[:where]}[defaults]\ntime = "18:00"\n{MAIN[where:]}'
    told = wrong(main.replace('time = "18:00"\nvenue = "hall"', f'time = "18:00"\nvenue = "hall"\ntba = {tba}'))
    assert {key.split(" #")[0] for _, _, key in told} == {'event "assembly": tba'}


def test_of_very_many_bad_defaults_a_hundred_are_told_and_that_there_are_more() -> None:
    where = MAIN.index("[[venue]]")
    main = f"{MAIN[:where]}[defaults]\ntags = {list(range(150))}\n{MAIN[where:]}"
    told = wrong(main.replace('venue = "hall"', 'venue = "hall"\ntags = []'))
    assert [key for _, _, key in told].count("defaults") == 1
    assert sum(key.startswith("defaults.tags #") for _, _, key in told) == 100
    assert len(told) == 101


GOOD = {
    "price": 'price = "free"',
    "status": 'status = "confirmed"',
    "online": 'online = "https://x.example/"',
    "duration": 'duration = "2h"',
    "timezone": 'timezone = "Europe/Paris"',
    "speakers": "speakers = []",
}


def test_defaults_of_a_groups_file_hold_for_that_file_only() -> None:
    south = SOUTH.replace("[[event]]", '[defaults]\nprice = "free"\n[[event]]', 1)
    catalogue = loaded({"north": NORTH, "south": south}).catalogue
    assert {event.id for event in catalogue.events if event.price} == {"south-talk", "south-walk"}


def test_a_bad_default_of_a_group_refuses_its_file_alone() -> None:
    south = SOUTH.replace("[[event]]", "[defaults]\nprice = 3\n[[event]]", 1)
    [refused] = loaded({"north": NORTH, "south": south}, ledger=BOTH).refused
    assert [(problem.line, problem.key) for problem in refused.problems] == [(8, "defaults.price")]
