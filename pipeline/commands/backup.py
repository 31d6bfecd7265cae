"""`tocsin backup`: a whole copy of the database, also while the service runs."""

import argparse
from pathlib import Path

from pipeline.commands.shell import DONE, Shell
from pipeline.store.copies import back_up
from pipeline.store.database import open_database


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument("file", metavar="FILE", help="the copy, which must not be there yet")


def run(shell: Shell) -> int:
    """Copies, and says what to keep with it."""
    with open_database(shell.database_url, shell.clock, create=False) as database:
        size = back_up(database, Path(shell.options.file))
    said = shell.words("{file}: {size} kB; it holds addresses and the key of all links, so keep it safe")
    shell.say(said.format(file=shell.options.file, size=f"{size / 1000:,.0f}"))
    return DONE
