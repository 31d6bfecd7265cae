"""`sitemap.xml` and `robots.txt`: where search engines find every page in every language, and since when it is so."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from xml.etree import ElementTree as ET

from pipeline.edition import Edition
from pipeline.outputs.base import Artifact
from pipeline.rendering import Renderer

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"
ET.register_namespace("xhtml", XHTML)


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:  # noqa: ARG001 - programs need no template
    """Both files, once for all languages."""
    yield Artifact("sitemap.xml", "application/xml", partial(_sitemap, edition))
    lines = ("User-agent: *", "Allow: /", "", f"Sitemap: {edition.address('sitemap.xml')}", "")
    yield Artifact("robots.txt", "text/plain; charset=utf-8", "\n".join(lines).encode)


def _sitemap(edition: Edition) -> bytes:
    # The prefix is bound by hand: the library can't leave out one namespace's prefix and keep another's.
    root = ET.Element("urlset", {"xmlns": SITEMAP})
    for path, changed in _pages(edition):
        for language in edition.languages:
            url = ET.SubElement(root, "url")
            ET.SubElement(url, "loc").text = edition.address(path, language)
            if changed is not None:
                ET.SubElement(url, "lastmod").text = f"{changed.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
            _add_versions(url, edition, path)
    ET.indent(root)
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml + b"\n"


def _pages(edition: Edition) -> Iterator[tuple[str, datetime | None]]:
    """The public paths that readers search for, with the instant of their last published change where it is known."""
    yield "", edition.updated if edition.ledger.lines else None
    yield "subscribe/", None
    for listing in edition.shown:
        yield f"events/{listing.event.id}/", listing.revision.updated
    for group in sorted(edition.catalogue.groups, key=lambda group: group.id):
        stamps = (listing.revision.updated for listing in edition.of_group(group.id))
        yield f"groups/{group.id}/", max(stamps, default=None)


def _add_versions(url: ET.Element, edition: Edition, path: str) -> None:
    if len(edition.languages) == 1:
        return
    for name, language in (*((code, code) for code in edition.languages), ("x-default", edition.languages[0])):
        href = edition.address(path, language)
        ET.SubElement(url, f"{{{XHTML}}}link", {"rel": "alternate", "hreflang": name, "href": href})
