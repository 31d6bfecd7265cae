"""Our own exports: they change nothing where they come from, and come back without loss elsewhere."""

import tomllib
from pathlib import Path

import pytest
from importing_project import HEAD, Project, verdicts

from pipeline.importing.merging import Verdict


@pytest.fixture
def seed(tmp_path: Path, seed_text: str) -> Project:
    """The real series, with what it publishes in `out/`."""
    made = Project(tmp_path)
    made.write(seed_text)
    made.export()
    return made


@pytest.mark.parametrize("name", ["calendar.ics", "fr/calendar.ics", "events.json", "fr/events.json", "schedule.xml"])
def test_our_own_exports_change_nothing_where_they_come_from(seed: Project, name: str) -> None:
    before = seed.text
    result = seed.bring(seed.folder / "out" / name, update=name != "calendar.ics")
    assert set(verdicts(result)) <= {Verdict.LINKED, Verdict.UPDATED}
    assert tomllib.loads(seed.text)["event"] == tomllib.loads(before)["event"]


def without_events(text: str) -> str:
    return text[
        : text.index(
            "# ----------------------------------------------------------------------------------------------- events"
        )
    ]


def test_events_json_comes_back_without_loss(seed: Project) -> None:
    before = seed.catalogue
    seed.write(without_events(seed.text))
    for name in ("events.json", "fr/events.json"):
        result = seed.bring(seed.folder / "out" / name, update=True)
        assert [str(problem) for problem in result.lost] == []
    private = {"todo": (), "weekday": None}
    assert seed.catalogue.events == tuple(event.model_copy(update=private) for event in before.events)
    assert seed.catalogue.venues == before.venues


BEES = """
[[event]]
id = "bees"
title.fr = "Abeilles"
title.en = "Bees"
date = 2027-03-04
time = "19:00"
duration = "1h30"
repeats = "FREQ=WEEKLY;COUNT=3"
except = [2027-03-11]
moved = [{from = 2027-03-18, date = 2027-03-19, time = "20:00"}]
speakers = [{name = "Ada", role.fr = "reine", role.en = "queen"}]
venue = "hall"
abstract.en = "Buzz."
"""


def test_each_language_adds_its_texts(project: Project) -> None:
    project.write(HEAD + BEES)
    before = project.catalogue.events
    project.export()
    project.write(HEAD)
    project.bring(project.folder / "out" / "events.json")
    project.bring(project.folder / "out" / "en" / "events.json", update=True)
    assert project.catalogue.events == before


ELSEWHERE = """
[[event]]
id = "bridge"
title = "Pont"
date = 2027-05-10
time = "20:00"
end_time = "21:30"
timezone = "America/Toronto"
venue = "hall"
"""


@pytest.mark.parametrize("name", ["calendar.ics", "schedule.xml", "events.json"])
def test_an_event_of_another_zone_and_one_that_recurs_are_known_again(project: Project, name: str) -> None:
    licensed = HEAD.replace('organiser = "La Société"', 'organiser = "La Société"\nlicense = "CC BY 4.0"')
    project.write(licensed + BEES + ELSEWHERE)
    project.export()
    before = project.text
    for _ in range(2):
        result = project.bring(project.folder / "out" / name, update=True)
        assert set(verdicts(result)) <= {Verdict.LINKED, Verdict.SAME}
        assert [str(problem) for problem in result.lost] == []
    assert project.text == before


BEESWAX = """
[[event]]
id = "wax"
title = "Cire"
date = 2027-04-01
time = "19:00"
image = "images/wax.png"
image_alt = "Une bougie"
online = {secret = "TOCSIN_ROOM"}
"""
ROOMS = """
[[venue]]
id = "annex"
name.fr = "Annexe"
name.en = "Annex"
"""


def test_what_only_the_folder_or_the_environment_holds_is_named(project: Project) -> None:
    project.write(HEAD + BEESWAX)
    picture = project.folder / "images" / "wax.png"
    picture.parent.mkdir()
    picture.write_bytes(b"png")
    project.export()
    project.write(HEAD)
    picture.unlink()
    result = project.bring(project.folder / "out" / "events.json")
    (event,) = project.catalogue.events
    assert (event.image, event.online) == (None, None)
    lost = "\n".join(map(str, result.lost))
    assert "image is not carried over: images/wax.png" in lost
    assert "online is not carried over" in lost
    project.write(HEAD)
    (project.folder / "imported.jsonl").unlink()
    picture.write_bytes(b"png")
    project.bring(project.folder / "out" / "events.json")
    assert project.catalogue.events[0].image == "images/wax.png"


