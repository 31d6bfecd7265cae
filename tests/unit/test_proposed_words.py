"""What was probably meant is proposed for a wrong word, and looked for no longer than a reader could use it."""

import difflib

import pytest
from smallest import SMALLEST

from pipeline.catalogue.findings import MOST_COMPARED
from pipeline.catalogue.load import Source, load
from pipeline.errors import CatalogueError, Problem

VENUES = 400


def catalogue_of(events: int) -> str:
    """Four hundred venues, and events of which each names one that isn't there."""
    venues = "".join(f'[[venue]]\nid = "hall-{number}"\nname = "H"\ncity = "Paris"\n' for number in range(VENUES))
    return f"{SMALLEST}{venues}" + "".join(
        f'[[event]]\nid = "talk-{number}"\ntitle = "T"\ndate = 2027-03-04\ntime = "19:00"\nvenue = "hell-{number}"\n'
        for number in range(events)
    )


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", text))
    return caught.value.problems


def test_among_very_many_mistakes_the_first_get_a_proposal_and_all_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    nearest = difflib.get_close_matches

    def counted(word: str, known: list[str], n: int, cutoff: float) -> list[str]:
        compared.append(len(known))
        return nearest(word, known, n, cutoff)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    problems = problems_of(catalogue_of(3 * MOST_COMPARED // VENUES))
    proposed = [problem for problem in problems if "did you mean" in problem.hint]
    assert len(problems) == 3 * MOST_COMPARED // VENUES
    assert sum(compared) == MOST_COMPARED
    assert proposed == list(problems[: MOST_COMPARED // VENUES])
    assert proposed[7].remedy() == "did you mean 'hall-7'?"
    assert {problem.what() for problem in problems} == {
        f"there is no [[venue]] 'hell-{number}'" for number in range(len(problems))
    }


def test_a_key_gets_its_proposal_also_where_references_used_up_what_may_be_compared() -> None:
    text = catalogue_of(MOST_COMPARED // VENUES + 1).replace('title = "T"', 'titel = "T"', 1)
    assert problems_of(text)[0].show().endswith("there is no key `titel` here (did you mean 'title'?)")
