"""What a feed entry says of a newsletter, as HTML: all that the newsletter said, from its line of the ledger alone.

It is made here and not by a template, so that an organiser's new template doesn't make old entries look new.
"""

from collections.abc import Iterator

from markupsafe import Markup, escape

from pipeline.catalogue.texts import Phrase
from pipeline.language import words
from pipeline.markdown import to_text
from pipeline.outputs.entry_content import linked
from pipeline.outputs.excerpt import excerpt
from pipeline.rendering import marked, written
from pipeline.sent_newsletters import SentNewsletter, ToldLine

LENGTH = 300
"""How long a summary may be."""


def content(newsletter: SentNewsletter, home: str, language: str, warning: str = "") -> Markup:
    """The HTML of an entry; `home` is the address of the site in this language.

    `warning` is a line for the top, about what happened since.
    """
    say, told = words(language), newsletter.told_in(language)
    blocks = [Markup("<p><strong>{}</strong></p>").format(warning)] if warning else []
    if newsletter.text is not None:
        blocks.append(written(language, newsletter.text, home))
    for title, lines in (
        (say("New"), told.news),
        (say("Coming up"), told.upcoming),
        (say("Recordings"), told.recordings),
    ):
        blocks.extend(_section(title, lines, home, language))
    page = linked(f"{home}newsletters/{newsletter.id}/", escape(say("On the site")))
    blocks.append(Markup("<p>{}</p>").format(page))
    return Markup("\n").join(blocks)


def summary(newsletter: SentNewsletter, language: str) -> str:
    """How the organiser's words begin, as plain text; without any, what is told of events."""
    if newsletter.text is not None:
        return excerpt(to_text(newsletter.text.said_in(language).text), LENGTH)
    told = newsletter.told_in(language)
    lines = (*told.news, *told.upcoming, *told.recordings)
    return excerpt(" · ".join(dict.fromkeys(line.text for line in lines)), LENGTH)


def _section(title: str, lines: tuple[ToldLine, ...], home: str, language: str) -> Iterator[Markup]:
    if lines:
        items = (Markup("<li>{}</li>").format(_item(line, home, language)) for line in lines)
        yield Markup("<h2>{}</h2><ul>{}</ul>").format(title, Markup("").join(items))


def _item(line: ToldLine, home: str, language: str) -> Markup:
    parts = [linked(f"{home}events/{line.event}/", marked(language, Phrase(line.text, line.language)))]
    if line.place:
        parts.append(escape(line.place))
    parts.extend(linked(link.url, marked(language, Phrase(link.text, link.language))) for link in line.recordings)
    return Markup("<br>").join(parts)
