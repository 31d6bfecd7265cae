"""The catalogue as frozen models: what may stand in `events.toml`, key by key. No input or output here."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator
from pydantic.json_schema import SkipJsonSchema

from pipeline.catalogue.hours import Day, DayOrMoment, Duration, TimeOfDay
from pipeline.catalogue.mailing import Mail, MailingList, Newsletter, Proof, Rule
from pipeline.catalogue.people import Group, Organisation, Organiser, Organisers, Speaker, Work
from pipeline.catalogue.shapes import Color, Model, Zone, named
from pipeline.catalogue.texts import Checked, Country, Language, Line, Name, Prose, Slug, Url, one_line, wrong
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When, local, starts

__all__ = [
    "Access", "Catalogue", "Event", "EventAccess", "Group", "Link", "Mail", "MailingList", "Model", "Moved",
    "Newsletter", "Online", "Organisation", "Organiser", "Proof", "Registration", "Rule", "Series", "Site", "Speaker",
    "Status", "Venue", "Work", "dump", "schedule",
]  # fmt: skip

RESERVED = frozenset({"estimated_duration", "group"})
"""Keys of an event that come from elsewhere: its series' `default_duration`, its file's `[group]`."""

Weekday = Annotated[str, Checked(one_line, lambda: {"type": "string"})]
ToBeAnnounced = Annotated[tuple[StrictStr, ...], Field(default=())]
Questions = Annotated[tuple[StrictStr, ...], Field(default=())]


class Access(Model):
    """What visitors need to know to come: yes, no, or (absent) not known."""

    step_free: StrictBool | None = None
    toilets: StrictBool | None = None
    hearing_loop: StrictBool | None = None
    note: Line | None = None


class EventAccess(Access):
    """What one event adds to its venue's access."""

    sign_language: StrictBool | None = None
    captions: StrictBool | None = None
    contact: Name | None = None


class Series(Model):
    """The `[series]` table: what holds for all events."""

    id: Slug
    title: Line
    timezone: Zone
    default_language: Language
    languages: tuple[Language, ...] = ()
    subtitle: Line | None = None
    description: Prose | None = None
    organiser: Annotated[Organisers, Field(min_length=1)]
    partners: tuple[Name, ...] = ()
    supporters: tuple[Name, ...] = ()
    venue: Slug | None = None
    contact: Name | None = None
    license: Name | None = None
    image: Name | None = None
    announced_events: StrictInt | None = Field(default=None, ge=0)
    default_duration: Duration | None = None
    tba: ToBeAnnounced
    todo: Questions

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone in which dates without one of their own are meant."""
        return ZoneInfo(self.timezone)


class Site(Model):
    """The `[site]` table: where `out/` is served."""

    url: Url
    service: Url | Literal[False] | None = None
    deploy: Name | None = None
    hub: Url | None = None
    color: Color | None = None
    theme: Name | None = None

    @cached_property
    def base(self) -> str:
        """The address of the site with a slash at its end."""
        return self.url.rstrip("/") + "/"


class Venue(Model):
    """A place where events are held."""

    id: Slug
    name: Line
    street: Name | None = None
    postal_code: Name | None = None
    city: Name | None = None
    country: Country | None = None
    geo: tuple[Annotated[StrictFloat, Field(ge=-90, le=90)], Annotated[StrictFloat, Field(ge=-180, le=180)]] | None = (
        None
    )
    url: Url | None = None
    access: Access | None = None
    directions: Prose | None = None

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """The place and what is known about it as plain JSON values, the same ones for all events held there."""
        place = dump(self)
        about = {key: place.pop(key) for key in ("access", "directions", "url", "geo") if key in place}
        return {"venue": place, "venue_about": about} if about else {"venue": place}


OUR_SETTINGS = frozenset(
    f"TOCSIN_{name}"
    for name in ("SMTP_URL", "DATABASE_URL", "SECRET", "DKIM_KEY", "ALERT", "IMAP_PASSWORD", "INSTALLATION")
)
"""Variables that hold what no letter may tell."""


class Online(Model):
    """Where to follow from afar. With `secret` the link comes from that environment variable, into letters only."""

    url: Url | None = None
    secret: Annotated[StrictStr, Field(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = None
    label: Line | None = None
    phone: Name | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.url is None) == (self.secret is None):
            raise wrong("`online` has either `url` or `secret`", 'write online = "https://…"')
        if self.secret in OUR_SETTINGS:
            raise wrong("`secret` names a setting of tocsin itself", 'give the link a name of its own: "TOCSIN_ROOM"')
        return self


class Registration(Model):
    """How to sign up."""

    url: Url | None = None
    opens: DayOrMoment | None = None
    closes: DayOrMoment | None = None
    capacity: StrictInt | None = Field(default=None, ge=1)
    required: StrictBool | None = None
    note: Line | None = None


class Link(Model):
    """A resource or a recording."""

    url: Url
    title: Line | None = None
    kind: Line | None = None
    language: Language | None = None


class Moved(Model):
    """One occurrence of a recurring event that takes place at another moment."""

    original: Day = Field(alias="from")
    date: Day
    time: TimeOfDay | None = None


class Status(StrEnum):
    """Where an event stands."""

    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"


Links = tuple[Annotated[Link, named("url", Url, Link)], ...]


class Event(Model):
    """One `[[event]]`. Values of the series and of `[defaults]` that it doesn't say itself are already filled in."""

    id: Slug
    number: StrictInt | None = Field(default=None, ge=0)
    title: Line | None = None
    date: Day | None = None
    weekday: Weekday | None = None
    time: TimeOfDay | None = None
    end_date: Day | None = None
    end_time: TimeOfDay | None = None
    duration: Duration | None = None
    all_day: StrictBool = False
    timezone: Zone
    status: Status = Status.CONFIRMED
    notice: Prose | None = None
    kind: Line | None = None
    abstract: Prose | None = None
    speakers: tuple[Speaker, ...] = ()
    venue: Slug | Literal[False] | None = None
    online: Annotated[Online, named("url", Url, Online)] | None = None
    access: EventAccess | None = None
    registration: Annotated[Registration, named("url", Url, Registration)] | None = None
    resources: Links = ()
    recordings: Links = ()
    tags: tuple[Slug, ...] = ()
    spoken: tuple[Language, ...] = ()
    price: Line | None = None
    image: Name | None = None
    image_alt: Line | None = None
    repeats: Name | None = None
    excepted: tuple[Day, ...] = Field(default=(), alias="except")
    moved: tuple[Moved, ...] = ()
    fold: Literal[0, 1] = 0
    end_fold: Literal[0, 1] = 0
    tba: ToBeAnnounced
    todo: Questions
    estimated_duration: Duration | None = None
    """`default_duration` of the series where nothing better is known; filled in by the loader, never typed."""
    group: Slug | None = None
    """The group whose file the event comes from; filled in by the loader, never typed."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which its date and time are meant."""
        return ZoneInfo(self.timezone)  # which is one object for each name

    @cached_property
    def when(self) -> When:
        """How precisely its date is known; of a recurring event, its first occurrence."""
        return schedule(self, self.date, self.time)

    @cached_property
    def order(self) -> tuple[bool, float, bool, str]:
        """What orders events: the instant of their start; those without a date come last, as they stand."""
        when = self.when
        start = starts(when)
        if start is None:
            return True, 0.0, False, ""
        return False, start.timestamp(), isinstance(when, OnDay), self.id


