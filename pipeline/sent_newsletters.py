"""Newsletters that are out: what the ledger keeps of each, so that its page and its entry stay as it was sent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from pydantic import AwareDatetime, StrictStr

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
    left: AwareDatetime | None = None
    """When it left, where that isn't the instant of its line."""

    def told_in(self, language: str) -> Told:
        """What it told in that language; in the default one where that was added later."""
        return self.told.get(language) or next(iter(self.told.values()), Told())


@dataclass(frozen=True, slots=True)
class Sent:
    """A newsletter that is out, as pages and feeds want it. Instants are aware, UTC."""

    id: str
    """A `tag:` URI, the same in every feed of one language."""
    newsletter: SentNewsletter
    """As it was sent; its `send` is `published` as people read it, in the zone of the series."""
    at: datetime
    """The instant of its line, by which feeds order it: what the ledger learns of late comes behind all it knew."""
    corrected_by: "Sent | None" = None
    """The last newsletter that put it right."""

    @property
    def published(self) -> datetime:
        """When it left."""
        return self.newsletter.send.astimezone(UTC)


def newsletter_of(facts: Facts, order: Sequence[str] = ()) -> SentNewsletter:
    """The newsletter in published facts; ValueError where they are none. `order` as for the event of a line."""
    found = SentNewsletter.model_validate(facts, context={"order": order})
    ordered = {language: found.told[language] for language in (*order, *found.told) if language in found.told}
    return found.model_copy(update={"told": ordered})


def sent(lines: Iterable[Line], zone: tzinfo, order: Sequence[str] = ()) -> tuple[Sent, ...]:
    """The newsletters in these lines of the ledger, the one that left last first, each as it was first published.

    `zone` is that of the series; `order` names the languages, the default one first: the ledger keeps neither.
    """
    found: dict[str, Sent] = {}
    for line in lines:
        if line.event in found:
            continue
        newsletter = newsletter_of(line.facts, order)
        left = (newsletter.left or line.at).astimezone(zone)
        this = Sent(line.news, newsletter.model_copy(update={"send": left}), line.at)
        wrong = found.get(newsletter.corrects or "")
        if wrong is not None:
            found[wrong.newsletter.id] = replace(wrong, corrected_by=this)
        found[line.event] = this
    return tuple(sorted(found.values(), key=lambda one: (one.published, one.at), reverse=True))


def edited_since(catalogue: Catalogue, lines: Iterable[Line]) -> Iterator[Finding]:
    """A warning for each newsletter that is out and reads otherwise in the catalogue."""
    added = SentNewsletter.model_fields.keys() - Newsletter.model_fields.keys()
    out = {line.event: {key: value for key, value in line.facts.items() if key not in added} for line in lines}
    for number, newsletter in enumerate(catalogue.newsletters):
        if newsletter.id in out and dump(newsletter) != out[newsletter.id]:
            yield Finding(
                ("newsletter", number),
                N_("newsletter {id!r} is out and stays as it was sent: what was edited since changes nothing"),
                N_("put right what is wrong by another one, with corrects = {id!r}"),
                {"id": newsletter.id},
                Severity.WARNING,
            )
