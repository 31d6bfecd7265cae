"""What is kept about one person, as they may ask for it: everything, in words that a program can read too."""

from typing import Any

from sqlalchemy import Connection

from pipeline.reminders.wishes import Wishes
from pipeline.store.personal import mailed_to
from pipeline.store.subscribers import Subscriber

KEPT: dict[str, str] = {
    "series": "the series it is about",
    "address": "where the mails go",
    "language": "in which language they are",
    "kinds": "which kinds of mail were chosen",
    "tags": "which subjects were chosen; none means all",
    "reminders": "which single reminders were asked for or declined",
    "groups": "which groups were chosen; none means all",
    "cities": "which cities were chosen; none means all",
    "ways": "whether only what is online, or only what is on site, was chosen",
    "events": "which single events were chosen; none means all",
    "text_only": "whether mails are plain text alone",
    "paused_until": "until when no mails are wanted",
    "state": "whether mails are sent",
    "bounces": "how many mails in a row came back",
    "consent": "when and how mail was asked for, and the number of the text that was agreed to",
    "added": "when the address came in",
    "changed": "when any of this last changed",
    "mails": "each mail: its occasion, subject, language, state, and when it was sent or given up",
}
"""All that is kept of a person, by the names that the file uses."""


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
            }
            for mail in mailed_to(connection, subscriber.id)
        ],
    }
