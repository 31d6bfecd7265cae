"""What libraries say in English of broken files and addresses is told in words of ours, which exist in French."""

import csv
import re
from collections.abc import Callable

import pytest
from sqlalchemy.exc import OperationalError
from test_catalogue_words import french

from pipeline.alerts import messenger
from pipeline.delivery.server import mail_server
from pipeline.errors import CatalogueError, SettingsError, TocsinError
from pipeline.importing.calendars import read_calendar
from pipeline.importing.found import Manner
from pipeline.importing.frab import read_schedule
from pipeline.importing.json_pieces import Document
from pipeline.importing.layout import unreadable
from pipeline.importing.reading import read
from pipeline.store.addresses import AddressError, normalised
from pipeline.store.troubles import told

FRENCH = french()
ADDRESSES = {
    "ada": "there is no @ in it",
    "@b.example": "nothing stands before the @",
    "ada@": "nothing stands after the @",
    "ada@b": "what stands after the @ has no dot",
    "ada b@c.example": "before the @ stands a character that no address has there",
    "ada@b..example": "a dot or a hyphen stands at an edge, or two of them stand together",
    ".ada@b.example": "a dot or a hyphen stands at an edge, or two of them stand together",
    "ada@-b.example": "a dot or a hyphen stands at an edge, or two of them stand together",
    "ada@b.example.": "a dot or a hyphen stands at an edge, or two of them stand together",
    f"ada@{'x' * 64}.example": "it is too long",
    f"ada@{'x.' * 130}example": "it is too long",
    "Ada <ada@b.example>": "write the address alone, without a name or brackets",
    "<ada@b.example": "write the address alone, without a name or brackets",
    "ada@[192.0.2.1]": "write the address alone, without a name or brackets",
    '"ada b"@c.example': "write the address alone, without a name or brackets",
    "ada@b.example, bob@b.example": "it has two @: write one address",
    "ada@b_c.example": "after the @ stands a character that no address has there",
    "ada@b.example\x00": "after the @ stands a character that no address has there",
    "ada@xn--a.example": "after the @ stands a character that no address has there",
    "ada@b.123": "its last part is no name of a domain",
    "ada＠b.example": "its @ is another sign that only looks like it",
    "ada﹫b.example": "its @ is another sign that only looks like it",
    "\u200bada@b.example": "it holds a character that can't be seen",
    "ada@b.invalid": "no mail can go to such a domain",
}
JSON = {
    "": "a value is missing, or it is none: true, false, null, a number, or a text between double quotes",
    "nul": "a value is missing, or it is none: true, false, null, a number, or a text between double quotes",
    '{"a" 1}': "a colon is missing after a name",
    '{"a": 1 "b": 2}': "a comma is missing between two values, or a bracket that closes",
    "{a: 1}": "a name between double quotes is missing, or there is a comma too many",
    '"a': "a quote that closes a text is missing",
    '"a\nb"': "a text is broken by the end of a line or a control character",
    r'"\x"': "a text has a backslash before a sign that needs none",
    "[1] x": "something follows after its end",
    "[[1]": "what opens here is never closed",
    "9" * 5000: "a number has too many digits",
}
XML = {
    "": "the file is empty",
    "x": "it does not begin with an element",
    "<schedule>": "it ends before all that was opened is closed",
    "<schedule": "it ends before all that was opened is closed",
    "<schedule><![CDATA[x</schedule>": "it ends before all that was opened is closed",
    "<schedule><day></schedule>": "an element is closed that is not the last one opened",
    "<schedule>a & b</schedule>": "a & stands alone; it is written &amp;",
    "<schedule>&amp</schedule>": "a & stands alone; it is written &amp;",
    "<schedule a=1/>": "a value is not between quotes",
    '<schedule a="1" a="2"/>': "an element has one attribute twice",
    "<schedule>\x01</schedule>": "it holds a control character",
    '<?xml version="1.0" encoding="none"?><schedule/>': "its characters are in no known encoding",
    "<schedule/>x": "something follows after its end",
    '<schedule a="<"/>': "a < stands in a value; it is written &lt;",
    "<schedule>" + "<a>" * 300: "elements are nested too deep",
    '\n<?xml version="1.0"?><schedule/>': "something stands before its first line",
}
TABLES = {
    '"a': "the file ends within quotes",
    '"a"b': "something follows the quote that closes a cell",
    "a\rb": "a line ends within a cell that has no quotes",
    "x" * 200_000: "a line or a cell is longer than five million characters",
}
SERVERS = {
    'connection to server at "127.0.0.1", port 5432 failed: Connection refused': "nobody listens there",
    "connection timeout expired": "no answer came in time",
    "failed to resolve host 'nowhere'": "no machine has that name; look at how it is spelt, and at the network",
    'FATAL:  password authentication failed for user "ada"': "the server refused the user or the password",
    'FATAL:  database "talks" does not exist': "the server has no such database",
    'permission denied for database "talks"': "the user may not do that in this database",
    "FATAL:  sorry, too many clients already": "the server has too many connections",
    "something that nobody foresaw": "something that nobody foresaw",
}


