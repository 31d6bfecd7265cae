"""A process that only delivers, for `delivery.py`: `delivering.py fill|tocsin|yagmail PORT CONNECTIONS NUMBER`."""

import sys
from datetime import datetime, timedelta
from functools import partial

import yagmail

from pipeline.actions.deliver import deliver
from pipeline.clock import SystemClock
from pipeline.delivery import MailServer
from pipeline.delivery.connection import connect
from pipeline.letters import Letter, Message, Recipient
from pipeline.reminders.occasions import Kind, Occasion, Plan
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.database import Database, open_database
from pipeline.store.expansion import expand
from pipeline.store.subscribers import add
from pipeline.store.switch import arm, installation

SERIES = "bench"
TEXT = ("x" * 74 + "\r\n") * 155
LETTER = Letter("en", "Soon", f"Subject: Soon\r\n\r\n{TEXT}".encode())


def finish(letter: Letter, recipient: Recipient, _campaign: str, sent: datetime) -> Message:
    """The least that differs."""
    head = f"Date: {sent.isoformat()}\r\nMessage-ID: <{recipient.public_id}@x>\r\nTo: {recipient.address}\r\n"
    return Message("bounces@example.org", recipient.address, head.encode() + letter.source, recipient.public_id)


def queue(database: Database, readers: int, now: datetime) -> None:
    """As many mails as readers, ready to leave."""
    occasion = Occasion("talk", "day-before", 0, Kind.REMINDERS, now, now + timedelta(days=1))
    with database.begin() as connection:
        arm(connection, installation(database), now)
        for number in range(readers):
            add(connection, SERIES, f"reader{number}@example.org", "en", Kind, (), "by hand", now)
        reconcile(connection, SERIES, Plan((occasion,), ()), now)
        for campaign in due_campaigns(connection, SERIES, now):
            expand(connection, campaign, {"en": LETTER}, "en", now)


def fill(number: int) -> None:
    """A new database in this folder, with so many mails that are due."""
    with open_database("sqlite:///bench.db", SystemClock()) as database:
        queue(database, number, database.clock.now())


def send_by_tocsin(port: int, connections: int) -> None:
    """What waits in the database in this folder."""
    with open_database("sqlite:///bench.db", SystemClock()) as database:
        server = MailServer("127.0.0.1", port, "smtp", helo="localhost")
        done = deliver(database, SERIES, partial(connect, server), finish, database.clock, owner="bench",
                       here=installation(database), connections=connections)  # fmt: skip
    if done.waiting or done.trouble:
        raise SystemExit(str(done))


def send_by_yagmail(port: int, number: int) -> None:
    """Each message by yagmail's own `send()`, at its fastest."""
    client = yagmail.Client("bench@example.org", host="127.0.0.1", port=port, smtp_ssl=False, smtp_starttls=False,
                            smtp_skip_login=True, soft_email_validation=False, local_hostname="localhost")  # fmt: skip
    for reader in range(number):
        client.send(f"reader{reader}@example.org", "Soon", [yagmail.raw(TEXT)], prettify_html=False)


if __name__ == "__main__":
    who, port, connections, *rest = sys.argv[1], *map(int, sys.argv[2:])
    if who == "fill":
        fill(*rest)
    elif who == "tocsin":
        send_by_tocsin(port, connections)
    else:
        send_by_yagmail(port, *rest)
