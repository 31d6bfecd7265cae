"""The bounce mailbox on its own server: unseen messages over IMAP, each marked as seen once it was dealt with."""

import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from pipeline.delivery.replies import printable
from pipeline.errors import SettingsError, TocsinError, TransientDeliveryError, reason_of

PASSWORD: Final = "TOCSIN_IMAP_PASSWORD"  # noqa: S105 - the name of the variable
_SCHEME: Final = "imaps"
_PORT: Final = 993
_PATIENCE: Final = 60.0  # seconds
_LARGEST: Final = 200_000  # octets of a report that are fetched: what it says stands at its beginning


@dataclass(frozen=True, slots=True)
class MailAccount:
    """A folder of a mailbox on an IMAP server, reached over TLS from the first word on."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    ca: str = ""


def is_address(source: str) -> bool:
    """Whether a source of bounces is meant for IMAP, well written or not."""
    return source.casefold().startswith(("imap:", "imaps:", "imap+"))


def mail_account(url: str, password: str | None) -> MailAccount:
    """Reads `imaps://user:password@host/FOLDER`; a `password` given apart wins. SettingsError for what can't be used.

    The error never shows the URL, which may hold the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(
            "the mailbox's URL can't be understood; write imaps://user@host/INBOX, with the password in "
            "TOCSIN_IMAP_PASSWORD",
        ) from error
    if parts.scheme != _SCHEME:
        raise SettingsError(
            "{scheme}:// is not secured from the first word on; write imaps://user@host/INBOX, with the password in "
            "TOCSIN_IMAP_PASSWORD",
            scheme=parts.scheme,
        )
    secret = password or unquote(parts.password or "")
    if not parts.hostname or not parts.username or not secret:
        raise SettingsError(
            "the mailbox's URL names no host, no user, or there is no password; "
            "write imaps://user@host/INBOX, with the password in TOCSIN_IMAP_PASSWORD"
        )
    folder = unquote(parts.path.strip("/")) or "INBOX"
    if not folder.isascii() or not folder.isprintable():
        raise SettingsError("the mailbox's folder must have a name in ASCII; IMAP servers show one for each folder")
    options = dict(parse_qsl(parts.query))
    return MailAccount(
        parts.hostname, port or _PORT, unquote(parts.username), secret, folder, options.get("ca", "")
    )  # fmt: skip


@contextmanager
def unseen(account: MailAccount) -> Iterator[Iterator[bytes]]:
    """The unseen messages of a folder; each is marked as seen when the next one is asked for.

    Who dies in between finds the message again. Raises TransientDeliveryError, and SettingsError for a wrong CA file.
    """
    place = f"{account.host}:{account.port}"
    try:
        context = ssl.create_default_context(cafile=account.ca or None)
    except OSError as error:
        raise SettingsError(
            "the file {file} of ?ca= can't be read: {reason}", file=account.ca, reason=reason_of(error)
        ) from error
    try:
        server = imaplib.IMAP4_SSL(account.host, account.port, ssl_context=context, timeout=_PATIENCE)
        try:
            server.login(account.user, account.password)
            quoted = account.folder.replace("\\", "\\\\").replace('"', '\\"')
            _wanted(*server.select(f'"{quoted}"'))
            yield _each(server)
        finally:
            _ended(server)
    except ssl.SSLCertVerificationError as error:
        raise TransientDeliveryError(
            "the mailbox at {place} can't be read: its certificate can't be trusted ({reason}); name your own CA by "
            "?ca=FILE",
            place=place, reason=error.verify_message,
        ) from error  # fmt: skip
    except imaplib.IMAP4.error as error:
        _failed(place, printable(str(error)), error)
    except OSError as error:
        _failed(place, reason_of(error), error)


def _ended(server: imaplib.IMAP4_SSL) -> None:
    """Says goodbye; one that has gone already is left at once."""
    with suppress(OSError, imaplib.IMAP4.error):
        server.logout()
    with suppress(OSError):
        server.shutdown()


def _failed(place: str, reason: TocsinError | str, error: Exception) -> NoReturn:
    raise TransientDeliveryError(
        "the mailbox at {place} can't be read: {reason}", place=place, reason=reason
    ) from error


def _each(server: imaplib.IMAP4_SSL) -> Iterator[bytes]:
    found = _wanted(*server.uid("SEARCH", "UNSEEN"))
    for number in b" ".join(part for part in found if isinstance(part, bytes)).decode().split():
        # PEEK: fetching alone would mark it as seen, although nobody has dealt with it yet.
        fetched = _wanted(*server.uid("FETCH", number, f"(BODY.PEEK[]<0.{_LARGEST}>)"))
        parts = [part[1] for part in fetched if isinstance(part, tuple)]
        if parts:  # else somebody deleted it in the meantime
            yield parts[0]
            _wanted(*server.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen)"))


def _wanted(status: str, said: Sequence[Any]) -> Sequence[Any]:
    """What the server gave; its refusal in its own words."""
    if status != "OK":
        told = said[0] if said and isinstance(said[0], bytes) else b""
        raise imaplib.IMAP4.error(told.decode(errors="replace") or status)
    return said
