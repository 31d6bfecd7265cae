"""The JSON Schema and the loader judge the same files alike, as far as JSON Schema can say the rules."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import jsonschema
import pytest
from checkout import ROOT
from smallest import SMALLEST
from test_catalogue_errors import SLIPS

from pipeline.catalogue.crowds import MOST_IN_ONE, MOST_TABLES
from pipeline.catalogue.descriptions import DESCRIPTIONS
from pipeline.catalogue.load import Source, load
from pipeline.catalogue.schema import schema
from pipeline.errors import CatalogueError

SCHEMA = schema()
JUDGE = jsonschema.Draft7Validator(SCHEMA)

BEYOND = (
    "is a Tuesday",
    "is a mardi",
    "not a day of the week",
    "did you mean 'picoulet'",
    "used twice",
    "languages of the series",
    "can't be published",
    "not a recurrence rule",
    "not after it starts",
    "before it starts",
)
"""What JSON Schema can't say: what depends on other keys' values, on the calendar, or on single characters."""

NO_TOML = ("write time =", "write date =", "not a day of the calendar", "close it with a quote")


def as_json(text: str) -> Any:
    """The document as an editor hands it to a JSON Schema: dates and times are strings."""
    return json.loads(json.dumps(tomllib.loads(text), default=_string))


def _string(value: object) -> str:
    assert isinstance(value, date | datetime | time)
    return value.isoformat()


def loads(text: str, **files: str) -> bool:
    try:
        load(Source("events.toml", text), lambda _: [Source(name, group) for name, group in files.items()])
    except CatalogueError:
        return False
    return True


def test_the_schema_is_valid_draft_7_and_the_committed_file_is_current() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    committed = (ROOT / "events.schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(SCHEMA, ensure_ascii=False, indent=2) + "\n", (
        "type: tocsin schema > events.schema.json"
    )


def test_every_reference_leads_somewhere() -> None:
    for pointer in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(SCHEMA))):
        node = SCHEMA
        for part in pointer.split("/"):
            node = node[part]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every table of a JSON value."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(item)


def test_nothing_stands_beside_a_reference_where_draft_7_would_not_see_it() -> None:
    assert [node for node in nodes(SCHEMA) if "$ref" in node and len(node) > 1] == []


def test_the_defaults_that_editors_show_are_those_that_count() -> None:
    shown = {key: value["default"] for key, value in SCHEMA["definitions"]["Mail"]["properties"].items()
             if "default" in value}  # fmt: skip
    assert {"max_late", "settle", "quiet"} <= shown.keys()
    typed = SMALLEST + "[mail]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in shown.items())
    mails = [load(Source("events.toml", text)).catalogue.mail for text in (SMALLEST, typed)]
    assert mails[0] == mails[1]


def test_every_key_is_described_and_nothing_else_is(seed_text: str) -> None:
    tables = {**SCHEMA["definitions"], "Catalogue": SCHEMA}
    for name, table in tables.items():
        about = DESCRIPTIONS["Access" if name == "EventAccess" else name] if "properties" in table else {}
        for key, value in table.get("properties", {}).items():
            assert value.get("description") == about[key], (name, key)
    for name, about in DESCRIPTIONS.items():
        assert about.keys() <= tables["EventAccess" if name == "Access" else name]["properties"].keys(), name


def readme() -> str:
    return re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)[0]


EVENT = '[[event]]\nid = "a"\ntitle = "A"\ndate = 2026-05-07\ntime = "19:00"\n'
GOOD = [
    "",
    EVENT,
    EVENT.replace('"19:00"', "19:00:00"),
    EVENT.replace('time = "19:00"', 'tba = ["time"]'),
    '[[event]]\nid = "a"\ntba = ["title", "date", "time"]\n',
    EVENT.replace('time = "19:00"', "all_day = true"),
    EVENT + 'duration = "1h30"\n',
    EVENT + 'end_time = "21:00"\n',
    EVENT + 'repeats = "FREQ=WEEKLY"\nexcept = [2026-05-14]\n',
    EVENT + 'repeats = "FREQ=WEEKLY"\nmoved = [{ from = 2026-05-14, date = 2026-05-15 }]\n',
    EVENT + 'status = "cancelled"\nnotice = "Ill."\n',
    EVENT + "venue = false\n",
    EVENT + 'online = "https://x.example/"\n',
    EVENT + 'online = { secret = "TOCSIN_ROOM", label = "Room" }\n',
    EVENT + 'spoken = ["en"]\nprice = "free"\n',
    EVENT
    + 'registration = { url = "https://x.example", opens = 2026-01-01, closes = 2026-05-01T12:00:00, capacity = 3 }\n',
    EVENT + 'recordings = ["https://v.example/1", { url = "https://v.example/2", language = "en" }]\n',
    EVENT + 'speakers = [{ name = "B", work = { title = "C", year = 1999 } }, { group = "D" }, { unnamed = "one" }]\n',
    '[defaults]\ntime = "19:00"\nprice = "free"\n[[event]]\nid = "a"\ntitle = "A"\ndate = 2026-05-07\n',
    '[[venue]]\nid = "hall"\nname.en = "Hall"\ngeo = [48.5, 2]\n[venue.access]\nstep_free = true\n',
    '[[reminder]]\nid = "r"\nwhen = "2 days before at 10:00"\nneeds = "registration"\n',
    '[[newsletter]]\nid = "n"\nsend = 2026-05-07T10:00:00\nsubject = "News"\ninclude = ["news"]\n',
    '[mail]\nfrom = "Room <a@b.example>"\nquiet = ["23:00", "07:00"]\nmax_late = "2 days"\nper_second = 2\n',
    '[mail]\nlists = [{ address = "l@b.example", language = ["en"], kinds = ["reminders"] }]\n',
    '[mail]\nlists = [{ address = "m@b.example", language = "en" }]\n',
    EVENT + "resources = []\n",
    EVENT + f"tags = {['a'] * 10_000}\n",
    EVENT + 'tba = ["resources"]\nresources = []\n',
]
BAD = [
    EVENT.replace("id =", "nr ="),
    EVENT.replace('"a"', '"A b"'),
    EVENT + "nonsense = 1\n",
    EVENT + 'number = "2"\n',
    EVENT + "number = -1\n",
    EVENT.replace("date = 2026-05-07\n", ""),
    EVENT.replace('time = "19:00"\n', ""),
    EVENT.replace('title = "A"\n', ""),
    EVENT.replace('"19:00"', '"24:00"'),
    EVENT.replace('"19:00"', '"7 pm"'),
    EVENT.replace("2026-05-07", '"May"'),
    EVENT.replace("2026-05-07", "2026-05-07T19:00:00"),
    EVENT.replace("2026-05-07", "1026-05-07"),
    EVENT.replace("2026-05-07", "86400"),
    EVENT + 'tba = ["time"]\n',
    EVENT + 'tba = ["id"]\n',
    EVENT + "all_day = true\n",
    EVENT.replace('time = "19:00"', "all_day = true") + 'duration = "2h"\n',
    EVENT.replace('time = "19:00"', "all_day = true") + 'end_time = "21:00"\n',
    EVENT + 'all_day = "yes"\n',
    EVENT + 'duration = "long"\n',
    EVENT + 'duration = "0h"\n',
    EVENT + 'duration = "2h"\nend_time = "21:00"\n',
    EVENT + 'status = "off"\n',
    EVENT + 'status = "cancelled"\n',
    EVENT + 'status = "postponed"\n',
    EVENT + "venue = true\n",
    EVENT + 'online = { label = "x" }\n',
    EVENT + 'online = { url = "https://x.example", secret = "A" }\n',
    EVENT + 'online = { secret = "a b" }\n',
    EVENT + 'online = { secret = "TOCSIN_SECRET" }\n',
    EVENT + 'online = { secret = "TOCSIN_ALERT", label = "Room" }\n',
    EVENT + 'online = "ftp://x.example"\n',
    EVENT + "speakers = [{}]\n",
    EVENT + 'speakers = "Clara"\n',
    EVENT + 'speakers = [{ name = "A", group = "B" }]\n',
    EVENT + 'tags = ["A B"]\n',
    EVENT + "except = [2026-05-14]\n",
    EVENT + "moved = [{ from = 2026-05-14, date = 2026-05-15 }]\n",
    EVENT + 'moved = [{ date = 2026-05-15 }]\nrepeats = "FREQ=WEEKLY"\n',
    EVENT + 'image = "/etc/passwd"\n',
    EVENT + 'image = "a/../../b.png"\n',
    EVENT + 'image = ".env"\n',
    EVENT + 'image = "var/tocsin.db"\n',
    EVENT + 'image = "images/.png"\n',
    EVENT + 'image = "https://x.example/a.png"\n',
    EVENT + "fold = 2\n",
    EVENT + "registration = { capacity = 0 }\n",
    EVENT + "registration = { opens = 5 }\n",
    EVENT + 'estimated_duration = "2h"\n',
    EVENT + 'group = "x"\n',
    EVENT + 'title.en = "B"\n'.replace("title", "kind").replace('"B"', "3"),
    EVENT + "price = []\n",
    EVENT + 'timezone = "Paris"\n',
    EVENT + 'end_date = "x"\n',
    EVENT + 'repeats = ["a"]\n',
    EVENT + 'spoken = ["english"]\n',
    '[defaults]\nid = "x"\n',
    "[defaults]\nnumber = 3\n",
    '[defaults]\ntime = "late"\n' + EVENT.replace('time = "19:00"\n', ""),
    "[defaults]\nnonsense = 1\n",
    "defaults = 3\n",
    '[[event]]\nid = "a"\ntitle = "A"\ntba = ["date", "time"]\nend_date = 2026-05-07\n',
    '[[event]]\nid = "a"\ntitle = "A"\ntba = ["date", "time"]\nrepeats = "FREQ=DAILY"\n',
    '[[venue]]\nname = "Hall"\n',
    '[[venue]]\nid = "h"\nname = "H"\ngeo = [1.0]\n',
    '[[venue]]\nid = "h"\nname = "H"\ngeo = [1, 2, 3]\n',
    '[[venue]]\nid = "h"\nname = "H"\ngeo = ["1", "2"]\n',
    '[[venue]]\nid = "h"\nname = "H"\ngeo = [91, 2]\n',
    '[venue]\nid = "h"\nname = "H"\n',
    '[[reminder]]\nid = "r"\n',
    '[[reminder]]\nid = "r"\nwhen = 3\n',
    '[[reminder]]\nid = "r"\nwhen = "when announced"\nneeds = ["money"]\n',
    '[[newsletter]]\nid = "n"\nsubject = "N"\n',
    '[[newsletter]]\nid = "n"\nsubject = "N"\nsend = 2026-05-07\n',
    '[mail]\nfrom = "nobody"\n',
    '[mail]\nquiet = ["22:00"]\n',
    "[mail]\nper_second = 0\n",
    "[mail]\nper_day = 0\n",
    '[mail]\nlists = [{ address = "l@b.example", language = [] }]\n',
    '[mail]\nproof = { before = "1h" }\n',
    '[organisation]\nname = "x"\n',
    EVENT + f"tags = {['a'] * 10_001}\n",
]


def test_only_the_list_of_the_events_may_be_longer_than_others() -> None:
    most = {key: value["maxItems"] for key, value in SCHEMA["properties"].items() if value.get("type") == "array"}
    assert most.pop("event") == MOST_TABLES
    assert set(most.values()) == {MOST_IN_ONE}


@pytest.mark.parametrize("tail", GOOD)
def test_both_take_a_good_file(tail: str) -> None:
    assert loads(SMALLEST + tail)
    assert not list(JUDGE.iter_errors(as_json(SMALLEST + tail)))


@pytest.mark.parametrize("tail", BAD)
def test_both_refuse_a_bad_file(tail: str) -> None:
    assert not loads(SMALLEST + tail)
    assert list(JUDGE.iter_errors(as_json(SMALLEST + tail)))


@pytest.mark.parametrize(
    ("there", "typed"),
    [
        ("format = 1\n", ""),
        ("format = 1", 'format = "1"'),
        ('title = "Talks"', "title = 3"),
        ('title = "Talks"', 'title = ""'),
        ('title = "Talks"', 'title = "a\\nb"'),
        ('title = "Talks"', "title = {}"),
        ('organiser = "Somebody"', "organiser = []"),
        ('organiser = "Somebody"', "organiser = [{}]"),
        ('organiser = "Somebody"\n', ""),
        ("https://talks", "http://talks"),
        ("https://talks.example/", "https://talks.example/?a"),
        ('"https://talks.example/"', '"talks.example"'),
        ("[site]", 'tba = ["subtitle"]\nsubtitle = "x"\n[site]'),
        ("[site]", 'tba = ["title"]\n[site]'),
        ("[site]", 'image = "../x.png"\n[site]'),
        ("[site]", "[site]\nservice = true"),
        ("[site]", '[site]\ncolor = "#12"'),
        ('id = "talks"', 'id = "-talks"'),
        ('"Europe/Paris"', '"Factory"'),
        ('default_language = "en"', 'default_language = "english"'),
        ("format = 1", "format = 1\nserie = 3"),
        ("[site]", "[sites]"),
    ],
)
def test_both_refuse_a_bad_head(there: str, typed: str) -> None:
    assert there in SMALLEST
    text = SMALLEST.replace(there, typed)
    assert not loads(text)
    assert list(JUDGE.iter_errors(as_json(text)))


def test_both_take_the_real_series_the_readme_and_the_smallest_file(seed_text: str) -> None:
    for text in (seed_text, readme(), SMALLEST, SMALLEST.replace("https://talks.example", "http://localhost:8000")):
        assert loads(text)
        assert not list(JUDGE.iter_errors(as_json(text)))


@pytest.mark.parametrize(
    ("there", "typed", "place", "said"), [slip for slip in SLIPS if not any(mark in slip[3] for mark in NO_TOML)]
)
def test_a_slip_that_the_loader_refuses_is_underlined_where_json_schema_can_say_it(
    seed_text: str, there: str, typed: str, place: str, said: str
) -> None:
    text = seed_text.replace(there, typed, 1)
    refused = bool(list(JUDGE.iter_errors(as_json(text))))
    assert refused is not any(beyond in said for beyond in BEYOND)


def test_an_included_file_is_judged_by_the_same_schema() -> None:
    group = '[group]\nid = "north"\nname = "North"\n' + EVENT
    assert not list(JUDGE.iter_errors(as_json(group)))
    assert loads('include = ["groups/*.toml"]\n' + SMALLEST, north=group)
    for wrong in (
        group + "[series]\n",
        group.replace('name = "North"\n', ""),
        group + '[[reminder]]\nid = "r"\nwhen = "when changed"\n',
    ):
        assert list(JUDGE.iter_errors(as_json(wrong)))
        assert not loads('include = ["groups/*.toml"]\n' + SMALLEST, north=wrong)


def test_editors_find_the_schema_of_the_real_series(seed_text: str) -> None:
    assert seed_text.startswith("#:schema ./events.schema.json\n")
