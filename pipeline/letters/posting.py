"""Who writes the letters of a series, worked out from its catalogue."""

from urllib.parse import urlsplit

from email_validator import validate_email

from pipeline.catalogue.models import Catalogue
from pipeline.errors import SettingsError
from pipeline.letters.dkim import Key
from pipeline.letters.message import Post


def post_of(catalogue: Catalogue, secret: bytes, keys: tuple[Key, ...] = ()) -> Post:
    """The post of the series; SettingsError where `[mail] from` is missing, since nobody could be answered."""
    mail, site = catalogue.mail, catalogue.site
    if mail.sender is None:
        raise SettingsError(
            'the catalogue names no sender: write from = "Name <address@example.org>" under [mail] in events.toml'
        )
    sender = _wire_mailbox(mail.sender)
    local, _, host = sender.rpartition("<")[2].removesuffix(">").rpartition("@")
    return Post(
        sender=sender,
        reply_to=_wire_mailbox(mail.reply_to) if mail.reply_to else None,
        list_id=_bare(mail.list_id) if mail.list_id else f"{catalogue.series.id}.{urlsplit(site.url).hostname}",
        unsubscribe=_wire(mail.unsubscribe or f"{local}-unsubscribe@{host}"),
        bounces=_wire(mail.bounces or f"{local}-bounces@{host}"),
        site=site.base,
        service=None if site.service is False else (site.service or site.url).rstrip("/"),
        message_domain=host,
        secret=secret,
        keys=keys,
    )


def _bare(list_id: str) -> str:
    """The identifier alone, also where it was typed as the whole field: `Name <list.example.org>`."""
    return list_id.rpartition("<")[2].removesuffix(">")


def _wire(address: str) -> str:
    """The address with its host in ASCII, which every mail server takes."""
    found = validate_email(address, check_deliverability=False, test_environment=True)
    return f"{found.local_part}@{found.ascii_domain}"


def _wire_mailbox(mailbox: str) -> str:
    name, bracket, address = mailbox.rpartition("<")
    if not bracket:
        return _wire(mailbox)
    return f"{name}<{_wire(address.removesuffix('>'))}>"
