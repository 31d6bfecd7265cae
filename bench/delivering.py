"""A process that only delivers, for `delivery.py`; it prints what that took, as JSON.

delivering.py fill URL NUMBER              a database with so many mails that are due, and `mail.json` for the peers
delivering.py tocsin URL PORT CONNECTIONS LIMIT
delivering.py rows URL CONNECTIONS LIMIT   only what the database keeps of them, committed as often, and no message
delivering.py yagmail PORT NUMBER
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.parser import BytesParser
from email.policy import default
from functools import partial
from pathlib import Path

import yagmail
from seed import seed_letter
from sqlalchemy import Connection, text

from pipeline.actions.deliver import deliver
from pipeline.clock import SystemClock
from pipeline.commands.running import RARELY
from pipeline.delivery import MailServer
from pipeline.delivery.connection import connect
from pipeline.letters import Letter, Message, Post, Recipient, finish
from pipeline.reminders.occasions import Kind, Occasion, Plan
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.claims import claim
from pipeline.store.database import Database, open_database
from pipeline.store.deliveries import Claimed, InDoubt, Settlement, settle_all, start_all
from pipeline.store.expansion import expand
from pipeline.store.senders import sending
from pipeline.store.subscribers import add
from pipeline.store.switch import arm, installation
from pipeline.store.tables import State

SERIES = "bench"
READER = "abcdefghijklmnop"
"""The public name of the reader whose mail the peers are given; for each of theirs they put another in its place."""

LISTED = """INSERT INTO subscribers SELECT {columns} FROM subscribers
CROSS JOIN (
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :number - 1) SELECT i FROM n
) AS n"""
CHANGED = {
    "id": "id + i",
    "address": "i || address",
    "mailbox": "i || mailbox",
    "folded": "i || folded",
    "public_id": "substr(public_id, 1, 9) || (1000000 + i)",  # as long as usual
}


def enlist(database: Database, number: int) -> None:
    """So many subscribers, all but the first copied from it by the database itself."""
    now = database.clock.now()
    with database.begin() as connection:
        arm(connection, installation(database), now)
        add(connection, SERIES, "reader@example.org", "en", Kind, (), "by hand", now)
        names = [row[0] for row in connection.execute(text("SELECT * FROM subscribers LIMIT 0")).cursor.description]
        columns = ", ".join(CHANGED.get(name, name) for name in names)
        connection.execute(text(LISTED.format(columns=columns)), {"number": number})


def give(database: Database, letter: Letter) -> None:
    """One campaign, given to everybody."""
    now = database.clock.now()
    occasion = Occasion("talk", "day-before", 0, Kind.REMINDERS, now, now + timedelta(days=1))
    with database.begin() as connection:
        reconcile(connection, SERIES, Plan((occasion,), ()), now)
        for campaign in due_campaigns(connection, SERIES, now):
            expand(connection, campaign, {"en": letter}, "en", now)


def in_parts(message: Message) -> dict[str, str | int]:
    """A message as one gives it to a library that composes."""
    parsed = BytesParser(policy=default).parsebytes(message.body)
    bodies = [part.get_content() for part in parsed.walk() if not part.is_multipart()]
    text, html, calendar = (body.decode() if isinstance(body, bytes) else body for body in bodies)
    return {
        "reader": READER, "sender": message.envelope_sender, "size": len(message.body), "text": text, "html": html,
        "calendar": calendar, "from": str(parsed["From"]), "subject": str(parsed["Subject"]),
    }  # fmt: skip


def fill(url: str, number: int) -> None:
    """The seed's first reminder, for so many readers."""
    letter, post, key = seed_letter()
    with open_database(url, SystemClock()) as database:
        if number:
            enlist(database, number)
        give(database, letter)
    sample = finish(letter, Recipient(0, "reader@example.org", READER), key, SystemClock().now(), post)
    Path("mail.json").write_text(json.dumps(in_parts(sample)), encoding="utf-8")


