"""Whatever the organisers write, the links that add one event to a web calendar say what the event's own file says."""

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

from generated import editions
from hypothesis import given, settings
from icalendar import Calendar

from pipeline.edition import Edition, Listing
from pipeline.outputs import calendar
from pipeline.outputs.links import add_links

PAGE = "https://talks.example/events/x/"
NAMES = {
    "Google": ("text", "location", "details"), "Outlook.com": ("subject", "location", "body"),
    "Office 365": ("subject", "location", "body"), "Yahoo": ("title", "in_loc", "desc"),
}  # fmt: skip


def span(program: str, query: dict[str, str]) -> tuple[str, str]:
    """Start and end as a calendar file writes them; the end is empty where none is said."""
    if program == "Google":
        start, _, end = query["dates"].partition("/")
        return start, "" if start == end else end
    if program == "Yahoo":
        end = query.get("et", "")
        # Yahoo alone counts the last day in.
        return query["st"], f"{date.fromisoformat(end) + timedelta(days=1):%Y%m%d}" if query.get("dur") else end
    start, end = (query.get(key, "").replace("-", "").replace(":", "") for key in ("startdt", "enddt"))
    assert ("T" in start) == ("allday" not in query)
    return start, end


@settings(max_examples=40)
@given(editions())
def test_all_four_programs_are_told_what_the_calendar_says(edition: Edition) -> None:
    for listing in edition.dated:
        for language in edition.languages:
            links = {link.name: link.url for link in add_links(listing, PAGE, language)}
            if listing.cancelled or listing.event.repeats is not None:
                assert not links
            else:
                check(edition, listing, language, links)


def check(edition: Edition, listing: Listing, language: str, links: dict[str, str]) -> None:
    (event,) = Calendar.from_ical(calendar.invitation(edition, listing, language)).events
    expected = [event[name].to_ical().decode() if name in event else "" for name in ("DTSTART", "DTEND")]
    assert links.keys() == NAMES.keys()
    for program, (title, place, text) in NAMES.items():
        # A plus sign stands for itself: some of the programs show it.
        assert "+" not in urlsplit(links[program]).query
        query = {key: found[0] for key, found in parse_qs(urlsplit(links[program]).query).items()}
        assert list(span(program, query)) == expected
        assert query[title] == event["SUMMARY"]
        assert query[text].endswith(f"\n{PAGE}")
        if listing.venue is not None:
            assert query[place] == event["LOCATION"]
        elif listing.event.online is not None:
            assert query[place] == {"en": "Online", "fr": "En ligne"}[language]
        assert "TOCSIN_ROOM" not in links[program]
