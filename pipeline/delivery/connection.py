"""The way to the mail server: yagmail opens, secures and authenticates the connection; `conversation` then speaks.

yagmail's own composing, sending and retrying are never used: only step by step is it known what is in doubt.
"""

import json
import socket
import ssl
from pathlib import Path
from typing import Any

import yagmail

from pipeline.delivery.conversation import Conversation, hang_up
from pipeline.delivery.outcomes import PASSED_BY, TIMEOUT, Checkpoint
from pipeline.delivery.replies import code_of, words, words_of
from pipeline.delivery.server import MailServer
from pipeline.errors import (
    DeliveryError,
    PermanentDeliveryError,
    SettingsError,
    TocsinError,
    TransientDeliveryError,
    reason_of,
)


def connect(server: MailServer, checkpoint: Checkpoint = PASSED_BY) -> Conversation:
    """Opens a connection, secured and logged in. Raises a DeliveryError that says what is wrong with it.

    `checkpoint` is called between the steps of each message, for tests that end the process there.
    """
    client = _client(server)
    try:
        client.login()
        client.smtp.ehlo_or_helo_if_needed()
        if server.oauth2:
            _authenticate(client, server)
    except (OSError, ValueError) as error:
        hang_up(client)
        raise _connection_error(server, error) from error
    except TocsinError:
        hang_up(client)
        raise
    return Conversation(client, checkpoint)


def _client(server: MailServer) -> Any:
    implicit = server.security == "smtps"
    arguments: dict[str, Any] = {"timeout": TIMEOUT}
    if server.helo:
        arguments["local_hostname"] = server.helo
    if implicit:
        arguments["context"] = _context(server)
    client = yagmail.Client(
        server.user or None,
        server.password,  # never None: yagmail would ask a keyring, and then the terminal
        host=server.host,
        port=server.port,
        smtp_ssl=implicit,
        smtp_starttls=False,
        smtp_skip_login=not server.password,
        soft_email_validation=False,
        **arguments,
    )
    if server.security == "smtp+starttls":
        client.smtp_starttls = {"context": _Securing(client, server)}
    client.user = server.user  # yagmail adds @gmail.com to a name without @
    client.set_logging(None)
    return client


class _Securing:
    """What secures a connection after STARTTLS, its certificate looked at, for yagmail: from a clean beginning.

    A word that came in the clear behind the server's consent may be anybody's on the way (RFC 3207, 6).
    """

    def __init__(self, client: Any, server: MailServer) -> None:
        self._client, self._server, self._context = client, server, _context(server)

    def wrap_socket(self, wire: socket.socket, server_hostname: str) -> ssl.SSLSocket:
        """The connection, secured; PermanentDeliveryError where the server has said more than that it is ready."""
        wire.setblocking(False)
        said = self._client.smtp.file.peek()
        wire.settimeout(TIMEOUT)
        if said:
            raise PermanentDeliveryError(
                "{place}: words came in the clear after STARTTLS, which somebody on the way may have put there: "
                "{words}; nothing was sent; write smtps:// and its port in TOCSIN_SMTP_URL if the server takes that, "
                "or ask its operator",
                place=self._server.place,
                words=words(said[:100]),
            )
        return self._context.wrap_socket(wire, server_hostname=server_hostname)


def _context(server: MailServer) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=server.ca or None)
    except OSError as error:
        raise SettingsError(
            "TOCSIN_SMTP_URL: ca={file} can't be read as certificates in PEM: {reason}",
            file=server.ca,
            reason=reason_of(error),
        ) from error


def _authenticate(client: Any, server: MailServer) -> None:
    """XOAUTH2 with a token that yagmail fetches; not by its own login, which doesn't look at the server's answer."""
    try:
        known = json.loads(Path(server.oauth2).read_text(encoding="utf-8"))
        account = {key: known[key] for key in ("google_client_id", "google_client_secret", "google_refresh_token")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            "TOCSIN_SMTP_URL: oauth2={file} isn't the file that yagmail made", file=server.oauth2
        ) from error
    try:
        token = client.get_oauth_string(server.user, account)
    except (OSError, ValueError, KeyError) as error:
        raise TransientDeliveryError(
            "{place}: no OAuth2 token can be had: {reason}", place=server.place, reason=words_of(error)
        ) from error
    code, text = _reply(client.smtp.docmd("AUTH", f"XOAUTH2 {token}"))
    if code == 334:  # the reason stands in a challenge; an empty answer ends the exchange
        code, text = _reply(client.smtp.docmd(""))
    if code != 235:
        raise PermanentDeliveryError(
            "{place}: the login was refused: {code} {reason}", place=server.place, code=code, reason=text
        )


def _connection_error(server: MailServer, error: OSError | ValueError) -> DeliveryError:
    code, said = code_of(error), words_of(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return PermanentDeliveryError(
            "{place}: the certificate can't be trusted: {reason} (if it is your own, add ?ca=FILE to TOCSIN_SMTP_URL)",
            place=server.place,
            reason=error.verify_message,
        )
    if code in (534, 535, 538):
        return PermanentDeliveryError("{place}: the login was refused: {reason}", place=server.place, reason=said)
    if code is not None and code >= 500:
        return PermanentDeliveryError("{place}: {code} {reason}", place=server.place, code=code, reason=said)
    reason = said if code is not None else reason_of(error)
    return TransientDeliveryError("{place}: {reason}", place=server.place, reason=reason)


def _reply(reply: tuple[int, bytes]) -> tuple[int, str]:
    code, text = reply
    return code, words(text)
