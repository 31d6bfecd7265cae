"""The beginning of a long text, for the places where only a few words fit."""

import re

NO_BREAK = "\u00a0\u202f"
_BREAK = re.compile(rf"[^\S{NO_BREAK}]+")
_SENTENCE_END = re.compile(r"[.!?…][”’\"»)\]]*(?=\s)")


def first_sentence(text: str) -> str:
    """The first sentence of a plain text, or its first paragraph where no sentence ends."""
    paragraph = text.strip().partition("\n\n")[0]
    end = _SENTENCE_END.search(paragraph)
    return paragraph[: end.end()] if end else paragraph


def excerpt(text: str, limit: int) -> str:
    """The beginning of a plain text on one line: whole where it fits, else cut between two words, with an ellipsis."""
    if len(text) <= limit and "  " not in text and text.isprintable():
        return text.strip()  # as most are
    # The rest of a long text is of no use, unless its beginning is mostly space.
    enough = limit + limit // 4
    line = _on_one_line(text[:enough])
    if len(line) <= limit and len(text) > enough:
        line = _on_one_line(text)
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    whole_words = cut.rpartition(" ")[0] if line[limit - 1] != " " else cut
    return (whole_words or cut).rstrip(f" {NO_BREAK},;:–—-(") + "…"


def _on_one_line(text: str) -> str:
    """Where a text may break, a blank; the spaces that keep it together stay."""
    line = text.replace("\n\n", " ")
    if "  " not in line and line.isprintable():
        # Paragraphs of plain words, as most are: to take them apart and together again costs ten times as much.
        return line.strip()
    if not any(map(text.__contains__, NO_BREAK)):
        return " ".join(text.split())
    return " ".join(_BREAK.split(text.strip()))
