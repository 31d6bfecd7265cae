"""`tocsin restore`: puts a backup in the place of the database, held."""

import argparse
from pathlib import Path

from pipeline.commands.shell import DONE, WRONG, Shell
from pipeline.store.copies import restore
from pipeline.store.database import open_database


def add_options(parser: argparse.ArgumentParser) -> None:
    """From where."""
    parser.add_argument("file", metavar="FILE", help="a file that `tocsin backup` wrote")
    parser.add_argument("--replace", action="store_true", help="in the place of the database that is there")


def run(shell: Shell) -> int:
    """Restores; what is there already is replaced only where that is asked for."""
    path = shell.database_url.removeprefix("sqlite:///")
    if shell.database_url.startswith("sqlite:///") and Path(path).exists() and not shell.options.replace:
        said = shell.words("there is a database at {path}; --replace puts the backup in its place")
        shell.complain(said.format(path=path))
        return WRONG
    with open_database(shell.database_url, shell.clock) as database:
        restore(Path(shell.options.file), database)
    # Opened again: a backup of an older version is brought up to this one.
    with open_database(shell.database_url, shell.clock) as database:
        shell.say(shell.words("{place} is restored and held").format(place=database.place))
        shell.tell(shell.words("`tocsin send --dry-run` shows what would leave; `tocsin arm` allows it"))
    return DONE
