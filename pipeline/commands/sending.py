"""What `send`, `run`, `arm` and their like share: the sender of this machine, made from settings."""

import argparse
import secrets
from collections.abc import Callable
from datetime import timedelta
from gettext import gettext
from importlib import import_module
from typing import TYPE_CHECKING

from pipeline.actions.deliver import CONNECTIONS
from pipeline.actions.mailing import Office, key_of
from pipeline.actions.send import Sender
from pipeline.catalogue.hours import parse_duration
from pipeline.commands.options import refused
from pipeline.commands.shell import Shell, whole
from pipeline.delivery import PASSED_BY, Checkpoint, MailServer, Transport, mail_server
from pipeline.delivery.connection import connect
from pipeline.errors import SettingsError, reason_of
from pipeline.rendering import Renderer
from pipeline.store.database import Database
from pipeline.store.deliveries import InDoubt
from pipeline.store.senders import sender_name
from pipeline.store.switch import installation

if TYPE_CHECKING:
    from pipeline.letters.dkim_keys import PrivateKey


def add_sending_options(parser: argparse.ArgumentParser) -> None:
    """The options of `send` and `run`."""
    parser.add_argument("--in-doubt", choices=[policy.value for policy in InDoubt], default=InDoubt.RESEND.value,
                        help="what to do with a message of which nobody knows whether it was taken")  # fmt: skip
    parser.add_argument("--lease", type=seconds, default=timedelta(seconds=60), metavar="TIME",
                        help="how long a sender holds what it took in hand: 60s, 2 min (default: 60s)")  # fmt: skip
    parser.add_argument("--connections", type=whole, default=CONNECTIONS, metavar="N",
                        help=f"to the mail server, fewer where little waits (default: {CONNECTIONS})")  # fmt: skip
    parser.add_argument("--per-domain", type=whole, metavar="N",
                        help="at most so many messages a minute to one recipient domain (default: no limit; "
                             "a domain that complains of too many rests for 5 minutes)")  # fmt: skip


def seconds(text: str) -> timedelta:
    """A length of time for argparse: plain or with an `s` in seconds, or as in the catalogue."""
    number = text.removesuffix("s").strip()
    if number.replace(".", "", 1).isdigit() and float(number) > 0:
        return timedelta(seconds=float(number))
    try:
        return timedelta(seconds=parse_duration(text).total_seconds())
    except ValueError:
        raise refused(gettext("{text!r} is not a length of time: write 60s or 2 min"), text) from None


def server_of(shell: Shell) -> MailServer:
    """The mail server of TOCSIN_SMTP_URL. A clock that was set may only meet a server on this very machine."""
    if not shell.settings.smtp_url:
        raise SettingsError(
            "no mail server is named: set TOCSIN_SMTP_URL, here or in .env beside the catalogue, "
            "to smtp+starttls://user:password@host:587"
        )
    server = mail_server(shell.settings.smtp_url)
    if shell.options.now is not None and not server.is_loopback:
        raise SettingsError("--now goes with sending only where the mail server is on this machine (127.0.0.1)")
    return server


def office_of(shell: Shell, database: Database) -> Office:
    """The templates and the key of this project."""
    key = database.run(lambda connection: key_of(connection, shell.settings.secret, secrets.token_urlsafe))
    return Office(Renderer(shell.project.own_templates), key, shell.settings.variables, keys_of(shell))


def keys_of(shell: Shell) -> "tuple[PrivateKey, ...]":
    """The keys of TOCSIN_DKIM_KEY, `mail._domainkey.example.org:FILE`, several apart by commas; none without it."""
    given = [part.strip() for part in shell.settings.dkim_key.split(",") if part.strip()]
    if not given:
        return ()
    # Named at run time, so that nobody waits for a library of ciphers who signs nothing.
    dkim_keys = import_module("pipeline.letters.dkim_keys")
    keys: list[PrivateKey] = []
    for part in given:
        record, found, file = part.partition(":")
        if not found:
            raise SettingsError(
                "TOCSIN_DKIM_KEY: {given!r} names no file; write mail._domainkey.example.org:FILE", given=part
            )
        try:
            pem = (shell.project.folder / file).read_bytes()
        except OSError as error:
            raise SettingsError(
                "TOCSIN_DKIM_KEY: {file} can't be read: {reason}", file=file, reason=reason_of(error)
            ) from error
        keys.append(dkim_keys.read_key(record, pem))
    return tuple(keys)


def sender_of(
    shell: Shell,
    database: Database,
    server: MailServer | None,
    stop: Callable[[], bool] = lambda: False,
    checkpoint: Checkpoint = PASSED_BY,
) -> Sender:
    """The sender of this machine; without a server it can only rehearse."""

    def reach() -> Transport:
        if server is None:
            raise SettingsError("no mail server is named: set TOCSIN_SMTP_URL")
        return connect(server, checkpoint)

    options = shell.options
    return Sender(
        name=sender_name(),
        here=installation(database, shell.settings.installation),
        office=office_of(shell, database),
        connect=reach,
        lease=getattr(options, "lease", timedelta(seconds=60)),
        in_doubt=InDoubt(getattr(options, "in_doubt", InDoubt.RESEND.value)),
        connections=getattr(options, "connections", CONNECTIONS),
        per_domain=getattr(options, "per_domain", None),
        stop=stop,
        checkpoint=checkpoint,
    )
