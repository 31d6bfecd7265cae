"""`tocsin subscribers`: add, list, import."""

import argparse
from datetime import datetime
from pathlib import Path

from pipeline.actions.project import read_catalogue
from pipeline.actions.subscribers import Entry, add_all, entry_of, read_csv
from pipeline.commands.shell import DONE, Shell, common_options, counted
from pipeline.errors import CatalogueError, Problem, SettingsError
from pipeline.files import read_text
from pipeline.store.database import Database, open_database
from pipeline.store.subscribers import Subscriber, listed


def add_options(parser: argparse.ArgumentParser) -> None:
    """The three verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="add|list|import")
    add = verbs.add_parser("add", parents=[common_options(argparse.SUPPRESS)], help="one address, or a CSV file")
    add.add_argument("address", help="the address, or a .csv with address,language,kinds,tags,consent")
    add.add_argument("--language", default="", help="default: the default language of the series")
    add.add_argument(
        "--kinds", default="", help="announcements, reminders, changes, follow-ups, newsletters; default: all"
    )
    add.add_argument("--tags", default="", help="only events with one of these tags")
    add.add_argument("--consent", default="", help="when and how they asked for it")
    bring = verbs.add_parser("import", parents=[common_options(argparse.SUPPRESS)], help="a CSV file, consent required")
    bring.add_argument("file", help="a CSV with the header address,language,kinds,tags,consent")
    bring.add_argument("--dry-run", action="store_true", help="read and report, add nobody")
    verbs.add_parser("list", parents=[common_options(argparse.SUPPRESS)], help="everybody, with what they chose")


def run(shell: Shell) -> int:
    """Does what the verb says."""
    catalogue = read_catalogue(shell.project).catalogue
    with open_database(shell.database_url, shell.clock) as database:
        if shell.options.verb == "list":
            return _list(shell, database, catalogue.series.id)
        entries = _entries(shell, catalogue.languages)
        if getattr(shell.options, "dry_run", False):
            shell.say(f"{len(entries)} rows are right; nobody was added")
            return DONE
        return _add(shell, database, catalogue.series.id, entries)


def _entries(shell: Shell, languages: tuple[str, ...]) -> list[Entry]:
    options = shell.options
    file = getattr(options, "file", None) or (options.address if options.address.endswith(".csv") else None)
    if file is not None:
        entries = read_csv(read_text(Path(file), file), file, languages)
        if options.verb == "import":
            _require_consent(file, entries)
        return entries
    try:
        return [entry_of({key: getattr(options, key) for key in Entry.__dataclass_fields__}, languages)]
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _require_consent(file: str, entries: list[Entry]) -> None:
    missing = [entry.address for entry in entries if not entry.consent]
    if missing:
        raise CatalogueError(
            [Problem(file, 0, address, "`consent` is empty", "write when and how they asked for mail")
             for address in missing]
        )  # fmt: skip


def _add(shell: Shell, database: Database, series: str, entries: list[Entry]) -> int:
    now: datetime = shell.clock.now()
    new = database.run(lambda connection: add_all(connection, series, entries, now))
    shell.say(f"{sum(new)} added, {len(new) - sum(new)} were there already and stay as they are")
    return DONE


def _list(shell: Shell, database: Database, series: str) -> int:
    with database.look() as connection:
        found = listed(connection, series)
    if shell.options.json:
        shell.say_json([as_json(subscriber) for subscriber in found])
        return DONE
    for subscriber in found:
        kinds = " ".join(sorted(kind.value for kind in subscriber.kinds))
        shell.say(f"{subscriber.address}  {subscriber.language}  {subscriber.state}  {kinds}")
    shell.tell(counted(len(found), "subscriber"))
    return DONE


def as_json(subscriber: Subscriber) -> dict[str, object]:
    """A subscriber for a program."""
    return {
        "address": subscriber.address,
        "language": subscriber.language,
        "state": subscriber.state.value,
        "kinds": sorted(kind.value for kind in subscriber.kinds),
        "tags": sorted(subscriber.tags),
        "consent": subscriber.consent,
        "added": subscriber.added.isoformat(),
    }
