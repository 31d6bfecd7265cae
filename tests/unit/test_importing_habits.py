"""`.ics`: the habits of single programs, and what one time of a series says otherwise."""

from datetime import date

import pytest

from pipeline.importing.calendars import read_calendar
from pipeline.importing.found import Found, Manner


def calendar(*events: str) -> list[Found]:
    """The events of a calendar, each given by its content lines."""
    rows = "\n".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT" for event in events)
    text = f"BEGIN:VCALENDAR\n{rows}\nEND:VCALENDAR\n"
    return list(read_calendar(text.encode(), "x.ics", Manner("Europe/Paris", "https://talks.example/")).events)


def read(*lines: str) -> Found:
    """The one event with these content lines."""
    (found,) = calendar("\n".join(lines))
    return found


def test_what_outlook_says_of_a_whole_day_and_of_its_text_is_taken() -> None:
    facts = read(
        "SUMMARY:Journée d'étude",
        'DTSTART;TZID="W. Europe Standard Time":20270504T000000',
        'DTEND;TZID="W. Europe Standard Time":20270506T000000',
        "DESCRIPTION:\\n",
        "X-ALT-DESC;FMTTYPE=text/html:<html><head><title>x</title></head><body>",
        " <p>Programme de la <b>journée</b>&nbsp;:</p></body></html>",
        "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
    ).facts
    assert facts == {
        "title": {"": "Journée d'étude"},
        "date": date(2027, 5, 4),
        "end_date": date(2027, 5, 5),
        "all_day": True,
        "abstract": {"": "Programme de la **journée** :"},
    }
    no_end = read("SUMMARY:x", "DTSTART:20270504T220000Z", "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE").facts
    assert (no_end["date"], no_end["all_day"], "end_date" in no_end) == (date(2027, 5, 5), True, False)


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("20270504T235900", None),
        ("20270504T000000", None),
        ("20270503T000000", None),
        ("20270505T120000", date(2027, 5, 5)),
    ],
)
def test_a_whole_day_ends_on_the_day_that_is_not_over(end: str, last: date | None) -> None:
    span = "DTSTART;TZID=Europe/Paris:20270504T000000", f"DTEND;TZID=Europe/Paris:{end}"
    event = read("SUMMARY:x", *span, "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE")
    assert (event.facts["date"], event.facts.get("end_date"), event.lost) == (date(2027, 5, 4), last, ())


def test_a_house_below_the_name_of_a_service_is_a_place() -> None:
    event = read("SUMMARY:x", "DTSTART:20270304T180000Z", "LOCATION:Zoom\\n3 rue du Port")
    assert event.facts["venue"] == {"name": {"": "Zoom"}, "street": "3 rue du Port"}


def test_a_room_beside_an_online_meeting_stays_the_place() -> None:
    event = read("SUMMARY:x", "DTSTART:20270304T180000Z", "LOCATION:Salle 3\\; Réunion Microsoft Teams")
    assert event.facts["venue"] == {"name": {"": "Salle 3"}}
    (question,) = event.questions
    assert question.values == {"place": "Réunion Microsoft Teams"}


def test_a_part_of_a_description_that_google_adds_is_the_way_to_follow_online() -> None:
    bar = f"-::{'~:' * 20}:-"
    event = read(
        "SUMMARY:x",
        "DTSTART:20270304T180000Z",
        f"DESCRIPTION:Lecture.\\n\\n{bar}\\nParticiper : https://meet.example/abc\\n\\nNe pas modifier.\\n{bar}",
    )
    assert (event.facts["abstract"], event.facts["online"]) == ({"": "Lecture."}, {"url": "https://meet.example/abc"})
    (lost,) = event.lost
    assert "Ne pas modifier." in str(lost)
    said = "X-GOOGLE-CONFERENCE:https://meet.example/said"
    event = read("SUMMARY:x", "DTSTART:20270304T180000Z", said, f"DESCRIPTION:{bar}\\nhttps://meet.example/abc\\n{bar}")
    assert event.facts["online"] == {"url": "https://meet.example/said"}


def test_a_table_is_read_row_by_row_and_a_bullet_begins_a_list() -> None:
    rows = "<table><tr><td>18 h</td><td>Accueil</td></tr><tr><td>19 h</td><td>Débat</td></tr></table>"
    table = read("SUMMARY:x", "DTSTART:20270304T180000Z", f"DESCRIPTION:<p>Jeudi</p>{rows}").facts
    assert table["abstract"] == {"": "Jeudi\n\n18 h Accueil\\\n19 h Débat"}
    bullets = read("SUMMARY:x", "DTSTART:20270304T180000Z", "DESCRIPTION:Apportez :\\n• un duvet\\n• du thé").facts
    assert bullets["abstract"] == {"": "Apportez :\n- un duvet\n- du thé"}


SERIES = (
    "UID:1\nSUMMARY:Choir\nDTSTART;TZID=Europe/Paris:20270107T193000\n"
    "DTEND;TZID=Europe/Paris:20270107T210000\nRRULE:FREQ=WEEKLY;COUNT=9"
)
ONE = "UID:1\nSUMMARY:Choir\nRECURRENCE-ID;TZID=Europe/Paris:20270114T193000\nDTSTART;TZID=Europe/Paris:20270114T193000"


@pytest.mark.parametrize(
    ("line", "lost"),
    [
        ("DTEND;TZID=Europe/Paris:20270114T220000", "DTEND (2027-01-14) is not carried over: 22:00"),
        ("STATUS:TENTATIVE", "STATUS (2027-01-14) is not carried over: TENTATIVE"),
        ("LOCATION:Elsewhere", "LOCATION (2027-01-14) is not carried over: Elsewhere"),
        ("DTEND:soon", "DTEND is not carried over"),
    ],
)
def test_what_one_time_of_a_series_says_otherwise_is_named(line: str, lost: str) -> None:
    (event,) = calendar(SERIES, f"{ONE}\n{line}")
    assert any(lost in str(problem) for problem in event.lost)
    same = "DTEND;TZID=Europe/Paris:20270114T210000\nSTATUS:CONFIRMED"
    (event,) = calendar(SERIES, f"{ONE}\n{same}")
    assert (event.lost, event.questions) == ((), ())


def test_a_change_of_all_later_dates_is_left_to_people() -> None:
    (event,) = calendar(
        SERIES, ONE.replace("RECURRENCE-ID;", "RECURRENCE-ID;RANGE=THISANDFUTURE;").replace("T19", "T20")
    )
    assert "moved" not in event.facts
    assert len(event.lost) == len(event.questions) == 1


CUSTOMIZED = """BEGIN:VCALENDAR
BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:x
DTSTART;TZID=Customized Time Zone:20270304T140000
END:VEVENT
END:VCALENDAR
"""


def test_a_zone_is_the_one_that_its_own_calendar_defines() -> None:
    text = "".join(CUSTOMIZED.format(offset=offset) for offset in ("+0530", "+0100"))
    found = read_calendar(text.encode(), "x.ics", Manner("Europe/Paris"))
    assert [str(event.facts["time"]) for event in found.events] == ["09:30:00", "14:00:00"]
