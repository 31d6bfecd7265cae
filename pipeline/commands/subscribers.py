"""`tocsin subscribers`: add, import, list, export, forget, stats."""

import argparse
from collections import Counter
from pathlib import Path

from pipeline.actions.enrolment import Imported, export_csv, import_csv
from pipeline.actions.personal_data import personal_data, wishes_as_json
from pipeline.actions.project import read_catalogue
from pipeline.actions.subscribers import FIRST, Entry, add_all, entry_of, read_csv
from pipeline.catalogue.models import Catalogue
from pipeline.commands.shell import DONE, WRONG, Shell, common_options
from pipeline.errors import N_
from pipeline.files import read_text
from pipeline.store.database import Database, open_database
from pipeline.store.personal import standings
from pipeline.store.subscribers import Subscriber, find, forget, listed
from pipeline.store.tables import Standing

HEADER = ",".join(FIRST)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="add|import|list|export|forget|stats")

    def verb(name: str, what: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, parents=[common_options(argparse.SUPPRESS)], help=what)

    add = verb("add", "one address, or a CSV file")
    add.add_argument("address", help=f"the address, or a .csv with {HEADER}")
    add.add_argument("--language", default="", help="default: the default language of the series")
    add.add_argument(
        "--kinds", default="", help="announcements, reminders, changes, follow-ups, newsletters; default: all"
    )
    add.add_argument("--tags", default="", help="only events with one of these tags")
    add.add_argument("--consent", default="", help="when and how they asked for it")
    bring = verb("import", "a CSV file, consent required; wrong rows are told and passed over")
    bring.add_argument("file", help=f"a CSV with the header {HEADER}")
    bring.add_argument("--dry-run", action="store_true", help="read and report, add nobody")
    verb("list", "everybody, with what they chose")
    export = verb("export", "all that is kept about somebody, or the active subscribers as CSV")
    whom = export.add_mutually_exclusive_group(required=True)
    whom.add_argument("address", nargs="?", help="whose data")
    whom.add_argument("--all", action="store_true", help="every active subscriber, as `import` reads them")
    gone = verb("forget", "erase somebody; no import brings them back")
    gone.add_argument("address", help="whom")
    verb("stats", "how many there are, by state and language")


def run(shell: Shell) -> int:
    """Does what the verb says."""
    catalogue = read_catalogue(shell.project).catalogue
    verbs = {"add": _add, "import": _import, "list": _list, "export": _export, "forget": _forget, "stats": _stats}
    with open_database(shell.database_url, shell.clock) as database:
        return verbs[shell.options.verb](shell, database, catalogue)


def _add(shell: Shell, database: Database, catalogue: Catalogue) -> int:
    entries, now = _entries(shell, catalogue.languages), shell.clock.now()
    new = database.run(lambda connection: add_all(connection, catalogue.series.id, entries, now))
    _say_added(shell, sum(new), len(new) - sum(new), would_be=False)
    return DONE


def _say_added(shell: Shell, added: int, there: int, *, would_be: bool) -> None:
    said = shell.words(
        N_("{added} would be added, {there} were there already and stay as they are")
        if would_be
        else N_("{added} added, {there} were there already and stay as they are")
    )
    shell.say(said.format(added=added, there=there))


def _entries(shell: Shell, languages: tuple[str, ...]) -> list[Entry]:
    options = shell.options
    if options.address.endswith(".csv"):
        return read_csv(read_text(Path(options.address), options.address, piped=True), options.address, languages)
    return [entry_of({key: getattr(options, key) for key in FIRST}, languages)]


def _import(shell: Shell, database: Database, catalogue: Catalogue) -> int:
    options = shell.options
    text = read_text(Path(options.file), options.file, piped=True)
    done = import_csv(
        database, catalogue.series.id, text, options.file, catalogue.languages, shell.clock.now(),
        dry_run=options.dry_run,
    )  # fmt: skip
    _tell(shell, done)
    return WRONG if done.refused else DONE


