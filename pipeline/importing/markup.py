"""Texts as other programs keep them, HTML or plain lines, as the Markdown of a catalogue."""

import re
from html import unescape

from lxml import etree, html

_MARKUP = re.compile(
    r"</?(?:a|b|body|br|div|em|h[1-6]|html|i|li|ol|p|span|strong|table|td|tr|u|ul)\b[^<>]*>", re.IGNORECASE
)
_BLOCKS = ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "table")
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*"}
_OPENING = {"br": "\\\n", "li": "\n- ", **dict.fromkeys(_BLOCKS, "\n\n"), **_MARKS}
_CLOSING = {"td": " ", "th": " ", "tr": "\\\n", **dict.fromkeys(_BLOCKS, "\n\n"), **_MARKS}
_UNSEEN = frozenset({"script", "style", "title"})
_PARSER_CANT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")
_BULLET = re.compile(r"^(\s*)[•·‣▪●]\s+", re.MULTILINE)
"""How lists begin that were typed in an office program."""


def as_markdown(text: str) -> str:
    """A long text of another program: HTML becomes Markdown, a line break in plain text stays one."""
    text = _plain(text.replace("\r\n", "\n").replace("\r", "\n"))
    return from_html(text) if _MARKUP.search(text) else from_lines(text)


def as_words(text: str) -> str:
    """The same for a text that stands on one line: the words alone."""
    text = from_html(text) if _MARKUP.search(text) else _plain(text)
    return " ".join(text.split())


def _plain(text: str) -> str:
    """A text without the escapes of HTML, unless it is HTML."""
    return text if _MARKUP.search(text) else unescape(text)


def from_lines(text: str) -> str:
    """Plain text in which each line break is meant, without changing its words."""
    lines = [line.rstrip() for line in _BULLET.sub(r"\1- ", text).strip().split("\n")]
    kept = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_broken = line and following and not _LIST_ITEM.match(following) and not line.endswith("\\")
        kept.append(line + "\\" if is_broken else line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept))


def from_html(text: str) -> str:
    """Paragraphs, lists, emphasis and links of a piece of HTML as Markdown."""
    try:
        # Within an element, what calls itself a whole document is read as any piece, with two bodies or none as well.
        root = html.document_fromstring(f"<div>{_PARSER_CANT.sub(' ', text)}</div>", parser=_parser())
    except (etree.LxmlError, ValueError):
        return from_lines(text)
    parts: list[str] = []
    for step, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if step == "start":
            parts += _opening(element), *_words(element.text if element.tag not in _UNSEEN else None)
        elif step == "end":
            parts += _closing(element), *_words(element.tail if element is not root else None)
        else:
            parts += _words(element.tail)
    # Deeper than the parser follows, the words are kept without their marks.
    return _tidied("".join(parts)) or from_lines(_MARKUP.sub(" ", text))


def _parser() -> html.HTMLParser:
    return html.HTMLParser(no_network=True, encoding=None)


def _opening(element: html.HtmlElement) -> str:
    if element.tag == "a":
        return "[" if _address(element) else ""
    return _OPENING.get(element.tag, "")


def _closing(element: html.HtmlElement) -> str:
    if element.tag == "a":
        address = _address(element)
        return f"]({address})" if address else ""
    return _CLOSING.get(element.tag, "")


def _address(element: html.HtmlElement) -> str:
    address = (element.get("href") or "").strip()
    return address if address.startswith(("http://", "https://")) and " " not in address else ""


def _words(text: str | None) -> list[str]:
    return [re.sub(r"\s+", " ", text)] if text else []


def _tidied(text: str) -> str:
    text = re.sub(r"[ \t]*(\\?)\n[ \t]*", r"\1\n", text)
    text = re.sub(r"(?:\\\n){2,}", "\n\n", text)
    text = re.sub(r"(?:\\\n)+(?=\n|$)", "\n", text)
    text = re.sub(r"\[\]\([^()]*\)|\*{4}", "", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip().removesuffix("\\").rstrip()
