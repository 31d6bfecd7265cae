"""What the preview tells of a calendar is what stands in its file."""

from zoneinfo import ZoneInfo

from publishing import TALK, edition

from pipeline.outputs import calendar, each
from pipeline.preview.showing import calendar_of
from pipeline.rendering import Renderer

PARIS = ZoneInfo("Europe/Paris")
WEEKLY = TALK.replace('"talk"', '"weekly"').replace("2026-10-20", "2026-11-03") + 'repeats = "FREQ=WEEKLY;COUNT=3"\n'


def test_a_row_says_when_and_how_often_in_the_zone_of_the_series() -> None:
    of = edition(TALK + 'duration = "2h"\n' + WEEKLY)
    file = next(artifact for artifact in each(calendar.render(of, Renderer())) if artifact.path == "calendar.ics")
    once, weekly = calendar_of(file.body, "en", PARIS)
    assert (once.when, once.repeats, once.start) == (
        "Tue 20 Oct 2026, 19:00 – 21:00", "", "2026-10-20 17:00:00+00:00",
    )  # fmt: skip
    assert (weekly.when, weekly.repeats) == ("Tue 3 Nov 2026, 19:00", "FREQ=WEEKLY;COUNT=3")
    assert weekly.place.startswith("Town hall")
