"""`make demo`: the real series comes out, and its season's mail passes through a real SMTP conversation."""

import email
import email.policy
import re
import shutil
import sys
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from secrets import token_urlsafe

from capture import Mailboxes, capture

from pipeline.actions.build import draft
from pipeline.actions.deliver import deliver
from pipeline.actions.farewell import reader_of, unsubscribe
from pipeline.actions.mailing import Office
from pipeline.actions.programmes import Programmes
from pipeline.actions.project import Project, project_at
from pipeline.actions.publish import publish
from pipeline.actions.season import Step, season
from pipeline.actions.subscribers import add_all, read_csv
from pipeline.cli import main
from pipeline.clock import FrozenClock
from pipeline.delivery import mail_server
from pipeline.delivery.connection import connect
from pipeline.edition import Edition
from pipeline.letters import finish
from pipeline.rendering import Renderer
from pipeline.store.database import Database, open_database
from pipeline.store.switch import arm, installation

ROOT = Path(__file__).parent.parent
VAR = ROOT / "var" / "demo"
PUBLISHED = datetime(2022, 9, 1, 10, tzinfo=UTC)
HALF_WAY = datetime(2022, 12, 1, tzinfo=UTC)
MOVED = datetime(2022, 11, 21, 9, tzinfo=UTC)
READERS = ("alice@reader.example", "bob@reader.example", "chloe@lectrice.example", "damien@lecteur.example")
LEAVES = READERS[3]


def demo() -> int:
    """Runs all of it; 0 when everything went as it should."""
    shutil.rmtree(VAR, ignore_errors=True)
    VAR.mkdir(parents=True)
    url = f"sqlite:///{VAR / 'season.db'}"
    for command in (["check", "--quiet"], ["build"], ["publish", "--database", url]):
        print(f"$ tocsin {command[0]}", flush=True)
        if status := main(
            [*command, "--catalogue", str(ROOT / "events.toml"), "--now", f"{PUBLISHED:%Y-%m-%dT%H:%M:%SZ}"]
        ):
            return status
    project = project_at(ROOT / "events.toml")
    print("\nThe season's mail in simulated time, over SMTP on this machine:")
    with capture(VAR / "mail") as (boxes, smtp):
        left = _season(project, url, boxes, smtp, leaves=LEAVES)
        _tell_counts(boxes, left)
    print("\nAnd if conference 2 moves from 19:00 to 19:30, three days before it? Everybody hears, once:")
    with capture(VAR / "mail-after-a-change") as (boxes, smtp):
        _season_with_a_change(project, boxes, smtp)
        _tell_notices(boxes)
    made = sum(file.is_file() for file in project.out.rglob("*"))
    print(f"\nMade: {made} files in {project.out}: pages, calendars and feeds in English and French.")
    print(f"Open {project.out / 'index.html'}, or fr/index.html beside it; give calendar.ics to your calendar.")
    print(f"The letters are in {VAR / 'mail'}; any mail program opens them.")
    return 0


def _season(
    project: Project, url: str, boxes: Mailboxes, smtp: str, leaves: str = "", until: datetime | None = None
) -> str:
    """Sends the whole season; who leaves does so by the link in their newest mail. Says on which day they left."""
    edition = draft(project, PUBLISHED).edition
    office = Office(Renderer(), token_urlsafe().encode(), {})
    clock = FrozenClock(PUBLISHED)
    left = ""
    with open_database(url, clock) as database:
        _prepare(database, edition, clock.now())
        for step in season(edition, database, office, clock, until):
            if leaves and not left and step.now >= HALF_WAY:
                left = _leave(database, boxes, office, leaves, step.now)
            _deliver(database, step, office, clock, smtp)
    return left


def _prepare(database: Database, edition: Edition, now: datetime) -> None:
    entries = read_csv((ROOT / "demo" / "subscribers.csv").read_text(), "subscribers.csv", edition.languages)
    here = installation(database)
    database.run(lambda connection: add_all(connection, edition.series.id, entries, now))
    database.run(lambda connection: arm(connection, here, now))


def _deliver(database: Database, step: Step, office: Office, clock: FrozenClock, smtp: str) -> None:
    done = deliver(
        database,
        step.edition.series.id,
        partial(connect, mail_server(smtp)),
        partial(finish, post=office.post(step.edition.catalogue)),
        clock,
        owner="demo",
        here=installation(database),
    )
    if done.trouble or done.failed or done.doubt:
        sys.exit(f"the demonstration's own mail server gave trouble: {done}")


def _leave(database: Database, boxes: Mailboxes, office: Office, address: str, now: datetime) -> str:
    token = re.search(r"/unsubscribe/([\w-]+)>", boxes.header(address, "List-Unsubscribe"))
    reader = reader_of(database, Programmes(database), token[1], office.secret) if token else None
    if reader is None:
        sys.exit(f"{address} can't leave by the link in the mail")
    unsubscribe(database, reader, now)
    return f"{now.day} {now:%B %Y}"


def _season_with_a_change(project: Project, boxes: Mailboxes, smtp: str) -> None:
    """The same series in a folder of its own, where the second conference moves from 19:00 to 19:30."""
    moved = project_at(VAR / "changed" / "events.toml")
    moved.folder.mkdir()
    shutil.copy(project.ledger, moved.ledger)
    text = project.catalogue.read_text()
    moved.catalogue.write_text(
        text.replace('weekday = "Thursday"\ntime = "19:00"', 'weekday = "Thursday"\ntime = "19:30"', 1)
    )
    url = f"sqlite:///{VAR / 'changed.db'}"
    with open_database(url, FrozenClock(MOVED)) as database:
        publish(moved, database, MOVED)
    url = f"sqlite:///{VAR / 'changed-season.db'}"
    _season(moved, url, boxes, smtp, until=datetime(2022, 11, 30, tzinfo=UTC))


def _tell_counts(boxes: Mailboxes, left: str) -> None:
    why = {
        "bob@reader.example": " (wants only changes, and nothing changed)",
        LEAVES: f" (left before the mail of {left}, by the link in a mail)",
    }
    for address in READERS:
        print(f"  {address}: {len(boxes.messages.get(address, []))} letters{why.get(address, '')}")


def _tell_notices(boxes: Mailboxes) -> None:
    """The first letter that each got after the change."""
    for address in READERS:
        parsed = [email.message_from_bytes(message, policy=email.policy.default) for message in boxes.messages[address]]
        first = next(message for message in parsed if parsedate_to_datetime(message["Date"]) > MOVED)
        print(f"  {address}: {first['Subject']}")


if __name__ == "__main__":
    sys.exit(demo())
