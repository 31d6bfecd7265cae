"""The long strings of a TOML text, set aside while the rest is worked at: they are most of its length."""

import re
import tomllib

from pipeline.importing.writing import inline

LONG = 500
"""From how many octets on a string is long."""
_STRING = re.compile(
    rb'"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|"(?:[^"\\\n]++|\\.)*+"'
    rb"|'''(?:[^']++|'(?!''))*+'{3,5}|'[^'\n]*+'|#[^\n]*+",
    re.DOTALL,
)
"""A string in any of its four forms, its quotes with it; or a remark, which may hold quotes."""
_MARK = re.compile('"\uffff[0-9]+\uffff"'.encode())
"""A number between characters that no sound catalogue holds."""


def without_long_strings(text: bytes) -> bytes:
    """A TOML text with a mark in the place of each long string."""
    return _STRING.sub(lambda found: '"…"'.encode() if _is_long(found[0]) else found[0], text)


class SetAside:
    """Strings as they stand in a text, and in their place marks, each a short string itself."""

    def __init__(self) -> None:
        self._strings: dict[bytes, bytes] = {}

    def short(self, text: bytes) -> bytes:
        """A TOML text with a mark in the place of each long string."""
        return _STRING.sub(
            lambda found: inline(self._mark(found[0])).encode() if _is_long(found[0]) else found[0], text
        )

    def whole(self, text: bytes) -> bytes:
        """A text with the strings themselves in the place of their marks."""
        return _MARK.sub(lambda found: self._strings.get(found[0], found[0]), text)

    def prose(self, text: str, before: object) -> str:
        """What to write for a text: where it says the same as what was `before`, or its mark, that; else a mark."""
        if text == before or (isinstance(before, str) and self._said(before) == text):
            return str(before)
        return self._mark(_in_quotes(text).encode())

    def _said(self, mark: str) -> str:
        """The text for which a mark stands; of any other text itself."""
        return str(tomllib.loads(f"x = {self.whole(inline(mark).encode()).decode()}")["x"])

    def _mark(self, string: bytes) -> str:
        mark = f"\uffff{len(self._strings)}\uffff"
        self._strings[inline(mark).encode()] = string
        return mark


def _is_long(string: bytes) -> bool:
    return len(string) > LONG and not string.startswith(b"#")


def _in_quotes(text: str) -> str:
    if "\n" not in text:
        return inline(text)
    escaped = "\n".join(inline(line)[1:-1].replace('\\"', '"') for line in text.split("\n")).replace('"""', '""\\"')
    # A line break right behind the quotes is none of the text.
    return f'"""\n{escaped}"""' if text.startswith("\n") else f'"""{escaped}"""'
