"""A disk without room in mid-run: what is known is noted as long as that can be, and nobody is left out."""

import resource
import threading
import time
from pathlib import Path

from forking import Heard
from mail_sink import Sink, sink
from patience import PATIENCE
from test_kill import assert_copies_are_equal, finish, outcome, queue, start

from pipeline.store.tables import State

__all__ = ["sink"]

READERS = 400
ROOM = 60_000  # octets beyond the file's size: less than the whole round writes, more than one transaction does


def start_without_room(url: str, sink: Sink, octets: int) -> Heard:
    """A sender whose database, and the journal beside it, can't grow beyond so many octets once it sends."""
    limited = threading.Event()
    sink.at_the_dot = lambda: limited.wait(PATIENCE) and time.sleep(0.002)
    process = start(url, sink, connections=5)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (octets, octets))
    limited.set()
    return process


def test_with_room_to_note_what_was_sent_it_goes_on_and_sends_nothing_twice(tmp_path: Path, sink: Sink) -> None:
    file = tmp_path / "tocsin.db"
    expected = queue(f"sqlite:///{file}", READERS)
    process = start_without_room(f"sqlite:///{file}", sink, file.stat().st_size + ROOM)
    assert f"sent={READERS}" in finish(process)
    assert set(sink.copies()) == expected
    assert sink.copies().total() == READERS


def test_without_any_it_says_so_and_the_next_start_sends_the_rest(tmp_path: Path, sink: Sink) -> None:
    file = tmp_path / "tocsin.db"
    url = f"sqlite:///{file}"
    expected = queue(url, READERS)
    # What the journal holds can be copied to the end of the file no more.
    process = start_without_room(url, sink, file.stat().st_size * 3 // 4)
    _, complained = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "look at its free space" in complained
    assert 0 < len(sink.kept) < READERS
    finish(start(url, sink, connections=5))
    assert set(sink.copies()) == expected
    assert sink.copies().total() - READERS <= 5  # what was in hand and could not be noted
    assert_copies_are_equal(sink)
    assert outcome(url) == {State.SENT: READERS}
