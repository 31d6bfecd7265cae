"""`tocsin publish`: the only command that announces."""

import argparse

from pipeline.actions.publish import deploy, publish
from pipeline.commands.shell import DONE, Shell, calendar_day
from pipeline.commands.telling import tell_result
from pipeline.store.database import open_database


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `publish`."""
    parser.add_argument(
        "--day", type=calendar_day, metavar="DATE", help="what is past and to come is seen from this day"
    )


def run(shell: Shell) -> int:
    """Publishes, and tells what changed."""
    with open_database(shell.database_url, shell.clock) as database:
        result = publish(shell.project, database, shell.clock.now(), shell.options.day)
    tell_result(shell, result, "published", "nothing new to publish")
    if deploy(shell.project, result.draft.edition.catalogue):
        shell.tell("deployed")
    return DONE
