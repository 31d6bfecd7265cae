"""Whether what the catalogue names is there: places, events, languages, letters, files."""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from pipeline.catalogue.findings import Finding, unknown
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.places import Path
from pipeline.errors import N_

IsThere = Callable[[str], bool]
"""Whether there is a file at a path below the catalogue's folder."""

LETTERS = ("announcement", "reminder", "change", "cancelled", "follow-up", "digest")
"""The letters that are shipped; a project may have others in `templates/mail/`."""

NO_VENUE = N_("write the `id` of one of the [[venue]] tables, or such a table with this id")
PICTURE = (
    r"[^/\\:\n]\.([pP][nN][gG]|[jJ][pP][eE]?[gG]|[gG][iI][fF]|[wW][eE][bB][pP]|[aA][vV][iI][fF]|[sS][vV][gG])[ \t]*$"
)
"""How the name of a picture ends. What `image` names is published: it must not be `.env`, or the database."""


def anything_is_there(_path: str) -> bool:
    """For a catalogue whose folder isn't known."""
    return True


def references(catalogue: Catalogue, is_there: IsThere) -> Iterator[Finding]:
    """Every reference that leads nowhere."""
    yield from _venues(catalogue)
    yield from _images(catalogue, is_there)
    yield from _events_of_rules(catalogue)
    yield from _letters(catalogue, is_there)
    yield from _corrections(catalogue)
    yield from _languages_of_lists(catalogue)


def _venues(catalogue: Catalogue) -> Iterator[Finding]:
    named: list[tuple[Path, object]] = [(("series", "venue"), catalogue.series.venue)]
    named += [(("event", number, "venue"), event.venue) for number, event in enumerate(catalogue.events)]
    for path, venue in named:
        if isinstance(venue, str) and venue not in catalogue.venue_by_id:
            yield unknown(path, venue, catalogue.venue_by_id, "there is no [[venue]] {word!r}", NO_VENUE, "venue")


def _images(catalogue: Catalogue, is_there: IsThere) -> Iterator[Finding]:
    named: list[tuple[Path, str | None]] = [(("series", "image"), catalogue.series.image)]
    named += [(("event", number, "image"), event.image) for number, event in enumerate(catalogue.events)]
    for path, value in named:
        if value is None:
            continue
        file = PurePosixPath(value)
        if file.is_absolute() or ".." in file.parts or "\\" in value or ":" in value:
            yield Finding(
                path,
                "{value!r} is not a file below the catalogue's folder",
                'write "images/talk.jpg"',
                {"value": value},
            )
        elif not re.search(PICTURE, value):
            yield Finding(
                path,
                "{value!r} does not end like the name of a picture",
                "name a .png, .jpg, .gif, .webp, .avif or .svg: it is published, for anybody to fetch",
                {"value": value},
            )
        elif not is_there(value):
            yield Finding(path, "there is no file {value!r}", "put it there, or correct the name", {"value": value})


def _events_of_rules(catalogue: Catalogue) -> Iterator[Finding]:
    for number, rule in enumerate(catalogue.rules or ()):
        for index, event in enumerate(rule.events):
            if event not in catalogue.event_by_id:
                path = ("reminder", number, "events", index)
                hint = N_("write the `id` of one of the [[event]] tables")
                yield unknown(path, event, catalogue.event_by_id, "there is no [[event]] {word!r}", hint, "event")


def _letters(catalogue: Catalogue, is_there: IsThere) -> Iterator[Finding]:
    for number, rule in enumerate(catalogue.rules or ()):
        name = rule.template
        if name is None or name in LETTERS:
            continue
        own = "/" not in name and all(is_there(f"templates/mail/{name}.{ending}") for ending in ("txt", "html"))
        if not own:
            path = ("reminder", number, "template")
            hint = "write one of {letters}, or put {word}.txt and {word}.html into templates/mail/"
            yield unknown(path, name, LETTERS, "there is no letter {word!r}", hint, letters=", ".join(LETTERS))


def _corrections(catalogue: Catalogue) -> Iterator[Finding]:
    ids = {newsletter.id for newsletter in catalogue.newsletters}
    for number, newsletter in enumerate(catalogue.newsletters):
        corrected = newsletter.corrects
        if corrected is not None and (corrected == newsletter.id or corrected not in ids):
            path = ("newsletter", number, "corrects")
            others = ids - {newsletter.id}
            what = "there is no other [[newsletter]] {word!r}"
            yield unknown(path, corrected, others, what, table="newsletter")


def _languages_of_lists(catalogue: Catalogue) -> Iterator[Finding]:
    for number, mailing_list in enumerate(catalogue.mail.lists):
        for index, language in enumerate(mailing_list.language):
            if language not in catalogue.languages:
                yield Finding(
                    ("mail", "lists", number, "language", index),
                    '"{language}" is not one of the languages of the series ({languages})',
                    "add it to `languages` under [series], or correct it",
                    {"language": language, "languages": ", ".join(catalogue.languages)},
                )
