"""Filling the marks of a letter for each recipient, tokens, and bodies in which marks stay whole."""

import quopri
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from letter_writing import ANA, MORNING, PUBLISH, SECRET, html_of, parsed, text_of, write

from pipeline.catalogue.models import Rule
from pipeline.edition import Edition
from pipeline.errors import PermanentDeliveryError
from pipeline.letters import Letter, Post, Recipient, finish, read_token, token, unsubscribe_token
from pipeline.letters.composing import compose
from pipeline.letters.mime import quoted_printable
from pipeline.letters.plain import wrapped
from pipeline.letters.posting import post_of
from pipeline.letters.tokens import bounce_address, read_bounce_address
from pipeline.reminders.occasions import Kind, Occasion
from pipeline.rendering import Renderer


@pytest.fixture(scope="module")
def letter(seed_edition: Edition, renderer: Renderer) -> tuple[Letter, Post]:
    post = post_of(seed_edition.catalogue, SECRET)
    rule = Rule(id="r", when="2 days before at 10:00")
    due = Occasion("non-take-up", "r", 0, Kind.REMINDERS, MORNING, MORNING + timedelta(hours=12))
    return compose(seed_edition, due, rule, "en", post, renderer, MORNING, calendar=PUBLISH), post


def test_two_recipients_differ_in_their_own_parts_only(letter: tuple[Letter, Post]) -> None:
    composed, post = letter
    other = Recipient(2, "bo@example.org", "0000000000000000")
    one, two = (finish(composed, who, "key", MORNING, post) for who in (ANA, other))
    assert one.message_id != two.message_id
    assert one.envelope_sender != two.envelope_sender
    neutral = one.body
    for mine, theirs in (
        (ANA.address, other.address),
        (one.message_id, two.message_id),
        (unsubscribe_token(ANA.public_id, SECRET), unsubscribe_token(other.public_id, SECRET)),
        (token(ANA.public_id, "preferences", SECRET), token(other.public_id, "preferences", SECRET)),
    ):
        assert mine.encode() in neutral
        neutral = neutral.replace(mine.encode(), theirs.encode())
    assert neutral == two.body


def test_a_resend_keeps_its_message_id_and_with_its_date_all_bytes(letter: tuple[Letter, Post]) -> None:
    composed, post = letter
    first = finish(composed, ANA, "key", MORNING, post)
    assert finish(composed, ANA, "key", MORNING, post) == first
    later = finish(composed, ANA, "key", MORNING + timedelta(hours=1), post)
    assert later.message_id == first.message_id
    assert parsed(later.body)["Date"].datetime == MORNING + timedelta(hours=1)
    assert finish(composed, ANA, "other", MORNING, post).message_id != first.message_id


def test_a_stored_letter_is_finished_as_well_as_a_fresh_one(letter: tuple[Letter, Post]) -> None:
    composed, post = letter
    stored = Letter(composed.language, composed.subject, bytes(bytearray(composed.source)))
    assert finish(stored, ANA, "key", MORNING, post) == finish(composed, ANA, "key", MORNING, post)
    with pytest.raises(PermanentDeliveryError, match="doesn't begin with its marks"):
        finish(Letter("en", "", b"Subject: x\r\n\r\n"), ANA, "key", MORNING, post)


def test_no_mark_is_left_and_none_can_be_guessed_from_a_mail(letter: tuple[Letter, Post]) -> None:
    composed, post = letter
    nonce = composed.source[len("Date: ") :][:22]
    body = finish(composed, ANA, "key", MORNING, post).body
    assert composed.source.count(nonce) >= 7
    assert nonce not in body


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org, b@example.org", "a@example.org\r\nBcc: b@example.org", "a b@example.org", "<a@example.org>",
        "a@example.org\n", "a", "a@b@c", "", "(x)a@example.org", "a@exa mple.org", "x:a@example.org;",
    ],
)  # fmt: skip
def test_an_address_that_would_be_more_than_one_is_refused(letter: tuple[Letter, Post], address: str) -> None:
    composed, post = letter
    with pytest.raises(PermanentDeliveryError):
        finish(composed, Recipient(1, address, ANA.public_id), "key", MORNING, post)


