"""A catalogue of any size, the same each time: 60 % timed, 25 % date only, 15 % undated; 360 words an event."""

from datetime import date, timedelta

# fmt: off
WORDS = (
    "public", "service", "access", "rights", "people", "work", "digital", "control", "struggle",
    "question", "history", "future", "shared", "common", "city", "school", "health", "archive",
    "library", "garden", "river", "mountain", "language", "translation", "memory", "justice", "labour",
    "care", "housing", "energy", "water",
)
# fmt: on
HEAD = """format = 1
[series]
id = "bench"
title.en = "A long series"
title.fr = "Une longue série"
languages = ["en", "fr"]
default_language = "en"
timezone = "Europe/Paris"
organiser = "The bench"
venue = "hall"
[site]
url = "https://bench.example/"
[mail]
from = "Bench <bench@bench.example>"
[[venue]]
id = "hall"
name = "The hall"
street = "1, rue du Banc"
postal_code = "75001"
city = "Paris"
country = "FR"
"""


def text(seed: int, words: int) -> str:
    """Words in sentences and paragraphs, decided by the seed."""
    out = []
    for index in range(words):
        word = WORDS[(seed * 7919 + index * index * 31 + index * 17) % len(WORDS)]
        out.append(word.capitalize() if index % 12 == 0 else word)
        if index % 12 == 11:
            out[-1] += ".\n\n" if index % 60 == 59 else "."
    return " ".join(out).replace("\n\n ", "\n\n")


def event(number: int) -> dict[str, object]:
    """One event as plain values."""
    day = date(2027, 1, 1) + timedelta(days=number % 700)
    return {
        "id": f"event-{number}",
        "title_en": f"Event {number}: {text(number, 5)}",
        "title_fr": f"Rencontre {number} : {text(number + 1, 5)}",
        "date": day.isoformat() if number % 20 < 17 else None,
        "time": f"{17 + number % 5}:30" if number % 20 < 12 else None,
        "abstract_en": text(number, 180),
        "abstract_fr": text(number + 1, 180),
        "speaker": f"Speaker {number % 97}",
    }


def catalogue(count: int) -> str:
    """`events.toml` with so many events."""
    rows = [HEAD]
    for number in range(count):
        facts = event(number)
        rows.append(
            f'[[event]]\nid = "{facts["id"]}"\ntitle.en = "{facts["title_en"]}"\ntitle.fr = "{facts["title_fr"]}"'
        )
        unknown = [key for key in ("date", "time") if facts[key] is None]
        rows += [f"date = {facts['date']}"] if facts["date"] else []
        rows += [f'time = "{facts["time"]}"'] if facts["time"] else []
        rows += [f"tba = {unknown}".replace("'", '"')] if unknown else []
        rows.append(f'speakers = [{{ name = "{facts["speaker"]}", role.en = "researcher" }}]')
        rows.append(f"abstract.en = '''\n{facts['abstract_en']}\n'''\nabstract.fr = '''\n{facts['abstract_fr']}\n'''\n")
    return "\n".join(rows)
