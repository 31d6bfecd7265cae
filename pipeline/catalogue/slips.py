"""The commonest slips that make a line no TOML, as an organiser would want to hear of them."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pipeline.catalogue.proposals import proposed_day, proposed_time, proposed_times
from pipeline.catalogue.synonyms import meant_by
from pipeline.errors import N_


class Slip(NamedTuple):
    """What is wrong in a line and what to type, the column (from 1) where it is, and the key if there is one."""

    message: str
    hint: str
    column: int
    key: str = ""
    values: dict[str, object] = {}


_PAIR = re.compile(r"\s*(?P<key>[A-Za-z0-9_.-]+)\s*=\s*(?P<value>.*?)\s*(?:\s#.*)?$")
_CURLY = re.compile("[“”„«»‘‹›]")
_UNSEEN = re.compile("[\u00a0\u00ad\u2000-\u200f\u2028\u2029\u202f\u2060\ufeff]")
_WIDE = re.compile("[＂＃＇，．：＝［］｛｝]")
"""Signs as keyboards for Chinese and Japanese type them: `TO_PLAIN` away from those of ASCII."""
TO_PLAIN = ord("＝") - ord("=")
_TIMES = frozenset({"time", "end_time"})
_DATES = frozenset({"date", "end_date"})
LONGEST = 2000
"""Longer lines aren't looked at: a slip in one can't be shown anyway, and searching it may take long."""
_YES_OR_NO = re.compile(r"(?i:oui|non|yes|no|vrai|faux|true|false)")


def slip_in(line: str, column: int) -> Slip | None:
    """The slip that was probably made in a line which no reader understands at that column (from 1)."""
    if len(line) > LONGEST:
        return None
    match = _PAIR.match(line)
    found = _first_of(_BEFORE_PAIRS, line, column)
    if found is None and match is not None:
        key, value, at = match["key"], match["value"], match.start("value") + 1
        found = next((slip for look in _IN_PAIRS for slip in look(key, value, at, column)), None)
    return found if found is not None else _first_of(_AFTER_PAIRS, line, column)


Look = Callable[[str, int], Iterator[Slip]]


def _first_of(looks: Iterable[Look], line: str, column: int) -> Slip | None:
    """The first slip that any of them finds."""
    return next((slip for look in looks for slip in look(line, column)), None)


def _conflict(line: str, _column: int) -> Iterator[Slip]:
    if re.match(r"<{7}|={7}|>{7}|\|{7}", line):
        hint = N_("keep one of the two versions, and delete the lines with <<<<<<<, ======= and >>>>>>>")
        yield Slip(N_("git left a conflict here"), hint, 1)


def _unseen(line: str, column: int) -> Iterator[Slip]:
    before = re.match(r"[^\"']*", line)
    found = _UNSEEN.search(line, 0, before.end() if before else 0)
    if found is not None and found.start() < column:
        yield Slip(N_("there is a character here that can't be seen, {character}"),
                   N_("delete it: press the key that deletes until what stands before it is gone"),
                   found.start() + 1, values={"character": f"U+{ord(found[0]):04X}"})  # fmt: skip


def _wide(line: str, column: int) -> Iterator[Slip]:
    if (found := _WIDE.match(line, column - 1)) is not None:
        yield Slip(N_("{mark} is the wide form of a sign"), N_("write the plain one: {plain}"), found.start() + 1,
                   values={"mark": found[0], "plain": chr(ord(found[0]) - TO_PLAIN)})  # fmt: skip


def _remark(line: str, _column: int) -> Iterator[Slip]:
    if (found := re.match(r"\s*(?P<mark>//|;|--|/\*|%)", line)) is not None:
        yield Slip(N_("a remark begins with #"), N_("write # in the place of {mark}"), found.start("mark") + 1,
                   values={"mark": found["mark"]})  # fmt: skip


def _colon(line: str, column: int) -> Iterator[Slip]:
    found = re.match(r"\s*(?P<key>[A-Za-z0-9_-]+)\s*:\s*", line)
    if found is not None or line[column - 1 : column] == ":":
        key = found["key"] if found else ""
        yield Slip(N_("between a key and its value stands an equals sign"), N_("write = in the place of the colon"),
                   line.index(":", found.end("key")) + 1 if found else column, key)  # fmt: skip


def _foreign_key(line: str, _column: int) -> Iterator[Slip]:
    found = re.match(r"\s*\[{0,2}\s*(?P<word>\w*[^\W_a-zA-Z0-9]\w*)\s*[]=]", line)
    if found is not None:
        meant = meant_by(found["word"])
        yield Slip(N_("keys have only the letters a to z, and are in English: {word}"),
                   N_("did you mean {meant!r}?") if meant else "", found.start("word") + 1,
                   values={"word": found["word"], "meant": meant})  # fmt: skip


def _equal_twice(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    if (found := re.match(r"=+\s*(?=\S)", value)) is not None:
        yield Slip(N_("there are two equals signs"), N_("write {key} = {value}"), at, key,
                   {"key": key, "value": value[found.end():]})  # fmt: skip


def _curly(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    first = _CURLY.match(value)
    last = re.fullmatch(r'"[^"]*[“”»]', value)
    if first is not None or last is not None:
        plain = _CURLY.sub("", value).strip('" \u00a0\u202f,;')
        yield Slip(N_("the quotes are those of printed text, not straight ones"), N_('write {key} = "{text}"'),
                   at + (0 if first else len(value) - 1), key, {"key": key, "text": _escaped(plain)})  # fmt: skip


def _escaped(text: str) -> str:
    """A text as it stands between double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _end_of_line(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    if re.fullmatch(r"""("[^"]*"|'[^']*'|true|false|[\d-]+)\s*[,;.]""", value):
        yield Slip(N_("a line doesn't end with {mark}"), N_("delete it"), at + len(value) - 1, key, {"mark": value[-1]})


def _remark_after(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    found = re.fullmatch(r"""(?:"[^"]*"|'[^']*'|[\w.-]+)\s+(?P<mark>//|;|--|/\*).*""", value)
    if found is not None:
        yield Slip(N_("a remark begins with #"), N_("write # in the place of {mark}"), at + found.start("mark"), key,
                   {"mark": found["mark"]})  # fmt: skip


def _quote_within(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    if re.fullmatch(r"""'[^']*'[^'].*""", value):
        yield Slip(N_("the apostrophe ends the text"), N_('write it between double quotes: {key} = "…"'),
                   at + value.index("'", 1), key, {"key": key})  # fmt: skip
    elif (found := re.fullmatch(r'"(?:[^"\\]|\\.)*+(?P<end>")[^"\s,#].*"', value)) is not None:
        yield Slip(N_("a quote within the text ends it"), N_('write \\" within it, or “…” or « … »'),
                   at + found.start("end"), key)  # fmt: skip


def _open_table(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    braces = re.sub(r""""[^"]*"|'[^']*'|#.*""", lambda text: "." * len(text[0]), value)
    if braces[:1] in {"{", "["} and braces.count("{") > braces.count("}"):
        yield Slip(N_("what opens with {{ has its }} on the same line"),
                   N_('write {key} = {{ … }} on one line, or a line {key}.url = "…" for each of its keys')
                   if braces[0] == "{" else N_("write {key} = [{{ … }}, {{ … }}], each {{ … }} on one line"),
                   at + braces.rindex("{"), key, {"key": key})  # fmt: skip


def _no_value(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    if not value or value.startswith("#"):
        yield Slip(N_("there is nothing behind the equals sign"),
                   N_("write the value on the same line, or delete the line"), at, key)  # fmt: skip


def _date(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    if key in _DATES or re.fullmatch(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}", value):
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            yield Slip(N_("{value} is not a day of the calendar"), N_("correct the day or the month"), at, key,
                       {"value": value})  # fmt: skip
        elif (day := re.match(r"\d{4}-\d\d-\d\d(?=\D)", value)) is not None and proposed_day(day[0]) is not None:
            yield Slip(N_("something follows the value on the same line"), N_("write {key} = {value}"), at + day.end(),
                       key, {"key": key, "value": day[0]})  # fmt: skip
        elif value[:1] not in {'"', "'", "[", ""}:
            is_in_order = re.match(r"\d{4}\D", value) is not None
            what = (
                N_("month and day have two digits, with hyphens between")
                if is_in_order
                else N_("a date begins with its year")
            )
            yield Slip(what, N_("write {key} = {value}"), at, key,
                       {"key": key, "value": proposed_day(value) or "2026-05-07"})  # fmt: skip


def _time(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    if key == "time" and (times := proposed_times(value)) is not None:
        yield Slip(N_("a time of day stands between quotes"), N_('write time = "{start}" and end_time = "{end}"'), at,
                   key, {"start": times[0], "end": times[1]})  # fmt: skip
    elif key in _TIMES and value[:1].isdigit():
        written = re.split(r"[,;]|\s(?://|--)", value)[0]
        yield Slip(N_("a time of day stands between quotes"), N_('write {key} = "{value}"'), at, key,
                   {"key": key, "value": proposed_time(written) or "19:00"})  # fmt: skip


def _yes_or_no(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    if _YES_OR_NO.fullmatch(value):
        yield Slip("{given} is not yes or no", "write true or false, without quotes", at, key, {"given": value})


def _bare_text(key: str, value: str, at: int, _column: int) -> Iterator[Slip]:
    if value and value[0] not in "\"'[{":
        yield Slip(N_("a text stands between quotes"), N_('write {key} = "{text}"'), at, key,
                   {"key": key, "text": _escaped(value.replace('"', "").strip()[:60])})  # fmt: skip


def _curly_here(line: str, column: int) -> Iterator[Slip]:
    if _CURLY.match(line[column - 1 : column]):
        yield Slip(
            N_("the quotes are those of printed text, not straight ones"), 'write it between quotes: "…"', column
        )


_BEFORE_PAIRS: tuple[Look, ...] = (_conflict, _unseen, _wide, _remark, _foreign_key)
_IN_PAIRS = (
    _no_value,
    _equal_twice,
    _curly,
    _open_table,
    _end_of_line,
    _date,
    _time,
    _yes_or_no,
    _remark_after,
    _quote_within,
    _bare_text,
)
_AFTER_PAIRS: tuple[Look, ...] = (_curly_here, _colon)
