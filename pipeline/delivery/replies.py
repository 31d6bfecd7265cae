"""What a mail server's replies and errors say: the code, the words in one line, and what a refusal means. Pure."""

from typing import Final

from pipeline.delivery.outcomes import Fate, Outcome, Step

_NOT_OUR_MESSAGE: Final = frozenset({530, 534, 535, 538})  # the server wants a login, or another one


def code_of(error: Exception) -> int | None:
    """The reply code that an error of the client carries."""
    code = getattr(error, "smtp_code", None)
    return code if isinstance(code, int) and code > 0 else None


def words_of(error: Exception) -> str:
    """What the server said, or the system, in one line."""
    said = getattr(error, "smtp_error", None)
    if isinstance(said, bytes):
        return words(said)
    return printable(str(said or getattr(error, "strerror", None) or error)) or type(error).__name__


def words(said: bytes) -> str:
    """The text of a reply in one line."""
    return printable(said.decode("utf-8", "replace"))


def printable(said: str) -> str:
    """A stranger's words in one line, without what a terminal would obey."""
    line = " ".join(said.split())
    return line if line.isprintable() else "".join(letter if letter.isprintable() else "�" for letter in line)


def refused(step: Step, code: int, text: str) -> Outcome:
    """What a 4xx or 5xx reply to a step means: later, never for this recipient, or never from us."""
    if code < 500:
        return Outcome(Fate.LATER, step, code, text)
    ours = step is Step.MAIL or code in _NOT_OUR_MESSAGE or "relay" in text.casefold()
    return Outcome(Fate.UNWELCOME if ours else Fate.REFUSED, step, code, text)
