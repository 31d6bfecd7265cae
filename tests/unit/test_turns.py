"""Writers in line: in the order they came, many in one commit, and nobody pays for another's error."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from pipeline.clock import FrozenClock
from pipeline.errors import StoreError
from pipeline.store.database import Database, open_database
from pipeline.store.turns import Turns


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(f"sqlite:///{tmp_path / 'x.db'}", FrozenClock(datetime(2027, 1, 1, tzinfo=UTC))) as opened:
        with opened.begin() as connection:
            connection.execute(text("CREATE TABLE notes (word TEXT UNIQUE)"))
        yield opened


def at_once(works: list[Callable[[], None]], holding: Callable[[Callable[[], None]], None]) -> None:
    """Runs the works in threads of their own, all begun while somebody else has the turn."""
    threads = [threading.Thread(target=work) for work in works]

    def begin() -> None:
        for thread in threads:
            thread.start()
            thread.join(0.05)  # it comes to stand in line before the next one comes

    holding(begin)
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def noted(word: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(text("INSERT INTO notes VALUES (:word)"), {"word": word})
        return word

    return work


def test_the_turn_goes_round_in_the_order_in_which_threads_came() -> None:
    turns, order = Turns(20), list[int]()

    def one(number: int) -> Callable[[], None]:
        def work() -> None:
            with turns.turn():
                order.append(number)

        return work

    def holding(begin: Callable[[], None]) -> None:
        with turns.turn():
            begin()

    at_once([one(number) for number in range(5)], holding)
    assert order == [0, 1, 2, 3, 4]


def test_whoever_waits_too_long_goes_on_and_leaves_the_line() -> None:
    turns = Turns(0.01)
    with turns.turn(), turns.turn():
        pass
    turns = Turns(20)
    with turns.turn():
        pass
    with turns.turn():  # it was given back
        pass


def joined(database: Database, works: list[Callable[[Connection], str]]) -> tuple[list[str], list[str], int]:
    """What the works gave, what they complained of, and how many commits it took."""
    gave, complained, commits = list[str](), list[str](), list[object]()

    def one(work: Callable[[Connection], str]) -> Callable[[], None]:
        def asked() -> None:
            try:
                gave.append(database.join(work))
            except (StoreError, ValueError) as error:
                complained.append(str(error))

        return asked

    def holding(begin: Callable[[], None]) -> None:
        with database.begin():
            begin()
            event.listen(database.engine, "commit", commits.append)

    at_once([one(work) for work in works], holding)
    return sorted(gave), complained, len(commits) - 1  # one is of who held the turn


def words_in(database: Database) -> list[str]:
    with database.look() as connection:
        return sorted(connection.execute(text("SELECT word FROM notes")).scalars())


def test_what_is_asked_for_while_another_writes_is_one_commit(database: Database) -> None:
    words = [f"word {number}" for number in range(6)]
    assert joined(database, [noted(word) for word in words]) == (words, [], 1)
    assert words_in(database) == words


def test_the_error_of_one_is_told_to_that_one_and_the_others_are_written(database: Database) -> None:
    def wrong(_connection: Connection) -> str:
        raise ValueError("nothing to write")

    words = ["a", "b", "c"]
    gave, complained, _ = joined(database, [noted("a"), wrong, noted("b"), noted("c"), noted("a")])
    assert (gave, len(complained)) == (words, 2)
    assert "nothing to write" in complained
    assert words_in(database) == words
