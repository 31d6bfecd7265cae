"""schedule.xml, JSON-LD, saved pages: what each event becomes; no entity is ever expanded."""

import json
from datetime import date, time
from pathlib import Path

import pytest
from importing_project import HEAD, Project

from pipeline.errors import CatalogueError, Severity
from pipeline.importing.found import LARGEST, Found, Manner
from pipeline.importing.reading import read

DATA = Path(__file__).parents[1] / "data" / "import"
PARIS = Manner("Europe/Paris", "https://talks.example/")


def test_a_schedule_is_read_event_by_event() -> None:
    octets, workshop = read("schedule.xml", (DATA / "schedule.xml").read_bytes(), PARIS).events
    assert octets.uid == "schedule:aaaaaaaa-bbbb-5ccc-8ddd-eeeeeeeeeeee"
    assert octets.spot.line == 16
    assert octets.facts == {
        "title": {"": "Des octets reproductibles"},
        "date": date(2027, 6, 12),
        "time": time(10),
        "end_time": time(10, 45),
        "timezone": "Europe/Paris",
        "kind": {"": "Talk"},
        "spoken": ["fr"],
        "tags": ["Systèmes"],
        "speakers": [{"name": "Inès Vidal"}, {"name": "Tom Okoro"}],
        "venue": {"name": {"": "Amphi A"}},
        "abstract": {"": "Un programme, deux machines, les mêmes octets."},
        "resources": [
            {"url": "https://rdl.example/talk/QX7ABC/"},
            {"url": "https://repro.example/", "title": {"": "le projet"}},
        ],
    }
    assert {"subtitle", "logo"} <= {str(problem.values["fact"]) for problem in octets.lost}
    assert (workshop.facts["time"], workshop.facts["end_time"]) == (time(11), time(12, 30))


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "text",
    [
        (
            f'<!DOCTYPE schedule [<!ENTITY l0 "ha">{LAUGHS}]>'
            "<schedule><day><room><event><title>&l11;</title></event></room></day></schedule>"
        ),
        f'<!DOCTYPE schedule [<!ENTITY l0 "ha">{LAUGHS}]><schedule version="&l11;"/>',
        '<!DOCTYPE schedule [<!ENTITY x SYSTEM "file:///etc/passwd">]><schedule><title>&x;</title></schedule>',
        '<!DOCTYPE schedule SYSTEM "http://127.0.0.1:9/x.dtd"><schedule/>',
    ],
    ids=["text", "attribute", "file", "network"],
)
def test_entities_and_document_types_are_refused(text: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        list(read("schedule.xml", text.encode(), PARIS).events)
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize("text", ["<schedule><day>", "<html/>", "", "<a" * 100_000, "<a>" * 100_000])
def test_what_is_no_schedule_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(CatalogueError):
        list(read("schedule.xml", text.encode(), PARIS).events)


def test_an_hour_or_day_of_a_schedule_that_there_is_not_is_named() -> None:
    text = (
        '<schedule><day date="2027-05-07"><room name="A"><event><title>x</title><start>25:30</start></event>'
        "<event><title>y</title><date>2027-05-07T25:00</date><start>09:00</start></event></room></day></schedule>"
    )
    late, odd = read("schedule.xml", text.encode(), PARIS).events
    assert (late.facts["date"], "time" in late.facts) == (date(2027, 5, 7), False)
    assert "start is not carried over: 25:30" in str(late.lost[0])
    assert (odd.facts["date"], odd.facts["time"]) == (date(2027, 5, 7), time(9))
    assert "date is not carried over: 2027-05-07T25:00" in str(odd.lost[0])


def test_a_saved_page_gives_the_events_of_its_structured_data() -> None:
    (event,) = read("page.html", (DATA / "page.html").read_bytes(), PARIS).events
    assert event.uid == "page:https://rotonde.example/concert#event"
    facts = event.facts
    assert facts["title"] == {"": "Concert de soutien & débat"}
    assert (facts["date"], facts["time"], facts["end_time"]) == (date(2027, 4, 9), time(19, 30), time(22, 30))
    assert facts["venue"]["geo"] == [48.8846, 2.3697]
    assert facts["venue"]["postal_code"] == "75019"
    assert facts["online"] == {"url": "https://live.rotonde.example/"}
    assert facts["speakers"] == [{"name": "Ada Roux", "role": {"": "violoniste"}}, {"group": "Les Marées"}]
    assert (facts["price"], facts["registration"]) == ({"": "8 EUR"}, {"url": "https://billets.example/1"})
    assert {"image", "organizer"} <= {str(problem.values["fact"]) for problem in event.lost}


def test_one_broken_script_of_a_page_is_named_and_the_others_count() -> None:
    script = '<script type="application/ld+json">%s</script>'
    broken, sound = '{"@type": "Event",', '{"@type": "Event", "name": "Bees", "startDate": "2027-05-06"}'
    page = "<html>\n" + script % broken + "\n" + script % sound
    reading = read("page.html", page.encode(), PARIS)
    (event,) = reading.events
    assert event.facts["title"] == {"": "Bees"}
    ((lost,), wrong) = reading.lost, script % broken
    assert (lost.line, lost.severity) == (2, Severity.WARNING)
    with pytest.raises(CatalogueError) as caught:
        list(read("page.html", f"<html>{wrong}".encode(), PARIS).events)
    assert caught.value.problems[0].severity is Severity.ERROR


def test_a_list_of_events_keeps_what_is_not_known_open() -> None:
    tide, evening = read("events.jsonld", (DATA / "events.jsonld").read_bytes(), PARIS).events
    assert (tide.facts["status"], "time" in tide.facts, "all_day" in tide.facts) == ("postponed", False, False)
    assert (evening.facts["time"], evening.facts["end_time"]) == (time(20), time(21, 30))
    assert evening.uid == "json:soiree-1"


def test_events_below_other_things_are_found_once_and_in_order() -> None:
    events = [{"@type": "Event", "@id": f"e{n}", "name": f"E{n}", "startDate": "2027-01-01"} for n in range(3)]
    value = {"@type": "ItemList", "itemListElement": [{"item": event} for event in events], "again": events[0]}
    found = read("x.json", json.dumps(value).encode(), PARIS).events
    assert [event.uid for event in found] == ["json:e0", "json:e1", "json:e2"]


@pytest.mark.parametrize("text", ["[" * 200_000, "{", '{"a": 1}', "1" * 6000, '"\\ud800"', "null"])
def test_json_without_events_is_refused(text: str) -> None:
    with pytest.raises(CatalogueError):
        list(read("x.json", text.encode(), PARIS).events)


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(CatalogueError, match="50 MB"):
        read("x.ics", b" " * (LARGEST + 1), PARIS)


def test_the_format_is_told_by_the_content_where_the_name_says_nothing() -> None:
    for name in ("google.ics", "schedule.xml", "page.html", "events.jsonld"):
        assert list(read("download", (DATA / name).read_bytes(), PARIS).events)
    with pytest.raises(CatalogueError, match="none of the formats"):
        read("download", b"%PDF-1.7", PARIS)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("UK", "GB"),
        ("Germany", "DE"),
        ("fr", "FR"),
        ("XK", "XK"),
        ("Deutschland", "DE"),
        ("Suisse", "CH"),
        ("ETATS UNIS", "US"),
        ("España", "ES"),
        ("Italia", "IT"),
        ("Países Baixos", "NL"),
        ("België", "BE"),
        ("Österreich", "AT"),
    ],
)
def test_a_country_is_brought_as_its_code_however_it_is_said(tmp_path: Path, said: str, code: str) -> None:
    project = Project(tmp_path)
    project.write(HEAD)
    hall = {"@type": "Place", "name": "The hall", "address": {"addressLocality": "Here", "addressCountry": said}}
    fair = {"@type": "Event", "name": "The fair", "startDate": "2027-05-01T19:00:00+02:00", "location": hall}
    page = tmp_path / "fair.jsonld"
    page.write_text(json.dumps({"@context": "https://schema.org", **fair}))
    result = project.bring(page)
    assert [str(problem) for problem in result.lost] == []
    assert project.catalogue.venue_by_id["the-hall"].country == code


