"""`tocsin hold`: stops all sending, or holds one mailing back."""

import argparse

from pipeline.actions.holding import hold_one
from pipeline.commands.shell import DONE, Shell, counted
from pipeline.store.database import open_database
from pipeline.store.switch import hold


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `hold`."""
    parser.add_argument("campaign", nargs="?", metavar="MAILING", help="only this one, by its key in `tocsin plan`")


def run(shell: Shell) -> int:
    """Holds everything back, or one mailing."""
    key = shell.options.campaign
    with open_database(shell.database_url, shell.clock) as database:
        if key is None:
            database.run(hold)
            shell.say("held: nothing leaves before `tocsin arm`")
            return DONE
        stopped = hold_one(database, key, shell.clock.now())
        said = f", {counted(stopped, 'letter')} taken back" if stopped else ""
        shell.say(f"held: {key}{said}; let it leave with: tocsin arm {key}")
    return DONE
