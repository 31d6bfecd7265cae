"""`tocsin status`: the queue, the next sends, trouble."""

import argparse

from pipeline.actions.send import all_series
from pipeline.commands.shell import DONE, Shell
from pipeline.store.campaigns import next_due
from pipeline.store.database import open_database
from pipeline.store.outbox import counts, doubtful
from pipeline.store.switch import installation, last_tick, why_held


def add_options(_parser: argparse.ArgumentParser) -> None:
    """`status` has none of its own."""


def run(shell: Shell) -> int:
    """Tells how things stand."""
    with open_database(shell.database_url, shell.clock, create=False) as database:
        series = all_series(database)
        here = installation(database, shell.settings.installation)
        with database.look() as connection:
            held, ticked = why_held(connection, here), last_tick(connection)
            state = {
                name: {
                    "next": due.isoformat() if (due := next_due(connection, name)) else None,
                    "letters": {kind.value: number for kind, number in counts(connection, name).items()},
                    "in_doubt": [f"{entry.address} {entry.key}" for entry in doubtful(connection, name)],
                }
                for name in series
            }
    if shell.options.json:
        shell.say_json({"held": held, "last_tick": ticked.isoformat() if ticked else None, "series": state})
        return DONE
    shell.say(f"held: {held}" if held else "armed")
    shell.say(f"last look at what is due: {ticked:%Y-%m-%d %H:%M:%S} UTC" if ticked else "nothing was ever due-checked")
    for name, facts in state.items():
        letters = ", ".join(f"{number} {kind}" for kind, number in sorted(facts["letters"].items())) or "none"  # type: ignore[union-attr]
        shell.say(f"{name}: next mail {facts['next'] or 'none'}; letters: {letters}")
        for entry in facts["in_doubt"] or ():
            shell.say(f"  in doubt: {entry}")
    return DONE
