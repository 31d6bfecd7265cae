"""What can go wrong, as one tree, and how a problem is shown to a person.

TocsinError
├── InputError              a file that people write is wrong: every problem at once
│   ├── CatalogueError      events.toml
│   └── LedgerError         ledger.jsonl, or an event that was published is gone
├── TemplateError           a template is wrong: names it and its line
├── SettingsError           an environment variable or an option is wrong
├── FileError               a file or folder can't be written
├── StoreError              the database can't be used
│   └── MissingDatabaseError      there is none yet
└── DeliveryError           the mail server can't be used, or refused
    ├── TransientDeliveryError    later may help
    └── PermanentDeliveryError    this letter will never be taken
"""

import errno
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Severity(StrEnum):
    """How much a problem matters: an error stops everything, a warning and an open question don't."""

    ERROR = "error"
    WARNING = "warning"
    TODO = "todo"


def unchanged(text: str) -> str:
    """The translation that leaves English as it is."""
    return text


def N_(text: str) -> str:  # noqa: N802 - the mark by which translators' tools find a text that is said later
    """Marks a pattern of a message that is translated where it is said."""
    return text


LONGEST_VALUE = 400


def _short(value: object) -> object:
    return value[: LONGEST_VALUE - 1] + "…" if isinstance(value, str) and len(value) > LONGEST_VALUE else value


def visible(text: str) -> str:
    """The text on one line, with an escape for each character that a terminal would obey or not show."""
    if text.isprintable():
        return text
    return "".join(character if _is_shown(character) else _escaped(character) for character in text)


def _is_shown(character: str) -> bool:
    # No-break spaces belong to French typography and are shown as spaces.
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    return short or (f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}")


NO_VALUES: Mapping[str, object] = MappingProxyType({})
"""For a message that says nothing but itself."""


class Problem(NamedTuple):
    """One thing that is wrong: where it stands, what is wrong, and what to type instead.

    `message` and `hint` are English patterns for `str.format`, filled from `values`, so that they can be translated; a
    value may be a TocsinError, which is told in the same language.
    Lines and columns count from 1; 0 means that the place isn't known.
    """

    file: str
    line: int
    key: str
    message: str
    hint: str = ""
    values: Mapping[str, object] = NO_VALUES
    severity: Severity = Severity.ERROR
    column: int = 0
    text: str = ""
    """The line itself as it stands in the file; empty where it isn't known."""

    @property
    def position(self) -> tuple[str, int, int, str, str]:
        """Sorts problems in the order in which a reader meets them."""
        return self.file, self.line, self.column, self.key, self.message

    def what(self, translate: Callable[[str], str] = unchanged) -> str:
        """The message in the reader's language, its values filled in."""
        return self._filled(self.message, translate)

    def remedy(self, translate: Callable[[str], str] = unchanged) -> str:
        """What to do, in the reader's language; empty where the message says it all."""
        return self._filled(self.hint, translate) if self.hint else ""

    def _filled(self, pattern: str, translate: Callable[[str], str]) -> str:
        values = {name: _short(told(value, translate)) for name, value in self.values.items()}
        return visible(translate(pattern).format_map(values))

    def show(self, translate: Callable[[str], str] = unchanged) -> str:
        """`events.toml:142: event "welfare-control": weekday: … (…)`, on one line."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f"{visible(self.key)}: " if self.key else ""
        remedy = self.remedy(translate)
        return f"{place}: {key}{self.what(translate)}" + (f" ({remedy})" if remedy else "")

    def __str__(self) -> str:
        return self.show()


class TocsinError(Exception):
    """The root of all that tocsin raises on purpose; its text is meant for the person at the terminal.

    With `values` the message is an English pattern that is filled from them, so that it can be translated; a value may
    be such an error itself, or a problem.
    """

    def __init__(self, message: str = "", **values: object) -> None:
        self.message = message
        self.values = values
        super().__init__(self.said())

    def __eq__(self, other: object) -> bool:
        """Whether it says the same: as a value of a problem it is compared with it."""
        return type(other) is type(self) and str(other) == str(self)

    def __hash__(self) -> int:
        return hash((type(self), str(self)))

    def said(self, translate: Callable[[str], str] = unchanged) -> str:
        """Its text in the reader's language."""
        pattern = translate(self.message) if self.message else ""
        values = {name: told(value, translate) for name, value in self.values.items()}
        return pattern.format_map(values) if values else pattern


