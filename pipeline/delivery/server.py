"""Where the mail server is, and how the way there is secured: TOCSIN_SMTP_URL."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from pipeline.errors import SettingsError

_SHAPES: Final = "smtp+starttls://user:password@host:587, smtps://user:password@host:465, smtp://localhost:25"
_PORTS: Final = {"smtp+starttls": 587, "smtps": 465, "smtp": 25}
_OPTIONS: Final = frozenset({"ca", "auth", "oauth2", "plain", "helo"})


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where the mail goes and how the way there is secured, as TOCSIN_SMTP_URL says it."""

    host: str
    port: int
    security: str  # "smtps", "smtp+starttls" or "smtp"
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    oauth2: str = ""
    helo: str = ""

    @property
    def place(self) -> str:
        """For a person: the host and port, without the password."""
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this very machine, where a wire can't be tapped."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name means this very machine."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def mail_server(url: str) -> MailServer:
    """Reads TOCSIN_SMTP_URL; what can't be used, or would send a password in the clear, is a SettingsError."""
    try:
        parts = urlsplit(url)
        port = parts.port
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        # What the library says may hold a part of the password.
        raise SettingsError(
            "TOCSIN_SMTP_URL can't be understood: its host or its port is wrong (a password is percent-encoded: {code} "
            "for a slash); write {shapes}",
            code="%2F",  # which in the sentence itself would pass for a place where a value comes
            shapes=_SHAPES,
        ) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SettingsError("TOCSIN_SMTP_URL can't be understood; write {shapes}", shapes=_SHAPES)
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        raise SettingsError(
            "TOCSIN_SMTP_URL: {option!r} is no option; there are {options}",
            option=unknown[0],
            options=", ".join(sorted(_OPTIONS)),
        )
    server = MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        security=parts.scheme,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        ca=options.get("ca", ""),
        oauth2=_token_file(parts.scheme, options),
        helo=options.get("helo", ""),
    )
    _check_login(server)
    if server.security == "smtp":
        _check_plain(server, options.get("plain") == "yes")
    return server


def _token_file(scheme: str, options: dict[str, str]) -> str:
    if "auth" not in options:
        return ""
    if options["auth"] != "xoauth2":
        raise SettingsError("TOCSIN_SMTP_URL: auth can only be xoauth2; leave it out for a password")
    if scheme != "smtps":
        raise SettingsError("TOCSIN_SMTP_URL: auth=xoauth2 needs smtps://, which is secured before the first word")
    file = options.get("oauth2", "")
    if not file or not Path(file).is_file():  # yagmail would ask at the terminal
        raise SettingsError(
            "TOCSIN_SMTP_URL: auth=xoauth2 needs oauth2=FILE, the file that yagmail made for the account"
        )
    return file


def _check_login(server: MailServer) -> None:
    if server.user and not server.password and not server.oauth2:
        raise SettingsError("TOCSIN_SMTP_URL: a user without a password; write {shapes}", shapes=_SHAPES)
    if server.password and not server.user:
        raise SettingsError("TOCSIN_SMTP_URL: a password without a user; write {shapes}", shapes=_SHAPES)


def _check_plain(server: MailServer, asked_for: bool) -> None:
    if server.user:
        raise SettingsError(
            "TOCSIN_SMTP_URL: no password leaves over an unsecured connection; write smtp+starttls://…@{host}",
            host=server.host,
        )
    if not server.is_loopback and not asked_for:
        raise SettingsError(
            "TOCSIN_SMTP_URL: smtp:// would send the mail to {host} in the clear; write smtp+starttls://{host}, or "
            "smtp://{place}?plain=yes if that is meant",
            host=server.host,
            place=server.place,
        )
