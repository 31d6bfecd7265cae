"""`tocsin plan`: every consequence before it happens."""

import argparse
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pipeline.actions.build import Draft, draft
from pipeline.actions.forecast import Expected, Forecast, Known, forecast, known_of
from pipeline.commands.groups import tell_refused
from pipeline.commands.proposal import as_markdown, calendar_entry, feed_entry, why_left_out
from pipeline.commands.shell import Shell, calendar_day, midnight
from pipeline.commands.telling import changes_as_json, told
from pipeline.errors import MissingDatabaseError, SettingsError, StoreError
from pipeline.reminders.occasions import Omission
from pipeline.store.database import open_database
from pipeline.weekdays import locale


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `plan`."""
    parser.add_argument("--until", type=calendar_day, metavar="DATE", help="look no further than this day")
    parser.add_argument("--markdown", action="store_true", help="as a comment for a proposed change on a forge")


def run(shell: Shell) -> int:
    """Tells what would change and who would get what."""
    now = shell.clock.now()
    drawn = draft(shell.project, now)
    coming = foreseen(shell, drawn, now, _until(shell, now, drawn.edition.series.zone))
    if shell.options.json:
        shell.say_json(as_json(coming))
    elif shell.options.markdown:
        shell.say(as_markdown(coming, shell.words))
    else:
        _tell(shell, coming)
    _tell_missing_links(shell, drawn)
    return tell_refused(shell, drawn.refused, drawn.edition.catalogue)


def _until(shell: Shell, now: datetime, zone: ZoneInfo) -> datetime | None:
    day, today = shell.options.until, now.astimezone(zone).date()
    if day is not None and day < today:
        raise SettingsError("--until {until} is past: write {today} or a later day", until=day, today=today)
    return midnight(day, zone) if day else None


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
    except MissingDatabaseError:
        shell.tell(shell.words("nobody has subscribed yet: each mail is counted for nobody"))
        return forecast(drawn, Known(), now, until)
    except StoreError as error:
        shell.tell(shell.words("{error}; counted for nobody").format(error=error))
        return forecast(drawn, Known(), now, until)


def _tell(shell: Shell, coming: Forecast) -> None:
    lines, mail = coming.draft.pending, coming.draft.edition.catalogue.mail
    changes = ("publishing now would change {count} event:", "publishing now would change {count} events:")
    shell.say(shell.count(*changes, len(lines)) if lines else shell.words("everything is published"))
    for line in lines:
        shell.say(f"  {told(shell, line)}")
    if mail.hold:
        said = shell.words("hold = true under [mail]: nothing leaves until that line is gone and published")
        shell.say(f"\n{said}")
    _tell_mail(shell, coming)
    _tell_omitted(shell, coming.omissions)
    if any(expected.late for expected in coming.mailings):
        limits = (f"{name} = {value}" for name in ("per_second", "per_day") if (value := getattr(mail, name)))
        said = shell.words("not all mail can leave in time: raise {limits} under [mail], or let it fall due earlier")
        shell.say("\n" + said.format(limits=", ".join(limits)))


def _tell_mail(shell: Shell, coming: Forecast) -> None:
    zone = coming.draft.edition.series.zone
    if not coming.mailings:
        shell.say("\n" + shell.words("no mail to come"))
        return
    said = shell.words("mail to come ({number}, times in {zone}):")
    shell.say("\n" + said.format(number=len(coming.mailings), zone=zone.key))
    for expected in coming.mailings:
        about = expected.occasion.event or shell.words("the series")
        due = _moment(shell, expected.occasion.due, zone)
        shell.say(f"  {due}  {expected.occasion.rule}  {about}  → {_to_whom(shell, expected, zone)}")


def _tell_omitted(shell: Shell, omissions: Sequence[Omission]) -> None:
    if omissions:
        shell.say("\n" + shell.words("what will not leave, and why:"))
    for omission in omissions:
        more = " " + shell.words("({number} dates)").format(number=omission.dates) if omission.dates > 1 else ""
        about = f"{omission.rule}  {omission.event or shell.words('the series')}"
        why = why_left_out(omission, shell.words) + more
        shell.say("  " + shell.words("{name}: {what}").format(name=about, what=why))


def _moment(shell: Shell, moment: datetime, zone: ZoneInfo) -> str:
    """`Mon 2027-03-01 07:00`."""
    there = moment.astimezone(zone)
    weekday = locale(shell.language).days["format"]["abbreviated"][there.weekday()]
    return f"{weekday} {there:%Y-%m-%d %H:%M}"


def _to_whom(shell: Shell, expected: Expected, zone: ZoneInfo) -> str:
    """`12 subscribers, list@example.org; proof Mon 2027-03-01 07:00; held`."""
    whom = ", ".join((shell.count("{count} subscriber", "{count} subscribers", expected.readers), *expected.lists))
    if expected.occasion.corrects:
        corrected = expected.occasion.corrects.strip("/").split("/")[0]
        whom = shell.words("{whom} who got {mailing}").format(whom=whom, mailing=corrected)
    if expected.proof is not None:
        whom += "; " + shell.words("proof {moment}").format(moment=_moment(shell, expected.proof, zone))
    if expected.late:
        whom += "; " + shell.words("{number} COME TOO LATE").format(number=expected.late)
    if expected.held:
        whom += "; " + shell.words("HELD, let it leave with: tocsin arm {key}").format(key=expected.occasion.key)
    return whom


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
