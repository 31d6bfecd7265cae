"""`tocsin arm`: allows sending, or lets one held mailing go."""

import argparse

from pipeline.actions.holding import release_one
from pipeline.commands.shell import DONE, Shell
from pipeline.store.database import open_database
from pipeline.store.switch import arm, installation


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `arm`."""
    parser.add_argument("campaign", nargs="?", metavar="MAILING", help="only let this held one go")


def run(shell: Shell) -> int:
    """Arms this database here, or releases one mailing."""
    key = shell.options.campaign
    with open_database(shell.database_url, shell.clock) as database:
        if key is not None:
            release_one(database, key, shell.clock.now())
            shell.say(shell.words("{mailing} may leave again").format(mailing=key))
            return DONE
        here = installation(database, shell.settings.installation)
        database.run(lambda connection: arm(connection, here, shell.clock.now()))
        said = shell.words("armed: mail leaves from {place} from now on; stop it with: tocsin hold")
        shell.say(said.format(place=database.place))
    return DONE
