"""What is kept about one person, as they may ask for it: everything, in words that a program can read too."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection

from pipeline.errors import N_
from pipeline.reminders.wishes import Wishes
from pipeline.store.personal import mailed_to
from pipeline.store.subscribers import Subscriber


@dataclass(frozen=True, slots=True)
class Datum:
    """One thing that is kept of a person: its name for people, what it is, and the columns in which it lies."""

    name: str
    meaning: str
    columns: tuple[str, ...]


KEPT: Final[dict[str, Datum]] = {
    "series": Datum(N_("Series"), N_("the series it is about"), ("subscribers.series",)),
    "address": Datum(
        N_("Address"), N_("where the mails go"), ("subscribers.address", "subscribers.mailbox", "subscribers.folded")
    ),
    "public_id": Datum(
        N_("Random name"),
        N_("stands for your address in links and in what mail servers send back"),
        ("subscribers.public_id",),
    ),
    "language": Datum(N_("Language"), N_("in which language they are"), ("subscribers.language",)),
    "kinds": Datum(N_("Kinds of mail"), N_("which kinds of mail were chosen"), ("subscribers.kinds",)),
    "tags": Datum(N_("Subjects"), N_("which subjects were chosen; none means all"), ("subscriber_tags.tag",)),
    "reminders": Datum(
        N_("Reminders"), N_("which single reminders were asked for or declined"), ("choices.topic", "choices.value")
    ),
    "groups": Datum(
        N_("Groups"), N_("which groups were chosen; none means all"), ("choices.topic", "choices.value")
    ),
    "cities": Datum(
        N_("Cities"), N_("which cities were chosen; none means all"), ("choices.topic", "choices.value")
    ),
    "ways": Datum(
        N_("On site or online"),
        N_("whether only what is online, or only what is on site, was chosen"),
        ("choices.topic", "choices.value"),
    ),
    "events": Datum(
        N_("Single events"),
        N_("which single events were chosen; none means all"),
        ("choices.topic", "choices.value", "subscribers.some_events"),
    ),
    "text_only": Datum(N_("Plain text"), N_("whether mails are plain text alone"), ("subscribers.text_only",)),
    "paused_until": Datum(N_("Pause"), N_("until when no mails are wanted"), ("subscribers.paused_until",)),
    "state": Datum(N_("State"), N_("whether mails are sent"), ("subscribers.state", "subscribers.role")),
    "bounces": Datum(N_("Returned mails"), N_("how many mails in a row came back"), ("subscribers.bounces",)),
    "consent": Datum(
        N_("Consent"),
        N_("when and how mail was asked for, and the number of the text that was agreed to"),
        ("subscribers.consent",),
    ),
    "added": Datum(N_("First day"), N_("when the address came in"), ("subscribers.added",)),
    "changed": Datum(N_("Last change"), N_("when any of this last changed"), ("subscribers.changed",)),
    "mails": Datum(
        N_("Mails"),
        N_(
            "each mail: its occasion, subject, language, state, when it was sent or given up and why, and what mail "
            "servers answered where they didn’t take it at once"
        ),
        (
            "deliveries.language", "deliveries.state", "deliveries.next_try", "deliveries.attempts",
            "deliveries.doubts", "deliveries.owner", "deliveries.lease_until", "deliveries.dated",
            "deliveries.finished", "deliveries.code", "deliveries.reason", "attempts.at", "attempts.outcome",
            "attempts.code", "attempts.text",
        ),
    ),
}  # fmt: skip
"""All that is kept of a person, by the names that the file of one's data uses."""


def wishes_as_json(wishes: Wishes) -> dict[str, Any]:
    """What somebody chose beyond kinds, subjects and language; declined reminders are told by a minus."""
    return {
        "reminders": signed_rules(wishes),
        "groups": sorted(wishes.groups),
        "cities": sorted(wishes.cities),
        "ways": sorted(wishes.ways),
        "events": sorted(wishes.events),
        "text_only": wishes.text_only,
        "paused_until": wishes.paused_until.isoformat() if wishes.paused_until else None,
    }


def signed_rules(wishes: Wishes) -> list[str]:
    """The reminders that were asked for as `+id`, those that were declined as `-id`."""
    return [f"+{rule}" for rule in sorted(wishes.asked)] + [f"-{rule}" for rule in sorted(wishes.declined)]


def personal_data(connection: Connection, subscriber: Subscriber) -> dict[str, Any]:
    """Everything that is kept about a subscriber, with the keys of KEPT; instants in UTC."""
    return {
        "series": subscriber.series,
        "address": subscriber.address,
        "public_id": subscriber.public_id,
        "language": subscriber.language,
        "kinds": sorted(kind.value for kind in subscriber.kinds),
        "tags": sorted(subscriber.tags),
        **wishes_as_json(subscriber.wishes),
        "state": subscriber.state.value,
        "bounces": subscriber.bounces,
        "consent": subscriber.consent,
        "added": subscriber.added.isoformat(),
        "changed": subscriber.changed.isoformat(),
        "mails": [
            {
                "occasion": mail.occasion,
                "subject": mail.subject,
                "language": mail.language,
                "state": mail.state,
                "at": mail.at.isoformat() if mail.at else None,
                "reason": mail.reason,
                "tries": mail.tries,
                "next_try": mail.next_try.isoformat() if mail.next_try else None,
                "answers": [{**asdict(answer), "at": answer.at.isoformat()} for answer in mail.answers],
            }
            for mail in mailed_to(connection, subscriber.id)
        ],
    }
