"""`tocsin simulate`: the whole season's letters as files."""

import argparse
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pipeline.actions.build import draft
from pipeline.actions.mailing import Office
from pipeline.actions.season import beginning
from pipeline.actions.simulate import made_up, simulate
from pipeline.actions.subscribers import Entry, read_csv
from pipeline.commands.shell import DONE, WRONG, Shell, calendar_day, midnight
from pipeline.edition import Edition
from pipeline.errors import SettingsError, StoreError
from pipeline.files import read_text
from pipeline.rendering import Renderer
from pipeline.staging import remove_others
from pipeline.store.database import open_database
from pipeline.store.subscribers import listed
from pipeline.store.tables import Standing

FILED = Path("var", "letters.json")
"""Which letters the last simulation filed."""
SIMULATED_KEY = b"a simulation signs with a key that opens nothing"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `simulate`."""
    parser.add_argument(
        "--from", dest="since", type=calendar_day, metavar="DATE", help="default: the first publication"
    )
    parser.add_argument(
        "--until", type=calendar_day, metavar="DATE", help="default: the last mail, or a year of what recurs for ever"
    )
    parser.add_argument("--letters", metavar="DIR", help="where to write (default: letters/ beside the catalogue)")
    parser.add_argument("--subscribers", metavar="FILE", help="a CSV; default: those of the database, or made-up ones")


def run(shell: Shell) -> int:
    """Simulates, and says where to look."""
    edition = draft(shell.project, shell.clock.now()).edition
    zone, options = edition.series.zone, shell.options
    since, until = _period(shell, edition)
    folder = Path(options.letters) if options.letters else shell.project.folder / "letters"
    office = Office(
        Renderer(shell.project.own_templates),
        (shell.settings.secret or "").encode() or SIMULATED_KEY,
        shell.settings.variables,
    )
    done = simulate(
        edition,
        office,
        _subscribers(shell, edition),
        folder,
        since,
        until,
    )
    # Letters that an earlier simulation filed there, and this one didn't, go; all else in the folder stays.
    filed = [path.relative_to(folder).as_posix() for path in done.paths]
    remove_others(folder, filed, shell.project.folder / FILED)
    for trouble in done.troubles:
        shell.complain(shell.words("a letter can't be composed: {trouble}").format(trouble=trouble.said(shell.words)))
    if done.cut is not None:
        day = done.cut.astimezone(zone).date()
        said = shell.words("an event recurs beyond {day}: the simulation ends there; look further with --until DATE")
        shell.tell(said.format(day=day))
    if options.json:
        shell.say_json({"letters": dict(done.letters), "paths": [str(path) for path in done.paths]})
        return WRONG if done.troubles else DONE
    for address, count in sorted(done.letters.items()):
        letters = shell.count("{count} letter", "{count} letters", count)
        shell.say(shell.words("{name}: {what}").format(name=address, what=letters))
    letters = shell.count("{count} letter", "{count} letters", len(done.paths))
    said = shell.words("{letters} in {folder}; nothing left this machine")
    shell.say(said.format(letters=letters, folder=folder))
    return WRONG if done.troubles else DONE


def _period(shell: Shell, edition: Edition) -> tuple[datetime, datetime | None]:
    """Where the simulation begins, and where it ends if that was said; SettingsError where it would end before."""
    zone, options = edition.series.zone, shell.options
    since = midnight(options.since, zone) if options.since else beginning(edition)
    until = midnight(options.until, zone) if options.until else None
    if until is not None and until < since:
        raise SettingsError(
            "--until {until} ends the simulation before it begins on {since}: write a later day there, or an earlier "
            "one after --from",
            until=options.until, since=since.astimezone(zone).date(),
        )  # fmt: skip
    return since, until


def _subscribers(shell: Shell, edition: Edition) -> Iterable[Entry]:
    if (file := shell.options.subscribers) is not None:
        return read_csv(read_text(Path(file), file, piped=True), file, edition.languages)
    try:
        with open_database(shell.database_url, shell.clock, create=False) as database, database.look() as connection:
            found = [one for one in listed(connection, edition.series.id) if one.state is Standing.ACTIVE]
    except StoreError:
        found = []
    entries = [Entry(one.address, one.language, one.kinds, one.tags, wishes=one.wishes) for one in found]
    return entries or made_up(edition)
