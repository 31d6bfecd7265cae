"""`tocsin schema`: the JSON Schema by which editors complete and underline `events.toml`."""

import argparse

from pipeline.catalogue.schema import schema
from pipeline.commands.shell import DONE, Shell


def add_options(_parser: argparse.ArgumentParser) -> None:
    """`schema` has none."""


def run(shell: Shell) -> int:
    """Prints the schema."""
    shell.say_json(schema())
    return DONE
