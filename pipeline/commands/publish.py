"""`tocsin publish`: the only command that announces."""

import argparse

from pipeline.actions.hub import tell_hub
from pipeline.actions.publish import deploy, publish
from pipeline.catalogue.models import Catalogue
from pipeline.commands.groups import tell_refused
from pipeline.commands.shell import Shell, calendar_day
from pipeline.commands.telling import tell_result
from pipeline.errors import N_
from pipeline.store.database import open_database


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `publish`."""
    parser.add_argument(
        "--day", type=calendar_day, metavar="DATE", help="what is past and to come is seen from this day"
    )


def run(shell: Shell) -> int:
    """Publishes, and tells what changed."""
    with open_database(shell.database_url, shell.clock) as database:
        options = shell.options
        result = publish(shell.project, database, shell.clock.now(), options.day, remarks=options.verbose)
    pending = (N_("published, {count} change:"), N_("published, {count} changes:"))
    tell_result(shell, result, pending, N_("nothing new to publish"))
    if deploy(shell.project, result.draft.edition.catalogue):
        shell.tell(shell.words("deployed"))
    _tell_hub(shell, result.draft.edition.catalogue)
    return tell_refused(shell, result.draft.refused, result.draft.edition.catalogue)


def _tell_hub(shell: Shell, catalogue: Catalogue) -> None:
    """Tells the hub what changed, once that can be fetched; its failure is no failure of publishing."""
    told = tell_hub(shell.project, catalogue)
    if told.feeds:
        shell.tell(shell.count("told the hub of {count} feed", "told the hub of {count} feeds", len(told.feeds)))
    if told.trouble is not None:
        shell.complain(
            shell.words(
                "warning: the hub {hub} was not told: {trouble}; `tocsin publish` will tell it next time"
            ).format(hub=catalogue.site.hub, trouble=told.trouble.said(shell.words))
        )