def send_by_tocsin(url: str, port: int, connections: int, limit: int) -> dict[str, float]:
    """What waits in the database."""
    post = seed_letter()[1]
    with open_database(url, SystemClock()) as database:
        server = MailServer("127.0.0.1", port, "smtp", helo="localhost")

        def send() -> int:
            done = deliver(
                database, SERIES, partial(connect, server), partial(_finished, post), database.clock,
                owner="bench", here=installation(database), connections=connections, limit=limit,
            )  # fmt: skip
            if done.trouble or not done.sent:
                raise SystemExit(str(done))
            return done.sent

        gc.set_threshold(*RARELY)  # both as `tocsin send` does
        gc.freeze()
        return cost(send)


def _finished(post: Post, letter: Letter, recipient: Recipient, campaign: str, sent: datetime) -> Message:
    return finish(letter, recipient, campaign, sent, post)


def keep_rows(url: str, connections: int, limit: int) -> dict[str, float]:
    """Every delivery on its way to `sent`, the steps of so many connections in a commit."""
    lease, accepted = timedelta(minutes=1), Settlement(State.SENT, 250, "250 2.0.0 Ok (at the final dot)")
    with open_database(url, SystemClock()) as database, sending(database, "bench") as sender:
        now = database.clock.now()

        def claimed(connection: Connection) -> tuple[Claimed, ...]:
            return claim(connection, SERIES, 1000, "bench", lease, now)

        def step(ended: Sequence[Claimed], begun: Sequence[Claimed], connection: Connection) -> None:
            settle_all(connection, [(item, accepted) for item in ended], "bench", InDoubt.RESEND, now)
            start_all(connection, [(item, now) for item in begun], "bench", now + lease, now)

        def keep() -> int:
            assert sender is not None
            last: Sequence[Claimed] = ()
            for _ in range(0, limit, 1000):
                items = sender.run(claimed)
                for first in range(0, len(items), connections):
                    begun = items[first : first + connections]
                    sender.run(partial(step, last, begun))
                    last = begun
            sender.run(partial(step, last, ()))
            return limit

        gc.freeze()
        return cost(keep)


def send_by_yagmail(port: int, number: int) -> dict[str, float]:
    """Each message by yagmail's own `send()`, at its fastest."""
    mail = json.loads(Path("mail.json").read_text(encoding="utf-8"))
    Path("event.ics").write_text(mail["calendar"], encoding="utf-8")
    client = yagmail.Client("bench@example.org", host="127.0.0.1", port=port, smtp_ssl=False, smtp_starttls=False,
                            smtp_skip_login=True, soft_email_validation=False, local_hostname="localhost")  # fmt: skip

    def send() -> int:
        for reader in range(number):
            text, html = (mail[part].replace(READER, f"reader{reader:010}") for part in ("text", "html"))
            client.send(f"reader{reader}@example.org", mail["subject"], [yagmail.raw(text), html], ["event.ics"],
                        prettify_html=False)  # fmt: skip
        return number

    return cost(send)


def cost(send: Callable[[], int]) -> dict[str, float]:
    """CPU and wall seconds of a message, and the peak memory of the process in MiB."""
    wall, cpu = time.monotonic(), time.process_time()
    number = send()
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    return {"cpu": cpu / number, "wall": wall / number, "memory": peak()}


def peak() -> float:
    """The peak memory of this program in MiB; what `getrusage` tells begins with that of whoever started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(who: str, *given: str) -> None:
    """Does what the first argument says."""
    if who == "fill":
        fill(given[0], int(given[1]))
    elif who == "rows":
        url, *numbers = given
        print(json.dumps(keep_rows(url, *map(int, numbers))))
    elif who == "tocsin":
        url, *numbers = given
        print(json.dumps(send_by_tocsin(url, *map(int, numbers))))
    else:
        print(json.dumps(send_by_yagmail(*map(int, given))))


if __name__ == "__main__":
    main(*sys.argv[1:])
