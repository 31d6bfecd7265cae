"""A process that sends what is due and prints what it did; it dies at the point that TOCSIN_CRASH_AT names."""

import signal
import sys
import threading
from datetime import datetime, timedelta
from functools import partial

from pipeline.actions.deliver import deliver
from pipeline.clock import SystemClock
from pipeline.delivery import MailServer
from pipeline.delivery.connection import connect
from pipeline.letters import Letter, Message, Recipient
from pipeline.store.database import open_database
from pipeline.store.deliveries import InDoubt
from pipeline.store.senders import sender_name
from pipeline.store.switch import installation
from pipeline.testing import crash_point


def finish(letter: Letter, recipient: Recipient, campaign: str, sent: datetime) -> Message:
    name = f"<{campaign.replace('/', '.')}.{recipient.public_id}@example.org>"
    head = f"Date: {sent.isoformat()}\r\nMessage-ID: {name}\r\nTo: {recipient.address}\r\n"
    return Message("bounces@example.org", recipient.address, head.encode() + letter.source, name)


def main(url: str, port: str, policy: str, connections: str = "1", minutes: str = "0") -> None:
    """Sends as so many minutes after now."""
    clock, checkpoint = SystemClock(SystemClock().now() + timedelta(minutes=int(minutes))), crash_point()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopped.set())
    server = MailServer("127.0.0.1", int(port), "smtp", helo="localhost")
    with open_database(url, clock) as database:
        done = deliver(
            database,
            "seminar",
            partial(connect, server, checkpoint),
            finish,
            clock,
            owner=sender_name(),
            here=installation(database),
            lease=timedelta(seconds=2),
            longest=timedelta(seconds=1),
            in_doubt=InDoubt(policy),
            patient=True,
            connections=int(connections),
            stop=stopped.is_set,
            checkpoint=checkpoint,
        )
    print(done)


if __name__ == "__main__":
    main(*sys.argv[1:])
