"""Newsletters that are out: what the ledger keeps of each, so that its page and its entry stay as it was sent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import StrictStr

from pipeline.catalogue.findings import Finding
from pipeline.catalogue.models import Catalogue, Model, Newsletter, dump
from pipeline.catalogue.texts import Language, Slug, Url
from pipeline.errors import N_, Severity
from pipeline.ledger_lines import Facts, Line


class ToldLink(Model):
    """A recording under the words that named it, and the language of these."""

    url: Url
    text: StrictStr
    language: Language


class ToldLine(Model):
    """One line about an event, in the words of then."""

    event: Slug
    text: StrictStr
    language: Language
    place: StrictStr = ""
    recordings: tuple[ToldLink, ...] = ()


class Told(Model):
    """What a newsletter told besides the organiser's words; an empty section isn't shown."""

    news: tuple[ToldLine, ...] = ()
    upcoming: tuple[ToldLine, ...] = ()
    recordings: tuple[ToldLine, ...] = ()


class SentNewsletter(Newsletter):
    """A newsletter with what it told, by language, the default one first."""

    told: Mapping[Language, Told]

    def told_in(self, language: str) -> Told:
        """What it told in that language; in the default one where that was added later."""
        return self.told.get(language) or next(iter(self.told.values()), Told())


@dataclass(frozen=True, slots=True)
class Sent:
    """A newsletter that is out, as pages and feeds want it. Instants are aware, UTC."""

    id: str
    """A `tag:` URI, the same in every feed of one language."""
    newsletter: SentNewsletter
    published: datetime
    corrected_by: Newsletter | None = None
    """The last newsletter that put it right."""
    updated: datetime | None = None
    """When that one went out."""


def newsletter_of(facts: Facts, order: Sequence[str] = ()) -> SentNewsletter:
    """The newsletter in published facts; ValueError where they are none. `order` as for the event of a line."""
    found = SentNewsletter.model_validate(facts, context={"order": order})
    ordered = {language: found.told[language] for language in (*order, *found.told) if language in found.told}
    return found.model_copy(update={"told": ordered})


def sent(lines: Iterable[Line], order: Sequence[str] = ()) -> tuple[Sent, ...]:
    """The newsletters in these lines of the ledger, newest first, each as it was first published.

    `order` names the languages, the default one first: the ledger keeps none.
    """
    found: dict[str, Sent] = {}
    for line in lines:
        if line.event in found:
            continue
        newsletter = newsletter_of(line.facts, order)
        wrong = found.get(newsletter.corrects or "")
        if wrong is not None:
            found[wrong.newsletter.id] = replace(wrong, corrected_by=newsletter, updated=line.at)
        found[line.event] = Sent(line.news, newsletter, line.at)
    return tuple(reversed(found.values()))


def edited_since(catalogue: Catalogue, lines: Iterable[Line]) -> Iterator[Finding]:
    """A warning for each newsletter that is out and reads otherwise in the catalogue."""
    out = {line.event: {key: value for key, value in line.facts.items() if key != "told"} for line in lines}
    for number, newsletter in enumerate(catalogue.newsletters):
        if newsletter.id in out and dump(newsletter) != out[newsletter.id]:
            yield Finding(
                ("newsletter", number),
                N_("newsletter {id!r} is out and stays as it was sent: what was edited since changes nothing"),
                N_("put right what is wrong by another one, with corrects = {id!r}"),
                {"id": newsletter.id},
                Severity.WARNING,
            )
