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


PROGRAMME = (
    SMALLEST.replace("[site]", 'languages = ["en", "fr"]\n[site]')
    + """
[[venue]]
id = "fetes"
name = { fr = "Salle des fêtes", en = "Village hall" }
city = "Nérac"

[[venue]]
id = "mairie-annexe"
name = "Mairie"
city = "Nérac"

[[event]]
id = "un"
title = "L'eau, un commun ?"
date = 2027-03-04
time = "19:00"
"""
)
RULE = '[[reminder]]\nid = "soon"\nwhen = "1 day before at 10:00"\n'
LETTER = '[[newsletter]]\nid = "{}"\nsend = 2027-01-04T10:00:00\nsubject = "{}"\n'


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('venue = "Salle des fêtes"', "fetes"),
        ('venue = "SALLE DES FETES"', "fetes"),
        ('venue = "Village hall"', "fetes"),
        ('venue = "Fêtes"', "fetes"),
        ('venue = "mairie"', "mairie-annexe"),
        (f'{RULE}events = ["L\'eau, un commun ?"]', "un"),
        (LETTER.format("eau", "De l'eau") + LETTER.format("eau-bis", "Pardon") + 'corrects = "De l\'eau"', "eau"),
    ],
)
def test_who_names_a_table_by_what_it_is_called_is_offered_its_id(written: str, meant: str) -> None:
    assert [problem.remedy() for problem in problems_of(PROGRAMME + written)] == [f"did you mean {meant!r}?"]


@pytest.mark.parametrize("place", ["[defaults]\n[[venue]]", "[series]"])
@pytest.mark.parametrize("venue", ["Salle des fêtes", "village-hall"])
def test_what_events_inherit_is_offered_an_id_too(place: str, venue: str) -> None:
    header, _, following = place.partition("\n")
    text = PROGRAMME.replace(following or header, f'{header}\nvenue = "{venue}"\n{following}', 1)
    assert [problem.remedy() for problem in problems_of(text)] == ["did you mean 'fetes'?"]


def test_a_place_that_is_not_in_the_catalogue_is_no_other_one() -> None:
    hint = "write the `id` of one of the [[venue]] tables"
    assert [problem.remedy() for problem in problems_of(PROGRAMME + 'venue = "Chez Ada"')] == [hint]
    both = f'{PROGRAMME.replace("fetes", "Salle rouge", 1)}venue = "Salle rouge"'
    assert [problem.remedy() for problem in problems_of(both)][1:] == [hint]
