"""Catalogues of any shape that organisers may write, published, for the tests that read files back."""

from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from publishing import FIRST

from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.texts import forbidden_character
from pipeline.catalogue.when import in_gap, local
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines

ZONES = (
    "Europe/Paris", "Europe/Dublin", "America/Sao_Paulo", "America/New_York", "Africa/Casablanca", "Asia/Gaza",
    "Asia/Kolkata", "Australia/Lord_Howe", "UTC",
)  # fmt: skip
DAYS = st.dates(date(1990, 1, 1), date(2037, 6, 1))
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), min_size=1, max_size=90).filter(
    lambda text: bool(text.strip()) and forbidden_character(text) is None
)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@st.composite
def events(draw: st.DrawFn, number: int = 0) -> dict[str, Any]:
    """One valid event of any shape, under the keys of the catalogue."""
    event: dict[str, Any] = {
        "id": f"event-{number}",
        "timezone": draw(st.sampled_from(ZONES)),
        "status": draw(st.sampled_from(["confirmed", "tentative", "cancelled", "postponed"])),
        "notice": draw(WORDS),
        "tags": draw(st.lists(st.sampled_from(["tea", "city", "music"]), unique=True)),
        "speakers": [{"name": name} for name in draw(st.lists(WORDS, max_size=3))],
    }
    if draw(st.booleans()):
        event["title"] = {"en": draw(WORDS)} | ({"fr": draw(WORDS)} if draw(st.booleans()) else {})
    shape = draw(st.sampled_from(["timed", "lasting", "day", "days", "undated"]))
    if shape == "undated":
        return event
    event["date"] = draw(DAYS)
    if shape in {"timed", "lasting"}:
        event["time"] = draw(TIMES)
        if in_gap(local(event["date"], event["time"], ZoneInfo(event["timezone"]))):
            event["time"] = time(12)
        if shape == "lasting":
            event["duration"] = timedelta(minutes=draw(st.integers(1, 4000)))
    if shape == "days":
        event["end_date"] = event["date"] + timedelta(days=draw(st.integers(0, 9)))
        event["all_day"] = draw(st.booleans())
    return event


@st.composite
def editions(draw: st.DrawFn) -> Edition:
    """A published edition of up to four events in two languages."""
    count = draw(st.integers(0, 4))
    return published([draw(events(number)) for number in range(count)])


def published(found: list[dict[str, Any]]) -> Edition:
    raw = {
        "format": 1,
        "series": {
            "id": "talks",
            "title": "Talks",
            "timezone": "Europe/Paris",
            "default_language": "en",
            "languages": ["en", "fr"],
            "organiser": "The Society",
        },
        "site": {"url": "https://talks.example/"},
        "event": found,
    }
    catalogue = Catalogue.model_validate(raw, context={"default_language": "en", "languages": ("en", "fr")})
    ledger = Ledger().extended(pending_lines(catalogue, Ledger(), FIRST))
    return Edition(catalogue, ledger, date(2026, 2, 1))