def test_a_country_that_nobody_knows_is_listed(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(HEAD)
    hall = {"@type": "Place", "name": "The hall", "address": {"addressLocality": "Here", "addressCountry": "Ruritania"}}
    fair = {"@type": "Event", "name": "The fair", "startDate": "2027-05-01T19:00:00+02:00", "location": hall}
    page = tmp_path / "fair.jsonld"
    page.write_text(json.dumps({"@context": "https://schema.org", **fair}))
    (lost,) = project.bring(page).lost
    assert "Ruritania" in str(lost)
    assert project.catalogue.venue_by_id["the-hall"].country is None


def test_ids_keep_the_letters_that_have_no_accent_to_lose(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(HEAD)
    project.bring(project.calendar("UID:1\nSUMMARY:L’Œuvre d’été\nDTSTART:20270501T170000Z"))
    assert [event.id for event in project.catalogue.events] == ["l-oeuvre-d-ete"]


GRAPH = {
    "@graph": [
        {"@type": "Place", "@id": "#cafe", "name": "Le Café", "address": {"addressLocality": "Lyon"}},
        {"@type": "Person", "@id": "#ada", "name": "Ada Roux", "email": "ada@society.example"},
        {"@type": "Event", "name": "Lecture", "location": {"@id": "#cafe"}, "performer": [{"@id": "#ada"}]},
        {"@id": "#cafe"},
        {"@type": "Event", "name": "Ailleurs", "location": {"@id": "https://elsewhere.example/#x"}},
    ]
}


def test_what_an_event_of_a_graph_points_to_is_read_where_it_stands() -> None:
    lecture, elsewhere = read("x.json", json.dumps(GRAPH).encode(), PARIS).events
    assert lecture.facts["venue"] == {"name": {"": "Le Café"}, "city": "Lyon"}
    assert lecture.facts["speakers"] == [{"name": "Ada Roux"}]
    assert "Ada Roux.email is not carried over: ada@society.example" in str(lecture.lost[0])
    assert "location is not carried over: https://elsewhere.example/#x" in str(elsewhere.lost[0])


WORDPRESS = {
    "@type": "Event",
    "name": "Caf\u00e9 d&#8217;\u00e9t\u00e9",
    "description": "&lt;p&gt;Des &lt;strong&gt;livres&lt;/strong&gt; &amp;hellip;&lt;/p&gt;\\n",
    "performer": "Organization",
}


def test_the_habits_of_wordpress_are_no_facts() -> None:
    (event,) = read("x.json", json.dumps([WORDPRESS]).encode(), PARIS).events
    assert event.facts == {
        "title": {"": "Café d’été"},
        "abstract": {"": "Des **livres** …"},
        "status": "confirmed",
    }


NIGHT = """<schedule><conference><day_change>{morning}</day_change><time_zone_name>Europe/Berlin</time_zone_name>
</conference><day date="2027-05-14"><room name="Saal"><event id="1"><title>Nachtflug</title>{date}
<start>00:30</start><duration>{length}</duration></event></room></day></schedule>"""


@pytest.mark.parametrize(
    ("morning", "date_element", "day"),
    [
        ("04:00:00", "", 15),
        ("00:30", "", 14),
        ("", "", 14),
        ("04:00", "<date>2027-05-14</date>", 15),
        ("04:00", "<date>2027-05-14T00:30:00+02:00</date>", 14),
    ],
)
def test_the_night_of_a_schedule_belongs_to_the_day_before(morning: str, date_element: str, day: int) -> None:
    text = NIGHT.format(morning=morning, date=date_element, length="1:01:30:00")
    (event,) = read("x.xml", text.encode(), PARIS).events
    assert (event.facts["date"], event.facts["time"]) == (date(2027, 5, day), time(0, 30))
    assert (event.facts["end_date"], event.facts["end_time"]) == (date(2027, 5, day + 1), time(2))
    assert event.facts["timezone"] == "Europe/Berlin"


YOGA = {
    "@type": "Schedule", "startDate": "2027-01-01", "endDate": "2027-03-29", "repeatFrequency": "P1W",
    "byDay": ["https://schema.org/Monday", "https://schema.org/Thursday"], "startTime": "18:00:00", "endTime": "19:00",
    "exceptDate": ["2027-02-15"], "scheduleTimezone": "Europe/Paris",
}  # fmt: skip


def scheduled(*schedules: object) -> Found:
    value = {"@type": "Event", "name": "Yoga", "eventSchedule": list(schedules)}
    (event,) = read("x.json", json.dumps(value).encode(), PARIS).events
    return event


def test_a_schedule_of_schema_org_is_a_rule() -> None:
    event = scheduled(YOGA)
    assert (event.lost, event.questions) == ((), ())
    assert event.facts["repeats"] == "FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20270329"
    assert (event.facts["date"], event.facts["time"]) == (date(2027, 1, 4), time(18))
    assert (event.facts["end_time"], event.facts["except"]) == (time(19), [date(2027, 2, 15)])
    night = scheduled({**YOGA, "byDay": [], "endTime": "02:00", "repeatFrequency": "P2M", "repeatCount": 3}).facts
    assert (night["repeats"], night["end_date"]) == ("FREQ=MONTHLY;INTERVAL=2;COUNT=3", date(2027, 1, 2))
    assert scheduled({**YOGA, "scheduleTimezone": "Asia/Tokyo"}).facts["timezone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    "schedules",
    [
        [YOGA, YOGA], ["weekly"], [{**YOGA, "repeatFrequency": "PT1H"}], [{**YOGA, "byDay": "Someday"}],
        [{**YOGA, "repeatFrequency": "P1M"}], [{**YOGA, "byMonthDay": 3}], [{**YOGA, "startTime": None}],
        [{**YOGA, "startDate": "9999-12-31"}], [{**YOGA, "repeatCount": "many"}],
    ],
)  # fmt: skip
def test_a_schedule_that_no_catalogue_can_say_is_named_and_asked_about(schedules: list[object]) -> None:
    event = scheduled(*schedules)
    assert "repeats" not in event.facts
    assert event.questions
    assert "eventSchedule is not carried over: " in str(event.lost[0])
