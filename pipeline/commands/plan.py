"""`tocsin plan`: every consequence before it happens."""

import argparse
from datetime import datetime
from zoneinfo import ZoneInfo

from pipeline.actions.build import Draft, draft
from pipeline.actions.forecast import Expected, Forecast, Known, forecast, known_of
from pipeline.commands.proposal import as_markdown, calendar_entry, feed_entry
from pipeline.commands.shell import Shell, calendar_day, counted, midnight
from pipeline.commands.telling import changes_as_json, tell_refused, told
from pipeline.errors import StoreError
from pipeline.reminders.occasions import Omission
from pipeline.store.database import open_database


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `plan`."""
    parser.add_argument("--until", type=calendar_day, metavar="DATE", help="look no further than this day")
    parser.add_argument("--markdown", action="store_true", help="as a comment for a proposed change on a forge")


def run(shell: Shell) -> int:
    """Tells what would change and who would get what."""
    now = shell.clock.now()
    drawn = draft(shell.project, now)
    until = midnight(shell.options.until, drawn.edition.series.zone) if shell.options.until else None
    coming = foreseen(shell, drawn, now, until)
    if shell.options.json:
        shell.say_json(as_json(coming))
    elif shell.options.markdown:
        shell.say(as_markdown(coming, shell.words))
    else:
        _tell(shell, coming)
    _tell_missing_links(shell, drawn)
    return tell_refused(shell, drawn.refused)


def _tell_missing_links(shell: Shell, drawn: Draft) -> None:
    """Each private link that this machine doesn't know; the one that sends may."""
    for listing in drawn.edition.upcoming:
        variable = listing.event.online.secret if listing.event.online else None
        if variable and not shell.settings.variables.get(variable) and not listing.cancelled:
            said = shell.words(
                'event "{event}": its link {variable} is not set here, and its reminders wait for it '
                "where they are sent; write {variable}=https://… into .env"
            )
            shell.tell(said.format(event=listing.event.id, variable=variable))


def foreseen(shell: Shell, drawn: Draft, now: datetime, until: datetime | None = None) -> Forecast:
    """For those in the database; for nobody where there is none yet, since looking must not make one."""
    series = drawn.edition.series.id
    try:
        with open_database(shell.database_url, shell.clock, create=False) as database, database.look() as connection:
            known = known_of(connection, series, now)
            return forecast(drawn, known, now, until)
    except StoreError as error:
        shell.tell(f"{error}; counted for nobody")
        return forecast(drawn, Known(), now, until)


def _tell(shell: Shell, coming: Forecast) -> None:
    lines = coming.draft.pending
    shell.say(f"publishing now would change {counted(len(lines), 'event')}:" if lines else "everything is published")
    for line in lines:
        shell.say(f"  {told(line)}")
    zone = coming.draft.edition.series.zone
    if coming.draft.edition.catalogue.mail.hold:
        shell.say("\nhold = true under [mail]: nothing leaves until that line is gone and published")
    shell.say(
        f"\nmail to come ({len(coming.mailings)}, times in {zone.key}):" if coming.mailings else "\nno mail to come"
    )
    for expected in coming.mailings:
        due: datetime = expected.occasion.due.astimezone(zone)
        about = expected.occasion.event or "the series"
        shell.say(f"  {due:%a %Y-%m-%d %H:%M}  {expected.occasion.rule}  {about}  → {_to_whom(expected, zone)}")
    if coming.omissions:
        shell.say("\nwhat will not leave, and why:")
    for omission in coming.omissions:
        more = f" ({omission.dates} dates)" if omission.dates > 1 else ""
        shell.say(f"  {omission.rule}  {omission.event or 'the series'}: {omission.reason}{more}")
    if any(expected.late for expected in coming.mailings):
        mail = coming.draft.edition.catalogue.mail
        limits = (f"{name} = {value}" for name in ("per_second", "per_day") if (value := getattr(mail, name)))
        shell.say(
            f"\nnot all mail can leave in time: raise {', '.join(limits)} under [mail], or let it fall due earlier"
        )


def _to_whom(expected: Expected, zone: ZoneInfo) -> str:
    """`12 subscribers, list@example.org; proof Mon 2027-03-01 07:00; held`."""
    whom = ", ".join((counted(expected.readers, "subscriber"), *expected.lists))
    if expected.occasion.corrects:
        whom += f" who got {expected.occasion.corrects.strip('/').split('/')[0]}"
    if expected.proof is not None:
        whom += f"; proof {expected.proof.astimezone(zone):%a %Y-%m-%d %H:%M}"
    if expected.late:
        whom += f"; {expected.late} COME TOO LATE"
    return whom + (f"; HELD, let it leave with: tocsin arm {expected.occasion.key}" if expected.held else "")


def as_json(coming: Forecast) -> dict[str, object]:
    """The forecast for a program."""
    return {
        "changes": [
            {**told, "calendar": calendar_entry(coming, line), "feed": feed_entry(line)}
            for told, line in zip(changes_as_json(coming.draft.pending), coming.draft.pending, strict=True)
        ],
        "hold": coming.draft.edition.catalogue.mail.hold,
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
        "lists": list(expected.lists),
        "proof": expected.proof.isoformat() if expected.proof else None,
        "corrects": occasion.corrects or None,
        "held": expected.held,
        "too_late": expected.late,
    }


def _omission_as_json(omission: Omission) -> dict[str, object]:
    return {"event": omission.event, "rule": omission.rule, "reason": omission.reason, "dates": omission.dates}
