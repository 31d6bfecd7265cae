"""The database, its switch, editions and subscribers: one suite on SQLite, in a file and in memory, and PostgreSQL."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, select, text
from stored import DAY, HOUR, NOW, SERIES, armed, occasion, subscribe, tell

from pipeline.clock import FrozenClock
from pipeline.errors import SettingsError, StoreError
from pipeline.reminders.occasions import Kind
from pipeline.reminders.wishes import Wishes
from pipeline.store.addresses import AddressError
from pipeline.store.database import Database, open_database
from pipeline.store.editions import edition_stamp, publish_edition, published_edition
from pipeline.store.outbox import (
    counts,
    entries,
)
from pipeline.store.schema import MIGRATIONS, migrate
from pipeline.store.subscribers import (
    ALL_KINDS,
    add,
    by_id,
    by_public_id,
    change,
    confirm,
    count_bounce,
    find,
    forget,
    languages,
    listed,
    unsubscribe,
)
from pipeline.store.switch import arm, hold, installation, is_armed, last_tick, secret, set_last_tick, why_held
from pipeline.store.tables import METADATA, Standing, edition_parts, meta


class TestSchema:
    def test_opening_again_keeps_everything(self, shared: Database, lasting_url: str, clock: FrozenClock) -> None:
        subscribe(shared, "ada@example.org")
        with open_database(lasting_url, clock) as again, again.look() as connection:
            assert [each.address for each in listed(connection, SERIES)] == ["ada@example.org"]

    def test_an_older_database_is_migrated_and_a_newer_one_refused(self, database: Database) -> None:
        def step(connection):
            connection.execute(text("CREATE TABLE added_later (n INTEGER)"))

        database.run(lambda connection: migrate(connection, [*MIGRATIONS, step]))
        database.run(lambda connection: migrate(connection, [*MIGRATIONS, step]))
        with database.look() as connection:
            assert connection.execute(select(meta.c.value).where(meta.c.name == "schema_version")).scalar() == str(
                len(MIGRATIONS) + 2
            )
            assert connection.execute(text("SELECT count(*) FROM added_later")).scalar() == 0
        with pytest.raises(StoreError, match="newer tocsin"):
            database.run(migrate)

    def test_a_database_of_the_first_schema_becomes_one_of_today(self, database: Database) -> None:
        first = (Path(__file__).parent / f"schema_1_{database.engine.dialect.name}.sql").read_text()

        def turn_back(connection: Connection) -> None:
            METADATA.drop_all(connection)
            for statement in first.split(";\n"):
                if statement.strip():
                    connection.execute(text(statement))
            connection.execute(text("INSERT INTO meta (name, value) VALUES ('schema_version', '1')"))
            connection.execute(
                text(
                    "INSERT INTO subscribers (series, address, mailbox, folded, public_id, language, kinds, state, "
                    "bounces, consent, added, changed) "
                    "VALUES ('seminar', 'a@b.c', 'a@b.c', 'a@b.c', 'x', 'en', 31, 'active', 0, '', 0, 0)"
                )
            )
            for series in ("other", SERIES):
                stored = {"series": series, "catalogue": f'{{"of": "{series}, é"}}', "ledger": "a\nb\n"}
                values = "VALUES (:series, :catalogue, :ledger, 'head', 7)"
                connection.execute(text(f"INSERT INTO editions {values}"), stored)

        database.run(turn_back)
        database.run(migrate)
        with database.look() as connection:
            assert [each.address for each in listed(connection, SERIES)] == ["a@b.c"]
            assert texts(connection) == (f'{{"of": "{SERIES}, é"}}', "a\nb\n")
            assert texts(connection, "other") == ('{"of": "other, é"}', "a\nb\n")
            assert edition_stamp(connection, SERIES) == "1970-01-01T00:00:00.000007+00:00 head"
            for table in METADATA.sorted_tables:
                made = {column["name"]: column["nullable"] for column in inspect(connection).get_columns(table.name)}
                assert made == {column.name: column.nullable for column in table.columns}
            checked = {key["referred_table"] for key in inspect(connection).get_foreign_keys("deliveries")}
            assert checked == (set() if connection.dialect.name == "postgresql" else {"campaigns", "subscribers"})
        assert tell(database, occasion(starts=NOW + DAY)) == 1
        with pytest.raises(StoreError), database.begin() as connection:
            connection.execute(text("UPDATE subscribers SET role = 'nobody'"))
        with database.begin() as connection:
            assert forget(connection, SERIES, "a@b.c")
            assert not counts(connection, SERIES)

    def test_a_failing_migration_leaves_no_trace(self, database: Database) -> None:
        def step(connection):
            connection.execute(text("CREATE TABLE half_done (n INTEGER)"))
            raise RuntimeError

        with pytest.raises(RuntimeError):
            database.run(lambda connection: migrate(connection, [*MIGRATIONS, step]))
        with pytest.raises(StoreError), database.look() as connection:
            connection.execute(text("SELECT * FROM half_done"))

    def test_an_error_of_the_driver_is_told_and_undone(self, database: Database) -> None:
        def twice(connection: Connection) -> None:
            connection.execute(meta.insert().values(name="a", value="1"))
            connection.execute(meta.insert().values(name="a", value="2"))

        with pytest.raises(StoreError, match="refused"):
            database.run(twice)
        with database.look() as connection:
            assert connection.execute(select(meta.c.value).where(meta.c.name == "a")).all() == []


class TestSwitch:
    def test_nothing_may_leave_before_arm_nor_after_hold(self, database: Database) -> None:
        here = installation(database)
        with database.begin() as connection:
            assert "tocsin arm" in why_held(connection, here)
            arm(connection, here, NOW)
            assert is_armed(connection, here)
            hold(connection)
            assert "tocsin hold" in why_held(connection, here)

    def test_a_copy_elsewhere_is_held_and_says_why(self, database: Database) -> None:
        here = armed(database)
        with database.look() as connection:
            fact = "inode" if "inode" in here else next(iter(here))
            assert "the database was armed" in why_held(connection, {**here, fact: "another"})

    def test_the_installations_name_vouches(self, database: Database) -> None:
        facts = installation(database)
        with database.begin() as connection:
            arm(connection, installation(database, "prod"), NOW)
            moved = dict.fromkeys(facts, "changed")
            assert is_armed(connection, {**moved, "name": "prod"})
            assert not is_armed(connection, moved)
            assert "TOCSIN_INSTALLATION" in why_held(connection, {**facts, "name": "rehearsal"})
            assert is_armed(connection, facts)

    def test_the_secret_is_made_once(self, database: Database) -> None:
        with database.begin() as connection:
            assert secret(connection, lambda: "first") == "first"
            assert secret(connection, lambda: "second") == "first"

    def test_the_last_tick_is_kept(self, database: Database) -> None:
        with database.begin() as connection:
            assert last_tick(connection) is None
            set_last_tick(connection, NOW)
            set_last_tick(connection, NOW + HOUR)
            assert last_tick(connection) == NOW + HOUR


def texts(connection: Connection, series: str = SERIES) -> tuple[str, str] | None:
    """Catalogue and ledger as they are stored."""
    stored = published_edition(connection, series)
    return None if stored is None else (b"".join(stored.catalogue).decode(), b"".join(stored.ledger).decode())


class TestEditions:
    def test_a_newer_edition_takes_the_place_of_an_older(self, database: Database) -> None:
        with database.begin() as connection:
            assert texts(connection) is None
            assert publish_edition(connection, SERIES, ["{1}\n"], ["a\n"], NOW)
            first = edition_stamp(connection, SERIES)
            assert not publish_edition(connection, SERIES, ["{1}\n"], ["a\n"], NOW + HOUR)
            assert edition_stamp(connection, SERIES) == first
            assert publish_edition(connection, SERIES, ["{2}\n"], ["b\n", "a\n"], NOW + HOUR)
            assert texts(connection) == ("{2}\n", "b\na\n")
            assert edition_stamp(connection, SERIES) != first

    def test_the_same_history_has_the_same_head_however_a_merge_ordered_it(self, database: Database) -> None:
        with database.begin() as connection:
            for series, ledger in (("one", ["a\n", "b\n"]), ("other", ["b\n", "a\n"]), ("third", ["a\n"])):
                publish_edition(connection, series, ["{}\n"], ledger, NOW)
            one, other, third = (edition_stamp(connection, series) for series in ("one", "other", "third"))
        assert one == other != third

    def test_a_ledger_that_lacks_a_line_is_refused_and_what_was_published_stays(self, database: Database) -> None:
        with database.begin() as connection:
            publish_edition(connection, SERIES, ["{}\n"], ["a\n", "b\n"], NOW)
            publish_edition(connection, "other", ["{}\n"], ["z\n"], NOW)
        with pytest.raises(StoreError, match=r"lacks 1 of the lines"), database.begin() as connection:
            publish_edition(connection, SERIES, ["{3}\n"], ["a\n", "c\n"], NOW)
        with database.look() as connection:
            assert texts(connection) == ("{}\n", "a\nb\n")

    def test_a_long_edition_is_kept_in_parts_of_which_only_another_is_written(self, database: Database) -> None:
        def line(number: int, said: str = "é") -> str:
            return f"{number} {said * 1000}\n"

        def kept(connection: Connection) -> list[bytes]:
            query = select(edition_parts.c.body).order_by(edition_parts.c.part_of, edition_parts.c.number)
            return list(connection.execute(query).scalars())

        long = [line(number) for number in range(600)]
        with database.begin() as connection:
            publish_edition(connection, SERIES, long, long[:300], NOW)
            before = kept(connection)
            edited = [*long[:299], line(299, "è"), *long[300:]]
            assert publish_edition(connection, SERIES, edited, long[:301], NOW)
            assert texts(connection) == ("".join(edited), "".join(long[:301]))
            same = [one == other for one, other in zip(before, kept(connection), strict=True)]
            assert same == [True, False, True, True, False]
            assert publish_edition(connection, SERIES, long[:9], long[:301], NOW)
            assert texts(connection) == ("".join(long[:9]), "".join(long[:301]))


class TestSubscribers:
    def test_one_row_an_address_however_it_is_written(self, database: Database) -> None:
        with database.begin() as connection:
            first, made = add(connection, SERIES, "Ada@Example.ORG", "en", ALL_KINDS, ["ml"], "form", NOW)
            again, made_again = add(connection, SERIES, "ada@example.org", "fr", (), (), "form", NOW)
            other, _ = add(connection, "other", "ada@example.org", "fr", (), (), "form", NOW)
            kept = find(connection, SERIES, " ADA@example.org ")
        assert (made, made_again, again, other != first) == (True, False, first, True)
        assert kept is not None
        assert (kept.address, kept.language, kept.tags, kept.kinds) == ("Ada@example.org", "en", {"ml"}, ALL_KINDS)

    def test_internationalised_addresses(self, database: Database) -> None:
        with database.begin() as connection:
            add(connection, SERIES, "jo@bücher.example", "de", ALL_KINDS, (), "form", NOW)
            add(connection, SERIES, "pelé@exemple.fr", "fr", ALL_KINDS, (), "form", NOW)
            assert add(connection, SERIES, "JO@xn--bcher-kva.example", "de", (), (), "form", NOW)[1] is False
            kept = {each.address: each.mailbox for each in listed(connection, SERIES)}
        assert kept == {"jo@bücher.example": "jo@xn--bcher-kva.example", "pelé@exemple.fr": "pelé@exemple.fr"}

    @pytest.mark.parametrize("wrong", ["ada", "a b@example.org", "ada@", "ada@example.org\r\nBcc: x@example.org", ""])
    def test_what_is_no_address_is_refused_by_name(self, database: Database, wrong: str) -> None:
        with pytest.raises(SettingsError, match="can't be an address"), database.begin() as connection:
            add(connection, SERIES, wrong, "en", ALL_KINDS, (), "form", NOW)

    def test_coming_and_going(self, database: Database) -> None:
        ada = subscribe(database, "ada@example.org", state=Standing.PENDING)
        with database.begin() as connection:
            assert languages(connection, SERIES) == frozenset()
            assert confirm(connection, ada, "form, text 1", NOW)
            assert not confirm(connection, ada, "form, text 1", NOW)
            assert languages(connection, SERIES) == {"en"}
            assert unsubscribe(connection, ada, NOW)
            assert not unsubscribe(connection, ada, NOW)
            kept = by_id(connection, ada)
            assert kept is not None
            assert kept.state is Standing.UNSUBSCRIBED
            assert by_public_id(connection, kept.public_id) == kept

    def test_preferences(self, database: Database) -> None:
        ada = subscribe(database, "ada@example.org", tags=["ml", "law"])
        with database.begin() as connection:
            change(connection, ada, NOW, language="fr", kinds=[Kind.CHANGES, Kind.NEWSLETTERS],
                   tags=["law", "bio"], wishes=Wishes(cities=frozenset({"Paris"}), text_only=True))  # fmt: skip
            kept = by_id(connection, ada)
        assert kept is not None
        assert (kept.language, kept.kinds, kept.tags) == ("fr", {Kind.CHANGES, Kind.NEWSLETTERS}, {"law", "bio"})
        assert kept.wishes == Wishes(cities=frozenset({"Paris"}), text_only=True)

    def test_who_is_forgotten_comes_back_only_by_asking(self, database: Database) -> None:
        subscribe(database, "ada@example.org", tags=["ml"])
        subscribe(database, "bob@example.org")
        tell(database, occasion())
        with database.begin() as connection:
            assert forget(connection, SERIES, "Ada@Example.org")
            assert not forget(connection, SERIES, "ada@example.org")
            assert [each.address for each in listed(connection, SERIES)] == ["bob@example.org"]
            assert [entry.address for entry in entries(connection, SERIES)] == ["bob@example.org"]
            with pytest.raises(AddressError, match="asked to be forgotten"):
                add(connection, SERIES, "ADA@example.org", "en", ALL_KINDS, (), "import", NOW)
            back, _ = add(connection, SERIES, "ada@example.org", "en", (), (), "form", NOW, Standing.PENDING)
            assert confirm(connection, back, "form", NOW)
            unsubscribe(connection, back, NOW)
            connection.execute(text("DELETE FROM subscribers"))
            add(connection, SERIES, "ada@example.org", "en", ALL_KINDS, (), "import", NOW)

    def test_bounces_suspend(self, database: Database) -> None:
        ada, bob = subscribe(database, "ada@example.org"), subscribe(database, "bob@example.org")
        with database.begin() as connection:
            for expected in (Standing.ACTIVE, Standing.ACTIVE, Standing.BOUNCED):
                count_bounce(connection, ada, NOW, suspend=False)
                kept = by_id(connection, ada)
                assert kept is not None
                assert kept.state is expected
            count_bounce(connection, bob, NOW, suspend=True)
            kept = by_id(connection, bob)
            assert kept is not None
            assert kept.state is Standing.BOUNCED
