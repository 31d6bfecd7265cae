"""What is made of a catalogue is made once, and goes with it when another one is published."""

import gc
from pathlib import Path

from publishing import HEAD, TALK, edition
from visiting import MAILING, Visited

from pipeline.actions.made_once import MadeOnce
from pipeline.catalogue.models import Catalogue

A, B = edition(TALK).catalogue, edition(TALK).catalogue
FILMS = edition(TALK, head=HEAD.replace('id = "talks"', 'id = "films"')).catalogue


def test_a_thing_is_made_once_of_each_catalogue_under_each_name() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name

    things: MadeOnce[str] = MadeOnce(100)
    asked = [(A, "a"), (None, "no"), (A, "b"), (FILMS, "a"), (A, "a"), (None, "no"), (FILMS, "a")]
    assert [things.get(catalogue, name, lambda name=name: make(name)) for catalogue, name in asked] == [
        name for _, name in asked
    ]
    assert made == ["a", "no", "b", "a"]


def test_of_another_catalogue_of_the_series_it_is_made_anew() -> None:
    things: MadeOnce[str] = MadeOnce(100)
    assert [things.get(A, "page", lambda: "old"), things.get(B, "page", lambda: "new")] == ["old", "new"]


def test_no_more_is_remembered_than_was_said() -> None:
    made: list[int] = []
    things: MadeOnce[None] = MadeOnce(3)
    for name in (1, 2, 3, 1, 2, 3, 4, 1):
        things.get(A, name, lambda name=name: made.append(name))
    assert made == [1, 2, 3, 4, 1]


def test_a_service_that_sees_many_editions_keeps_the_newest_alone(tmp_path: Path) -> None:
    talks = "".join(TALK.replace('id = "', f'id = "n{number}-') for number in range(6))
    head = HEAD.replace('id = "talks"', 'id = "long-lived"') + MAILING
    editions = [edition(talks, head=f'{head}postal_address = "{number} High Street"\n') for number in range(6)]
    events = list(editions[0].catalogue.event_by_id)
    visit = Visited(editions[0], tmp_path)
    for number, one in enumerate(editions):
        visit.clock.sleep(60)
        visit.publish(one)
        # Each time another page and another letter: what nobody asks for again must go all the same.
        assert visit.get(f"/subscribe?event={events[number]}").status_code == 200
        form = {"address": f"reader{number}@reader.example", "event": events[number]}
        assert visit.post("/subscribe", form).status_code == 200
    visit.database.close()
    editions.clear()
    del one
    gc.collect()
    alive = [each for each in gc.get_objects() if isinstance(each, Catalogue) and each.series.id == "long-lived"]
    # What was published last, as the test has it and as the service has read it.
    assert len(alive) == 2
