"""The organiser's Markdown, which is not trusted: as safe HTML, and as plain text.

Raw HTML is shown as text. A link with another scheme than http(s) is shown as it was typed. A remote image becomes a
link to it. Headings start at the third level, below those of the page.
"""

import importlib
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import nh3

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

TAGS = {
    "p", "br", "hr", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h3", "h4", "h5", "h6",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}


@cache
def _parser() -> "MarkdownIt":
    # Loaded when the first text wants it, which most don't.
    parser: MarkdownIt = importlib.import_module("markdown_it").MarkdownIt("commonmark", {"html": False})
    # mypy wants no assignment to a method; it is the documented way to narrow the schemes.
    setattr(parser, "validateLink", _is_web_address)  # noqa: B010
    return parser


def _is_web_address(url: str) -> bool:
    try:
        scheme = urlsplit(url.strip()).scheme.lower()
    except ValueError:
        return False
    return scheme in {"", "http", "https"}


_READ = "\\`*_[]<>&#~|!\0\r\t\f\v"
"""What Markdown, or what follows it, may read as something else than itself."""


@lru_cache(maxsize=16)
def _paragraphs(text: str) -> tuple[str, ...] | None:
    """The paragraphs of plain prose, their lines as they are; None where the text wants a parser.

    Plain are lines that begin with a letter and hold no mark: most of what organisers write.
    """
    lines = text.split("\n")
    if any(map(text.__contains__, _READ)) or not all(map(_is_plain, lines)):
        return None
    if not any(lines[1::2]):
        return tuple(filter(None, lines[::2]))
    # Put together again: to look for two line breaks takes longer than all the rest here.
    return tuple(["\n".join(paragraph) for is_text, paragraph in groupby(lines, bool) if is_text])


def _is_plain(line: str) -> bool:
    return not line or (line[0].isalnum() and not line[0].isdecimal() and not line[-1].isspace())


def to_html(text: str, base: str = "") -> str:
    """Safe HTML of a Markdown text; relative addresses are completed with `base`."""
    prose = _paragraphs(text.strip("\n"))
    if prose is not None:
        return "\n".join([f"<p>{paragraph}</p>" for paragraph in prose]).replace("\xa0", "&nbsp;")
    return _html(text, base)


@lru_cache(maxsize=4096)
def _html(text: str, base: str) -> str:
    tokens = _parser().parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        if token.children:
            token.children = [_safe(child, base) for child in token.children]
    html = _parser().renderer.render(tokens, _parser().options, {})
    return nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"http", "https"}, link_rel=None).strip()


def _safe(token: "Token", base: str) -> "Token":
    if token.type == "image":
        address = urljoin(base, str(token.attrs.get("src", "")))
        return type(token)("html_inline", "", 0, content=_image_link(address, token.content))
    if token.type == "link_open" and base:
        token.attrSet("href", urljoin(base, str(token.attrs.get("href", ""))))
    return token


def _image_link(address: str, label: str) -> str:
    return f'<a href="{nh3.clean_text(address)}">{nh3.clean_text(label or address)}</a>'


def to_text(text: str, base: str | None = None) -> str:
    """Plain text of a Markdown text: an empty line between paragraphs, a line break is a space.

    The addresses of links stand in brackets, relative ones completed with `base`; without it they are left out.
    """
    prose = _paragraphs(text.strip("\n"))
    if prose is not None:
        return "\n\n".join([paragraph.replace("\n", " ") for paragraph in prose])
    return _text(text, base)


@lru_cache(maxsize=4096)
def _text(text: str, base: str | None) -> str:
    blocks: list[str] = []
    marks: list[str] = []
    for token in _parser().parse(text):
        _mark(token, marks)
        if token.type == "inline":
            blocks.append("".join(marks[-1:]) + _inline(token.children or (), base))
            if marks and marks[-1].strip():
                marks[-1] = " " * len(marks[-1])
        elif token.type in {"fence", "code_block"}:
            blocks.append(token.content.rstrip("\n"))
    return "\n\n".join(blocks)


def _mark(token: "Token", marks: list[str]) -> None:
    if token.type == "list_item_open":
        marks.append(f"{token.info}{token.markup} " if token.info else "– ")
    elif token.type == "blockquote_open":
        marks.append("> ")
    elif token.type in {"list_item_close", "blockquote_close"}:
        marks.pop()


def _inline(tokens: "Sequence[Token]", base: str | None) -> str:
    def address(token: "Token", name: str) -> str:
        return "" if base is None else urljoin(base, str(token.attrs.get(name, "")))

    parts: list[str] = []
    links: list[tuple[int, str]] = []
    for token in tokens:
        match token.type:
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "link_open":
                links.append((len(parts), address(token, "href")))
            case "link_close":
                since, target = links.pop()
                if target not in "".join(parts[since:]):
                    parts.append(f" ({target})")
            case "image":
                source = address(token, "src")
                parts.append(f"{token.content} ({source})".strip() if source else token.content)
            case _:
                parts.append(token.content)
    return "".join(parts)
