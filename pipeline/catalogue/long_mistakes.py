"""What is wrong with a long text that is no TOML is looked for in as much of it as is needed.

As a whole it would be held several times, four bytes for each character where one is an emoji.
"""

from pipeline.catalogue.toml import by_python, decoded, pieces, read_piece

ENOUGH = 2**20
"""How many bytes are read from the first piece on that can't be read by itself."""
_EVENT = b"[[event]]"


def wrong_part(text: bytes) -> bytes:
    """So much of a text that can't be read in pieces as tells what is wrong, on its lines; all of it where less can't.

    A piece may be no TOML by itself, and the text is: where a long text holds a line such as `[[event]]`.
    """
    short = _shortened(text)
    try:
        by_python(decoded(short))
    except ValueError as error:
        # A text that was cut off has an end where the whole one has none.
        if "(at end of document)" not in str(error) or short.count(b"\n") == text.count(b"\n"):
            return short
    return text


def _shortened(text: bytes) -> bytes:
    """The same text as far as its first mistake: events that can be read before it leave their lines empty."""
    kept, start, wrong = list[bytes](), 0, 0
    for piece in pieces(text):
        assert isinstance(piece, bytes)  # noqa: S101 - as the text is
        start += len(piece)
        is_event = False
        if not wrong:
            try:
                is_event = read_piece(piece).keys() == {"event"}
            except (ValueError, RecursionError):
                wrong = start
        kept.append(_EVENT + b"\n" * piece.count(b"\n") if is_event else piece)
        if wrong and start - wrong >= ENOUGH:
            break
    return b"".join(kept)
