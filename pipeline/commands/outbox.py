"""`tocsin outbox`: what waits to leave, what failed, and a hand to steer it."""

import argparse

from pipeline.actions.outbox import give_up_waiting, listed, try_again
from pipeline.commands.selecting import add_selection, chosen, selection_of, tell_entries, tell_moved
from pipeline.commands.shell import Shell, whole
from pipeline.store.database import open_database
from pipeline.store.tables import OPEN, State


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `outbox`."""
    add_selection(parser, ("list", "retry", "cancel"))
    parser.add_argument("--state", action="append", choices=[state.value for state in State], metavar="STATE",
                        help="list those in this state: " + ", ".join(state.value for state in State))  # fmt: skip
    parser.add_argument("--limit", type=whole, default=1000, metavar="N", help="list at most so many (default: 1000)")


def run(shell: Shell) -> int:
    """Lists what is on its way and what failed, tries it again, or takes it back."""
    options, now = shell.options, shell.clock.now()
    with open_database(shell.database_url, shell.clock, create=False) as database:
        match options.what:
            case "retry":
                moved = try_again(database, chosen(shell), now)
                said = shell.count(
                    "{count} letter will be tried again now", "{count} letters will be tried again now", len(moved.done)
                )
                return tell_moved(shell, moved, said)
            case "cancel":
                moved = give_up_waiting(database, chosen(shell), now)
                said = shell.count("{count} letter taken back", "{count} letters taken back", len(moved.done))
                return tell_moved(shell, moved, said)
            case _:
                states = tuple(map(State, options.state)) if options.state else (*OPEN, State.FAILED, State.DOUBT)
                found = listed(database, states, selection_of(shell), options.limit)
                return tell_entries(shell, found, shell.words("nothing waits, nothing has failed"))
