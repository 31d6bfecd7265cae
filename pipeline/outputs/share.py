"""`share.txt`: each event in at most 500 characters, to be pasted into a social network or a chat."""

from collections.abc import Iterable, Iterator
from functools import partial

from pipeline.edition import Edition, Listing
from pipeline.language import say_apart, words
from pipeline.markdown import to_text
from pipeline.outputs.base import Artifact, Bundle
from pipeline.outputs.event_page import page_title, when_line
from pipeline.outputs.excerpt import excerpt
from pipeline.outputs.keys import keys
from pipeline.phrases import place_line, speaker_line
from pipeline.rendering import Renderer

LIMIT = 500
LONGEST_FACT = 120
WORTH_BEGINNING = 40
"""A shorter piece of the abstract says nothing."""


def render(edition: Edition, renderer: Renderer) -> Iterator[Bundle]:  # noqa: ARG001 - the same words everywhere
    """One text for each event and language."""
    own = keys(edition)
    for language in edition.languages:
        for run in own.runs(edition.shown):
            files = partial(_files, edition, run, language)
            yield Bundle(f"share/{language}/{run[-1].event.id}", own.of_all(run), files)


def _files(edition: Edition, run: Iterable[Listing], language: str) -> Iterator[Artifact]:
    for listing in run:
        path = edition.path(f"events/{listing.event.id}/share.txt", language)
        make = partial(_file, edition, listing, language)
        yield Artifact(path, "text/plain; charset=utf-8", make, keys(edition).of_one(listing))


def _file(edition: Edition, listing: Listing, language: str) -> bytes:
    first, address = edition.at_first_time(listing), edition.address(f"events/{listing.event.id}/", language)
    return f"{share_text(first, address, language, edition.series.timezone)}\n".encode()


def share_text(listing: Listing, address: str, language: str, home: str | None = None) -> str:
    """Title, when, where, who, how the abstract begins, and the address: whole facts, at most 499 characters.

    What doesn't fit is left out from its end; the address always stands whole on the last line.
    `home` as for `say_when`.
    """
    event, say = listing.event, words(language)
    room = LIMIT - 1 - len(address) - 1
    lines: list[str] = []
    facts = (
        page_title(listing, language),
        when_line(event, language, home),
        say("Postponed: the new date is to be announced.") if event.status.value == "postponed" else "",
        to_text(event.notice.said_in(language).text, address) if event.notice else "",
        place_line(listing.venue, language) if listing.venue else "",
        say("Online") if event.online and listing.venue is None else "",
        say_apart((speaker_line(speaker, language) for speaker in event.speakers), language),
    )
    for fact in filter(None, facts):
        line = excerpt(fact, min(LONGEST_FACT if lines else LIMIT, max(room, 0)))
        if len(line) + 1 <= room and line != "…":
            lines.append(line)
            room -= len(line) + 1
    if event.abstract is not None and room > WORTH_BEGINNING:
        lines.append(excerpt(to_text(event.abstract.said_in(language).text, address), room - 1))
    return "\n".join([*lines, address])
