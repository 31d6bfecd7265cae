"""The options that commands share, and the exit statuses. Light, so that `--help` loads nothing else."""

import argparse
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from gettext import gettext

DONE, WRONG, MISUSED, OUTSIDE, INTERRUPTED = 0, 1, 2, 3, 130
FIRST_YEAR, LAST_YEAR = 1900, 2199

LANGUAGES = ("en", "fr")


def common_options(default: str | None) -> argparse.ArgumentParser:
    """The options that every command knows; after the command they must not reset those before it."""
    suppressed = default is argparse.SUPPRESS
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("common options")
    group.add_argument("--catalogue", metavar="FILE", default=default if suppressed else "events.toml",
                       help="the catalogue (default: events.toml)")  # fmt: skip
    group.add_argument("--out", metavar="DIR", default=default, help="where to publish (default: out/ beside it)")
    group.add_argument("--templates", metavar="DIR", default=default, help="your own templates (default: templates/)")
    group.add_argument("--database", metavar="URL", default=default, help="default: var/tocsin.db beside the catalogue")
    group.add_argument("--now", metavar="INSTANT", type=instant, default=default,
                       help="set the clock, which then runs on: 2026-05-07T10:00:00Z")  # fmt: skip
    group.add_argument("--lang", metavar="CODE", type=without_region, choices=LANGUAGES, default=default,
                       help="the language of messages: en or fr (default: that of the locale)")  # fmt: skip
    switch = default if suppressed else False
    group.add_argument("--json", action="store_true", default=switch, help="results for a program")
    group.add_argument("--quiet", action="store_true", default=switch, help="no messages about the work")
    group.add_argument("--verbose", action="store_true", default=switch, help="more of them")
    return common


def instant(text: str) -> datetime:
    """An ISO 8601 instant with its offset, for argparse."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refused(gettext("{text!r} is not an instant: write 2026-05-07T10:00:00Z"), text) from None
    if moment.tzinfo is None:
        raise refused(gettext("{text!r} has no offset: write {text}Z, or {text}+02:00"), text)
    _refuse_impossible_year(moment.year, text)
    return moment.astimezone(UTC)


def calendar_day(text: str) -> date:
    """A calendar day, for argparse."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise refused(gettext("{text!r} is not a day: write 2026-05-07"), text) from None
    _refuse_impossible_year(day.year, text)
    return day


def _refuse_impossible_year(year: int, text: str) -> None:
    """Years that no catalogue can hold, and near which the arithmetic of dates ends."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise refused(gettext("the year of {text!r} can't be meant: write 2026-05-07"), text)


def refused(pattern: str, text: str) -> argparse.ArgumentTypeError:
    """What argparse says, in the language in which it speaks."""
    return argparse.ArgumentTypeError(pattern.format(text=text))


def whole(text: str) -> int:
    """A positive whole number, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise refused(gettext("{text!r} is not a number of 1 or more"), text)
    return int(text)


def language_of(option: str | None, environment: Mapping[str, str]) -> str:
    """The reader's language: the option, else that of the locale, else English."""
    if option:
        return option
    name = next((value for key in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(key))), "")
    code = without_region(name)
    return code if re.fullmatch("[a-z]{2,3}", code) else "en"


def without_region(name: str) -> str:
    """The code of a language alone: `fr` of `fr_CH.UTF-8`, `fr-CA` or `FR`."""
    return re.split(r"[_.@-]", name)[0].lower()
