"""`tocsin status`: what leaves next, the queue, trouble, what is in doubt."""

import argparse

from pipeline.actions.overview import Overview, SeriesOverview, overview
from pipeline.actions.send import all_series
from pipeline.commands.selecting import as_json as entry_as_json
from pipeline.commands.shell import DONE, Shell
from pipeline.errors import N_
from pipeline.store.database import open_database
from pipeline.store.outbox import Trouble
from pipeline.store.switch import installation
from pipeline.store.tables import State

STATES = {
    State.PENDING: N_("pending"), State.CLAIMED: N_("claimed"), State.SENDING: N_("sending"), State.SENT: N_("sent"),
    State.RETRY: N_("retry"), State.FAILED: N_("failed"), State.DROPPED: N_("dropped"), State.DOUBT: N_("doubt"),
}  # fmt: skip
"""What became of a letter, in words."""


def add_options(_parser: argparse.ArgumentParser) -> None:
    """`status` has none of its own."""


def run(shell: Shell) -> int:
    """Tells how things stand."""
    with open_database(shell.database_url, shell.clock, create=False) as database:
        all_series(database)  # says so where nothing was published yet
        here = installation(database, shell.settings.installation)
        found = overview(database, here, shell.clock.now())
    if shell.options.json:
        shell.say_json(as_json(found))
        return DONE
    held = shell.words("held: {reason}").format(reason=shell.words(found.held))
    shell.say(held if found.held else shell.words("armed"))
    if found.last_tick is None:
        shell.say(shell.words("nobody has looked yet at what is due: `tocsin send` and `tocsin run` do"))
    else:
        said = shell.words("last look at what is due: {moment}")
        shell.say(said.format(moment=f"{found.last_tick:%Y-%m-%d %H:%M:%S}Z"))
    for series in found.series:
        _tell(shell, series)
    return DONE


def _tell(shell: Shell, found: SeriesOverview) -> None:
    shell.say(f"\n{found.series}")
    if found.braked:
        said = shell.words("hold = true under [mail]: nothing leaves until that line is gone and published")
        shell.say(f"  {said}")
    for campaign in found.coming:
        occasion = campaign.occasion
        shell.say(f"  {occasion.due:%Y-%m-%d %H:%M}Z  {occasion.key}")
    if not found.coming:
        shell.say("  " + shell.words("no mail to come"))
    _tell_letters(shell, found)
    for trouble in found.troubles:
        shell.say("  " + shell.words("trouble: {text}").format(text=_told(shell, trouble)))
    for entry in found.in_doubt:
        said = shell.words("in doubt: {address}  {key}  (tocsin doubt resend, or drop)")
        shell.say("  " + said.format(address=entry.address, key=entry.key))
    for key in found.held:
        shell.say("  " + shell.words("held: {key}  (tocsin arm {key})").format(key=key))


def _tell_letters(shell: Shell, found: SeriesOverview) -> None:
    listed = ", ".join(f"{number} {shell.words(STATES[state])}" for state, number in sorted(found.letters.items()))
    said = (
        shell.words("letters: {letters}; {count} of {limit} sent within a day")
        if found.per_day
        else shell.words("letters: {letters}; {count} sent within a day")
    )
    letters = listed or shell.words("no letter yet")
    shell.say("  " + said.format(letters=letters, count=found.sent_today, limit=found.per_day))


def _told(shell: Shell, trouble: Trouble) -> str:
    times = shell.count("{count} time", "{count} times", trouble.times)
    outcome = shell.words(STATES[State(trouble.outcome)])
    return shell.words("{name}: {what}").format(name=f"{times} {outcome}", what=trouble.text)


def as_json(found: Overview) -> dict[str, object]:
    """The same for a program."""
    return {
        "held": found.held,
        "last_tick": found.last_tick.isoformat() if found.last_tick else None,
        "series": {one.series: _series_as_json(one) for one in found.series},
    }


def _series_as_json(found: SeriesOverview) -> dict[str, object]:
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
