"""The conversation: yagmail opens, secures and authenticates the connection; MAIL, RCPT and DATA are spoken here.

Step by step, because only so it is known what is in doubt: until the final dot has left, the server can't have taken
the message; after it, only its reply tells. yagmail's own composing, sending and retrying are never used.
"""

import json
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yagmail

from pipeline.delivery.outcomes import FINAL_TIMEOUT, TIMEOUT, Fate, Outcome, Step
from pipeline.delivery.server import MailServer
from pipeline.errors import (
    DeliveryError,
    PermanentDeliveryError,
    SettingsError,
    TocsinError,
    TransientDeliveryError,
)
from pipeline.letters import Message

_NOT_IN_AN_ADDRESS: Final = re.compile(r"[\x00-\x20\x7f<>]")
_NOT_OUR_MESSAGE: Final = frozenset({530, 534, 535, 538})  # the server wants a login, or another one


def connect(server: MailServer, checkpoint: Callable[[str], None] = lambda _name: None) -> "SmtpTransport":
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
        _hang_up(client)
        raise _connection_error(server, error) from error
    except TocsinError:
        _hang_up(client)
        raise
    return SmtpTransport(client, checkpoint)


class SmtpTransport:
    """A connection that carries one message after the other."""

    def __init__(self, client: Any, checkpoint: Callable[[str], None]) -> None:
        self._client = client
        self._checkpoint = checkpoint

    @property
    def security(self) -> str:
        """How the connection is secured, for a person: `TLSv1.3, certificate verified`."""
        version = getattr(self._client.smtp.sock, "version", None)
        return f"{version()}, certificate verified" if version is not None else "not secured"

    def send(self, message: Message) -> Outcome:
        """One MAIL, one RCPT, one DATA; what could be taken for another command is refused before the first of them."""
        if fault := _fault(message):
            return Outcome(Fate.REFUSED, Step.MAIL, None, fault)
        step = Step.MAIL
        try:
            for step, command in self._envelope(message):
                code, text = _reply(command())
                if code != (354 if step is Step.DATA else 250) and not (step is Step.RCPT and code == 251):
                    return self._refused(step, code, text)
                self._checkpoint(f"after_{step.value.lower()}")
            self._client.smtp.send(_transparent(message.body))
        except UnicodeError:
            self._reset()
            return Outcome(Fate.REFUSED, step, None, "the server doesn't take addresses beyond ASCII (SMTPUTF8)")
        except (OSError, ValueError) as error:
            self._break()
            return Outcome(Fate.BROKEN, step, _code(error), _words(error))
        return self._concluded()

    def close(self) -> None:
        """QUIT, where the connection still stands."""
        try:
            self._client.close()
        except (OSError, ValueError):
            self._break()

    def _envelope(self, message: Message) -> list[tuple[Step, Callable[[], Any]]]:
        smtp = self._client.smtp
        options = [f"size={len(message.body)}"] if smtp.has_extn("size") else []
        if not message.body.isascii() and smtp.has_extn("8bitmime"):
            options.append("body=8bitmime")
        if not (message.envelope_sender + message.recipient).isascii() and smtp.has_extn("smtputf8"):
            options.append("smtputf8")
        return [
            (Step.MAIL, lambda: smtp.mail(message.envelope_sender, options)),
            (Step.RCPT, lambda: smtp.rcpt(message.recipient)),
            (Step.DATA, lambda: smtp.docmd("DATA")),
        ]

    def _concluded(self) -> Outcome:
        """The reply to the final dot: only here can a failure leave the message in doubt."""
        try:
            self._checkpoint("after_dot")
            self._client.smtp.sock.settimeout(FINAL_TIMEOUT)
            code, text = _reply(self._client.smtp.getreply())
            if 200 <= code < 300:
                self._checkpoint("after_reply")
                self._client.smtp.sock.settimeout(TIMEOUT)
                return Outcome(Fate.ACCEPTED, Step.END, code, text)
        except (OSError, ValueError, AttributeError) as error:
            self._break()
            return Outcome(Fate.UNKNOWN, Step.END, _code(error), _words(error))
        if not 400 <= code < 600:
            self._break()
            return Outcome(Fate.UNKNOWN, Step.END, None, f"a reply that is none: {text}")
        return self._refused(Step.END, code, text)

    def _refused(self, step: Step, code: int, text: str) -> Outcome:
        if code == 421 or not 400 <= code < 600:  # the server is leaving, or talks nonsense
            self._break()
            return Outcome(Fate.BROKEN, step, code, text)
        if step is not Step.END and not self._reset():
            self._break()
        if code < 500:
            return Outcome(Fate.LATER, step, code, text)
        ours = step is Step.MAIL or code in _NOT_OUR_MESSAGE or "relay" in text.casefold()
        return Outcome(Fate.UNWELCOME if ours else Fate.REFUSED, step, code, text)

    def _reset(self) -> bool:
        try:
            return bool(_reply(self._client.smtp.rset())[0] == 250)
        except (OSError, ValueError):
            return False

    def _break(self) -> None:
        _hang_up(self._client)


