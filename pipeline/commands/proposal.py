"""What a plan says about a proposed change, as the Markdown of a comment on a forge."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from pipeline.actions.forecast import Expected, Forecast
from pipeline.errors import visible
from pipeline.ledger import Line, LineKind
from pipeline.ledger_lines import SCHEDULING
from pipeline.phrases.history import kind_word
from pipeline.reminders.occasions import Omission

SHOWN: Final = 50
"""How many mails and how many omissions a comment lists; a forge cuts long ones off."""

Words = Callable[[str], str]


def calendar_entry(coming: Forecast, line: Line) -> str:
    """What becomes of an event's calendar entry: `none`, `new`, `rescheduled`, `cancelled` or `text`."""
    if line.facts.get("date") is None:
        return "none"
    if line.kind in (LineKind.CANCELLED, LineKind.POSTPONED, LineKind.RETIRED):
        return "cancelled"
    if line.kind is LineKind.ANNOUNCED or _had_no_entry(coming, line):
        return "new"
    return "rescheduled" if line.changed & SCHEDULING else "text"


def feed_entry(line: Line) -> bool:
    """Whether the feeds get an entry."""
    return line.kind is not LineKind.EDITED


def as_markdown(coming: Forecast, words: Words) -> str:
    """The whole comment: what would be published, which mail would leave, and what would not."""
    return "\n".join((*_changes(coming, words), "", *_mail(coming, words), "", *_left_out(coming, words))).rstrip()


def _had_no_entry(coming: Forecast, line: Line) -> bool:
    lines = coming.draft.edition.ledger.of(line.event)
    before = lines[-2] if len(lines) > 1 else None
    return before is None or before.facts.get("date") is None


def _changes(coming: Forecast, words: Words) -> Iterator[str]:
    lines = coming.draft.pending
    if not lines:
        yield "**" + words("Publishing this changes no event.") + "**"
        return
    calendar = {
        "none": words("no entry: its date isn't known"), "new": words("new entry"), "cancelled": words("cancelled"),
        "rescheduled": words("entry is updated, calendars tell of it"), "text": words("text of the entry"),
    }  # fmt: skip
    yield "### " + words("What publishing this would change")
    yield ""
    yield from _table(words("Event"), words("News"), words("Facts"), words("Calendar"), words("Feeds"))
    for line in lines:
        facts = ", ".join(f"`{key}`" for key in sorted(line.changed))
        feeds = words("new entry") if feed_entry(line) else words("nothing new")
        yield _row(f"`{line.event}`", kind_word(line, words), facts, calendar[calendar_entry(coming, line)], feeds)


def _mail(coming: Forecast, words: Words) -> Iterator[str]:
    edition = coming.draft.edition
    zone = edition.series.zone
    if edition.catalogue.mail.hold:
        yield words("`hold = true` under `[mail]`: nothing leaves until that line is gone and published.")
        yield ""
    if not coming.mailings:
        yield words("No mail to come.")
        return
    yield "### " + words("Mail to come (times in {zone})").format(zone=zone.key)
    yield ""
    yield from _table(words("When"), words("Mail"), words("About"), words("To whom"))
    for expected in coming.mailings[:SHOWN]:
        occasion = expected.occasion
        about = f"`{occasion.event}`" if occasion.event else words("the series")
        yield _row(_at(occasion.due, zone), f"`{occasion.rule}`", about, _to_whom(expected, zone, words))
    yield from _more(coming.mailings, words)


def _to_whom(expected: Expected, zone: ZoneInfo, words: Words) -> str:
    parts = [words("subscribers: {number}").format(number=expected.readers)]
    parts += [f"`{address}`" for address in expected.lists]
    if expected.occasion.corrects:
        parts.append(words("only who got `{key}`").format(key=expected.occasion.corrects))
    if expected.proof is not None:
        parts.append(words("proof {moment}").format(moment=_at(expected.proof, zone)))
    if expected.held:
        parts.append(words("**held**: `tocsin arm {key}`").format(key=expected.occasion.key))
    if expected.late:
        parts.append(words("**{number} come too late** by the limits under `[mail]`").format(number=expected.late))
    return ", ".join(parts)


def _left_out(coming: Forecast, words: Words) -> Iterator[str]:
    if not coming.omissions:
        return
    yield f"<details><summary>{words('What will not leave, and why')} ({len(coming.omissions)})</summary>"
    yield ""
    for omission in coming.omissions[:SHOWN]:
        yield f"- {_omitted(omission, words)}"
    yield from _more(coming.omissions, words)
    yield ""
    yield "</details>"


def _omitted(omission: Omission, words: Words) -> str:
    about = f"`{omission.event}`" if omission.event else words("the series")
    dates = " " + words("({number} dates)").format(number=omission.dates) if omission.dates > 1 else ""
    return f"`{omission.rule}`, {about}: {why_left_out(omission, words)}{dates}"


def why_left_out(omission: Omission, words: Words) -> str:
    """The reason, which may name the keys of an event after a colon."""
    reason, colon, keys = omission.reason.partition(": ")
    return words("{reason}: {keys}").format(reason=words(reason), keys=keys) if colon else words(reason)


def _more(listed: tuple[object, ...], words: Words) -> Iterator[str]:
    if len(listed) > SHOWN:
        yield ""
        yield words("… and {number} more; `tocsin plan` tells them all.").format(number=len(listed) - SHOWN)


def _at(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _table(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield "|" + " --- |" * len(names)


def _row(*cells: str) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    """One cell: a bar would end it, a line break the table."""
    return visible(text).replace("|", "\\|")
