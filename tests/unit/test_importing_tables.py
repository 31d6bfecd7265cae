"""CSV: columns by their names, days and hours as people write them, and what is not read for sure."""

from datetime import date, time
from pathlib import Path

import pytest

from pipeline.errors import CatalogueError
from pipeline.importing.cells import Days, UnreadableError, order_of, read_day_and_times, read_times
from pipeline.importing.columns import key_of
from pipeline.importing.found import Manner, Reading
from pipeline.importing.reading import read
from pipeline.importing.tables import read_table

DATA = Path(__file__).parents[1] / "data" / "import"


class Table:
    """A whole table, read to its end."""

    def __init__(self, reading: Reading) -> None:
        self.events = list(reading.events)
        self.lost = reading.lost


def table(text: str, order: str = "", **columns: str) -> Table:
    return Table(read_table(text.encode(), "x.csv", Manner("Europe/Paris", order=order, columns=columns)))


def test_a_french_spreadsheet_is_read_by_its_column_names() -> None:
    reading = Table(read("programme.csv", (DATA / "programme.csv").read_bytes(), Manner("Europe/Paris")))
    bees, water, surprise = reading.events
    assert bees.facts == {
        "number": 1,
        "title": {"": "Ce que savent les abeilles", "en": "What bees know"},
        "date": date(2027, 3, 4),
        "time": time(19),
        "end_time": time(21),
        "venue": {
            "name": {"": "Médiathèque du Canal"}, "street": "12 quai de la Marne", "postal_code": "75019",
            "city": "Paris",
        },
        "speakers": [{"name": "Jeanne Moreau-Petit"}],
        "registration": {"url": "https://form.example/abeilles"},
        "price": {"": "gratuit"},
        "tags": ["nature", "insectes"],
    }  # fmt: skip
    assert (water.facts["title"], water.facts["date"]) == ({"": "L'eau en ville"}, date(2027, 3, 18))
    assert [speaker["name"] for speaker in water.facts["speakers"]] == ["Ada Roux", "Paul Le Goff"]
    assert surprise.facts == {"number": 3, "title": {"": "Soirée surprise"}}
    assert [event.spot.line for event in reading.events] == [2, 3, 5]
    (column,) = reading.lost
    assert 'column "Régie"' in str(column)
    assert "--map" in str(column)


@pytest.mark.parametrize(
    ("column", "key"),
    [
        ("Titre", "title"), ("Title (fr)", "title.fr"), ("TITRE FR", "title.fr"), ("Date de début", "date"),
        ("Heure de fin", "end_time"), ("Lieu", "venue"), ("N°", "number"), ("title.en", "title.en"), ("Régie", ""),
        ("Résumé", "abstract"), ("end_date", "end_date"),
    ],
)  # fmt: skip
def test_a_column_is_known_by_the_names_that_people_give_it(column: str, key: str) -> None:
    assert key_of(column) == key


@pytest.mark.parametrize(
    "written",
    [
        "2027-05-07", "2027/05/07", "20270507", "7 mai 2027", "vendredi 7 mai 2027", "Fri 7 May 2027", "May 7, 2027",
        "7th May 2027", "ven. 7 mai 2027", "07.05.2027", "7 may 2027",
    ],
)  # fmt: skip
def test_a_day_that_can_be_read_in_one_way_is_read(written: str) -> None:
    assert Days("").read(written) == date(2027, 5, 7)


@pytest.mark.parametrize(
    "written", ["07/05/2027", "07-05-2027", "7 mai", "31/02/2027x", "2027-02-30", "soon", "mardi 7 mai 2027"]
)
def test_a_day_that_cannot_be_read_for_sure_is_refused(written: str) -> None:
    with pytest.raises(UnreadableError):
        Days("").read(written)


@pytest.mark.parametrize(
    "written",
    ["vendredi 7 mai 2027 de 14h à 17h", "7 mai 2027, de 14 h à 17 h", "Friday 7 May 2027, from 2 pm to 5 pm"],
)
def test_a_day_may_be_followed_by_two_hours_in_words(written: str) -> None:
    assert read_day_and_times(written, Days("")) == (date(2027, 5, 7), time(14), time(17))