def schedule(event: Event, day: dt.date | None, at: dt.time | None) -> When:
    """When the event takes place if it starts on that day at that hour, in its own zone."""
    if day is None:
        return Unscheduled()
    if at is None:
        return OnDay(day, _last(event, day), event.zone, event.all_day)
    start = local(day, at, event.zone, event.fold)
    end = _end(event, start)
    return AtTime(start, end, end is not None and event.end_time is None and event.duration is None)


def _last(event: Event, first: dt.date) -> dt.date:
    """The last day of the time that starts on that day: each time of a recurring event lasts as many days."""
    return first if event.end_date is None or event.date is None else first + (event.end_date - event.date)


def _end(event: Event, start: dt.datetime) -> dt.datetime | None:
    if event.end_time is not None:
        return local(_last(event, start.date()), event.end_time, event.zone, event.end_fold)
    length = event.duration or event.estimated_duration
    # A length is elapsed time: over a clock change the wall clock may show an hour more or less.
    return None if length is None else (start.astimezone(dt.UTC) + length).astimezone(event.zone)


class Catalogue(Model):
    """All that the organisers wrote, validated; the only source of what subscribers see."""

    format: Literal[1]
    series: Series
    site: Site
    # Not made with this module: what judges it by itself takes a while to be ready.
    mail: Mail = Field(default_factory=Mail)
    include: tuple[Name, ...] = ()
    venues: tuple[Venue, ...] = Field(default=(), alias="venue")
    organisations: tuple[Organisation, ...] = Field(default=(), alias="organisation")
    groups: tuple[Group, ...] = Field(default=(), alias="group")
    events: tuple[Event, ...] = Field(default=(), alias="event")
    rules: tuple[Rule, ...] | None = Field(default=None, alias="reminder")
    """The `[[reminder]]` tables; None where there is none and the documented defaults apply."""
    newsletters: tuple[Newsletter, ...] = Field(default=(), alias="newsletter")
    kept: SkipJsonSchema[tuple[Slug, ...]] = ()
    """The events that stand as they were last published, since their group's file was refused; never typed."""

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Every language it is published in, the default one first."""
        first = self.series.default_language
        return (first, *(language for language in self.series.languages if language != first))

    @cached_property
    def venue_by_id(self) -> Mapping[str, Venue]:
        """The venues by their ids."""
        return {venue.id: venue for venue in self.venues}

    @cached_property
    def organisation_by_name(self) -> Mapping[str, Organisation]:
        """The organisations of which more is known than the name."""
        return {organisation.name: organisation for organisation in self.organisations}

    @cached_property
    def event_by_id(self) -> Mapping[str, Event]:
        """The events by their ids."""
        return {event.id: event for event in self.events}

    @cached_property
    def group_by_id(self) -> Mapping[str, Group]:
        """The groups by their ids, in the order of their files."""
        return {group.id: group for group in self.groups}

    def group_of(self, event: Event) -> Group | None:
        """The group in whose file the event stands; None for an event of the main file."""
        return self.group_by_id.get(event.group) if event.group is not None else None

    def venue_of(self, event: Event) -> Venue | None:
        """Where the event is held, or None where it isn't known or nowhere."""
        venue = event.venue
        return self.venue_by_id.get(venue) if isinstance(venue, str) else None


def dump(model: Model) -> dict[str, Any]:
    """The model as plain JSON values under the catalogue's keys, without what nobody said."""
    return model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
