"""`tocsin hold`: stops all sending, or holds one mailing back."""

import argparse

from pipeline.actions.holding import hold_one
from pipeline.commands.shell import DONE, Shell
from pipeline.store.database import open_database
from pipeline.store.switch import hold


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `hold`."""
    parser.add_argument("campaign", nargs="?", metavar="MAILING", help="only this one, by its key in `tocsin status`")


def run(shell: Shell) -> int:
    """Holds everything back, or one mailing."""
    key = shell.options.campaign
    with open_database(shell.database_url, shell.clock) as database:
        if key is None:
            database.run(hold)
            shell.say(shell.words("held: nothing leaves before `tocsin arm`"))
            return DONE
        stopped = hold_one(database, key, shell.clock.now())
        said = (
            shell.words("held: {mailing}, {letters} taken back; let it leave with: tocsin arm {mailing}")
            if stopped
            else shell.words("held: {mailing}; let it leave with: tocsin arm {mailing}")
        )
        shell.say(said.format(mailing=key, letters=shell.count("{count} letter", "{count} letters", stopped)))
    return DONE