def reason_in(work: Callable[[], object]) -> str:
    """The reason why a file can't be read, which is said in French too."""
    with pytest.raises(CatalogueError) as caught:
        work()
    [problem] = caught.value.problems
    reason = problem.values["reason"]
    assert isinstance(reason, TocsinError)
    assert reason.message in FRENCH
    assert FRENCH[reason.message] in problem.what(lambda text: FRENCH.get(text, text))
    return str(reason)


@pytest.mark.parametrize(("address", "reason"), ADDRESSES.items())
def test_what_can_be_no_address_is_refused_in_our_words(address: str, reason: str) -> None:
    with pytest.raises(AddressError) as caught:
        normalised(address)
    assert str(caught.value).endswith(f"can't be an address: {reason}")
    assert FRENCH[reason] in caught.value.said(lambda text: FRENCH.get(text, text))


@pytest.mark.parametrize(("text", "reason"), JSON.items(), ids=range(len(JSON)))
def test_broken_json_is_told_in_our_words(text: str, reason: str) -> None:
    def read() -> None:
        document = Document(text.encode(), "events.json")
        document.value(document.whole)

    assert reason_in(read) == reason


@pytest.mark.parametrize(("text", "reason"), XML.items(), ids=range(len(XML)))
def test_broken_xml_is_told_in_our_words(text: str, reason: str) -> None:
    def read() -> None:
        list(read_schedule(text.encode(), "schedule.xml", Manner("Europe/Paris")).events)

    assert reason_in(read) == reason


@pytest.mark.parametrize(("text", "reason"), TABLES.items(), ids=range(len(TABLES)))
def test_a_broken_table_is_told_in_our_words(text: str, reason: str) -> None:
    limit = csv.field_size_limit(100_000)
    try:
        with pytest.raises(csv.Error) as caught:
            list(csv.reader([text], strict=True))
    finally:
        csv.field_size_limit(limit)
    assert unreadable(caught.value).said(FRENCH.__getitem__) == FRENCH[reason]


@pytest.mark.parametrize(("said", "reason"), SERVERS.items())
def test_what_a_database_server_says_is_told_in_our_words(said: str, reason: str) -> None:
    error = told(OperationalError("SELECT 1", {}, Exception(f"{said}\n\tand more")), "postgresql://db")
    assert str(error) == f"the database postgresql://db can't be used: {reason}"


def test_a_time_that_no_calendar_holds_is_shown_as_it_is_written() -> None:
    text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:X\nDTSTART;VALUE=DATE:2027\nEND:VEVENT\nEND:VCALENDAR\n"
    [found] = read_calendar(text.encode(), "talks.ics", Manner("Europe/Paris")).events
    assert [lost.show() for lost in found.lost] == [
        'talks.ics:2: "X": DTSTART is not carried over: 2027 (it can\'t be read)'
    ]


@pytest.mark.parametrize("name", ["talks.xlsx", "talks.ods", "talks"])
def test_a_spreadsheet_is_refused_with_what_to_save_it_as(name: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read(name, b"PK\x03\x04 and more", Manner("Europe/Paris"))
    assert str(caught.value).endswith("(save the table as CSV, and import that)")


@pytest.mark.parametrize("url", ["smtp://ada:pa/ss@mail.example:25", "smtp://mail.example:99999", "smtp://[::1:25"])
def test_an_address_of_a_mail_server_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        mail_server(url)
    assert "its host or its port is wrong" in str(caught.value)
    assert not re.search("ada|'pa'|99999|::1", str(caught.value))


@pytest.mark.parametrize(
    ("command", "reason"), [("tell 'x", "a quote is opened and not closed"), ("tell \\", "it ends with a backslash")]
)
def test_a_command_that_cannot_be_understood_is_told_in_our_words(command: str, reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        messenger(command)
    assert FRENCH[reason] in caught.value.said(lambda text: FRENCH.get(text, text))
