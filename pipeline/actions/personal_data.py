"""What is kept about one person, as they may ask for it: everything, in words that a program can read too."""

from typing import Any

from sqlalchemy import Connection

from pipeline.store.personal import mailed_to
from pipeline.store.subscribers import Subscriber

KEPT: dict[str, str] = {
    "series": "the series it is about",
    "address": "where the mails go",
    "language": "in which language they are",
    "kinds": "which kinds of mail were chosen",
    "tags": "which subjects were chosen; none means all",
    "state": "whether mails are sent",
    "bounces": "how many mails in a row came back",
    "consent": "when and how mail was asked for, and the number of the text that was agreed to",
    "added": "when the address came in",
    "changed": "when any of this last changed",
    "mails": "each mail: its occasion, subject, language, state, and when it was sent or given up",
}
"""All that is kept of a person, by the names that the file uses."""


def personal_data(connection: Connection, subscriber: Subscriber) -> dict[str, Any]:
    """Everything that is kept about a subscriber, with the keys of KEPT; instants in UTC."""
    return {
        "series": subscriber.series,
        "address": subscriber.address,
        "language": subscriber.language,
        "kinds": sorted(kind.value for kind in subscriber.kinds),
        "tags": sorted(subscriber.tags),
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
