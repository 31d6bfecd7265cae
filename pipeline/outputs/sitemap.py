"""`sitemap.xml` and `robots.txt`: where search engines find every page in every language, and since when it is so."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import SupportsBytes

from pipeline.edition import Edition, Listing
from pipeline.outputs.base import Artifact
from pipeline.outputs.keys import keys
from pipeline.outputs.xml_text import DECLARATION, quoted
from pipeline.rendering import Renderer

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:  # noqa: ARG001 - programs need no template
    """Both files, once for all languages."""
    yield Artifact("sitemap.xml", "application/xml", partial(_sitemap, edition), keys(edition).timeless)
    lines = ("User-agent: *", "Allow: /", "", f"Sitemap: {edition.address('sitemap.xml')}", "")
    yield Artifact("robots.txt", "text/plain; charset=utf-8", "\n".join(lines).encode, keys(edition).series)


def _sitemap(edition: Edition) -> Iterator[SupportsBytes]:
    # Written by hand: a tree of all pages takes longer than some of them.
    several = len(edition.languages) > 1
    names = f'xmlns:xhtml="{XHTML}" xmlns="{SITEMAP}"' if several else f'xmlns="{SITEMAP}"'
    yield f"{DECLARATION}<urlset {names}>\n".encode()
    yield _urls(edition, "", edition.updated if edition.ledger.lines else None)
    yield _urls(edition, "subscribe/", None)
    yield from keys(edition).joined(edition.shown, partial(_of_event, edition), "sitemap.xml")
    for path, changed in _others(edition):
        yield _urls(edition, path, changed)
    yield b"</urlset>\n"


def _of_event(edition: Edition, listing: Listing) -> bytes:
    return _urls(edition, f"events/{listing.event.id}/", listing.revision.updated)


def _others(edition: Edition) -> Iterator[tuple[str, datetime | None]]:
    """The pages of groups and newsletters, with the instant of their last published change where it is known."""
    for group in sorted(edition.catalogue.groups, key=lambda group: group.id):
        stamps = (listing.revision.updated for listing in edition.of_group(group.id))
        yield f"groups/{group.id}/", max(stamps, default=None)
    for sent in edition.newsletters:
        yield f"newsletters/{sent.newsletter.id}/", (sent.corrected_by or sent).at


def _urls(edition: Edition, path: str, changed: datetime | None) -> bytes:
    """A public path in each language, each with the addresses of all of them."""
    addresses = {code: quoted(edition.address(path, code)) for code in edition.languages}
    stamp = f"    <lastmod>{changed.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</lastmod>\n" if changed is not None else ""
    links = ""
    if len(addresses) > 1:
        links = "".join(
            f'    <xhtml:link rel="alternate" hreflang="{code}" href="{address}" />\n'
            for code, address in (*addresses.items(), ("x-default", addresses[edition.languages[0]]))
        )
    urls = (f"  <url>\n    <loc>{address}</loc>\n{stamp}{links}  </url>\n" for address in addresses.values())
    return "".join(urls).encode()
