"""What `tocsin check --links` does: every problem of the catalogue, and every address that doesn't answer."""

from collections.abc import Iterable

from pipeline.actions.links import broken_links
from pipeline.catalogue.load import Loaded
from pipeline.commands.checking import tell
from pipeline.commands.shell import Shell
from pipeline.errors import Problem


def run(shell: Shell) -> int:
    """Tells every problem, dead links as warnings; 0 where there is none but warnings."""
    status, _ = tell(shell, shell.project, shell.clock.now(), _dead_links)
    return status


def _dead_links(loaded: Loaded) -> Iterable[Problem]:
    return loaded.placed(broken_links(loaded.catalogue))
