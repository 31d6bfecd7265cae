"""`tocsin completion`: what a shell needs to complete commands and options, printed."""

import argparse

import shtab

from pipeline.commands.shell import DONE, Shell

SHELLS = ("bash", "zsh", "fish")


def add_options(parser: argparse.ArgumentParser) -> None:
    """For which shell."""
    parser.add_argument("shell", metavar="|".join(SHELLS), choices=SHELLS, help="the shell that shall complete")


def run(shell: Shell) -> int:
    """Prints it; to be read by the shell at its start."""
    shell.say(shtab.complete(shell.options.whole_parser(), shell.options.shell).rstrip("\n"))
    return DONE