def _tell(shell: Shell, done: Imported) -> None:
    if shell.options.json:
        refused = [{"line": problem.line, "reason": problem.show(shell.words)} for problem in done.refused]
        shell.say_json({"added": done.added, "there": done.there, "refused": refused})
        return
    shell.tell_problems(done.refused)
    _say_added(shell, done.added, done.there, would_be=shell.options.dry_run)
    if done.refused:
        shell.complain(
            shell.count("{count} row refused; the others count", "{count} rows refused; the others count",
                        len(done.refused))
        )  # fmt: skip


def _list(shell: Shell, database: Database, catalogue: Catalogue) -> int:
    with database.look() as connection:
        found = listed(connection, catalogue.series.id)
    if shell.options.json:
        shell.say_json([as_json(subscriber) for subscriber in found])
        return DONE
    for subscriber in found:
        kinds = " ".join(sorted(kind.value for kind in subscriber.kinds))
        chosen = _chosen(subscriber)
        shell.say(f"{subscriber.address}  {subscriber.language}  {subscriber.state}  {kinds}{chosen}")
    _tell_count(shell, len(found))
    return DONE


def _tell_count(shell: Shell, number: int) -> None:
    shell.tell(shell.count("{count} subscriber", "{count} subscribers", number))


def _chosen(subscriber: Subscriber) -> str:
    """What somebody chose beyond the kinds, as `; cities: Paris, Lyon`; empty where nothing."""
    said = {"tags": sorted(subscriber.tags), **wishes_as_json(subscriber.wishes)}
    words = {name: ", ".join(value) if isinstance(value, list) else value for name, value in said.items() if value}
    return "".join(f"; {name}" if value is True else f"; {name}: {value}" for name, value in words.items())


def _export(shell: Shell, database: Database, catalogue: Catalogue) -> int:
    with database.look() as connection:
        if shell.options.all:
            shell.say(export_csv(listed(connection, catalogue.series.id, [Standing.ACTIVE])).removesuffix("\n"))
            return DONE
        found = find(connection, catalogue.series.id, shell.options.address)
        if found is not None:
            shell.say_json(personal_data(connection, found))
            return DONE
    said = shell.words("nobody has the address {address}; nothing is kept about it")
    shell.complain(said.format(address=shell.options.address))
    return WRONG


def _forget(shell: Shell, database: Database, catalogue: Catalogue) -> int:
    address = shell.options.address
    known = database.run(lambda connection: forget(connection, catalogue.series.id, address))
    said = (
        N_("{address} is forgotten: all that was kept is erased, and no import brings it back")
        if known
        else N_("nobody had the address {address}; no import will bring it in")
    )
    shell.say(shell.words(said).format(address=address))
    return DONE


def _stats(shell: Shell, database: Database, catalogue: Catalogue) -> int:
    with database.look() as connection:
        found = standings(connection)
    own = {key[1:]: number for key, number in found.items() if key[0] == catalogue.series.id}
    states: Counter[str] = Counter()
    for (state, _language), number in own.items():
        states[state] += number
    if shell.options.json:
        by_language = [
            {"state": state, "language": language, "people": n} for (state, language), n in sorted(own.items())
        ]
        shell.say_json({"states": dict(sorted(states.items())), "languages": by_language})
        return DONE
    for state, number in sorted(states.items()):
        languages = ", ".join(f"{n} {language}" for (which, language), n in sorted(own.items()) if which == state)
        shell.say(f"{number:7} {state:13} ({languages})")
    _tell_count(shell, sum(states.values()))
    return DONE


def as_json(subscriber: Subscriber) -> dict[str, object]:
    """A subscriber for a program."""
    return {
        "address": subscriber.address,
        "language": subscriber.language,
        "state": subscriber.state.value,
        "kinds": sorted(kind.value for kind in subscriber.kinds),
        "tags": sorted(subscriber.tags),
        **wishes_as_json(subscriber.wishes),
        "consent": subscriber.consent,
        "added": subscriber.added.isoformat(),
    }
