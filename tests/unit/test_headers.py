"""Header fields: what goes in comes out of the standard library's parser, and nothing else does."""

from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage

import pytest

from pipeline.errors import PermanentDeliveryError
from pipeline.letters.headers import addresses, field, identified, mailbox, unstructured

LONG_URI = "https://news.example.org/unsubscribe/" + "k" * 120


def parsed(line: bytes) -> EmailMessage:
    return message_from_bytes(line + b"\r\nbody\r\n", policy=policy.default)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "text",
    [
        "Reminder",
        "Rappel : mar. 25 oct. 2022, 19:00 · Les conséquences de la dématérialisation sur le non-recours",
        "a long subject in plain words " * 12 + "that ends",
        "unbroken" * 30,
        "=?utf-8?q?not_encoded?=",
        "two  spaces",
        "日本語の題名" * 20,
        "🐑" * 60,
        'quotes " and \\ and (comments) and <angles>, commas; semicolons: colons',
    ],
)
def test_a_subject_is_read_as_it_was_written(text: str) -> None:
    line = unstructured("Subject", text)
    assert parsed(line)["Subject"] == text
    assert max(map(len, line.split(b"\r\n"))) <= 76


@pytest.mark.parametrize(
    "name",
    [
        "Mouton",
        "Le Mouton Numérique",
        "Mouton, Numerique and Sons",
        'The "Mouton" \\ Numérique',
        "A very long name, with commas, of an association in plain letters that wants to be called by all its names",
        "A very long name of an association in nothing but atoms that wants to be called by all its names and more",
        "J. R. Sheep",
        "sheep@example.org",
    ],
)
def test_a_display_name_stays_one_name_of_one_address(name: str) -> None:
    line = mailbox("From", f"{name} <news@example.org>")
    (address,) = parsed(line)["From"].addresses
    assert (address.display_name, address.addr_spec) == (name, "news@example.org")
    assert max(map(len, line.split(b"\r\n"))) <= 76


@pytest.mark.parametrize(
    "name", ["An association, é and more, with a name that " + "goes on, " * 8, "é" * 120, "x" * 120]
)
def test_a_name_that_needs_several_encoded_words_is_put_together_again(name: str) -> None:
    """Read by decode_header: the newer parser puts a space between two encoded words of a name, against RFC 2047."""
    name = name.strip()
    line = mailbox("From", f"{name} <news@example.org>").decode()
    ((words, charset), (address, _)) = decode_header(line.removeprefix("From: ").replace("\r\n", ""))
    assert (words.decode(charset), address.strip()) == (name, b"<news@example.org>")
    assert len(parsed(line.encode())["From"].addresses) == 1
    assert max(map(len, line.split("\r\n"))) <= 76


def test_a_name_that_was_typed_in_quotes_loses_them() -> None:
    line = mailbox("From", '"Sheep, Digital" <news@example.org>')
    assert parsed(line)["From"].addresses[0].display_name == "Sheep, Digital"


def test_a_bare_address_stays_bare() -> None:
    assert mailbox("Reply-To", "news@example.org") == b"Reply-To: news@example.org\r\n"


def test_a_list_of_uris_is_folded_between_them_only() -> None:
    line = addresses("List-Unsubscribe", LONG_URI, "mailto:leave@example.org?subject=unsubscribe%20x")
    assert (
        line == (f"List-Unsubscribe: <{LONG_URI}>,\r\n <mailto:leave@example.org?subject=unsubscribe%20x>\r\n").encode()
    )


def test_an_identifier_follows_its_words() -> None:
    line = identified("List-Id", "Démat", "talks.example.org")
    assert parsed(line)["List-Id"] == "Démat <talks.example.org>"


@pytest.mark.parametrize(
    "bad", ["\r\nBcc: x@example.org", "\nBcc: x@example.org", "\r", "\0", "\x1b", "\x85", "\ud800"]
)
def test_controls_are_refused_in_every_value(bad: str) -> None:
    for write in (
        lambda: unstructured("Subject", f"x{bad}y"),
        lambda: mailbox("From", f"x{bad} <a@example.org>"),
        lambda: mailbox("From", f"x <a{bad}@example.org>"),
        lambda: identified("List-Id", f"x{bad}", "a.example.org"),
        lambda: addresses("List-Help", f"https://example.org/{bad}"),
        lambda: field("Content-Language", f"en{bad}"),
    ):
        with pytest.raises(PermanentDeliveryError):
            write()


@pytest.mark.parametrize(
    "uri", ["https://example.org/> <https://evil.example", "https://example.org/a,b", "https://é.org"]
)
def test_a_uri_that_would_be_two_is_refused(uri: str) -> None:
    with pytest.raises(PermanentDeliveryError):
        addresses("List-Unsubscribe", uri)


def test_a_line_that_no_server_takes_is_refused() -> None:
    with pytest.raises(PermanentDeliveryError, match="longer than 998"):
        addresses("List-Help", "https://example.org/" + "x" * 1000)
