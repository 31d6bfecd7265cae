"""`tocsin plan`: every consequence before it happens."""

import argparse
from datetime import datetime

from pipeline.actions.build import draft
from pipeline.actions.forecast import Expected, Forecast, forecast
from pipeline.commands.shell import DONE, Shell, calendar_day, counted, midnight
from pipeline.commands.telling import changes_as_json, told
from pipeline.errors import StoreError
from pipeline.reminders.occasions import Omission
from pipeline.store.database import open_database
from pipeline.store.subscribers import Subscriber, listed


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `plan`."""
    parser.add_argument("--until", type=calendar_day, metavar="DATE", help="look no further than this day")


def run(shell: Shell) -> int:
    """Tells what would change and who would get what."""
    now = shell.clock.now()
    drawn = draft(shell.project, now)
    until = midnight(shell.options.until, drawn.edition.series.zone) if shell.options.until else None
    coming = forecast(drawn, _subscribers(shell, drawn.edition.series.id), now, until)
    if shell.options.json:
        shell.say_json(as_json(coming))
    else:
        _tell(shell, coming)
    return DONE


def _subscribers(shell: Shell, series: str) -> list[Subscriber]:
    """Those of the database; nobody where there is none yet, since looking must not make one."""
    try:
        with open_database(shell.database_url, shell.clock, create=False) as database, database.look() as connection:
            return listed(connection, series)
    except StoreError as error:
        shell.tell(f"{error}; counted for nobody")
        return []


def _tell(shell: Shell, coming: Forecast) -> None:
    lines = coming.draft.pending
    shell.say(f"publishing now would change {counted(len(lines), 'event')}:" if lines else "everything is published")
    for line in lines:
        shell.say(f"  {told(line)}")
    zone = coming.draft.edition.series.zone
    shell.say(
        f"\nmail to come ({len(coming.mailings)}, times in {zone.key}):" if coming.mailings else "\nno mail to come"
    )
    for expected in coming.mailings:
        due: datetime = expected.occasion.due.astimezone(zone)
        about = expected.occasion.event or "the series"
        shell.say(
            f"  {due:%a %Y-%m-%d %H:%M}  {expected.occasion.rule}  {about}  → {counted(expected.readers, 'subscriber')}"
        )
    if coming.omissions:
        shell.say("\nwhat will not leave, and why:")
    for omission in coming.omissions:
        shell.say(f"  {omission.rule}  {omission.event or 'the series'}: {omission.reason}")


def as_json(coming: Forecast) -> dict[str, object]:
    """The forecast for a program."""
    return {
        "changes": changes_as_json(coming.draft.pending),
        "mail": [_mail_as_json(expected) for expected in coming.mailings],
        "omitted": [_omission_as_json(omission) for omission in coming.omissions],
    }


def _mail_as_json(expected: Expected) -> dict[str, object]:
    occasion = expected.occasion
    return {
        "key": occasion.key,
        "event": occasion.event,
        "rule": occasion.rule,
        "revision": occasion.revision,
        "kind": occasion.kind.value,
        "due": occasion.due.isoformat(),
        "not_after": occasion.not_after.isoformat(),
        "audience": occasion.audience.value,
        "readers": expected.readers,
    }


def _omission_as_json(omission: Omission) -> dict[str, object]:
    return {"event": omission.event, "rule": omission.rule, "reason": omission.reason}