def told(value: object, translate: Callable[[str], str] = unchanged) -> object:
    """A value as it is told in the reader's language: errors and problems in words, all else as it is."""
    if isinstance(value, Problem):
        return value.show(translate)
    return value.said(translate) if isinstance(value, TocsinError) else value


def told_once(errors: Iterable[TocsinError]) -> tuple[TocsinError, ...]:
    """The errors without those that say the same."""
    return tuple({str(error): error for error in errors}.values())


_NO_LEAVE = N_("permission is refused; look at who owns it, and its folder")
_TOO_MANY_FILES = N_("too many files are open; end other programs, or raise the limit (ulimit -n)")
_HUNG_UP = N_("the other side has closed the connection")
_NO_WAY = N_("no way leads there; look at the network")
_NO_ANSWER = N_("no answer came in time")
OF_THE_SYSTEM: Mapping[int, str] = MappingProxyType({
    errno.EACCES: _NO_LEAVE, errno.EPERM: _NO_LEAVE,
    errno.ENOENT: N_("there is no such file or folder"), errno.EEXIST: N_("there is something of that name already"),
    errno.EISDIR: N_("this is a folder, not a file"), errno.ENOTDIR: N_("a file stands where its folder would be"),
    errno.ENAMETOOLONG: N_("its name is too long"), errno.ELOOP: N_("its links lead in a circle"),
    errno.ENOSPC: N_("the disk is full; make room"), errno.EDQUOT: N_("the quota of the disk is used up; make room"),
    errno.ESTALE: N_("another program has changed it meanwhile; try again"),
    errno.EROFS: N_("the disk lets nobody write"), errno.EIO: N_("the disk has failed; look at its health"),
    errno.EMFILE: _TOO_MANY_FILES, errno.ENFILE: _TOO_MANY_FILES,
    errno.EADDRINUSE: N_("another program listens there already"),
    errno.EADDRNOTAVAIL: N_("this machine has no such address"),
    errno.ECONNREFUSED: N_("nobody listens there"), errno.ECONNRESET: _HUNG_UP, errno.EPIPE: _HUNG_UP,
    errno.EHOSTUNREACH: _NO_WAY, errno.ENETUNREACH: _NO_WAY, errno.ETIMEDOUT: _NO_ANSWER,
})  # fmt: skip
"""In our words what the system says most often."""
NO_SUCH_NAME = N_("no machine has that name; look at how it is spelt, and at the network")


def reason_of(error: Exception) -> TocsinError:
    """What the system says of a file or a connection, to be told in the reader's language; its own words where it is
    none of the usual."""
    kind = type(error)
    # Errors of other modules count in numbers of their own.
    number = getattr(error, "errno", None) if kind.__module__ == "builtins" else None
    if isinstance(error, TimeoutError):
        number = errno.ETIMEDOUT
    # What looks names up counts below zero, also where its error comes as one of the system.
    is_of_a_name = kind.__name__ == "gaierror" or (number or 0) < 0
    ours = NO_SUCH_NAME if is_of_a_name else OF_THE_SYSTEM.get(number or 0)
    words = ours or getattr(error, "strerror", None) or str(error) or kind.__name__
    return TocsinError(words)


def in_our_words(said: str, ours: Mapping[str, str]) -> TocsinError:
    """What a library says of a fault, in words of ours: those of the first part that it holds; else its own."""
    words = next((words for part, words in ours.items() if part in said), said)
    return TocsinError(words)


class InputError(TocsinError):
    """A file that people write is wrong; `problems` holds all that is, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.position))
        super().__init__("\n".join(map(str, self.problems)))


class CatalogueError(InputError):
    """The catalogue, or another file that organisers write, is wrong."""


class LedgerError(InputError):
    """The ledger can't be read, or what was published is no longer in the catalogue."""


class TemplateError(TocsinError):
    """A template can't be rendered; the text names it and its line."""


class SettingsError(TocsinError):
    """An environment variable, an option or a file named by one is wrong."""


class FileError(TocsinError):
    """A file or folder can't be written; what was there is whole."""


class StoreError(TocsinError):
    """The database can't be opened, read or written; nothing is lost."""


class EditionError(StoreError):
    """What was published for a series can't be read: another version of tocsin did it."""


class MissingDatabaseError(StoreError):
    """There is no database yet where one is only to be looked at."""


class DeliveryError(TocsinError):
    """The mail server can't be reached or used."""


class TransientDeliveryError(DeliveryError):
    """Not now: trying again later may help."""


class PermanentDeliveryError(DeliveryError):
    """Never: trying again won't help."""
