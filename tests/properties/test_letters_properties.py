"""Letters hold for any title, name, address and secret: nothing is injected, nothing is lost, no line is too long."""

import quopri
import re
import string
from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from letter_writing import ANA, MORNING, PUBLISH, REMINDER, SECRET, html_of, occasion, parsed, read_html, text_of

from pipeline.catalogue.texts import Line, Prose
from pipeline.edition import Edition
from pipeline.errors import PermanentDeliveryError
from pipeline.letters import Letter, Recipient, finish, read_token, token
from pipeline.letters.composing import compose
from pipeline.letters.headers import LIMIT, identified, mailbox, unstructured
from pipeline.letters.mime import quoted_printable
from pipeline.letters.plain import wrapped
from pipeline.letters.posting import post_of
from pipeline.letters.tokens import bounce_address, read_bounce_address
from pipeline.rendering import Renderer

anything = st.text(max_size=200)
line = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"]), min_size=1, max_size=250).filter(
    lambda text: text == text.strip() and not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
public_ids = st.text(string.ascii_letters + string.digits + "-_", min_size=16, max_size=16)
MARK = "0123456789abcdefghijkl.token.........."
RENDERER = Renderer()


def longest(octets: bytes) -> int:
    return max(map(len, octets.split(b"\r\n")))


@given(anything)
def test_any_subject_is_refused_or_read_as_written(text: str) -> None:
    try:
        written = unstructured("Subject", text)
    except PermanentDeliveryError:
        return
    message = message_from_bytes(written + b"\r\n", policy=policy.default)
    assert list(message) == ["Subject"]
    assert str(message["Subject"]) == text
    assert longest(written) <= 78


@given(anything, st.sampled_from(["From", "Reply-To"]))
def test_any_name_is_refused_or_stays_a_name(name: str, header: str) -> None:
    try:
        written = mailbox(header, f"{name} <a@example.org>")
    except PermanentDeliveryError:
        return
    message = message_from_bytes(written + b"\r\n", policy=policy.default)
    assert list(message) == [header]
    assert [address.addr_spec for address in message[header].addresses] == ["a@example.org"]
    assert longest(written) <= 78


@given(line)
def test_any_series_title_stands_before_its_identifier(title: str) -> None:
    written = identified("List-Id", title, "talks.example.org").decode().removeprefix("List-Id: ").replace("\r\n", "")
    words, _, identifier = written.rpartition("<")
    if words.startswith('"'):
        said = re.sub(r"\\(.)", r"\1", words.strip()[1:-1])
    else:
        said = str(make_header(decode_header(words.strip())))
    assert identifier == "talks.example.org>"
    assert said == title


@given(anything)
def test_quoted_printable_gives_back_any_text_with_its_marks_whole(text: str) -> None:
    written = quoted_printable(f"{text}{MARK}{text}\n", MARK)
    plain = f"{text}{MARK}{text}".replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    assert quopri.decodestring(written).decode().replace("\r\n", "\n").rstrip("\n") == plain
    assert MARK.encode() in written
    assert written.isascii()
    assert longest(written) <= 76


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n"), max_size=400))
def test_wrapping_loses_no_word(text: str) -> None:
    assert "".join(wrapped(text).split()) == "".join(text.split())


@given(anything, st.sampled_from(["unsubscribe", "confirm"]), st.binary(max_size=80))
def test_any_token_is_read_back_for_its_purpose_alone(public_id: str, purpose: str, secret: bytes) -> None:
    public_id = public_id.encode("ascii", "ignore").decode()
    made = token(public_id, purpose, secret)
    assert read_token(made, purpose, secret) == (public_id or None)
    assert read_token(made, purpose + "2", secret) is None
    assert read_token(made, purpose, secret + b"x") is None


@given(public_ids)
def test_any_bounce_is_told_by_its_address(public_id: str) -> None:
    address = bounce_address("b@example.org", public_id, SECRET)
    assert read_bounce_address(address.upper(), SECRET) == public_id
    assert len(address) == len("b+@example.org") + 40


@given(anything, st.binary(max_size=20))
def test_no_stranger_has_a_token(given_token: str, secret: bytes) -> None:
    assert read_token(given_token, "unsubscribe", SECRET + secret) is None
    assert read_bounce_address(given_token, SECRET + secret) is None


@settings(max_examples=60)
@given(line, line, public_ids)
def test_filling_in_marks_gives_what_writing_each_mail_would(
    seed_edition: Edition, title: str, about: str, public_id: str
) -> None:
    """Slow path: the unfilled letter is parsed and its marks are replaced in the decoded texts."""
    edition = _with(seed_edition, title, about)
    post = post_of(edition.catalogue, SECRET)
    letter = compose(edition, occasion("non-take-up"), REMINDER, "en", post, RENDERER, MORNING, calendar=PUBLISH)
    recipient = Recipient(7, "bo@example.org", public_id)
    body = finish(letter, recipient, "key", MORNING, post).body
    fast, slow = parsed(body), parsed(letter.source)
    own, mark = token(public_id, "unsubscribe", SECRET), _mark(letter.source)
    wants, choosing = mark.replace(".token", ".wants"), token(public_id, "preferences", SECRET)
    assert wants in text_of(slow)
    assert text_of(fast) == text_of(slow).replace(mark, own).replace(wants, choosing)
    assert html_of(fast) == html_of(slow).replace(mark, own).replace(wants, choosing)
    assert str(fast["Subject"]) == letter.subject
    assert title in letter.subject
    assert "".join(title.split()) in "".join(text_of(fast).split())
    assert " ".join(title.split()) in read_html(html_of(fast))[0]
    assert list(fast) == list(slow)
    assert longest(body) <= LIMIT


def _with(edition: Edition, title: str, about: str) -> Edition:
    changes = {"title": Line({"en": title}), "abstract": Prose({"en": about})}
    events = tuple(event.altered(**changes) for event in edition.catalogue.events)
    return Edition(edition.catalogue.altered(events=events), edition.ledger, edition.day)


def _mark(source: bytes) -> str:
    nonce = source.partition(b".date")[0].removeprefix(b"Date: ").decode()
    return f"{nonce}.token".ljust(38, ".")


@pytest.fixture(scope="module")
def letter(seed_edition: Edition) -> Letter:
    post = post_of(seed_edition.catalogue, SECRET)
    return compose(seed_edition, occasion("non-take-up"), REMINDER, "en", post, RENDERER, MORNING)


@given(st.one_of(anything, st.emails(), st.builds(lambda one, two: f"{one}@{two}", anything, anything)))
def test_any_address_is_refused_or_stays_the_only_one(seed_edition: Edition, letter: Letter, address: str) -> None:
    post = post_of(seed_edition.catalogue, SECRET)
    try:
        message = finish(letter, Recipient(1, address, ANA.public_id), "key", MORNING, post)
    except PermanentDeliveryError:
        return
    found = parsed(message.body)
    assert found.get_all("To") == [found["To"]]
    assert list(found) == list(parsed(letter.source))
    assert len(found["To"].addresses) == 1
    assert f"To: {address}\r\n".encode() in message.body
