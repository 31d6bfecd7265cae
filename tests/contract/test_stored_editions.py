"""A whole edition in a database: what is read back is what was published, as it is stored now and as it was."""

import tracemalloc
import zlib
from datetime import timedelta

from simulated import START

from pipeline.actions.programmes import catalogue_in
from pipeline.actions.publish import store_edition
from pipeline.actions.remembering import Memory
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.texts import Prose
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines
from pipeline.store.database import Database
from pipeline.store.editions import Packed


def test_what_is_read_is_what_was_published(database: Database, seed_edition: Edition) -> None:
    store_edition(database, seed_edition, START)
    with database.look() as connection:
        read = Memory().edition(connection, seed_edition.series.id, START)
    assert read.catalogue == seed_edition.catalogue
    assert read.ledger == seed_edition.ledger


def test_of_two_processes_the_one_that_remembers_reads_the_next_edition(
    database: Database, seed_edition: Edition
) -> None:
    memory, fewer = Memory(), seed_edition.catalogue.altered(events=seed_edition.catalogue.events[:3])
    for number, catalogue in enumerate((seed_edition.catalogue, fewer)):
        at = START + timedelta(hours=number)
        store_edition(database, Edition(catalogue, seed_edition.ledger, seed_edition.day), at)
        with database.look() as connection:
            assert memory.edition(connection, seed_edition.series.id, at).catalogue == catalogue


def test_a_catalogue_in_one_piece_is_read_too(seed_edition: Edition) -> None:
    whole = seed_edition.catalogue.model_dump_json(by_alias=True, exclude_defaults=True)
    packed = Packed((zlib.compress(whole.encode()),))
    assert catalogue_in(seed_edition.series.id, packed) == seed_edition.catalogue


def long_edition(of: Catalogue) -> Edition:
    """A thousand events of ten thousand characters each."""
    first = of.events[0]
    events = tuple(
        first.altered(id=f"event-{number}", abstract=Prose({"en": f"{number} words, " * 1000}))
        for number in range(1000)
    )
    catalogue = of.altered(events=events)
    return Edition(catalogue, Ledger().extended(pending_lines(catalogue, Ledger(), START)), START.date())


def test_a_long_edition_is_never_held_as_text(database: Database, seed: Catalogue) -> None:
    edition = long_edition(Catalogue.model_validate_json(seed.model_dump_json(by_alias=True)))
    tracemalloc.start()
    try:
        store_edition(database, edition, START)
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert highest < 1_000 * 10_000 / 2
