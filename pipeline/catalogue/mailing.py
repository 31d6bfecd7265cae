"""What a catalogue says of mail: when it leaves, who writes, to whom besides the subscribers, and how fast."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from pipeline.catalogue.hours import Duration, Moment, TimeOfDay
from pipeline.catalogue.shapes import Address, Mailbox, Model, some
from pipeline.catalogue.texts import Language, Line, Name, Prose, Slug

Need = Literal["recordings", "registration", "resources"]


class Rule(Model):
    """One `[[reminder]]`: when a mail about an event leaves, and to which events it applies."""

    id: Slug
    when: Name
    label: Line | None = None
    default: StrictBool = True
    template: Name | None = None
    subject: Line | None = None
    tags: tuple[Slug, ...] = ()
    events: tuple[Slug, ...] = ()
    needs: Annotated[tuple[Need, ...], some(Need)] = ()
    attach_calendar: StrictBool = True


class Newsletter(Model):
    """One `[[newsletter]]`: the organiser's own words, sent once."""

    id: Slug
    send: Moment
    subject: Line
    text: Prose | None = None
    include: tuple[Literal["news", "upcoming", "recordings"], ...] = ("news", "upcoming", "recordings")
    tags: tuple[Slug, ...] = ()
    corrects: Slug | None = None


class MailingList(Model):
    """An existing mailing list that gets one post for each occasion."""

    address: Address
    language: Annotated[tuple[Language, ...], some(Language), Field(min_length=1)]
    kinds: tuple[Literal["announcements", "reminders", "changes", "follow-ups", "newsletters"], ...] = ()


class Proof(Model):
    """Who gets each letter before the subscribers do, and how long before."""

    to: Address
    before: Duration = dt.timedelta(hours=3)


class Mail(Model):
    """The `[mail]` table: who writes, and how fast and when mail may leave."""

    sender: Mailbox | None = Field(default=None, alias="from")
    reply_to: Mailbox | None = None
    list_id: Name | None = None
    unsubscribe: Address | None = None
    bounces: Address | None = None
    postal_address: Line | None = None
    max_late: Duration = dt.timedelta(hours=12)
    quiet: tuple[TimeOfDay, TimeOfDay] | None = (dt.time(22), dt.time(8))
    settle: Duration = dt.timedelta(minutes=10)
    per_second: StrictFloat | None = Field(default=None, gt=0, allow_inf_nan=False)
    per_day: StrictInt | None = Field(default=None, ge=1)
    lists: tuple[MailingList, ...] = ()
    hold: StrictBool = False
    proof: Proof | None = None