def test_an_event_without_a_place_stays_without_one(project: Project) -> None:
    project.write(HEAD + BEES.replace('venue = "hall"', "venue = false"))
    project.export()
    project.write(HEAD)
    project.bring(project.folder / "out" / "events.json")
    (event,) = project.catalogue.events
    assert (event.venue, event.tba) == (False, ())


def test_a_place_that_is_to_be_announced_beside_a_link_still_is(project: Project) -> None:
    online = 'online = "https://x.example/"\ntba = ["venue"]'
    project.write(HEAD + BEES.replace('venue = "hall"', online))
    project.export()
    project.write(HEAD)
    project.bring(project.folder / "out" / "events.json")
    (event,) = project.catalogue.events
    assert (event.venue, event.tba) == (None, ("venue",))


def test_a_name_of_a_place_in_another_language_is_named(project: Project) -> None:
    project.write(HEAD + ROOMS + BEES.replace('"hall"', '"annex"'))
    project.export()
    project.write(HEAD)
    project.bring(project.folder / "out" / "events.json")
    result = project.bring(project.folder / "out" / "en" / "events.json", update=True)
    assert "venue.name is not carried over: Annex (the catalogue itself describes 'annex')" in str(result.lost[0])


OF_EVERY_KIND = """
[[event]]
id = "hour"
title = { fr = "Heure", en = "Hour" }
date = 2027-03-04
time = "19:00"
notice = { fr = "Entrée par la cour.", en = "Through the yard." }
abstract.fr = "D’abord.\\n\\nEnsuite, vers 19:00 (Europe/Paris)."
abstract.en = "First.\\n\\nThen, at 19:00 (Europe/Paris)."
[[event]]
id = "off"
title = { fr = "Annulée", en = "Off" }
date = 2027-03-05
time = "19:00"
status = "cancelled"
notice = { fr = "Malade.", en = "Ill." }
[[event]]
id = "put-off"
title = { fr = "Remise", en = "Put off" }
date = 2027-03-06
time = "19:00"
status = "postponed"
notice = { fr = "Neige.", en = "Snow." }
[[event]]
id = "day"
title = { fr = "Jour", en = "Day" }
date = 2027-03-07
tba = ["time"]
[[event]]
id = "whole"
title = { fr = "Journée", en = "Whole" }
date = 2027-03-08
all_day = true
[[event]]
id = "online"
title = { fr = "À distance", en = "Remote" }
date = 2027-03-09
time = "19:00"
venue = false
online = { url = "https://meet.example/?a=1,2", label = { fr = "Salle A", en = "Room A" } }
resources = ["https://x.example/list.pdf"]
[[event]]
id = "weekly"
title = { fr = "Semaine", en = "Weekly" }
date = 2027-04-06
time = "19:00"
repeats = "FREQ=WEEKLY;COUNT=3"
moved = [{ from = 2027-04-13, date = 2027-04-14 }]
"""


@pytest.mark.parametrize(("name", "language"), [("calendar.ics", "fr"), ("en/calendar.ics", "en")])
def test_the_words_of_our_calendars_are_no_facts(project: Project, tmp_path: Path, name: str, language: str) -> None:
    """The hour in words, the way to the page, that something is off or to come: all that is said by other keys."""
    project.write(HEAD.replace('organiser = "La', 'default_duration = "2h"\norganiser = "La') + OF_EVERY_KIND)
    project.export()
    before = project.catalogue.events
    elsewhere = Project(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    elsewhere.write(HEAD.replace('"talks"', '"others"').replace('venue = "hall"\n', ""))
    lost = elsewhere.bring(project.folder / "out" / name).lost
    assert [str(problem) for problem in lost] == []
    after = sorted(elsewhere.catalogue.events, key=lambda event: event.date or event.id)
    for was, event in zip(before, after, strict=True):
        for key in ("title", "abstract", "notice"):
            said, is_said = getattr(was, key), getattr(event, key)
            assert (said and said.said_in(language).text) == (is_said and is_said.said_in(language).text), key
        for key in ("date", "time", "end_time", "all_day", "status", "repeats", "moved"):
            assert getattr(event, key) == getattr(was, key), key
        assert (event.venue is None) == (was.venue is False)
