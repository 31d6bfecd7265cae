"""Importing people: the right rows count, each wrong one is told with its line."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from email_validator import EmailNotValidError, validate_email

from pipeline.actions.enrolment import CHUNK, Imported, export_csv, import_csv
from pipeline.clock import FrozenClock
from pipeline.errors import CatalogueError
from pipeline.reminders.occasions import Kind
from pipeline.reminders.wishes import Wishes
from pipeline.store.addresses import AddressError, Mailbox, normalised
from pipeline.store.database import Database, open_database
from pipeline.store.subscribers import find, forget, listed, unsubscribe
from pipeline.store.tables import Standing

NOW = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
HEADER = "address,language,kinds,tags,consent\n"


@pytest.fixture
def database() -> Iterator[Database]:
    with open_database("sqlite://", FrozenClock(NOW)) as opened:
        yield opened


def imported(database: Database, text: str, dry_run: bool = False) -> Imported:
    return import_csv(database, "talks", text, "readers.csv", ("en", "fr"), NOW, dry_run=dry_run)


def people(database: Database) -> list[str]:
    with database.look() as connection:
        return [reader.address for reader in listed(connection, "talks")]


MIXED = (
    HEADER + "ada@reader.example,fr,reminders changes,law;ml,on paper\n"
    "no address,en,,,on paper\n"
    "bob@reader.example,de,,,on paper\n"
    "carol@reader.example,,everything,,on paper\n"
    "dan@reader.example,,,,\n"
    "jo@bücher.example,,,,form\n"
    "ADA@reader.example,en,,,twice\n"
)


def test_the_right_rows_count_and_each_wrong_one_is_told_with_its_line(database: Database) -> None:
    done = imported(database, MIXED)
    assert (done.added, done.there) == (2, 1)
    assert [problem.line for problem in done.refused] == [3, 4, 5, 6]
    assert [word in problem.show() for problem, word in zip(
        done.refused, ("can't be an address", "'de'", "'everything'", "`consent` is empty"), strict=True
    )] == [True] * 4  # fmt: skip
    with database.look() as connection:
        ada, jo = (find(connection, "talks", address) for address in ("ada@reader.example", "jo@xn--bcher-kva.example"))
    assert ada is not None
    assert jo is not None
    assert (ada.language, ada.kinds, ada.tags) == ("fr", {Kind.REMINDERS, Kind.CHANGES}, {"law", "ml"})
    assert (ada.consent, ada.state) == ("on paper", Standing.ACTIVE)
    assert jo.mailbox == "jo@xn--bcher-kva.example"


def test_a_dry_run_tells_the_same_and_adds_nobody(database: Database) -> None:
    said = imported(database, MIXED, dry_run=True)
    assert people(database) == []
    assert imported(database, MIXED) == said


def test_who_is_there_stays_as_they_are_and_who_left_is_not_brought_back(database: Database) -> None:
    imported(database, HEADER + "ada@reader.example,fr,changes,,on paper\nbob@reader.example,,,,on paper\n")
    with database.begin() as connection:
        unsubscribe(connection, 2, NOW)
        before = listed(connection, "talks")
    again = imported(database, HEADER + "ada@reader.example,en,,,again\nbob@reader.example,en,,,again\n")
    assert (again.added, again.there) == (0, 2)
    with database.look() as connection:
        assert listed(connection, "talks") == before


def test_who_asked_to_be_forgotten_is_refused(database: Database) -> None:
    with database.begin() as connection:
        forget(connection, "talks", "ada@reader.example")
    done = imported(database, HEADER + "Ada@reader.example,,,,on paper\nbob@reader.example,,,,on paper\n")
    assert (done.added, [problem.line for problem in done.refused]) == (1, [2])
    assert people(database) == ["bob@reader.example"]


def test_a_file_longer_than_one_transaction_is_imported_whole(database: Database) -> None:
    rows = [f"reader{number}@reader.example,,,,on paper" for number in range(2 * CHUNK + 1)]
    done = imported(database, HEADER + "\n".join([*rows, *rows[:5]]) + "\n")
    assert (done.added, done.there) == (2 * CHUNK + 1, 5)
    assert len(people(database)) == 2 * CHUNK + 1


@pytest.mark.parametrize(
    "address",
    [
        "a.b+c@Host.Example", "a@host.test", "a@host", "a@-host.example", "a..b@host.example", ".a@host.example",
        "a@host.example.", "a@xn--bcher-kva.example", "jo@bücher.example", "a" * 65 + "@host.example", "a@host.local",
        '"a b"@host.example', "a@[127.0.0.1]", "a@h_st.example", "a@" + "b" * 250 + ".example", "@host.example", "a@",
        "a@b@host.example", " a@host.example ", "a!b@host.example",
        "a" * 64 + "@" + ".".join(["b" * 60] * 3) + ".example",
    ],
)  # fmt: skip
def test_an_address_is_judged_alike_however_often_its_host_was_seen(address: str) -> None:
    def judged() -> object:
        try:
            return normalised(address)
        except AddressError:
            return None

    try:
        found = validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        expected = None
    else:
        plain = found.normalized
        expected = Mailbox(plain, found.ascii_email or plain, plain.casefold())
    assert [judged(), judged()] == [expected, expected]


@pytest.mark.parametrize("header", ["", "name,mail\n", "address,state\n"])
def test_another_header_is_refused_before_anybody_is_added(database: Database, header: str) -> None:
    with pytest.raises(CatalogueError, match="header"):
        imported(database, header + "ada@reader.example,x\n")


def test_a_broken_quote_is_told_with_its_line(database: Database) -> None:
    done = imported(database, HEADER + 'ada@reader.example,,,,form\n"bob"x@reader.example,,,,form\n')
    assert (done.added, [problem.line for problem in done.refused]) == (1, [3])


CHOSEN = (
    "address,consent,reminders,groups,cities,ways,events,text_only,paused_until\n"
    "eve@reader.example,form,+late -early,north,Saint-Denis; Le Mans,online,film talk,yes,2026-03-01T00:00:00+01:00\n"
    "fay@reader.example,form,,,,,,no,\n"
    "gil@reader.example,form,late,,,,,,\n"
)


def test_further_columns_say_what_else_was_chosen(database: Database) -> None:
    done = imported(database, CHOSEN)
    assert (done.added, [problem.line for problem in done.refused]) == (2, [4])
    with database.look() as connection:
        eve, fay = listed(connection, "talks")
    assert fay.wishes == Wishes()
    assert eve.wishes == Wishes(
        asked=frozenset({"late"}), declined=frozenset({"early"}), groups=frozenset({"north"}),
        cities=frozenset({"Saint-Denis", "Le Mans"}), ways=frozenset({"online"}), events=frozenset({"film", "talk"}),
        text_only=True, paused_until=datetime(2026, 2, 28, 23, tzinfo=UTC),
    )  # fmt: skip


def test_what_is_exported_can_be_imported_elsewhere(database: Database) -> None:
    imported(database, MIXED)
    imported(database, CHOSEN)
    with database.look() as connection:
        before = listed(connection, "talks")
    with open_database("sqlite://", FrozenClock(NOW)) as other:
        assert imported(other, export_csv(before)).added == len(before)
        with other.look() as connection:
            after = listed(connection, "talks")
    assert [(r.address, r.language, r.kinds, r.tags, r.consent, r.wishes) for r in after] == [
        (r.address, r.language, r.kinds, r.tags, r.consent, r.wishes) for r in before
    ]
