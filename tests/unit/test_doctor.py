"""What the doctor makes of the answers of the DNS."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from letter_writing import SECRET

from pipeline.actions.doctor import Health, Look, examine_database, examine_names, look_at
from pipeline.catalogue.models import Catalogue
from pipeline.clock import FrozenClock
from pipeline.commands.status import STATES
from pipeline.delivery.names import Answer, tag
from pipeline.errors import StoreError
from pipeline.letters.dkim_keys import PrivateKey, read_key
from pipeline.letters.posting import post_of
from pipeline.store.database import open_database

PEM = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def dns(records: Mapping[str, tuple[str, ...]]) -> Look:
    return lambda name: Answer(records.get(name, ()))


def examined(seed: Catalogue, look: Look, *keys: PrivateKey) -> dict[str, tuple[Health, str]]:
    return {one.what: (one.health, one.said) for one in examine_names(post_of(seed, SECRET), keys, look)}


@pytest.fixture
def domain(seed: Catalogue) -> str:
    return post_of(seed, SECRET).message_domain


def test_trouble_is_told_in_the_readers_language() -> None:
    def away() -> str:
        raise StoreError("{file}: {reason}", file="x", reason=StoreError("it is empty"))

    def missing() -> str:
        raise StoreError("it is empty")

    french = {"database": "base", "it is empty": "elle est vide"}
    said = [look_at("database", work).in_words(lambda text: french.get(text, text)) for work in (away, missing)]
    assert said == [("base", "x: elle est vide"), ("base", "elle est vide")]


def test_all_is_well_where_the_records_are_there(seed: Catalogue, domain: str) -> None:
    key = read_key(f"mail._domainkey.{domain}", PEM)
    look = dns(
        {domain: ("v=spf1 mx -all", "other"), f"_dmarc.{domain}": ("v=DMARC1; p=none",), key.record: (key.entry,)}
    )
    assert {health for health, _ in examined(seed, look, key).values()} == {Health.WELL}


def test_what_is_missing_is_told_with_what_to_publish(seed: Catalogue, domain: str) -> None:
    key = read_key(f"mail._domainkey.{domain}", PEM)
    found = examined(seed, dns({}), key)
    assert found[f"SPF of {domain}"][0] is found[f"DMARC of {domain}"][0] is Health.DOUBTFUL
    health, said = found[f"DKIM at {key.record}"]
    assert (health, key.entry in said) == (Health.ILL, True)


def test_another_key_in_the_dns_and_a_key_of_another_domain_are_bad(seed: Catalogue, domain: str) -> None:
    key = read_key(f"mail._domainkey.{domain}", PEM)
    other = key.entry.replace(key.public, "AAAA")
    assert examined(seed, dns({key.record: (other,)}), key)[f"DKIM at {key.record}"][0] is Health.ILL
    foreign = read_key("mail._domainkey.elsewhere.example", PEM)
    assert "doesn't speak for it" in examined(seed, dns({}), foreign)[f"DKIM at {foreign.record}"][1]


def test_two_records_of_spf_are_none(seed: Catalogue, domain: str) -> None:
    found = examined(seed, dns({domain: ("v=spf1 mx", "v=spf1 a")}))
    assert found[f"SPF of {domain}"][0] is Health.ILL


def test_without_a_name_server_nothing_is_called_bad(seed: Catalogue, domain: str) -> None:
    key = read_key(f"mail._domainkey.{domain}", PEM)
    found = examined(seed, lambda _name: Answer(reached=False), key)
    assert {health for health, _ in found.values()} == {Health.DOUBTFUL}


def test_no_finding_bears_the_name_of_what_becomes_of_a_letter(tmp_path: Path) -> None:
    """One English word, one French: "sending" as a state of a letter is "en cours d’envoi"."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with open_database(f"sqlite:///{tmp_path / 'mail.db'}", FrozenClock(now)) as database:
        found = {one.what for one in examine_database(database, {}, now)}
    assert len(found) > 2
    assert found.isdisjoint(STATES.values())


def test_a_tag_is_found_whatever_the_blanks() -> None:
    assert tag("v=DKIM1;k=rsa ; p= AB CD==", "p") == "ABCD=="
    assert tag("v=DKIM1; p=", "k") == ""
