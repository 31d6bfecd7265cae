"""`tocsin doubt`: the letters of which nobody knows whether the mail server took them."""

import argparse

from pipeline.actions.outbox import give_up_doubtful, in_doubt, send_again
from pipeline.commands.selecting import add_selection, chosen, tell_entries, tell_moved
from pipeline.commands.shell import Shell
from pipeline.store.database import open_database


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `doubt`."""
    add_selection(parser, ("list", "resend", "drop"))


def run(shell: Shell) -> int:
    """Lists them, sends them once more, or counts them as gone."""
    now = shell.clock.now()
    with open_database(shell.database_url, shell.clock, create=False) as database:
        match shell.options.what:
            case "resend":
                moved = send_again(database, chosen(shell), now)
                said = shell.count(
                    "{count} letter will be sent again, with the same Message-ID",
                    "{count} letters will be sent again, with the same Message-ID",
                    len(moved.done),
                )
                return tell_moved(shell, moved, said)
            case "drop":
                moved = give_up_doubtful(database, chosen(shell), now)
                said = shell.count("{count} letter counted as gone", "{count} letters counted as gone", len(moved.done))
                return tell_moved(shell, moved, said)
            case _:
                return tell_entries(shell, in_doubt(database), shell.words("nothing is in doubt"))
