"""`events.json` tells programs the rule of what recurs and its single times."""

import json
from datetime import date
from typing import Any

from publishing import HEAD, TALK, edition

from pipeline.outputs import program
from pipeline.rendering import Renderer

WEEKLY = TALK + (
    'repeats = "FREQ=WEEKLY;COUNT=4"\nexcept = [2026-11-03]\nmoved = [{from = 2026-10-27, date = 2026-10-28}]\n'
)


def event(text: str, **options: Any) -> dict[str, Any]:
    (body, _french) = (artifact.body for artifact in program.render(edition(text, **options), Renderer()))
    (found,) = json.loads(body)["events"]
    return found


def test_a_recurring_event_has_its_rule_its_exceptions_and_each_time() -> None:
    found = event(WEEKLY)
    assert found["repeats"] == "FREQ=WEEKLY;COUNT=4"
    assert found["except"] == ["2026-11-03"]
    assert found["moved"] == [{"from": "2026-10-27", "date": "2026-10-28"}]
    assert [
        (time["name"], time["start_utc"], time.get("moved_from", {}).get("start_utc")) for time in found["times"]
    ] == [
        ("2026-10-20", "2026-10-20T17:00:00Z", None),
        ("2026-10-27", "2026-10-28T18:00:00Z", "2026-10-27T18:00:00Z"),
        ("2026-11-10", "2026-11-10T18:00:00Z", None),
    ]


def test_of_a_rule_without_end_the_times_after_the_last_change_are_told() -> None:
    found = event(TALK.replace("2026-10-20", "2024-10-22") + 'repeats = "FREQ=WEEKLY"\n')
    assert (len(found["times"]), found["times"][0]["name"]) == (60, "2026-01-06")
    assert "times" not in event(TALK)


def test_the_day_of_the_build_does_not_matter() -> None:
    assert event(WEEKLY, day=date(2026, 1, 6)) == event(WEEKLY, day=date(2030, 1, 1))


def test_the_name_of_a_secret_and_the_questions_of_the_organisers_stay_with_them() -> None:
    found = event(TALK + 'online = {secret = "TOCSIN_ROOM", label = "By telephone"}\ntodo = ["Who?"]\n')
    assert found["online"] == {"label": "By telephone"}
    assert "TOCSIN_ROOM" not in json.dumps(found)
    assert "todo" not in found


def test_an_end_that_is_only_estimated_says_so() -> None:
    guessed = HEAD.replace("organiser =", 'default_duration = "2h"\norganiser =')
    assert event(TALK, head=guessed)["when"]["end_is_estimated"] is True
    assert event(TALK + 'duration = "2h"\n', head=guessed)["when"]["end_is_estimated"] is False


def test_a_text_is_named_as_untranslated_in_the_languages_that_lack_it() -> None:
    bodies = [artifact.body for artifact in program.render(edition(TALK + 'kind.fr = "goûter"\n'), Renderer())]
    english, french = (json.loads(body)["events"][0] for body in bodies)
    assert (english["kind"], english["fallbacks"]) == ("goûter", {"kind": "fr"})
    assert french["fallbacks"] == {"title": "en"}
