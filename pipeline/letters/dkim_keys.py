"""DKIM keys by `cryptography`: RSA and Ed25519. Imported only where a key is set, since loading it takes a while."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pipeline.errors import SettingsError

LEAST_RSA_BITS = 1024
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key, and where in the DNS its public half stands."""

    selector: str
    domain: str
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        """As the signature names it."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    @property
    def record(self) -> str:
        """The name of the DNS record."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def public(self) -> str:
        """The public half as it stands in the record, behind `p=`."""
        if isinstance(self.private, RSAPrivateKey):
            public = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return b64encode(public).decode()

    @property
    def entry(self) -> str:
        """The text of the DNS record."""
        kind = "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"
        return f"v=DKIM1; k={kind}; p={self.public}"

    def sign(self, digestible: bytes) -> str:
        """The signature over these bytes, in base64; the same bytes always give the same one."""
        if isinstance(self.private, RSAPrivateKey):
            return b64encode(self.private.sign(digestible, PKCS1v15(), SHA256())).decode()
        # Ed25519 signs the hash (RFC 8463, 3).
        return b64encode(self.private.sign(sha256(digestible).digest())).decode()


def read_key(record: str, pem: bytes) -> PrivateKey:
    """A key from `SELECTOR._domainkey.DOMAIN` and the PEM of its private half; SettingsError says what is wrong."""
    selector, found, domain = record.strip().rstrip(".").partition("._domainkey.")
    if not found or not _NAME.fullmatch(selector) or not _NAME.fullmatch(domain):
        raise SettingsError(
            "TOCSIN_DKIM_KEY: {record!r} names no DNS record; write mail._domainkey.example.org:FILE", record=record
        )
    try:
        private = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            "TOCSIN_DKIM_KEY: the file for {record} holds no unencrypted private key in PEM", record=record
        ) from error
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise SettingsError("TOCSIN_DKIM_KEY: the key for {record} is neither RSA nor Ed25519", record=record)
    if isinstance(private, RSAPrivateKey) and private.key_size < LEAST_RSA_BITS:
        raise SettingsError(
            "TOCSIN_DKIM_KEY: the key for {record} has {bits} bits; make one with 2048",
            record=record,
            bits=private.key_size,
        )
    return PrivateKey(selector, domain, private)
