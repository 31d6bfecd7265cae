"""`tocsin status`: what leaves next, the queue, trouble, what is in doubt."""

import argparse

from pipeline.actions.send import all_series
from pipeline.actions.standing import SeriesStanding, Standing, standing
from pipeline.commands.selecting import as_json as entry_as_json
from pipeline.commands.shell import DONE, Shell, counted
from pipeline.store.database import open_database
from pipeline.store.outbox import Trouble
from pipeline.store.switch import installation


def add_options(_parser: argparse.ArgumentParser) -> None:
    """`status` has none of its own."""


def run(shell: Shell) -> int:
    """Tells how things stand."""
    with open_database(shell.database_url, shell.clock, create=False) as database:
        all_series(database)  # says so where nothing was published yet
        here = installation(database, shell.settings.installation)
        found = standing(database, here, shell.clock.now())
    if shell.options.json:
        shell.say_json(as_json(found))
        return DONE
    shell.say(f"held: {found.held}" if found.held else "armed")
    looked = f"last look at what is due: {found.last_tick:%Y-%m-%d %H:%M:%S}Z" if found.last_tick else ""
    shell.say(looked or "nobody has looked yet at what is due: `tocsin send` and `tocsin run` do")
    for series in found.series:
        _tell(shell, series)
    return DONE


def _tell(shell: Shell, found: SeriesStanding) -> None:
    shell.say(f"\n{found.series}")
    if found.braked:
        shell.say("  hold = true under [mail]: nothing leaves until that line is gone and published")
    for campaign in found.coming:
        occasion = campaign.occasion
        shell.say(f"  {occasion.due:%Y-%m-%d %H:%M}Z  {occasion.key}")
    if not found.coming:
        shell.say("  no mail to come")
    letters = ", ".join(f"{number} {state.value}" for state, number in sorted(found.letters.items())) or "none"
    limit = f" of {found.per_day}" if found.per_day else ""
    shell.say(f"  letters: {letters}; {found.sent_today}{limit} sent within a day")
    for trouble in found.troubles:
        shell.say(f"  trouble: {_told(trouble)}")
    for entry in found.in_doubt:
        shell.say(f"  in doubt: {entry.address}  {entry.key}  (tocsin doubt resend, or drop)")
    for key in found.held:
        shell.say(f"  held: {key}  (tocsin arm {key})")


def _told(trouble: Trouble) -> str:
    return f"{counted(trouble.times, 'time')} {trouble.outcome}: {trouble.text}"


def as_json(found: Standing) -> dict[str, object]:
    """The same for a program."""
    return {
        "held": found.held,
        "last_tick": found.last_tick.isoformat() if found.last_tick else None,
        "series": {one.series: _series_as_json(one) for one in found.series},
    }


def _series_as_json(found: SeriesStanding) -> dict[str, object]:
    coming = [{"mailing": one.occasion.key, "due": one.occasion.due.isoformat()} for one in found.coming]
    return {
        "next": coming[0]["due"] if coming else None,
        "coming": coming,
        "letters": {state.value: number for state, number in sorted(found.letters.items())},
        "sent_within_a_day": found.sent_today,
        "per_day": found.per_day,
        "troubles": [_trouble_as_json(one) for one in found.troubles],
        "in_doubt": [entry_as_json(entry) for entry in found.in_doubt],
        "held": list(found.held),
        "hold": found.braked,
    }


def _trouble_as_json(one: Trouble) -> dict[str, object]:
    return {
        "outcome": one.outcome, "code": one.code, "text": one.text, "times": one.times, "last": one.last.isoformat(),
    }  # fmt: skip
