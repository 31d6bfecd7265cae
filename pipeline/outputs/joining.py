"""Where the page that tells how to subscribe sends its form."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.catalogue.models import Catalogue


@dataclass(frozen=True, slots=True)
class Joining:
    """The address that takes subscriptions, and its origin, which the page's policy must allow."""

    url: str
    origin: str


def joining(catalogue: Catalogue) -> Joining | None:
    """Where to subscribe by mail; None where nobody writes mails or no service takes subscriptions."""
    site = catalogue.site
    if catalogue.mail.sender is None or site.service is False:
        return None
    service = (site.service or site.url).rstrip("/")
    parts = urlsplit(service)
    return Joining(f"{service}/subscribe", f"{parts.scheme}://{parts.netloc}")
