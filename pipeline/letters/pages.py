"""One letter made of several pages: the same said in another language, or what the organiser is told above a proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from pipeline.language import words

_APART = "\n* * *\n\n"
_RULE = '<hr style="margin: 32px 0; border: 0; border-top: 1px solid #888">'


@dataclass(frozen=True, slots=True)
class Page:
    """One rendering of a letter: its text, and a whole HTML document."""

    language: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What the organiser is told above a proof: when the letter leaves, how many get it, how to hold it.

    `leaves` is an aware instant in the series' zone.
    """

    language: str
    leaves: datetime
    readers: int
    command: str

    def titled(self, subject: str) -> str:
        """The subject of the proof."""
        return words(self.language)("[Proof] {subject}").format(subject=subject)


def joined(pages: Sequence[Page]) -> tuple[str, str]:
    """The pages as one text and one HTML document, whose head and language are those of the first."""
    first, *others = pages
    text = _APART.join(page.text for page in pages)
    if not others:
        return text, first.html
    before, end, after = first.html.rpartition("</body>")
    inner = "".join(f'{_RULE}<div lang="{escape(page.language)}">{_body_of(page.html)}</div>' for page in others)
    return text, before + inner + end + after


def _body_of(html: str) -> str:
    """What stands within the body; a document without one is taken whole."""
    opened = html.partition("<body")[2].partition(">")[2] or html
    return opened.rpartition("</body>")[0] or opened
