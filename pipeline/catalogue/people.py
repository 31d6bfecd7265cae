"""People and organisations of a catalogue: who invites, who speaks, and what is known of them."""

from typing import Annotated, Self

from pydantic import StrictInt, model_validator

from pipeline.catalogue.shapes import Address, Mailbox, Model, named, some
from pipeline.catalogue.texts import Line, Name, Prose, Slug, Url, wrong


class Organiser(Model):
    """Who invites: a name, and where to reach them if they want to be reached."""

    name: Name
    url: Url | None = None
    email: Address | None = None


AnOrganiser = Annotated[Organiser, named("name", Name, Organiser)]
Organisers = Annotated[tuple[AnOrganiser, ...], some(AnOrganiser)]


class Group(Model):
    """The `[group]` that opens an included file."""

    id: Slug
    name: Line
    organiser: Organisers = ()
    reply_to: Mailbox | None = None


class Organisation(Model):
    """Something to say about an organisation beyond its name."""

    name: Name
    kind: Line | None = None
    url: Url | None = None
    about: Prose | None = None


class Work(Model):
    """A book, film or article for which a speaker is invited."""

    title: Line
    publisher: Name | None = None
    year: StrictInt | None = None
    url: Url | None = None


class Speaker(Model):
    """Exactly one of a person, a group, or a description of somebody unnamed."""

    name: Name | None = None
    group: Name | None = None
    unnamed: Line | None = None
    role: Line | None = None
    affiliation: Name | None = None
    member_of: Name | None = None
    url: Url | None = None
    work: Work | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(who is not None for who in (self.name, self.group, self.unnamed)) != 1:
            raise wrong("a speaker is exactly one of `name`, `group` or `unnamed`", 'write {{ name = "…" }}')
        return self