def test_slashes_are_read_as_told_or_as_another_row_shows() -> None:
    assert Days("dmy").read("07/05/2027") == date(2027, 5, 7)
    assert Days("mdy").read("07/05/2027") == date(2027, 7, 5)
    assert order_of(["07/05/2027", "18/05/2027"]) == "dmy"
    assert order_of(["07/05/2027", "05/18/2027"]) == "mdy"
    assert order_of(["18/05/2027", "05/18/2027"]) == ""


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [
        ("19:00", time(19), None), ("19h", time(19), None), ("19h30", time(19, 30), None), ("7 pm", time(19), None),
        ("7:30 a.m.", time(7, 30), None), ("12 am", time(0), None), ("19:00–21:00", time(19), time(21)),
        ("19h à 21h30", time(19), time(21, 30)), ("19.30", time(19, 30), None), ("19:00:00", time(19), None),
        ("de 14h à 17h", time(14), time(17)), ("From 7 pm to 9 pm", time(19), time(21)), ("dès 19h", time(19), None),
        ("à partir de 19 h", time(19), None), ("Midi", time(12), None), ("19h – minuit", time(19), time(0)),
    ],
)  # fmt: skip
def test_hours_are_read_as_people_write_them(written: str, start: time, end: time | None) -> None:
    assert read_times(written) == (start, end)


@pytest.mark.parametrize("written", ["25:00", "evening", "19:75", "13 pm", "1-2-3"])
def test_what_is_no_hour_is_refused(written: str) -> None:
    with pytest.raises(UnreadableError):
        read_times(written)


def test_every_unreadable_row_is_named_at_once_with_its_line() -> None:
    with pytest.raises(CatalogueError) as caught:
        table("title,date,time\na,07/05/2027,19:00\nb,2027-01-01,late\n")
    assert [problem.line for problem in caught.value.problems] == [2, 3]
    assert "--dates dmy" in str(caught.value)


def test_a_day_and_an_hour_may_share_a_cell() -> None:
    (event,) = table("name,start,end\na,2027-05-07 19:00,2027-05-08T01:00\n").events
    assert event.facts["date"] == date(2027, 5, 7)
    assert (event.facts["end_date"], event.facts["end_time"]) == (date(2027, 5, 8), time(1))


def test_beside_a_day_start_and_end_may_be_hours_alone() -> None:
    rows = "2027-01-05;18h30;20h;A\n2027-01-06;2027-01-06 19:00;;B\n"
    first, second = table(f"Date;Début;Fin;Titre\n{rows}").events
    assert (first.facts["date"], first.facts["time"]) == (date(2027, 1, 5), time(18, 30))
    assert first.facts["end_time"] == time(20)
    assert (second.facts["date"], second.facts["time"]) == (date(2027, 1, 6), time(19))


def test_an_end_before_the_start_is_after_midnight() -> None:
    (event,) = table("title,date,time\na,2027-05-07,22:00-01:00\n").events
    assert event.facts["end_date"] == date(2027, 5, 8)


def test_a_mapping_names_columns_and_leaves_out_others() -> None:
    reading = table("Was,Wann,Rest\nA,2027-05-07,x\n", Was="title", Wann="date", Rest="")
    assert reading.events[0].facts == {"title": {"": "A"}, "date": date(2027, 5, 7)}
    assert not reading.lost


@pytest.mark.parametrize("columns", [{"Nowhere": "title"}, {"title": "flavour"}])
def test_a_wrong_mapping_says_what_there_is(columns: dict[str, str]) -> None:
    with pytest.raises(CatalogueError, match=r"the columns are title|it can hold abstract"):
        table("title,date\nA,2027-05-07\n", **columns)


def test_a_table_without_a_title_says_how_to_name_it() -> None:
    with pytest.raises(CatalogueError, match='--map "Was=title"'):
        table("Was,Wann\nA,B\n")


def test_what_windows_saves_is_read_too() -> None:
    data = "Titre;Date\nÉté;07/05/2027\n".encode("cp1252")
    (event,) = read("x.csv", data, Manner("Europe/Paris", order="dmy")).events
    assert event.facts["title"] == {"": "Été"}


@pytest.mark.parametrize(
    ("column", "key"),
    [
        ("Titre de l'événement", "title"), ("Nom de l’événement", "title"), ("Event name", "title"),
        ("Event", "title"), ("Titre de l'événement (en)", "title.en"), ("Event date", "date"),
        ("Place of the event", "venue"), ("Event 7", ""),
    ],
)  # fmt: skip
def test_a_column_may_say_that_it_is_of_the_event(column: str, key: str) -> None:
    assert key_of(column) == key


def test_an_instant_with_an_offset_is_told_in_the_zone_of_the_series() -> None:
    days = Days("", "Europe/Paris")
    assert read_day_and_times("2027-06-13T22:30:00Z", days) == (date(2027, 6, 14), time(0, 30), None)
    assert read_day_and_times("2027-06-13 21:00:00.000-04:00", days) == (date(2027, 6, 14), time(3), None)
    with pytest.raises(UnreadableError):
        read_day_and_times("9999-12-31T23:30:00Z", days)
    (event,) = table("name,start,end\na,2027-06-13T22:30:00Z,2027-06-13T23:00:00Z\n").events
    assert (event.facts["date"], event.facts["time"], event.facts["end_time"]) == (
        date(2027, 6, 14), time(0, 30), time(1),
    )  # fmt: skip
