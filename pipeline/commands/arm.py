"""`tocsin arm`: allows sending."""

import argparse

from pipeline.commands.shell import DONE, Shell
from pipeline.store.database import open_database
from pipeline.store.switch import arm, installation


def add_options(_parser: argparse.ArgumentParser) -> None:
    """`arm` has none."""


def run(shell: Shell) -> int:
    """Arms this database here."""
    with open_database(shell.database_url, shell.clock) as database:
        here = installation(database, shell.settings.installation)
        database.run(lambda connection: arm(connection, here, shell.clock.now()))
        shell.say(f"armed: mail leaves from {database.place} from now on; stop it with: tocsin hold")
    return DONE
