"""The calendars keep the rules of RFC 5545 and 7986, and say of each event what the organisers wrote."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
import vobject
from icalendar import Calendar
from publishing import HEAD, TALK, edition

from pipeline.edition import Edition
from pipeline.outputs import calendar, each
from pipeline.outputs.contentlines import folded
from pipeline.rendering import Renderer


def files(of: Edition) -> Mapping[str, bytes]:
    return {artifact.path: artifact.body for artifact in each(calendar.render(of, Renderer()))}


def the_event(of: Edition, path: str = "calendar.ics") -> vobject.base.Component:
    """The one event of a calendar, as vobject reads it."""
    (event,) = vobject.readOne(files(of)[path].decode()).vevent_list
    return event


def lines(body: bytes) -> list[str]:
    """The content lines, unfolded."""
    return body.decode().replace("\r\n ", "").split("\r\n")


# --------------------------------------------------------------------------------------------- the seed


def test_the_seed_has_four_dated_events(seed_edition: Edition) -> None:
    events = vobject.readOne(files(seed_edition)["calendar.ics"].decode()).vevent_list
    starts = [event.dtstart.value for event in events]
    assert starts == [
        datetime(2022, 10, 25, 17, tzinfo=UTC),
        datetime(2022, 11, 24, 18, tzinfo=UTC),
        date(2023, 1, 19),
        date(2023, 2, 2),
    ]


def test_the_seed_never_invents_an_end(seed_edition: Edition) -> None:
    events = vobject.readOne(files(seed_edition)["calendar.ics"].decode()).vevent_list
    assert [hasattr(event, "dtend") for event in events] == [False, False, True, True]
    assert [event.dtend.value for event in events[2:]] == [date(2023, 1, 20), date(2023, 2, 3)]


def test_a_day_without_its_hour_says_so_and_blocks_nobody(seed_edition: Edition) -> None:
    event = the_event(seed_edition, "events/welfare-control.ics")
    assert event.summary.value == "The algorithmization of welfare control (time to be announced)"
    assert event.transp.value == "TRANSPARENT"
    assert event.status.value == "CONFIRMED"
    assert event.description.value.startswith("Thursday 19 January 2023, time to be announced\n")


def test_the_undated_event_has_no_calendar_of_its_own(seed_edition: Edition) -> None:
    found = files(seed_edition)
    assert "events/conference-5.ics" not in found
    assert b"conference-5" not in found["calendar.ics"]


def test_the_description_says_local_time_speakers_and_page(seed_edition: Edition) -> None:
    text = the_event(seed_edition, "events/non-take-up.ics").description.value
    assert text.startswith(
        "Tuesday 25 October 2022, 19:00 (Central European Summer Time, Europe/Paris)\n\nClara Deville,"
    )
    assert "Gabriel Amieux, Secours Catholique 93, member of Bouge Ta Préfecture\n" in text
    assert "Registration: https://link.infini.fr/cycle_dematerialisation_rencontre_1\n" in text
    assert text.endswith("https://digitize.example/events/non-take-up/")


def test_untranslated_texts_are_marked_with_their_language(seed_edition: Edition) -> None:
    event = the_event(seed_edition, "fr/events/non-take-up.ics")
    assert event.summary.params["LANGUAGE"] == ["en"]
    assert event.url.value == "https://digitize.example/fr/events/non-take-up/"
    assert event.uid.value == the_event(seed_edition, "events/non-take-up.ics").uid.value


# --------------------------------------------------------------------------------------------- form


def test_every_line_is_short_and_ends_with_crlf(seed_edition: Edition) -> None:
    for body in files(seed_edition).values():
        assert body.endswith(b"END:VCALENDAR\r\n")
        assert b"\n" not in body.replace(b"\r\n", b"")
        assert max(map(len, body.split(b"\r\n"))) <= 75


def test_the_names_of_the_calendar_are_escaped() -> None:
    head = lines(files(edition(TALK))["calendar.ics"])
    assert r"NAME:Evening talks\; tea\, cake" in head
    assert r"X-WR-CALNAME:Evening talks\; tea\, cake" in head


def test_the_refresh_interval_is_a_marked_duration() -> None:
    head = lines(files(edition(TALK))["calendar.ics"])
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT6H" in head
    assert "X-PUBLISHED-TTL:PT6H" in head
    assert "SOURCE;VALUE=URI:https://talks.example/cycle/calendar.ics" in head
    assert "X-WR-TIMEZONE:Europe/Paris" in head


def test_no_feed_has_a_method() -> None:
    assert all(b"METHOD" not in body for body in files(edition(TALK)).values())


def test_a_file_of_one_event_has_no_name() -> None:
    """Programs open a new calendar for a file that has one."""
    text = files(edition(TALK))["events/talk.ics"]
    assert b"NAME" not in text
    assert b"SOURCE" not in text


def test_each_calendar_has_an_identity_of_its_own() -> None:
    found = files(edition(TALK + 'tags = ["tea"]\n'))
    identities = [
        line
        for path, body in found.items()
        if "events/" not in path
        for line in lines(body.partition(b"BEGIN:VEVENT")[0])
        if line.startswith("UID:")
    ]
    assert len(identities) == len(set(identities)) == 10


def test_folding_splits_no_character_and_no_escape() -> None:
    for shift in range(80):
        line = "X:" + "a" * shift + "é€😀\\n\\\\,\\;" * 30
        pieces = folded(line.encode()).split(b"\r\n ")
        assert b"".join(pieces).decode() == line
        assert all(len(piece) <= (75 if number == 0 else 74) for number, piece in enumerate(pieces))
        for piece in pieces:
            text = piece.decode()
            assert (len(text) - len(text.rstrip("\\"))) % 2 == 0


def test_control_of_the_page_is_not_in_the_reach_of_a_text() -> None:
    """Whatever a title holds stays one value of one property."""
    hostile = TALK.replace('"A talk"', "'a\\nb; c, d: \"e\" END:VEVENT'")
    event = the_event(edition(hostile))
    assert event.summary.value == 'a\\nb; c, d: "e" END:VEVENT'


def test_the_same_input_gives_the_same_bytes() -> None:
    assert files(edition(TALK)) == files(edition(TALK))


def test_the_day_does_not_matter() -> None:
    assert files(edition(TALK, day=date(2026, 1, 1))) == files(edition(TALK, day=date(2030, 1, 1)))


# --------------------------------------------------------------------------------------------- facts


def test_place_position_categories_and_organiser_are_given() -> None:
    event = the_event(edition(TALK + 'tags = ["tea", "city"]\nkind = "lecture"\n'))
    assert event.location.value == "Town hall, 1, High Street, 75001 Paris"
    assert event.geo.value == "48.8606;2.3376"
    assert event.categories.value == ["lecture", "tea", "city"]
    assert event.organizer.value == "mailto:hello@society.example"
    assert event.organizer.params["CN"] == ["The Society"]


def test_there_is_no_organiser_without_an_address() -> None:
    assert not hasattr(
        the_event(edition(TALK, head=HEAD.replace(', email = "hello@society.example"', ""))), "organizer"
    )


def test_an_online_event_has_its_link_and_says_where() -> None:
    event = the_event(
        edition(TALK.replace('venue = "hall"', 'online = {url = "https://meet.example/x", label = "Jitsi"}'))
    )
    assert event.conference.value == "https://meet.example/x"
    assert event.conference.params["LABEL"] == ["Jitsi"]
    assert event.location.value == "Jitsi"
    assert "Online: Jitsi – https://meet.example/x" in event.description.value


def test_a_secret_link_is_nowhere() -> None:
    found = files(edition(TALK + 'online = {secret = "TOCSIN_ROOM", label = "Jitsi"}\n'))
    assert all(b"TOCSIN_ROOM" not in body and b"CONFERENCE" not in body for body in found.values())
    assert (
        "Online: Jitsi – the link comes by mail"
        in Calendar.from_ical(found["events/talk.ics"]).events[0]["description"]
    )


def test_an_image_and_a_resource_are_linked() -> None:
    extra = 'image = "pictures/a.png"\nimage_alt = "A"\nresources = ["https://papers.example/1"]\n'
    event = lines(files(edition(TALK + extra))["events/talk.ics"])
    assert "IMAGE;DISPLAY=BADGE;FMTTYPE=image/png;VALUE=URI:https://talks.example/cycle/assets/pictures/a.png" in event
    assert "ATTACH:https://papers.example/1" in event


def test_an_estimated_end_is_said_to_be_one() -> None:
    head = HEAD.replace('id = "talks"', 'id = "talks"\ndefault_duration = "2h"', 1)
    event = the_event(edition(TALK, head=head))
    assert event.dtend.value == datetime(2026, 10, 20, 19, tzinfo=UTC)
    assert (
        "19:00 (Central European Summer Time, Europe/Paris)\nUntil about 21:00 (an estimate)\n"
        in event.description.value
    )


def test_several_whole_days_end_with_the_day_after_the_last() -> None:
    event = the_event(edition(TALK.replace('time = "19:00"', "end_date = 2026-10-22\nall_day = true")))
    assert (event.dtstart.value, event.dtend.value) == (date(2026, 10, 20), date(2026, 10, 23))
    assert event.summary.value == "A talk"
    assert event.transp.value == "OPAQUE"


def test_the_second_half_past_two_of_october_is_kept() -> None:
    event = the_event(edition(TALK.replace("2026-10-20", "2026-10-25").replace("19:00", "02:30") + "fold = 1\n"))
    assert event.dtstart.value == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_text_in_both_languages_is_marked_in_each() -> None:
    both = edition(TALK.replace('title = "A talk"', 'title.en = "A talk"\ntitle.fr = "Un exposé"'))
    assert lines(files(both)["fr/events/talk.ics"])[5] == "SUMMARY;LANGUAGE=fr:Un exposé"
    assert lines(files(both)["events/talk.ics"])[5] == "SUMMARY;LANGUAGE=en:A talk"


# --------------------------------------------------------------------------------------------- revisions


def test_a_moved_event_keeps_its_uid_and_counts_on() -> None:
    before, after = the_event(edition(TALK)), the_event(edition(TALK, TALK.replace("10-20", "10-22")))
    assert before.uid.value == after.uid.value == "talk@talks.talks.example"
    assert (before.sequence.value, after.sequence.value) == ("0", "1")
    assert before.dtstamp.value == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert after.dtstamp.value == after.last_modified.value == datetime(2026, 1, 6, 10, tzinfo=UTC)
    assert after.created.value == before.created.value == before.dtstamp.value


def test_a_corrected_title_moves_the_stamp_alone() -> None:
    event = the_event(edition(TALK, TALK.replace("A talk", "The talk")))
    assert event.sequence.value == "0"
    assert event.dtstamp.value == datetime(2026, 1, 6, 10, tzinfo=UTC)


def test_an_hour_that_becomes_known_makes_the_same_entry_timed() -> None:
    untimed = TALK.replace('time = "19:00"', 'tba = ["time"]')
    event = the_event(edition(untimed, TALK))
    assert event.dtstart.value == datetime(2026, 10, 20, 17, tzinfo=UTC)
    assert event.uid.value == the_event(edition(untimed)).uid.value
    assert event.summary.value == "A talk"


@pytest.mark.parametrize(("status", "word"), [("cancelled", "Cancelled"), ("postponed", "Postponed")])
def test_what_is_off_stays_and_says_so_everywhere(status: str, word: str) -> None:
    off = TALK + f'status = "{status}"\nnotice = "The **hall** is flooded."\n'
    found = files(edition(TALK, off))
    for path in ("calendar.ics", "events/talk.ics", "venues/hall.ics", "alarms/calendar.ics"):
        (event,) = vobject.readOne(found[path].decode()).vevent_list
        assert event.status.value == "CANCELLED"
        assert event.summary.value == f"{word}: A talk"
        assert event.description.value.startswith("The hall is flooded.\n\n")
        assert event.transp.value == "TRANSPARENT"
        assert event.sequence.value == "1"
        assert not hasattr(event, "valarm")


def test_a_retired_event_stays_as_cancelled_and_keeps_its_page() -> None:
    event = the_event(edition(TALK, ""))
    assert event.status.value == "CANCELLED"
    assert event.url.value == "https://talks.example/cycle/events/talk/"


def test_the_word_for_what_is_off_is_the_readers_and_the_mark_is_that_of_the_title() -> None:
    """A value has one LANGUAGE: a voice reads the title right, and one word in an accent."""
    event = the_event(edition(TALK, TALK + 'status = "cancelled"\nnotice = "Off."\n'), "fr/calendar.ics")
    assert event.summary.value.replace("\u00a0", " ") == "Annulé : A talk"
    assert event.summary.params["LANGUAGE"] == ["en"]


def test_a_description_is_marked_with_the_language_of_its_longest_text() -> None:
    texts = 'abstract.en = "A long text about tea."\nnotice.en = "Late."\nnotice.fr = "En retard."\n'
    assert the_event(edition(TALK + texts), "fr/calendar.ics").description.params["LANGUAGE"] == ["en"]
    notice = 'notice.fr = "En retard."\nnotice.en = "Late."\n'
    assert the_event(edition(TALK + notice), "fr/calendar.ics").description.params["LANGUAGE"] == ["fr"]


def test_a_postponed_event_returns_with_its_new_date() -> None:
    off = TALK + 'status = "postponed"\nnotice = "Later."\n'
    event = the_event(edition(TALK, off, TALK.replace("10-20", "11-20")))
    assert event.status.value == "CONFIRMED"
    assert event.summary.value == "A talk"
    assert event.sequence.value == "2"


def test_a_provisional_event_is_tentative() -> None:
    assert the_event(edition(TALK + 'status = "tentative"\n')).status.value == "TENTATIVE"


# --------------------------------------------------------------------------------------------- which files


def test_a_series_without_a_date_is_a_valid_calendar_with_its_zone() -> None:
    undated = TALK.replace('date = 2026-10-20\ntime = "19:00"', 'tags = ["tea"]\ntba = ["date", "time"]')
    found = files(edition(undated))
    for path in ("calendar.ics", "tags/tea.ics", "venues/library.ics", "fr/calendar.ics"):
        read = vobject.readOne(found[path].decode())
        assert [component.name for component in read.components()] == ["VTIMEZONE"]
        assert read.vtimezone.tzid.value == "Europe/Paris"


def test_tags_and_venues_have_their_calendars() -> None:
    second = TALK.replace('"talk"', '"other"').replace('"hall"', '"library"') + 'tags = ["tea"]\n'
    found = files(edition(TALK + second))
    uids = {
        path: [event.uid.value.partition("@")[0] for event in vobject.readOne(body.decode()).vevent_list]
        for path, body in found.items()
        if not path.startswith("fr/")
    }
    assert uids == {
        "calendar.ics": ["other", "talk"],
        "alarms/calendar.ics": ["other", "talk"],
        "tags/tea.ics": ["other"],
        "venues/hall.ics": ["talk"],
        "venues/library.ics": ["other"],
        "events/other.ics": ["other"],
        "events/talk.ics": ["talk"],
    }


def test_only_the_alarm_calendar_rings() -> None:
    found = files(edition(TALK))
    assert b"VALARM" not in found["calendar.ics"]
    alarms = vobject.readOne(found["alarms/calendar.ics"].decode()).vevent.valarm_list
    assert [alarm.trigger.value for alarm in alarms] == [timedelta(days=-1), timedelta(hours=-1)]
    assert {alarm.action.value for alarm in alarms} == {"DISPLAY"}


def test_an_invitation_has_a_method_and_the_same_event() -> None:
    of = edition(TALK)
    body = calendar.invitation(of, of.dated[0], "en", "CANCEL")
    assert b"\r\nMETHOD:CANCEL\r\n" in body
    assert lines(body)[-3:] == ["END:VEVENT", "END:VCALENDAR", ""]
    assert vobject.readOne(body.decode()).vevent.uid.value == "talk@talks.talks.example"
