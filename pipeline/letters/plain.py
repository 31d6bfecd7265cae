"""The plain-text part: lines short enough to be read, links and indents as they are."""

import re
import textwrap

WIDTH = 72

_OPENING = re.compile(r" *(?:[–•>-] |\d{1,3}[.)] |[^ :]{1,12}: )? *")


def wrapped(text: str) -> str:
    """The text with lines of at most 72 characters where words allow it; at most one empty line in a row.

    What continues a list item or a `When: …` line hangs below its beginning. Links and no-break spaces stay whole.
    """
    lines = [short for line in text.split("\n") for short in _wrap(line.rstrip(" \t"))]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _wrap(line: str) -> list[str]:
    # "-- " opens the signature; its space belongs to it.
    if line == "--":
        return ["-- "]
    opening = _OPENING.match(line)
    begun = len(opening[0]) if opening else 0
    # A link after "now: " stays on its line: alone on the next one it would look like another fact.
    if len(line) <= WIDTH or " " not in line[begun:]:
        return [line]
    hang = " " * min(begun, 12)
    return textwrap.wrap(
        line, WIDTH, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False, expand_tabs=False,
        replace_whitespace=False, drop_whitespace=True,
    )  # fmt: skip
