"""CSV as programs and people really make them: what stands around the table, whole days, cells that were merged."""

from datetime import date, time

import pytest

from pipeline.errors import CatalogueError
from pipeline.importing.found import Found, Manner
from pipeline.importing.reading import read


def rows_of(text: str | bytes, name: str = "x.csv", order: str = "") -> tuple[list[Found], list[str]]:
    """The events of a table, and what was lost of it as a whole."""
    data = text.encode() if isinstance(text, str) else text
    reading = read(name, data, Manner("Europe/Paris", order=order))
    events = list(reading.events)
    return events, list(map(str, reading.lost))


PRINTED = """Programme de la saison 2027;;;
;;;
Date;Heure;Titre;Intervenant(e)s
03/02/2027;18h30;"L'œuvre,
« muette »";Ada Roux / Paul Le Goff
;;;
Date;Heure;Titre;Intervenant(e)s
03/03/2027;19h;Suite;Marie Durand
;20h30;Pot de clôture;
"""


def test_a_title_above_the_table_and_its_names_on_each_page_are_no_events() -> None:
    (first, second, third), (above,) = rows_of(PRINTED.replace("\n", "\r\n").encode("cp1252"), order="dmy")
    assert "x.csv:1: row is not carried over: Programme de la saison 2027" in above
    assert [event.spot.line for event in (first, second, third)] == [4, 8, 9]
    assert first.facts["title"] == {"": "L'œuvre, « muette »"}
    assert (second.facts["date"], second.facts["time"]) == (date(2027, 3, 3), time(19))


def test_an_hour_without_a_day_is_named_and_the_day_above_it_asked_for() -> None:
    (first, _, party), _ = rows_of(PRINTED, order="dmy")
    assert {"date", "time"}.isdisjoint(party.facts)
    assert "20:30 (there is no day)" in str(party.lost[0])
    (question,) = party.questions
    assert question.values == {"day": "2027-03-03"}
    (question,) = first.questions
    assert question.values == {"name": "Ada Roux / Paul Le Goff"}
    (_, first, second), _ = rows_of("Titre;Date;Heure\nA;2027-03-04;19h\nB;;20h\nC;;21h\n")
    assert [event.questions[0].values for event in (first, second)] == [{"day": "2027-03-04"}] * 2
    (alone,), _ = rows_of("Titre;Heure\nPot;20h30\n")
    assert (len(alone.lost), alone.questions) == (1, ())


@pytest.mark.parametrize(
    "text",
    [
        "sep=,\nTitle,Date,Abstract\nBees,2027-05-06,one; two; three; four\n",
        "Our season; with a mark\nTitle,Date,Abstract\nBees,2027-05-06,one; two\n",
        "sep=\t\r\nTitle\tDate\tAbstract\r\nBees\t2027-05-06\tone; two\r\n",
    ],
)
def test_the_marks_are_those_by_which_columns_are_known(text: str) -> None:
    (event,), _ = rows_of(text)
    assert (event.facts["title"], event.facts["date"]) == ({"": "Bees"}, date(2027, 5, 6))
    assert event.facts["abstract"][""].startswith("one; two")


def test_columns_that_are_named_by_hand_are_looked_for_too() -> None:
    mapping = {"Quoi": "title", "Quand": "date", "Où": "venue"}
    data = "Programme, avec une date\nQuoi,Quand,Où\nAbeilles,2027-05-06,Mairie\n".encode()
    (event,) = read("x.csv", data, Manner("Europe/Paris", columns=mapping)).events
    assert (event.facts["title"], event.facts["date"]) == ({"": "Abeilles"}, date(2027, 5, 6))


def test_a_line_that_only_names_the_mark_is_not_named_as_lost() -> None:
    assert rows_of("sep=;\nTitre;Date\nAbeilles;2027-05-06\n")[1] == []
    with pytest.raises(CatalogueError) as refused:
        rows_of("sep=;\nKopf;Tag\nBienen;2027-05-06\n")
    assert "x.csv:2: no column is the title: Kopf, Tag" in str(refused.value)


def test_what_excel_saves_as_unicode_text_is_a_table() -> None:
    data = b"\xff\xfe" + "Titre\tDate\tHeure de début\r\nÉté\t4 mars 2027\t19:00\r\n".encode("utf-16-le")
    for name in ("x.csv", "x.txt"):
        (event,), _ = rows_of(data, name)
        assert (event.facts["title"], event.facts["time"]) == ({"": "Été"}, time(19))
    (event,), _ = rows_of(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n", "x.txt")
    assert event.facts["title"] == {"": "x"}


OUTLOOK = """"Subject","Start Date","Start Time","End Date","End Time","All day event","Sensitivity"
"Board","3/18/2027","7:00:00 PM","3/18/2027","9:00:00 PM","False","Normal"
"Open days","3/20/2027","12:00:00 AM","3/22/2027","12:00:00 AM","True",""
"One day","3/23/2027","12:00:00 AM","3/24/2027","12:00:00 AM","True",""
"Two days","3/25/2027","","3/26/2027","","True",""
"""


def test_whole_days_of_outlook_and_google_end_on_their_last_day() -> None:
    (board, several, one, two), (column,) = rows_of(OUTLOOK)
    assert (board.facts["time"], board.facts["end_time"], "all_day" in board.facts) == (time(19), time(21), False)
    assert [(e.facts["all_day"], e.facts["date"].day, e.facts.get("end_date")) for e in (several, one, two)] == [
        (True, 20, date(2027, 3, 21)), (True, 23, None), (True, 25, date(2027, 3, 26)),
    ]  # fmt: skip
    assert {"time", "end_time"}.isdisjoint(several.facts)
    assert 'column "Sensitivity" is not carried over: 1 ×' in column


def test_a_quote_that_is_never_closed_is_no_title_of_all_that_follows() -> None:
    text = 'Title;Date\nBees;2027-05-06\n"Wax;2027-05-07\nHoney;2027-05-08\n'
    with pytest.raises(CatalogueError) as refused:
        rows_of(text)
    assert str(refused.value) == "x.csv:3: this row can't be read: the file ends within quotes (is a quote missing?)"
    for sound in (text.replace('"', ""), text.replace("Wax;", 'Wax";'), text.replace('"Wax', '9" nails')):
        assert rows_of(sound)[0][-1].facts["date"] >= date(2027, 5, 7)
    long = "Title;Date\n" + 'Bees;2027-05-06\n"' + "Wax\n" * 30_000 + '";2027-05-07\n'
    assert len(rows_of(long)[0]) == 2


@pytest.mark.parametrize("name", ["x.csv", "x.ics", "x.xlsx", "x"])
@pytest.mark.parametrize("data", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_a_workbook_is_known_by_what_it_begins_with_whatever_its_name(name: str, data: bytes) -> None:
    with pytest.raises(CatalogueError, match="save the table as CSV"):
        rows_of(data, name)