def _client(server: MailServer) -> Any:
    implicit = server.security == "smtps"
    arguments: dict[str, Any] = {"timeout": TIMEOUT}
    if server.helo:
        arguments["local_hostname"] = server.helo
    context = None if server.security == "smtp" else _context(server)
    if implicit:
        arguments["context"] = context
    client = yagmail.Client(
        server.user or None,
        server.password,  # never None: yagmail would ask a keyring, and then the terminal
        host=server.host,
        port=server.port,
        smtp_ssl=implicit,
        # A plain True would secure the connection without looking at the certificate.
        smtp_starttls={"context": context} if server.security == "smtp+starttls" else False,
        smtp_skip_login=not server.password,
        soft_email_validation=False,
        **arguments,
    )
    client.user = server.user  # yagmail adds @gmail.com to a name without @
    client.set_logging(None)
    return client


def _context(server: MailServer) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=server.ca or None)
    except OSError as error:
        raise SettingsError(f"TOCSIN_SMTP_URL: ca={server.ca} can't be read as certificates in PEM: {error}") from error


def _authenticate(client: Any, server: MailServer) -> None:
    """XOAUTH2 with a token that yagmail fetches; not by its own login, which doesn't look at the server's answer."""
    try:
        known = json.loads(Path(server.oauth2).read_text(encoding="utf-8"))
        account = {key: known[key] for key in ("google_client_id", "google_client_secret", "google_refresh_token")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"TOCSIN_SMTP_URL: oauth2={server.oauth2} isn't the file that yagmail made") from error
    try:
        token = client.get_oauth_string(server.user, account)
    except (OSError, ValueError, KeyError) as error:
        raise TransientDeliveryError(f"{server.place}: no OAuth2 token can be had: {_words(error)}") from error
    code, text = _reply(client.smtp.docmd("AUTH", f"XOAUTH2 {token}"))
    if code == 334:  # the reason stands in a challenge; an empty answer ends the exchange
        code, text = _reply(client.smtp.docmd(""))
    if code != 235:
        raise PermanentDeliveryError(f"{server.place}: the login was refused: {code} {text}")


def _connection_error(server: MailServer, error: OSError | ValueError) -> DeliveryError:
    code, words = _code(error), _words(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = "if the server's certificate is your own, add ?ca=FILE to TOCSIN_SMTP_URL"
        return PermanentDeliveryError(
            f"{server.place}: the certificate can't be trusted: {error.verify_message} ({hint})"
        )
    if code in (534, 535, 538):
        return PermanentDeliveryError(f"{server.place}: the login was refused: {words}")
    if code is not None and code >= 500:
        return PermanentDeliveryError(f"{server.place}: {code} {words}")
    return TransientDeliveryError(f"{server.place}: {words}")


def _hang_up(client: Any) -> None:
    client.is_closed = True
    if client.smtp is not None:
        client.smtp.close()


def _reply(reply: tuple[int, bytes]) -> tuple[int, str]:
    code, text = reply
    return code, " ".join(text.decode("utf-8", "replace").split())


def _code(error: Exception) -> int | None:
    code = getattr(error, "smtp_code", None)
    return code if isinstance(code, int) and code > 0 else None


def _words(error: Exception) -> str:
    said = getattr(error, "smtp_error", None)
    if isinstance(said, bytes):
        return " ".join(said.decode("utf-8", "replace").split())
    return str(said or getattr(error, "strerror", None) or error) or type(error).__name__


def _fault(message: Message) -> str:
    """Why a message must not go over the wire: a bare line end is a command to some servers."""
    if _NOT_IN_AN_ADDRESS.search(message.envelope_sender + message.recipient):
        return "an address holds a character that can't stand in one"
    bare = message.body.replace(b"\r\n", b"")
    return "the message holds a bare CR or LF" if b"\r" in bare or b"\n" in bare else ""


def _transparent(body: bytes) -> bytes:
    """The bytes of DATA with their final dot; a dot that begins a line is doubled (RFC 5321, 4.5.2)."""
    stuffed = body.replace(b"\r\n.", b"\r\n..")
    stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")
