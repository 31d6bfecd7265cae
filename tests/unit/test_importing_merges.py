"""What an import makes of events that look alike, of ids, of defaults, and of what organisers have typed since."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from importing_project import HEAD, Project, verdicts

from pipeline.actions.publish import draft
from pipeline.errors import CatalogueError
from pipeline.importing.cells import Days, UnreadableError
from pipeline.importing.columns import key_of
from pipeline.importing.markup import as_markdown
from pipeline.importing.merging import Verdict
from pipeline.importing.moments import facts_in_zone
from pipeline.ledger import Ledger, retirement, write

NEW, LINKED, SAME, UPDATED = Verdict.NEW, Verdict.LINKED, Verdict.SAME, Verdict.UPDATED


def table(project: Project, text: str) -> Path:
    path = project.folder / "x.csv"
    path.write_text(text)
    return path


def ours(project: Project, *events: dict[str, object]) -> Path:
    """An `events.json` of ours."""
    path = project.folder / "x.json"
    path.write_text(json.dumps({"format": 1, "language": "fr", "series": {}, "events": events}))
    return path


# ---------------------------------------------------------------------------------------- events that look alike


def test_two_events_of_one_file_are_two_however_they_look(project: Project) -> None:
    project.write(HEAD + '[[event]]\nid = "bees"\ntitle = "Bees"\ndate = 2027-03-04\ntba = ["time"]\n')
    twice = project.calendar(
        "UID:1\nSUMMARY:Bees\nDTSTART;VALUE=DATE:20270304", "UID:2\nSUMMARY:Bees\nDTSTART;VALUE=DATE:20270304"
    )
    assert verdicts(project.bring(twice)) == [LINKED, NEW]
    assert verdicts(project.bring(twice)) == [SAME, SAME]
    third = project.calendar("UID:3\nSUMMARY:Bees\nDTSTART;VALUE=DATE:20270304", *project_events(twice), name="y.ics")
    assert verdicts(project.bring(third)) == [NEW, SAME, SAME]


def project_events(calendar: Path) -> list[str]:
    return [part.partition("\nEND:VEVENT")[0] for part in calendar.read_text().split("BEGIN:VEVENT\n")[1:]]


def test_rows_that_say_the_same_are_each_an_event(project: Project) -> None:
    rows = table(project, "title,date\nBees,2027-03-04\nBees,2027-03-04\n")
    assert verdicts(project.bring(rows)) == [NEW, NEW]
    assert verdicts(project.bring(rows)) == [SAME, SAME]
    assert len(project.catalogue.events) == 2


def test_a_row_that_moved_is_only_known_where_no_other_could_be_meant(project: Project) -> None:
    project.bring(table(project, "title,date\nBees,2027-03-04\nBees,2027-03-05\n"))
    moved = table(project, "title,date\nBees,2027-03-11\nBees,2027-03-12\n")
    assert verdicts(project.bring(moved, update=True)) == [NEW, NEW]


def test_a_row_that_moved_away_and_back_stays_known(project: Project) -> None:
    first, second = "title,date\nBees,2027-03-04\n", "title,date\nBees,2027-03-11\n"
    project.bring(table(project, first))
    project.write(project.text.replace("2027-03-04", "2027-03-11"))
    assert verdicts(project.bring(table(project, second), update=True)) == [UPDATED]
    assert verdicts(project.bring(table(project, first), update=True)) == [UPDATED]
    assert str(project.catalogue.events[0].date) == "2027-03-04"
    assert len(project.catalogue.events) == 1


# ------------------------------------------------------------------------------------------------ ids, memory


def test_the_id_of_an_event_that_was_retired_is_never_used_again(project: Project) -> None:
    project.write(HEAD + '[[event]]\nid = "bees"\ntitle = "Bees"\ndate = 2027-03-04\ntime = "19:00"\n')
    now = datetime(2027, 1, 1, tzinfo=UTC)
    edition = draft(project.project, now).edition
    gone = retirement(edition.catalogue, edition.ledger, "bees", now + timedelta(days=1))
    ledger: Ledger = edition.ledger.extended([gone])
    (project.folder / "ledger.jsonl").write_text(write(ledger))
    project.write(HEAD)
    project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z"))
    (event,) = project.catalogue.events
    assert event.id == "bees-2027-03-04"


def test_an_id_that_is_none_is_made_of_the_title(project: Project) -> None:
    project.bring(ours(project, {"id": "Not An Id", "title": "Bees", "tba": ["date", "time"]}))
    assert [event.id for event in project.catalogue.events] == ["bees"]


def test_an_id_that_ends_in_a_day_is_no_time_of_another_event(project: Project) -> None:
    project.write(HEAD + '[[event]]\nid = "bees"\ntitle = "Bees"\ndate = 2027-03-04\ntime = "19:00"\n')
    other = {"id": "bees-2027-03-11", "uid": "other", "title": "Wasps", "date": "2027-03-11", "time": "19:00"}
    assert verdicts(project.bring(ours(project, other))) == [NEW]


def test_an_event_of_ours_that_was_taken_out_comes_back_as_it_was(project: Project) -> None:
    project.write(HEAD + '[[event]]\nid = "bees"\ntitle = "Bees"\ndate = 2027-03-04\ntime = "19:00"\n')
    edition = draft(project.project, datetime(2027, 1, 1, tzinfo=UTC)).edition
    (project.folder / "ledger.jsonl").write_text(write(edition.ledger))
    uid = edition.ledger.lines[0].uid if edition.ledger.lines else "bees@talks.talks.example"
    project.write(HEAD)
    back = ours(project, {"id": "bees", "uid": uid, "title": "Bees", "date": "2027-03-04", "time": "19:00"})
    assert verdicts(project.bring(back)) == [NEW]
    assert len(project.catalogue.events) == 1


def test_what_is_remembered_stands_in_the_order_of_the_identities(project: Project) -> None:
    project.bring(project.calendar("UID:b\nSUMMARY:B", "UID:a\nSUMMARY:A"))
    project.bring(project.calendar("UID:0\nSUMMARY:0", name="y.ics"))
    lines = (project.folder / "imported.jsonl").read_text().splitlines()
    assert [json.loads(line)["uid"] for line in lines] == ["calendar:0", "calendar:a", "calendar:b"]


def test_a_place_of_the_same_id_and_another_name_is_another_place(project: Project) -> None:
    place = {"id": "hall", "name": "Autre salle"}
    project.bring(ours(project, {"id": "a", "title": "A", "tba": ["date", "time"], "venue": place}))
    assert {venue.id for venue in project.catalogue.venues} == {"hall", "hall-2"}


# ------------------------------------------------------------------------------------------------ defaults


DEFAULTS = """
[defaults]
all_day = true
status = "tentative"
duration = "2h"
"""
NIGHT = "UID:1\nSUMMARY:Night\nDTSTART:20270328T000000Z\nDTEND:20270328T030000Z\nX-GOOGLE-CONFERENCE:https://o.example/"


def test_what_the_source_says_outweighs_the_defaults(project: Project) -> None:
    project.write(HEAD + DEFAULTS)
    project.bring(project.calendar(NIGHT))
    (event,) = project.catalogue.events
    assert (event.all_day, event.status.value, event.venue) == (False, "confirmed", False)
    assert (str(event.time), event.duration) == ("01:00:00", timedelta(hours=3))
    zone = ";TZID=America/New_York:20270314T0"
    project.bring(project.calendar(f"UID:2\nSUMMARY:Far\nDTSTART{zone}10000\nDTEND{zone}40000"))
    assert project.catalogue.events[1].duration == timedelta(hours=2)


def test_the_zone_of_the_series_is_not_written(project: Project) -> None:
    project.bring(project.calendar(NIGHT))
    assert "timezone" not in project.text.partition("[[event]]")[2]


# ------------------------------------------------------------------------------------------------ updates


def test_an_end_that_changes_is_written_in_its_own_key(project: Project) -> None:
    line = "UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z\nDTEND:{}"
    project.bring(project.calendar(line.format("20270304T190000Z")))
    project.write(project.text.replace('end_time = "20:00"', 'duration = "1h"'))
    project.bring(project.calendar(line.format("20270305T010000Z")), update=True)
    (event,) = project.catalogue.events
    assert (str(event.end_date), str(event.end_time), event.duration) == ("2027-03-05", "02:00:00", None)


def test_what_was_typed_since_as_the_source_says_now_stays_as_it_was_typed(project: Project) -> None:
    project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z"))
    typed = project.text.replace('time = "19:00"', "time = 20:00:00   # typed")
    project.write(typed)
    project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270304T190000Z"), update=True)
    assert project.text == typed


def test_the_words_of_another_language_stay_as_they_were_typed(project: Project) -> None:
    later = {"id": "a", "uid": "a", "tba": ["date", "time"]}
    project.bring(ours(project, {**later, "title": "Abeilles"}))
    typed = project.text.replace('title = "Abeilles"', "title.fr = 'Abeilles'\ntitle.en = 'Bees'  # typed")
    project.write(typed)
    project.bring(ours(project, {**later, "title": "Guêpes"}), update=True)
    assert project.text == typed.replace("'Abeilles'", '"Guêpes"')


def test_an_event_whose_tables_stand_apart_is_left_to_people(project: Project) -> None:
    project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z"))
    typed = project.text + '\n[[venue]]\nid = "annex"\nname = "Annexe"\n[[event.speakers]]\nname = "Ada"\n'
    project.write(typed)
    result = project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270311T180000Z"), update=True)
    assert (project.text, result.by_hand) == (typed, {"bees"})


def test_a_day_that_is_guarded_and_one_that_was_to_be_announced_may_change(project: Project) -> None:
    project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART;VALUE=DATE:20270304", "UID:2\nSUMMARY:Wasps"))
    project.write(project.text.replace("date = 2027-03-04", 'date = 2027-03-04\nweekday = "jeudi"'))
    changed = project.calendar(
        "UID:1\nSUMMARY:Bees\nDTSTART;VALUE=DATE:20270305", "UID:2\nSUMMARY:Wasps\nDTSTART;VALUE=DATE:20270306"
    )
    assert verdicts(project.bring(changed, update=True)) == [UPDATED, UPDATED]
    bees, wasps = project.catalogue.events
    assert (str(bees.date), bees.weekday) == ("2027-03-05", None)
    assert (str(wasps.date), wasps.all_day, wasps.tba) == ("2027-03-06", True, ("venue",))


# ------------------------------------------------------------------------------------------------ single facts


def test_one_language_may_be_named_in_two_ways(project: Project) -> None:
    project.bring(project.calendar("UID:1\nSUMMARY;LANGUAGE=fr-FR:Abeilles", "UID:2\nSUMMARY;LANGUAGE=en_GB:Bees"))
    assert [event.title and event.title.root for event in project.catalogue.events] == [
        {"fr": "Abeilles"}, {"en": "Bees"},
    ]  # fmt: skip
    result = project.bring(table(project, "titre,titre.fr,titre.fr-fr,date\na,b,,\n"))
    assert any("title" in str(problem) and ": b" in str(problem) for problem in result.lost)


def test_half_a_character_is_taken_out_and_named(project: Project) -> None:
    result = project.bring(ours(project, {"id": "a", "title": "a\ud800b", "tba": ["date", "time"]}))
    (event,) = project.catalogue.events
    assert event.title is not None
    assert event.title.root == {"fr": "ab"}
    assert "U+D800" in str(result.lost[0])


def test_a_street_without_a_name_is_no_place(project: Project) -> None:
    result = project.bring(table(project, "titre,date,adresse\nA,2027-03-04,3 rue du Port\n"))
    assert "venue is not carried over: 3 rue du Port (it has no name)" in str(result.lost[0])


def test_several_lines_of_a_place_are_asked_about(project: Project) -> None:
    project.bring(project.calendar("UID:1\nSUMMARY:x\nLOCATION:Le Relais\\n3 rue du Port"))
    assert "put street, postal_code and city apart" in project.catalogue.events[0].todo[0]


def test_what_several_speakers_are_is_named_and_of_one_it_is_taken(project: Project) -> None:
    head = "titre,date,intervenants,fonction\n"
    result = project.bring(table(project, head + 'A,2027-03-04,"Ada; Bo",poète\nB,2027-03-04,Cy,peintre\n'))
    assert "role is not carried over: poète" in str(result.lost[0])
    assert [
        [speaker.role and speaker.role.root for speaker in event.speakers] for event in project.catalogue.events
    ] == [[None, None], [{"fr": "peintre"}]]


def test_an_event_that_another_belongs_to_is_not_taken_for_one(project: Project) -> None:
    event = {"@type": "Event", "name": "Talk", "superEvent": {"@type": "Festival", "name": "Week"},
             "isAccessibleForFree": True}  # fmt: skip
    path = project.folder / "y.json"
    path.write_text(json.dumps(event))
    project.bring(path)
    (found,) = project.catalogue.events
    assert "entrance is free" in found.todo[0]


def test_cells_that_are_not_sure_are_refused_and_others_read() -> None:
    with pytest.raises(UnreadableError, match="which is the month"):
        Days("").read("04.03.27")
    assert str(Days("").read("04.03.2027")) == "2027-03-04"
    assert str(Days("").read("Jeudi le 4 mars 2027")) == "2027-03-04"
    assert (key_of("Lieu (en)"), key_of("Titre (en)")) == ("", "title.en")


def test_an_end_at_the_start_is_none(project: Project) -> None:
    project.bring(table(project, "title,date,time\nA,2027-03-04,19:00-19:00\n"))
    assert project.catalogue.events[0].end_time is None


def test_breaks_of_html_stay_and_what_nobody_sees_does_not() -> None:
    assert as_markdown("<p>a<br>b</p>") == "a\\\nb"
    assert as_markdown("<style>p { color: red }</style><p>a</p><script>b()</script>") == "a"


def test_an_update_that_the_catalogue_would_refuse_changes_nothing(project: Project) -> None:
    project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART;VALUE=DATE:20270304"))
    typed = project.text.replace("all_day = true", "all_day = true\nend_date = 2027-03-05")
    project.write(typed)
    remembered = (project.folder / "imported.jsonl").read_text()
    with pytest.raises(CatalogueError, match="before it starts"):
        project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART;VALUE=DATE:20270401"), update=True)
    assert (project.text, (project.folder / "imported.jsonl").read_text()) == (typed, remembered)


RENAMED = '[[event]]\nid = "bees"\ntitle = "{}"\ndate = 2027-03-04\ntime = "19:00"\nvenue = "hall"\n'


@pytest.mark.parametrize("name", ["schedule.xml", "calendar.ics", "events.json"])
def test_our_own_export_is_known_again_under_another_title(project: Project, name: str) -> None:
    society = '[[organisation]]\nname = "La Société"\n'
    project.write(HEAD + society + RENAMED.format("Abeilles"))
    project.export()
    project.write(HEAD + RENAMED.format("Guêpes"))
    before = project.text
    assert verdicts(project.bring(project.folder / "out" / name)) == [LINKED]
    # An organisation of which nothing new tells is none of ours.
    assert project.text == before


def test_the_name_of_a_file_can_not_break_out_of_its_remark(project: Project) -> None:
    project.bring(project.calendar("UID:1\nSUMMARY:Bees", name="a\nb.ics"))
    assert "# Imported from a?b.ics\n" in project.text


YEAR = "UID:1\nSUMMARY:x\nDTSTART:{}T180000Z\nDTEND:{}T190000Z\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:{}T180000Z"


def test_a_year_that_can_not_be_meant_takes_all_that_hangs_on_it_along(project: Project) -> None:
    result = project.bring(project.calendar(YEAR.format("10270304", "10270304", "10270311")))
    (event,) = project.catalogue.events
    assert (event.date, event.time, event.end_time, event.repeats) == (None, None, None, None)
    assert {"date", "time", "end_time", "repeats", "except"} <= {problem.values["fact"] for problem in result.lost}


def test_a_rule_that_does_not_name_the_first_day_is_left_out_and_the_day_stays(project: Project) -> None:
    rule = "RRULE:FREQ=WEEKLY;BYDAY=TH\nEXDATE:20270311T180000Z"
    result = project.bring(project.calendar(f"UID:1\nSUMMARY:x\nDTSTART;TZID=Europe/Paris:20270303T190000\n{rule}"))
    (event,) = project.catalogue.events
    assert (str(event.date), str(event.time), event.repeats, event.excepted) == ("2027-03-03", "19:00:00", None, ())
    assert [problem.values["fact"] for problem in result.lost] == ["repeats", "except"]
    assert result.lost[0].remedy()


def test_an_end_before_the_start_is_taken_out_with_its_day(project: Project) -> None:
    head = "titre,date,heure,date de fin,heure de fin\n"
    rows = head + "A,2027-03-04,19:00,2027-03-03,20:00\nB,2027-03-04,19:00,2027-03-04,18:00\n"
    result = project.bring(table(project, rows))
    assert [(event.end_date, event.end_time) for event in project.catalogue.events] == [(None, None)] * 2
    assert {problem.values["fact"] for problem in result.lost} == {"end_date", "end_time"}


def test_an_hour_that_the_clocks_skip_is_to_be_announced(project: Project) -> None:
    project.bring(table(project, "titre,date,heure,heure de fin\nA,2027-03-28,02:30,04:00\n"))
    (event,) = project.catalogue.events
    assert (str(event.date), event.time, event.end_time, event.tba) == ("2027-03-28", None, None, ("time", "venue"))


def test_the_same_title_on_another_day_is_another_event(project: Project) -> None:
    project.write(HEAD + RENAMED.format("Bees"))
    other = project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270305T180000Z")
    assert verdicts(project.bring(other)) == [NEW]
    same = project.calendar("UID:2\nSUMMARY:Bees\nDTSTART;TZID=Asia/Tokyo:20270305T030000", name="y.ics")
    assert verdicts(project.bring(same)) == [LINKED]


def test_hours_in_another_zone_are_the_same_instants() -> None:
    night = {
        "title": {"fr": "x"},
        "date": date(2027, 10, 31),
        "time": time(2, 30),
        "fold": 1,
        "timezone": "Europe/Paris",
    }
    there = facts_in_zone(night | {"end_time": time(3, 30)}, "America/New_York")
    assert there == {
        "title": {"fr": "x"}, "date": date(2027, 10, 30), "time": time(21, 30), "end_time": time(22, 30),
        "timezone": "America/New_York",
    }  # fmt: skip
    for same in (night | {"repeats": "FREQ=WEEKLY"}, {"date": date(2027, 10, 31), "timezone": "Europe/Paris"}):
        assert facts_in_zone(same, "America/New_York") == same


def test_of_rows_that_say_the_same_each_is_remembered_by_itself(project: Project) -> None:
    rows = table(project, "title,date\nBees,2027-03-04\nBees,2027-03-04\n")
    project.bring(rows)
    head, _, second = project.text.rpartition("[[event]]")
    project.write(head.rpartition("[[event]]")[0] + "[[event]]" + second)
    assert verdicts(project.bring(rows)) == [Verdict.TAKEN_OUT, SAME]
