"""`tocsin retire`: takes a published event out for good."""

import argparse

from pipeline.actions.publish import retire
from pipeline.commands.shell import DONE, Shell
from pipeline.commands.telling import told


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `retire`."""
    parser.add_argument("event", metavar="ID", help="the id of an event that is no longer in the catalogue")


def run(shell: Shell) -> int:
    """Retires the event, and says what comes next."""
    line = retire(shell.project, shell.options.event, shell.clock.now())
    said = shell.words("{change}; its subscribers see it cancelled after the next `tocsin publish`")
    shell.say(said.format(change=told(shell, line)))
    return DONE
