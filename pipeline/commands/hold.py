"""`tocsin hold`: stops all sending."""

import argparse

from pipeline.commands.shell import DONE, Shell
from pipeline.store.database import open_database
from pipeline.store.switch import hold


def add_options(_parser: argparse.ArgumentParser) -> None:
    """`hold` has none."""


def run(shell: Shell) -> int:
    """Holds everything back."""
    with open_database(shell.database_url, shell.clock) as database:
        database.run(hold)
        shell.say("held: nothing leaves before `tocsin arm`")
    return DONE