@pytest.mark.parametrize("address", ["o'neill+x@example.org", '"a, b"@example.org', "zoé@exämple.org"])
def test_unusual_addresses_stay_one_address(letter: tuple[Letter, Post], address: str) -> None:
    composed, post = letter
    message = finish(composed, Recipient(1, address, ANA.public_id), "key", MORNING, post)
    (found,) = parsed(message.body)["To"].addresses
    assert found.addr_spec.encode("utf-8", "surrogateescape") == address.encode()
    assert message.recipient == address


# --------------------------------------------------------------------------------------------- tokens


def test_a_token_is_good_for_its_bearer_purpose_and_secret_only() -> None:
    token = unsubscribe_token(ANA.public_id, SECRET)
    assert len(token) == 38
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert read_token(token, "unsubscribe", SECRET) == ANA.public_id
    assert read_token(token, "confirm", SECRET) is None
    assert read_token(token, "unsubscribe", b"other") is None
    for forged in ("", "x", token[:-1], token + "x", "Z" + token[1:], token.swapcase(), token[:-1] + "é", token[-22:]):
        assert read_token(forged, "unsubscribe", SECRET) is None


@pytest.mark.parametrize("public_id", [ANA.public_id, "0123456789_-abcd", "not base64!", "abc"])
def test_a_bounce_tells_whose_mail_it_was_even_in_other_case(public_id: str) -> None:
    address = bounce_address("news-bounces@example.org", public_id, SECRET)
    assert re.fullmatch(r"news-bounces\+[0-9a-f]+@example\.org", address)
    assert read_bounce_address(address, SECRET) == public_id
    assert read_bounce_address(address.upper(), SECRET) == public_id
    assert read_bounce_address(address, b"other") is None
    assert read_bounce_address("news-bounces@example.org", SECRET) is None
    assert len(bounce_address("annonces-bounces@x.org", ANA.public_id, SECRET).partition("@")[0]) <= 64


# ------------------------------------------------------------------------------------------------ bodies


def test_a_mark_stays_whole_wherever_a_line_would_break() -> None:
    mark = "0123456789abcdefghijkl.token.........."
    for before in range(90):
        encoded = quoted_printable("é" * (before % 7) + "x" * before + mark + "y" * 50 + "\n", mark)
        assert mark.encode() in encoded
        assert max(map(len, encoded.split(b"\r\n"))) <= 76


def test_two_marks_on_one_line_both_stay_whole() -> None:
    first, second = "0123456789abcdefghijkl.token..........", "0123456789abcdefghijkl.wants.........."
    for between in range(90):
        text = f"{'x' * 50}{first}{'y' * between}{second}é{first}"
        encoded = quoted_printable(text, first, second)
        assert (encoded.count(first.encode()), encoded.count(second.encode())) == (2, 1)
        assert max(map(len, encoded.split(b"\r\n"))) <= 76
        assert quopri.decodestring(encoded).decode() == text + "\r\n"


def test_the_link_to_ones_choices_opens_for_its_reader_and_does_not_unsubscribe(
    letter: tuple[Letter, Post], seed_edition: Edition
) -> None:
    composed, post = letter
    mail = parsed(finish(composed, ANA, "key", MORNING, post).body)
    for read in (text_of(mail), html_of(mail)):
        [given] = re.findall(r"https://digitize\.example/preferences/([\w-]+)", read)
        assert read_token(given, "preferences", SECRET) == ANA.public_id
        assert read_token(given, "unsubscribe", SECRET) is None
    for other in (replace(post, service=None), post.to_mailing_list()):
        due = Occasion("non-take-up", "r", 0, Kind.REMINDERS, MORNING, MORNING + timedelta(hours=12))
        without = write(seed_edition, due, post=other)
        assert "/preferences/" not in text_of(without) + html_of(without)


def test_text_is_wrapped_links_stay_whole_and_lists_hang() -> None:
    link = "https://example.org/" + "x" * 80
    text = wrapped(f"When: {'word ' * 20}\n\n\n\n– {'thing ' * 20}\n{link}\n  now: {link}\n--\nfoot\n")
    lines = text.split("\n")
    assert lines[0].startswith("When: word")
    assert lines[1].startswith("      word")
    assert "\n\n\n" not in text
    assert "\n  thing" in text
    assert link in lines
    assert f"  now: {link}" in lines
    assert "-- " in lines
    assert all(len(line) <= 72 for line in lines if link not in line)
