"""Signatures of DKIM, verified by dkimpy, which didn't make them."""

from collections.abc import Mapping
from datetime import timedelta

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from letter_writing import ANA, MORNING, PUBLISH, REMINDER, RENDERER, SECRET, TITLE, occasion, published

from pipeline.errors import SettingsError
from pipeline.letters import Letter, Recipient, finish
from pipeline.letters.composing import compose
from pipeline.letters.dkim_keys import PrivateKey, read_key
from pipeline.letters.message import Post
from pipeline.letters.posting import post_of

RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()


def pem(private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key(private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, selector: str) -> PrivateKey:
    return read_key(f"{selector}._domainkey.digitize.example", pem(private))


KEYS = (key(RSA, "mail"), key(ED25519, "mail-ed"))


def letter_from(seed_text: str, keys: tuple[PrivateKey, ...]) -> tuple[Letter, Post]:
    edition = published(seed_text)
    post = post_of(edition.catalogue, SECRET, keys)
    about = occasion("non-take-up")
    return compose(edition, about, REMINDER, "fr", post, RENDERER, about.due, calendar=PUBLISH), post


@pytest.fixture
def signed(seed_text: str) -> bytes:
    letter, post = letter_from(seed_text, KEYS)
    return finish(letter, ANA, "non-take-up/two-days-before/0", MORNING, post).body


def verified(message: bytes, keys: tuple[PrivateKey, ...] = KEYS) -> list[bool]:
    records: Mapping[bytes, bytes] = {f"{key.record}.".encode(): key.entry.encode() for key in keys}
    results = []
    for number in range(len(keys)):
        try:
            found = dkim.DKIM(message).verify(idx=number, dnsfunc=lambda name, **_: records.get(name))
        except dkim.ValidationError:
            found = False
        results.append(found)
    return results


def test_both_signatures_hold_and_the_letter_below_them_is_the_unsigned_one(signed: bytes, seed_text: str) -> None:
    assert verified(signed) == [True, True]
    letter, post = letter_from(seed_text, ())
    plain = finish(letter, ANA, "non-take-up/two-days-before/0", MORNING, post).body
    assert signed.endswith(plain)
    assert signed[: -len(plain)].count(b"DKIM-Signature:") == 2
    assert max(map(len, signed[: -len(plain)].split(b"\r\n"))) <= 100


def test_every_reader_of_a_letter_gets_a_signature_that_holds(seed_text: str) -> None:
    letter, post = letter_from(seed_text, KEYS)
    for number in range(5):
        reader = Recipient(number, f"reader{number}@example.org", f"AbCdEfGhIjKlMn{number:02}")
        assert verified(finish(letter, reader, "key", MORNING + timedelta(seconds=number), post).body) == [True, True]


@pytest.mark.parametrize(
    "name", [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"List-Unsubscribe", b"List-Unsubscribe-Post"]
)
def test_a_field_that_is_changed_on_the_way_breaks_them(signed: bytes, name: bytes) -> None:
    head, _, body = signed.partition(b"\r\n\r\n")
    assert b"\r\n" + name + b": " in head
    changed = head.replace(b"\r\n" + name + b": ", b"\r\n" + name + b": x", 1)
    assert verified(changed + b"\r\n\r\n" + body) == [False, False]


def test_a_second_from_and_a_changed_word_break_them(signed: bytes) -> None:
    assert verified(b"From: somebody@else.example\r\n" + signed) == [False, False]
    assert b"digitize.example" in signed.partition(b"\r\n\r\n")[2]
    head, _, body = signed.partition(b"\r\n\r\n")
    changed = body.replace(b"digitize.example", b"digitise.example", 1)
    assert verified(head + b"\r\n\r\n" + changed) == [False, False]
    assert verified(signed[:-40] + b"x" + signed[-39:]) == [False, False]


def test_what_servers_do_to_blanks_and_folds_is_forgiven(signed: bytes) -> None:
    assert verified(signed.replace(b"List-Unsubscribe: ", b"List-Unsubscribe:\r\n\t ", 1)) == [True, True]
    assert verified(signed + b"\r\n\r\n") == [True, True]
    assert verified(signed.replace(b"MIME-Version: 1.0\r\n", b"MIME-Version:  1.0  \r\n")) == [True, True]


def test_the_same_letter_at_the_same_second_has_the_same_signature(seed_text: str) -> None:
    letter, post = letter_from(seed_text, KEYS)
    bodies = {finish(letter, ANA, "key", MORNING, post).body for _ in range(3)}
    assert len(bodies) == 1


def test_blanks_around_a_mark_and_at_line_ends_are_hashed_as_a_verifier_does(seed_text: str) -> None:
    letter, post = letter_from(seed_text, KEYS)
    nonce = letter.source[6:28].decode()
    token = f"{nonce}.token{'.' * 10}".encode()
    head = letter.source.partition(b"\r\n\r\n")[0]
    body = b"a  b \t" + token + b"  \r\n \r\n\t" + token + b" x\r\n\r\n \r\n\r\n"
    odd = Letter("fr", TITLE, head + b"\r\n\r\n" + body)
    assert verified(finish(odd, ANA, "key", MORNING, post).body) == [True, True]


@pytest.mark.parametrize(
    ("record", "file", "said"),
    [
        ("mail.example.org", pem(RSA), "names no DNS record"),
        ("mail._domainkey.example.org", b"nothing", "no unencrypted private key"),
        (
            "mail._domainkey.example.org",
            RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
            "no unencrypted private key",
        ),
        ("mail._domainkey.example.org", pem(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
    ],
)
def test_a_key_that_cannot_serve_is_refused_in_words(record: str, file: bytes, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_key(record, file)
